package exports_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/exports"
)

func key(err error) string {
	if e := fault.As(err); e != nil {
		return e.Key
	}
	return ""
}

func TestTheVerifierOfTheArchiveIsThatOfTheDocumentation(t *testing.T) {
	a, err := os.ReadFile("verifier.py")
	b, other := os.ReadFile("../../../docs/verifier-export.py")
	if err != nil || other != nil || !bytes.Equal(a, b) {
		t.Fatalf("docs/verifier-export.py and the verifier in the archive differ: %v %v", err, other)
	}
}

func TestTwoPeopleAnswerForAnArchive(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		r, err := d.s.Ask(t.Context(), first(), justice())
		d.must(err)
		if r.Found != 80 {
			t.Errorf("%d events were counted, want 80", r.Found)
		}
		if _, err := d.s.Approve(t.Context(), first(), r.ID); key(err) != "traces.exports.own" {
			t.Errorf("who asked approves: %v", err)
		}
		for name, scope := range map[string]access.Scope{
			"no second factor": as(nord(), 2, false, access.DataProtection), "an administrator": as(nord(), 3, true, access.Administrator),
			"another establishment": as(sud(), 4, true, access.DataProtection), "a machine": access.System(nord(), "x"),
		} {
			if _, err := d.s.Approve(t.Context(), scope, r.ID); err == nil {
				t.Errorf("%s approves", name)
			}
			if _, _, err := d.s.Take(t.Context(), scope, r.ID); err == nil {
				t.Errorf("%s takes", name)
			}
		}
		if _, _, err := d.s.Take(t.Context(), first(), r.ID); key(err) != "traces.exports.not_ready" {
			t.Errorf("what was not made is taken: %v", err)
		}
		if list, err := d.s.List(t.Context(), as(sud(), 4, true, access.DataProtection)); err != nil || len(list) != 0 {
			t.Errorf("another establishment sees %v, %v", list, err)
		}
		if more, err := d.s.Work(t.Context(), d.clock.Now()); more || err != nil {
			t.Errorf("an archive is made that nobody approved: %v", err)
		}
		if _, err := d.s.Refuse(t.Context(), second(), r.ID, " "); key(err) != "traces.exports.refusal" {
			t.Errorf("a refusal without a reason: %v", err)
		}
		_, err = d.s.Refuse(t.Context(), second(), r.ID, "réquisition sans signature")
		d.must(err)
		if _, err := d.s.Approve(t.Context(), second(), r.ID); key(err) != "traces.exports.decided" {
			t.Errorf("a refusal is undone: %v", err)
		}
	})
}

func TestJusticeReceivesAllWithProof(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		r := d.made(justice())
		if r.State != exports.Ready || r.Events != 80 || r.Until != start().Add(exports.KeptFor) {
			t.Fatalf("the archive is %+v", r)
		}
		archive := d.taken(r)
		if int64(len(archive)) != r.Bytes {
			t.Errorf("%d bytes leave, %d were made", len(archive), r.Bytes)
		}
		if got := d.says(archive); got != "80 proven" {
			t.Errorf("verified: %s", got)
		}
		files := unzip(t, archive)
		if string(files["originaux/000002.txt"]) != `{"n":1,"qui":"hlefebvre"}` {
			t.Errorf("an original is %q", files["originaux/000002.txt"])
		}
		table := files["traces.csv"]
		rows, err := func() ([][]string, error) {
			in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(table, []byte("\ufeff"))))
			in.Comma = ';'
			return in.ReadAll()
		}()
		d.must(err)
		if len(rows) != 81 || !bytes.HasPrefix(table, []byte("\ufeff")) || !slices.Contains(rows[1], `'=HYPERLINK("http://pirate")`) {
			t.Errorf("the table is %q…", table[:min(len(table), 900)])
		}
		if want := []string{"traces.document", "traces.export.approved", "traces.export.ask", "traces.export.ready", "traces.export.take"}; !slices.Equal(d.steps(), want) {
			t.Errorf("the journal says %v, want %v", d.steps(), want)
		}
		if again, err := d.s.Get(t.Context(), first(), r.ID); err != nil || again.Taken != 1 {
			t.Errorf("taken %d times, %v", again.Taken, err)
		}
	})
}

func TestAPatientReadsNoName(t *testing.T) {
	d := lite(t)
	archive := d.taken(d.made(patient()))
	if got := d.says(archive); got != "80 proven" {
		t.Errorf("verified: %s", got)
	}
	for name, content := range unzip(t, archive) {
		if strings.HasPrefix(name, "originaux/") {
			t.Errorf("%s is in the archive of a patient", name)
		}
		plain := storage.Fold(string(content))
		for _, word := range []string{"lefebvre", "helene", "quint", "deleguee", "numero1", "numero2", "guichet"} {
			if strings.Contains(plain, word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
	}
	if csv := string(unzip(t, archive)["traces.csv"]); !strings.Contains(csv, "Infirmière;Gériatrie") || !strings.Contains(csv, ";P-") || !strings.Contains(csv, "vu avec Mme •••") {
		t.Errorf("the table does not say who by function: %s", csv[:600])
	}
}

func TestAnExceptionNamesThem(t *testing.T) {
	d := lite(t)
	w := patient()
	w.Exception = "avis de la CADA no 2026-1"
	r := d.made(w)
	archive := d.taken(r)
	if got := d.says(archive); r.Masked() || got != "80 proven" || !bytes.Contains(unzip(t, archive)["traces.csv"], []byte("LEFEBVRE")) {
		t.Errorf("an exception that was approved: %s", got)
	}
}

// TestWhatIsAlteredShows alters one file at a time.
func TestWhatIsAlteredShows(t *testing.T) {
	d := lite(t)
	whole := unzip(t, d.taken(d.made(justice())))
	for name, alter := range map[string]func(files map[string][]byte){
		"a cell":               func(f map[string][]byte) { swap(f, "traces.csv", "Infirmière", "Aide-soig.") },
		"an original":          func(f map[string][]byte) { swap(f, "originaux/000001.txt", "hlefebvre", "kzidane--") },
		"a proof":              func(f map[string][]byte) { swap(f, "preuve/preuve-0001.json", `"seq":1,`, `"seq":2,`) },
		"the signature":        func(f map[string][]byte) { f["manifeste.sig"][3]++ },
		"the manifest":         func(f map[string][]byte) { swap(f, "manifeste.json", "REQ 2026/118", "REQ 2026/119") },
		"a file that is added": func(f map[string][]byte) { f["preuve/autre.txt"] = []byte("x") },
		"a file that is gone":  func(f map[string][]byte) { delete(f, "originaux/000007.txt") },
	} {
		files := map[string][]byte{}
		for n, b := range whole {
			files[n] = bytes.Clone(b)
		}
		alter(files)
		say := d.weSay
		if slices.Contains([]string{"a cell", "a proof", "an original"}, name) { // the other program takes a second
			say = func(b []byte) (string, bool) { got := d.says(b); return got, strings.HasSuffix(got, " proven") }
		}
		if got, holds := say(pack(t, files)); holds {
			t.Errorf("%s altered: %s", name, got)
		}
	}
}

func TestRequestsThatDoNotHold(t *testing.T) {
	d := lite(t)
	for want, change := range map[string]func(w *exports.Wanted){
		"traces.exports.everything":   func(w *exports.Wanted) { w.Patient = " " },
		"traces.exports.requisition":  func(w *exports.Wanted) { w.Reference = "" },
		"traces.exports.reason":       func(w *exports.Wanted) { w.Reason = "" },
		"traces.exports.kind":         func(w *exports.Wanted) { w.Kind = "presse" },
		"traces.exports.none":         func(w *exports.Wanted) { w.Patient = "7777" },
		"traces.error.period":         func(w *exports.Wanted) { w.To = w.From },
		"traces.exports.long":         func(w *exports.Wanted) { w.Reason = strings.Repeat("a", 1001) },
		"traces.exports.identity":     func(w *exports.Wanted) { w.Kind = exports.Patient },
		"traces.exports.patient.only": func(w *exports.Wanted) { w.Kind, w.Identity, w.Account = exports.Patient, "vue", "x" },
	} {
		w := justice()
		change(&w)
		if _, err := d.s.Ask(t.Context(), first(), w); key(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for range exports.EventsMost {
		d.base.events[nord()] = append(d.base.events[nord()], access1(nord(), 0))
	}
	if _, err := d.s.Ask(t.Context(), first(), justice()); key(err) != "traces.exports.many" {
		t.Errorf("too many events: %v", err)
	}
	if list, err := d.s.List(t.Context(), first()); err != nil || len(list) != 0 {
		t.Errorf("what was refused is kept: %v %v", list, err)
	}
}

// TestItIsMadeAgainAfterAStop has the program die in the middle: what it leaves is
// not offered, and the next one makes the archive whole.
func TestItIsMadeAgainAfterAStop(t *testing.T) {
	d := lite(t)
	r, err := d.s.Ask(t.Context(), first(), justice())
	d.must(err)
	_, err = d.s.Approve(t.Context(), second(), r.ID)
	d.must(err)
	n, dead := 0, make(chan struct{})
	d.base.before = func() error {
		if n++; n == 60 { // the second chunk: kill -9 leaves the files as they are
			close(dead)
			select {}
		}
		return nil
	}
	go func(s *exports.Service) { _, _ = s.Work(context.Background(), start()) }(d.s) // never ends, as a dead process
	<-dead
	if _, _, err := d.s.Take(t.Context(), first(), r.ID); key(err) != "traces.exports.not_ready" {
		t.Errorf("half an archive is offered: %v", err)
	}
	d.base.before = nil
	d.start()
	if more, err := d.s.Work(t.Context(), start()); !more || err != nil {
		t.Fatalf("it is not made again: %v", err)
	}
	if got := d.says(d.taken(r)); got != "80 proven" {
		t.Errorf("after a stop: %s", got)
	}
	left, err := filepath.Glob(filepath.Join(d.dir, "*", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

func TestWhatFailsThreeTimesIsGivenUp(t *testing.T) {
	d := lite(t)
	r, err := d.s.Ask(t.Context(), first(), justice())
	d.must(err)
	_, err = d.s.Approve(t.Context(), second(), r.ID)
	d.must(err)
	d.base.before = func() error { return errors.New("the disk is gone") }
	for range 3 {
		if _, err := d.s.Work(t.Context(), start()); err == nil {
			t.Fatal("no error")
		}
	}
	if more, err := d.s.Work(t.Context(), start()); more || err != nil {
		t.Errorf("a fourth try: %v", err)
	}
	if r, err := d.s.Get(t.Context(), first(), r.ID); err != nil || r.State != exports.Failed || r.Problem != "traces.exports.broken" {
		t.Errorf("it is %s, %q, %v", r.State, r.Problem, err)
	}
}

func TestItGoesAfterItsTime(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		r := d.made(patient())
		asked, err := d.s.Ask(t.Context(), first(), justice())
		d.must(err)
		on := func(file string) bool { return bytes.Contains(file0(t, d.dir), []byte(file)) }
		if on("PK\x03\x04") || on("8001") {
			t.Error("the archive lies open on the disk")
		}
		d.clock.Advance(exports.KeptFor)
		if _, _, err := d.s.Take(t.Context(), first(), r.ID); key(err) != "traces.exports.not_ready" {
			t.Errorf("taken after its time: %v", err)
		}
		_, err = d.s.Sweep(t.Context(), d.clock.Now())
		d.must(err)
		for id, want := range map[uuid.UUID]exports.State{r.ID: exports.Removed, asked.ID: exports.Expired} {
			if got, err := d.s.Get(t.Context(), first(), id); err != nil || got.State != want {
				t.Errorf("it is %s, want %s, %v", got.State, want, err)
			}
		}
		if left, err := filepath.Glob(filepath.Join(d.dir, "*", "*")); err != nil || len(left) != 0 {
			t.Errorf("the folder holds %v, %v", left, err)
		}
	})
}

// TestWhatLiesOnTheDiskIsNotAltered cuts the sealed file, and changes a byte.
func TestWhatLiesOnTheDiskIsNotAltered(t *testing.T) {
	d := lite(t)
	r := d.made(justice())
	name := filepath.Join(d.dir, nord().String(), r.ID.String()+".scelle")
	whole, err := os.ReadFile(name)
	d.must(err)
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	for _, b := range [][]byte{changed, whole[:len(whole)-1], nil} {
		d.must(os.WriteFile(name, b, 0o600))
		_, archive, err := d.s.Take(t.Context(), first(), r.ID)
		d.must(err)
		if _, err := io.ReadAll(archive); err == nil {
			t.Error("an altered archive leaves whole")
		}
		d.must(archive.Close())
	}
}

// TestARotationOfTheKeysSealsTheArchivesAgain stops in the middle too: what is in
// place is always whole, under one key or the other.
func TestARotationOfTheKeysSealsTheArchivesAgain(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		r, other := d.made(justice()), d.made(patient())
		before := d.taken(r)
		place := func(r exports.Request) string { return filepath.Join(d.dir, nord().String(), r.ID.String()+".scelle") }
		stale := func(r exports.Request) bool {
			b, err := os.ReadFile(place(r))
			d.must(err)
			return d.vault.Stale(b[4:])
		}
		again := func(want int) {
			t.Helper()
			if n, err := d.s.Reseal(t.Context(), access.Instance("test")); err != nil || n != want {
				t.Errorf("%d archives are sealed again, want %d, %v", n, want, err)
			}
		}
		again(0)
		_, open, err := d.s.Take(t.Context(), first(), r.ID)
		d.must(err)
		_, err = d.vault.Rotate(d.clock.Now())
		d.must(err)
		d.must(d.vault.Refresh())
		if _, err := d.s.Reseal(t.Context(), first()); !fault.Is(err, fault.Denied) {
			t.Errorf("a person has archives sealed again: %v", err)
		}
		// A stop left a part of what was being written, and one archive is damaged.
		d.must(os.WriteFile(place(r)+".rescelle", []byte("half"), 0o600))
		damaged, err := os.ReadFile(place(other))
		d.must(err)
		damaged[len(damaged)/2] ^= 1
		d.must(os.WriteFile(place(other), damaged, 0o600))
		if !stale(r) {
			t.Fatal("the rotation gave no other key")
		}
		again(1)
		if stale(r) || !stale(other) {
			t.Errorf("stale after the rotation: %t, and the damaged one: %t", stale(r), stale(other))
		}
		again(0)
		if left, err := filepath.Glob(filepath.Join(d.dir, "*", "*.rescelle")); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		// Who was downloading it goes on, and so does who comes later.
		whole, err := io.ReadAll(open)
		d.must(errors.Join(err, open.Close()))
		if after := d.taken(r); !bytes.Equal(before, after) || !bytes.Equal(before, whole) {
			t.Errorf("%d bytes, %d while it is sealed again, %d after", len(before), len(whole), len(after))
		}
		// The hourly sweep seals again what a rotation could not reach.
		_, err = d.vault.Rotate(d.clock.Now())
		d.must(err)
		d.must(d.vault.Refresh())
		if _, err = d.s.Sweep(t.Context(), d.clock.Now()); err != nil || stale(r) {
			t.Errorf("the sweep leaves it under the former key: %v", err)
		}
	})
}

func file0(t *testing.T, dir string) []byte {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*", "*.scelle"))
	if err != nil || len(list) != 1 {
		t.Fatalf("archives: %v %v", list, err)
	}
	b, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func swap(files map[string][]byte, name, from, to string) {
	files[name] = bytes.Replace(files[name], []byte(from), []byte(to), 1)
}

func unzip(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func pack(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var _ traces.Sealer = (*sealed)(nil)
