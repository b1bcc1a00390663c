package detect

import (
	"context"
	"runtime"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/clock"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sample"
)

// Load says what Measure looks at. Zero values are those of the bar: 4,300
// people, 200,000 patients.
type Load struct {
	People, Patients int
	Events           int // 300,000 when zero
	Batch            int // events at once, 100 when zero: those of a second
}

// Speed is what the detection did on this machine.
type Speed struct {
	Events, Hits int
	Took         time.Duration
	// Heap is what it holds at the end, in bytes; Snapshot what it takes to keep.
	Heap, Snapshot int64
}

// PerSecond is how many events a second it looks at.
func (s Speed) PerSecond() float64 { return float64(s.Events) / max(s.Took.Seconds(), 1e-9) }

// CorePercent is the share of one core that so many events a second cost.
func (s Speed) CorePercent(eventsPerSecond float64) float64 {
	return 100 * eventsPerSecond / s.PerSecond()
}

// Measure has a detection look at the events of sample, a third of them before the
// watch starts: caches are warm and habits learnt, as they are on any day but the
// first. Only the detection is timed.
func Measure(ctx context.Context, c clock.Clock, load Load) (Speed, error) {
	if load.Events == 0 {
		load.Events = 300_000
	}
	if load.Batch == 0 {
		load.Batch = 100
	}
	organisation := uuid.MustParse("0190aaaa-0000-7000-8000-00000000000f")
	// A hundred events a second, as the bar has it.
	all := load.Events + load.Events/2
	days := max(1, all/(100*24*3600)+1)
	h := sample.New(sample.Options{Organisation: organisation, People: load.People, Patients: load.Patients, Start: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), Days: days, Events: int64(days) * 24 * 3600 * 100})
	before := heap()
	known := &everyday{}
	d := New(Options{Carer: known, Staff: known})
	s := Speed{}
	batch := make([]traces.Event, load.Batch)
	for done := 0; done < all; done += load.Batch {
		for i := range batch {
			h.Next(&batch[i])
		}
		watch := clock.Stopwatch(c)
		hits, err := d.Observe(ctx, batch)
		if err != nil {
			return s, err
		}
		if done >= all-load.Events {
			s.Took += watch()
			s.Events, s.Hits = s.Events+load.Batch, s.Hits+len(hits)
		}
	}
	s.Heap = heap() - before
	kept, err := d.Snapshot()
	s.Snapshot = int64(len(kept))
	runtime.KeepAlive(d)
	return s, err
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // bytes of this machine
}

// everyday answers for the care and the staff of a measurement: everybody works
// in one service, where nine patients of ten stay.
type everyday struct{}

func (*everyday) Covered(context.Context, uuid.UUID) (bool, error) { return true, nil }

func (*everyday) Patient(_ context.Context, _ uuid.UUID, ipp, ins string, at int64) (traces.Patient, bool, error) {
	p := traces.Patient{IPP: ipp, INS: ins, Surname: "martin", Address: "3 rue des lilas", Postal: "69003"}
	for _, s := range [...]string{"cardiologie 1", "gériatrie 1", "laboratoire"} {
		p.Relations = append(p.Relations, traces.Relation{Kind: traces.RelationStay, Service: s, From: at - 40*day, To: at - 35*day})
	}
	if digest(ipp)%10 > 0 {
		p.Relations = append(p.Relations, traces.Relation{Kind: traces.RelationStay, Service: "médecine", From: at - day})
	}
	return p, true, nil
}

func (*everyday) Member(_ context.Context, _ uuid.UUID, account string) (traces.Member, bool, error) {
	return traces.Member{Account: account, Surname: "dupont", Function: "IDE", Services: []string{"médecine"}, Address: "8 rue du lac", Postal: "69001"}, true, nil
}

func (*everyday) OnCall(context.Context, uuid.UUID, uuid.UUID, string, int64) (bool, error) {
	return false, nil
}
