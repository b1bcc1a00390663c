package demo_test

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/demo"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

var today = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func staffFile(t testing.TB, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := demo.Hospital(seed, today).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHospitalHasTheSizePromised(t *testing.T) {
	t.Parallel()
	h := demo.Hospital(1, today)
	sites, services, matricules, mails, metiers := map[string]int{}, map[string]int{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	nights, absent := 0, 0
	for _, p := range h.People {
		sites[p.Site]++
		services[p.Service]++
		matricules[p.Matricule] = true
		metiers[p.Metier]++
		if p.Email != "" && mails[p.Email] {
			t.Errorf("two people have the address %s", p.Email)
		}
		mails[p.Email] = true
		if p.Nights {
			nights++
		}
		if p.AbsentFrom != "" {
			absent++
		}
	}
	if len(h.People) != 4300 || len(matricules) != 4300 || len(sites) != 3 || len(services) != 40 {
		t.Errorf("%d people, %d matricules, %d sites, %d services", len(h.People), len(matricules), len(sites), len(services))
	}
	for metier, span := range map[string][2]int{"ide": {700, 1100}, "aide_soignant": {600, 950}, "iade": {45, 90}, "regulateur_samu": {25, 45}, "interne": {110, 250}, "directeur": {5, 15}} {
		if n := metiers[metier]; n < span[0] || n > span[1] {
			t.Errorf("%d %s, want between %d and %d", n, metier, span[0], span[1])
		}
	}
	if nights < 400 || absent < 250 || absent > 600 {
		t.Errorf("%d at night, %d on leave", nights, absent)
	}
}

func TestSameSeedSameHospital(t *testing.T) {
	t.Parallel()
	if !reflect.DeepEqual(demo.Hospital(7, today), demo.Hospital(7, today)) {
		t.Error("the same seed gave two hospitals")
	}
	if bytes.Equal(staffFile(t, 7), staffFile(t, 8)) {
		t.Error("two seeds gave the same hospital")
	}
}

// Every number must be one that the ARCEP reserves for fiction, whatever its
// spelling, and every mail address must be in a reserved domain.
func TestNothingInTheFileCanReachAnybody(t *testing.T) {
	t.Parallel()
	fiction := regexp.MustCompile(`^(063998\d{4}|019900\d{4}|026191\d{4})$`)
	rows, err := readAll(staffFile(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for n, name := range rows[0] {
		column[name] = n
	}
	seen, missingDigit := map[string]int{}, 0
	for _, row := range rows[1:] {
		for _, name := range []string{"Mobile", "Mobile perso", "Téléphone"} {
			for cell := range strings.SplitSeq(row[column[name]], "/") {
				number := national(cell)
				switch {
				case number == "":
				case len(number) == 9 && strings.HasPrefix(number, "063998"):
					missingDigit++ // cannot be dialled at all
				case !fiction.MatchString(number):
					t.Fatalf("%s: %q is a number somebody may have", name, cell)
				default:
					seen[number]++
				}
			}
		}
		if mail := row[column["Courriel"]]; mail != "" && !strings.HasSuffix(mail, ".example") {
			t.Fatalf("%q is not in a reserved domain", mail)
		}
	}
	if len(seen) < 4000 || missingDigit == 0 {
		t.Errorf("%d numbers, %d with a digit missing", len(seen), missingDigit)
	}
}

func readAll(file []byte) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	r.Comma = ';'
	return r.ReadAll()
}

func national(cell string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.ReplaceAll(cell, "(0)", ""))
	if rest, ok := strings.CutPrefix(digits, "33"); ok {
		return "0" + rest
	}
	return digits
}

// The staff file goes through the real import: nobody is refused, every métier
// is recognised, and the dirt is told.
func TestHospitalIsImportedAsARealFile(t *testing.T) {
	t.Parallel()
	text := staffFile(t, 1)
	storagetest.Each(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations}, func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		fake := clock.NewFake(today)
		org := organisation.New(db, guard, fake)
		d, err := directory.New(db, guard, fake, org, vault.Derived{Key: "k1", Secret: [32]byte{1}})
		if err != nil {
			t.Fatal(err)
		}
		e, err := org.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: demo.Name})
		if err != nil {
			t.Fatal(err)
		}
		scope := access.System(e.ID, "test")
		source, err := table.Open(bytes.NewReader(text), int64(len(text)), "sainte-aurore.csv", table.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		}()
		i, err := d.Stage(t.Context(), scope, source, directory.File{Name: "sainte-aurore.csv"})
		if err != nil {
			t.Fatal(err)
		}
		if i, err = d.Preview(t.Context(), scope, i.ID); err != nil {
			t.Fatal(err)
		}
		if i.Summary.New != 4300 || i.Summary.Refused != 0 {
			t.Errorf("%d new, %d refused; %+v", i.Summary.New, i.Summary.Refused, i.Summary)
		}
		if i, err = d.Confirm(t.Context(), scope, i.ID); err != nil {
			t.Fatal(err)
		}
		checkLoaded(t, d, scope)
	})
}

func checkLoaded(t *testing.T, d *directory.Directory, scope access.Scope) {
	for what, c := range map[string]struct {
		rule     directory.Rule
		from, to int
	}{
		"everybody": {directory.Rule{Absent: true}, 4300, 4300},
		"present":   {directory.Rule{}, 3700, 4150},
		"iade":      {directory.Rule{Metiers: []string{"iade"}, Absent: true}, 45, 90},
		"médecins":  {directory.Rule{Metiers: []string{"medecin_urgentiste"}, Absent: true}, 30, 80},
		"NRBC":      {directory.Rule{Qualifications: []string{"nrbc"}, Absent: true}, 20, 200},
	} {
		n, err := d.Count(t.Context(), scope, c.rule, today)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if n < c.from || n > c.to {
			t.Errorf("%s: %d people, want between %d and %d", what, n, c.from, c.to)
		}
	}
}

func TestEveryJobIsRecognised(t *testing.T) {
	t.Parallel()
	reference, err := directory.LoadReference()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range demo.Hospital(1, today).People {
		if seen[p.Job] {
			continue
		}
		seen[p.Job] = true
		if code, known := reference.Recognise(p.Job); !known || code != p.Metier {
			t.Errorf("%q is read %s, want %s", p.Job, code, p.Metier)
		}
		for _, q := range p.Qualifications {
			if code, known := reference.Recognise(q); !known {
				t.Errorf("the qualification %q is read %s", q, code)
			}
		}
	}
}
