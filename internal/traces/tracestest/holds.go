package tracestest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// held are questions as legal holds put them to a purge.
func held(where ...traces.Condition) traces.Question {
	q := all()
	q.Limit, q.Where = 1, where
	return q
}

func is(f traces.Field, v string) traces.Condition {
	return traces.Condition{Field: f, Op: traces.Is, Values: []string{v}}
}

func (b *bench) purges(p traces.Purging, want traces.Purged) {
	b.Helper()
	for _, try := range []bool{true, false} {
		p.Try = try
		if got, err := b.Purge(context.Background(), b.organisation, p); err != nil || got != want {
			b.Errorf("purged (try %v) %+v, %v, want %+v", try, got, err, want)
		}
	}
}

// purgeHeld purges months of which some events are held: a patient under both of his
// numbers, an account in an hour, words of a person.
func purgeHeld(b *bench) {
	at := func(month time.Month, n int, message string, with func(*traces.Event)) traces.Event {
		return b.event(0, func(e *traces.Event) {
			e.At = us(time.Date(2026, month, 15, 0, 0, n, 0, time.UTC))
			e.Received, e.Class, e.Message, e.Raw = e.At, traces.PatientAccess, message, []byte("original of "+message)
			with(e)
		})
	}
	none := func(*traces.Event) {}
	by := func(name string) func(*traces.Event) { return func(e *traces.Event) { e.Account = name } }
	events := []traces.Event{
		at(8, 1, "by number", func(e *traces.Event) { e.IPP = "100" }), at(8, 2, "none", none), at(8, 3, "by identity", func(e *traces.Event) { e.INS = "1850578006084" }),
		at(8, 4, "both", func(e *traces.Event) { e.IPP, e.INS = "100", "1850578006084" }), at(8, 5, "too", none),
		at(9, 1, "September", none), at(9, 2, "more of it", none),
		at(10, 1, "dupont", by("Dupont")), at(10, 2, "dupont after", by("dupont")), at(10, 3, "durand", by("durand")),
	}
	b.take(events[:4]...)
	b.take(events[4:]...)
	theirs := events[1]
	theirs.Organisation = b.other
	b.take(theirs)
	hour := held(is(traces.FieldAccount, "dupont"))
	hour.To = events[8].At
	p := traces.Purging{Class: traces.PatientAccess, Before: us(noon), Held: []traces.Question{held(is(traces.FieldPatient, "1850578006084")), hour}}
	refs := map[string]string{}
	for _, e := range b.ask(all()).Events {
		refs[e.Message] = e.Ref
	}
	b.purges(p, traces.Purged{Events: 6, First: events[1].At, Last: events[9].At, Held: 4})
	for range 2 {
		b.finds(all(), "dupont", "both", "by identity", "by number")
		b.finds(where(traces.FieldPatient, traces.Is, "100"), "both", "by identity", "by number")
		for i, m := range map[int]string{0: "by number", 2: "by identity", 3: "both", 7: "dupont"} {
			b.same(b.get(refs[m]), events[i], true)
		}
		for _, m := range []string{"none", "too", "September", "durand"} {
			if _, err := b.Get(context.Background(), b.organisation, refs[m]); !fault.Is(err, fault.NotFound) {
				b.Errorf("%s is not held: %v", m, err)
			}
		}
		b.purges(p, traces.Purged{Held: 4})
		b.reopen()
	}
	if a, err := b.Ask(context.Background(), b.other, all()); err != nil || a.Total != 1 {
		b.Errorf("a purge of one establishment took from another: %d, %v", a.Total, err)
	}
	// What comes late to a month of which something is held is kept, and purged.
	b.take(at(8, 6, "late", none))
	b.finds(all(), "dupont", "late", "both", "by identity", "by number")
	// A hold that is lifted lets go what it alone held.
	p.Held = p.Held[1:]
	b.purges(p, traces.Purged{Events: 4, First: events[0].At, Last: us(time.Date(2026, 8, 15, 0, 0, 6, 0, time.UTC)), Held: 1})
	b.finds(all(), "dupont")
	p.Held = nil
	b.purges(p, traces.Purged{Events: 1, First: events[7].At, Last: events[7].At})
	b.finds(all())
	b.purges(p, traces.Purged{})
	bad := traces.Purging{Class: traces.PatientAccess, Before: us(noon), Held: []traces.Question{held(traces.Condition{Field: "'; DROP TABLE events; --", Op: traces.Is, Values: []string{"x"}})}}
	if _, err := b.Purge(context.Background(), b.organisation, bad); !fault.Is(err, fault.Invalid) {
		b.Errorf("a hold that cannot be read: %v", err)
	}
}

// purgePartHeld purges a month that is too old in part, again and again.
func purgePartHeld(b *bench) {
	var events []traces.Event
	for i := range 20 {
		events = append(events, b.event(i, func(e *traces.Event) {
			e.Message, e.Raw, e.Person = fmt.Sprintf("%02d", i), fmt.Appendf(nil, "original %d", i), []string{"M. L'Hôte \\'; --", "Mme Roy"}[i%2]
		}))
	}
	b.take(events[:12]...)
	b.take(events[12:]...)
	p := traces.Purging{Class: traces.System, Before: events[10].At, Held: []traces.Question{held(is(traces.FieldPerson, "m. l'hôte \\'; --"))}}
	b.purges(p, traces.Purged{Events: 5, First: events[1].At, Last: events[9].At, Held: 5})
	p.Before = events[15].At
	b.purges(p, traces.Purged{Events: 2, First: events[11].At, Last: events[13].At, Held: 8})
	for range 2 {
		b.finds(all(), "19", "18", "17", "16", "15", "14", "12", "10", "08", "06", "04", "02", "00")
		for _, e := range b.ask(all()).Events {
			n, err := strconv.Atoi(e.Message)
			if err != nil {
				b.Fatal(err)
			}
			b.same(b.get(e.Ref), events[n], true)
		}
		b.reopen()
	}
	everything := held()
	everything.From, everything.To = events[0].At, events[4].At
	p.Before, p.Held = us(noon.AddDate(0, 1, 0)), []traces.Question{everything}
	b.purges(p, traces.Purged{Events: 11, First: events[4].At, Last: events[19].At, Held: 2})
	b.finds(all(), "02", "00")
}
