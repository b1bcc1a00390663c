package care_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/organisation"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
)

// BenchmarkPatient is the question of the live flow, without the cache of who
// asks it: 2,000 patients of three relations each.
func BenchmarkPatient(b *testing.B) {
	db := storagetest.SQLite(b, rooms()...)
	guard, err := access.NewGuard()
	if err != nil {
		b.Fatal(err)
	}
	e, err := organisation.New(db, guard, clock.Real()).Create(b.Context(), access.Instance("bench"), organisation.Establishment{Name: "CHU"})
	if err != nil {
		b.Fatal(err)
	}
	s := care.New(care.Options{DB: db, Guard: guard, Clock: clock.Real()})
	start := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC).UnixMicro()
	for n := range 2000 {
		err := s.Keep(b.Context(), e.ID, uuid.Nil, traces.News{Control: fmt.Sprint(n), Patient: traces.Identity{IPP: []string{fmt.Sprint(n)}, Surname: "X"}, Moves: []traces.Move{
			{Visit: "v", ID: "1", Kind: traces.MoveIn, Class: traces.Inpatient, At: start, Services: []string{"2101", "Cardiologie"}},
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		if _, found, err := s.Patient(b.Context(), e.ID, fmt.Sprint(n%2000), "", start); err != nil || !found {
			b.Fatal(found, err)
		}
		n++
	}
}
