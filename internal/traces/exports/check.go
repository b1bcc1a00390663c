package exports

import (
	"archive/zip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/document/xlsx"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// fileMost bounds a file of an archive that is read whole.
const fileMost = 1 << 30

// Verified is what was found in an archive.
type Verified struct {
	Manifest Manifest
	Proven   int
	// Flaws name, in English, what does not hold; none when all does.
	Flaws []string
}

// inspection is an archive being verified.
type inspection struct {
	Verified
	files  map[string]*zip.File
	keys   []traces.PublicKey
	events []traces.Event
	proven []traces.ProvenEvent
}

func (v *inspection) flaw(format string, args ...any) {
	v.Flaws = append(v.Flaws, fmt.Sprintf(format, args...))
}

// Verify reads an archive again with keys that are believed: the signature, each
// file, each proof, and each line of the table against what was sealed. An error is
// an archive that cannot be read at all.
func Verify(archive io.ReaderAt, size int64, keys func(organisation uuid.UUID) ([]traces.PublicKey, error)) (Verified, error) {
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return Verified{}, fmt.Errorf("open an archive of traces: %w", err)
	}
	v := &inspection{files: map[string]*zip.File{}}
	for _, f := range z.File {
		if v.files[f.Name] != nil {
			v.flaw("%s: is there twice", f.Name)
		}
		v.files[f.Name] = f
	}
	text, err := v.read(manifestName)
	if err != nil {
		return Verified{}, err
	}
	if err := json.Unmarshal(text, &v.Manifest); err != nil {
		return Verified{}, fmt.Errorf("read a manifest: %w", err)
	}
	organisation, err := uuid.Parse(v.Manifest.Organisation)
	if err != nil {
		return Verified{}, fmt.Errorf("read a manifest: %w", err)
	}
	if v.keys, err = keys(organisation); err != nil {
		return Verified{}, err
	}
	v.signature(text)
	v.sums()
	v.proofs(organisation)
	v.lines()
	v.Proven = len(v.proven)
	return v.Verified, nil
}

func (v *inspection) read(name string) ([]byte, error) {
	f := v.files[name]
	if f == nil {
		return nil, fmt.Errorf("%s: is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	b, err := io.ReadAll(io.LimitReader(r, fileMost))
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

func (v *inspection) signature(manifest []byte) {
	sig, err := v.read(signatureName)
	if err != nil || !slices.ContainsFunc(v.keys, func(k traces.PublicKey) bool { return ed25519.Verify(k.Key, manifest, sig) }) {
		v.flaw("the manifest is not signed by a key that is believed")
	}
}

// sums holds each file against the manifest.
func (v *inspection) sums() {
	for name := range v.files {
		if _, ok := v.Manifest.Files[name]; !ok && name != manifestName && name != signatureName {
			v.flaw("%s: is not in the manifest", name)
		}
	}
	for name, sum := range v.Manifest.Files {
		b, err := v.read(name)
		if err != nil {
			v.flaw("%s", err)
			continue
		}
		if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != sum {
			v.flaw("%s: is not what the manifest says", name)
		}
	}
	slices.Sort(v.Flaws)
}

// proofs verifies all that is proven, in the order of the lines.
func (v *inspection) proofs(organisation uuid.UUID) {
	var names []string
	for name := range v.files {
		if strings.HasPrefix(name, proofFolder+"preuve-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		var p traces.Proof
		b, err := v.read(name)
		if err == nil {
			err = json.Unmarshal(b, &p)
		}
		var events []traces.Event
		if err == nil {
			events, err = p.Holds(organisation, v.keys)
		}
		if err != nil {
			v.flaw("%s: %s", name, err)
			continue
		}
		v.events, v.proven = append(v.events, events...), append(v.proven, p.Events...)
	}
}

// lines writes the table again from what was sealed, and holds it against that of
// the archive.
func (v *inspection) lines() {
	b, err := v.read(csvName)
	if err != nil {
		return // sums told it
	}
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff")))
	in.Comma = ';'
	rows, err := in.ReadAll()
	if err != nil || len(rows) != v.Manifest.Events+1 || v.Manifest.Sealed && len(v.proven) != v.Manifest.Events {
		v.flaw("the table has %d lines, %d events are proven, the manifest says %d", max(len(rows)-1, 0), len(v.proven), v.Manifest.Events)
		return
	}
	if !v.Manifest.Sealed {
		return
	}
	zone, err := time.LoadLocation(v.Manifest.Selection.Zone)
	if err != nil {
		v.flaw("the manifest names no zone")
		return
	}
	for i := range v.proven {
		if err := v.line(i, rows[i+1], zone); err != nil {
			v.flaw("line %d: %s", i+1, err)
		}
	}
}

func (v *inspection) line(i int, cells []string, zone *time.Location) error {
	if v.Manifest.Masked {
		if cells[len(cells)-1] != hex.EncodeToString(v.proven[i].Digest) {
			return fmt.Errorf("bears another digest than that which is proven")
		}
		return nil
	}
	e := v.events[i]
	_, rest, err := traces.ReadSealed(v.proven[i].Record)
	if err != nil {
		return err
	}
	r := row{Brought: traces.Brought{Stored: traces.Stored{Event: e, Ref: v.proven[i].Ref}, Rest: rest}, number: i + 1}
	if len(e.Raw) > 0 {
		r.original = fmt.Sprintf("%s%06d.txt", originals, i+1)
		if b, err := v.read(r.original); err != nil || string(b) != string(e.Raw) {
			return fmt.Errorf("its original is not what was sealed")
		}
	}
	want := []string{fmt.Sprint(i + 1), storage.Time(e.At).In(zone).Format(exact), storage.Time(e.Received).In(zone).Format(exact)}
	for _, c := range open() {
		want = append(want, c.of(&r))
	}
	return sameCells(cells, want)
}

// sameCells writes what is wanted as the table was, and reads it as the table is.
func sameCells(cells, want []string) error {
	var b strings.Builder
	out, err := xlsx.NewCSV(&b, xlsx.CSVOptions{NoBOM: true})
	if err != nil {
		return err
	}
	values := make([]any, len(want))
	for i, w := range want {
		values[i] = w
	}
	if err := out.Row(values...); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	in := csv.NewReader(strings.NewReader(b.String()))
	in.Comma = ';'
	again, err := in.Read()
	if err != nil {
		return err
	}
	if !slices.Equal(cells, again) {
		return fmt.Errorf("is not what was sealed")
	}
	return nil
}
