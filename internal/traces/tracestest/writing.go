package tracestest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

func isolation(b *bench) {
	mine := b.full(1)
	mine.Message = "mine"
	theirs := mine
	theirs.Organisation, theirs.Message, theirs.IPP = b.other, "theirs", "another"
	b.take(mine, theirs)
	questions := []traces.Question{all(), by(all(), traces.FieldMessage), where(traces.FieldMessage, traces.Is, "theirs"), where(traces.FieldPatient, traces.Is, "another")}
	text := all()
	text.Text = "theirs"
	patients := all()
	patients.Distinct = traces.FieldPatient
	questions = append(questions, text, by(all(), traces.FieldPatient), patients)
	for _, f := range traces.Fields() {
		questions = append(questions, by(all(), f))
	}
	for _, q := range questions {
		a := b.ask(q)
		for _, e := range a.Events {
			if e.Message != "mine" || e.Organisation != b.organisation {
				b.Errorf("%+v shows %q", q, e.Message)
			}
		}
		for _, g := range a.Groups {
			if g.Count != 1 || len(g.Keys) > 0 && (g.Keys[0] == "theirs" || g.Keys[0] == "another") {
				b.Errorf("%+v counts %+v", q, g)
			}
		}
	}
	a, err := b.Ask(context.Background(), b.other, all())
	if err != nil || len(a.Events) != 1 {
		b.Fatalf("the other sees %d events, %v", len(a.Events), err)
	}
	if _, err := b.Get(context.Background(), b.organisation, a.Events[0].Ref); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
		b.Errorf("a reference of another establishment: %v", err)
	}
	if a, err := b.Ask(context.Background(), uuid.Max, all()); err != nil || a.Total != 0 {
		b.Errorf("an unknown establishment sees %d events, %v", a.Total, err)
	}
	if _, err := b.Purge(context.Background(), b.other, traces.Purging{Class: traces.PatientAccess, Before: us(noon.AddDate(1, 0, 0))}); err != nil {
		b.Fatal(err)
	}
	b.finds(all(), "mine")
}

func onePatient(b *bench) {
	who := func(seconds int, ipp, ins, message string) traces.Event {
		return b.event(seconds, func(e *traces.Event) {
			e.IPP, e.INS, e.Message, e.Class, e.Account = ipp, ins, message, traces.PatientAccess, "a"
		})
	}
	b.take(who(1, "100", "", "by number"), who(2, "", "1850578006084", "by identity"), who(3, "200", "", "somebody else"))
	q := by(all(), traces.FieldAccount)
	q.Distinct = traces.FieldPatient
	b.counts(q, "a=3")
	b.finds(where(traces.FieldPatient, traces.Is, "100"), "by number")
	b.take(who(4, "100", "1850578006084", "both"))
	for range 2 {
		b.counts(q, "a=2")
		b.counts(by(all(), traces.FieldPatient), "100=3", "200=1")
		b.finds(where(traces.FieldPatient, traces.Is, "100"), "both", "by identity", "by number")
		b.finds(where(traces.FieldPatient, traces.Is, "1850578006084"), "both", "by identity", "by number")
		b.finds(where(traces.FieldPatient, traces.IsNot, "1850578006084"), "somebody else")
		b.finds(where(traces.FieldPatient, traces.Begins, "18505"), "both", "by identity", "by number")
		if e := b.ask(where(traces.FieldMessage, traces.Is, "by identity")).Events[0]; e.IPP != "" || e.INS != "1850578006084" {
			b.Errorf("an event says %q and %q, and its source said the identity only", e.IPP, e.INS)
		}
		b.reopen()
	}
	// A second number of the same person, years later, joins both.
	b.take(who(5, "300", "", "second number"), who(6, "300", "1850578006084", "joined"), who(7, "", "99", "only an identity"))
	b.counts(by(all(), traces.FieldPatient), "100=5", "200=1", "99=1")
	b.finds(where(traces.FieldPatient, traces.Is, "300"), "joined", "second number", "both", "by identity", "by number")
}

func keysOnce(b *bench) {
	key := func(seconds int, key string, src uuid.UUID, message string) traces.Event {
		return b.event(seconds, func(e *traces.Event) { e.Key, e.Source, e.Message = key, src, message })
	}
	other := uuid.MustParse("0190bbbb-0000-7000-8000-000000000002")
	b.take(key(1, "k", source, "first"), key(2, "k", source, "again in the batch"), key(3, "k", other, "another source"), key(4, "", source, "none"), key(5, "", source, "none too"))
	b.take(key(6, "k", source, "again"), key(7, "K", source, "another key"))
	b.reopen()
	b.take(key(8, "k", source, "again after a stop"), key(9, "K", source, "that too"))
	b.finds(all(), "another key", "none too", "none", "another source", "first")
	// What is told again under another time is the same event.
	late := key(10, "k", source, "told with another time")
	late.At = us(noon.AddDate(0, -2, 0))
	b.take(late)
	after := key(25*3600, "k", source, "a day after")
	b.take(after)
	b.finds(all(), "a day after", "another key", "none too", "none", "another source", "first")
	theirs := key(11, "k", source, "theirs")
	theirs.Organisation = b.other
	b.take(theirs)
	if a, err := b.Ask(context.Background(), b.other, all()); err != nil || a.Total != 1 {
		b.Errorf("the key of one establishment hides an event of another: %d, %v", a.Total, err)
	}
}

func toldAgain(b *bench) {
	var events []traces.Event
	for i := range 30 {
		events = append(events, b.event(i, func(e *traces.Event) {
			e.Message, e.Class = fmt.Sprintf("%02d", i), traces.Classes()[i%5]
			e.At -= int64(i%3) * 31 * 24 * 3600 * 1000000
		}))
	}
	placed := b.place(events...)
	at := func(n int) spool.Position { return placed[n-1].At }
	take := func(from, to int) {
		b.Helper()
		if err := b.Take(context.Background(), append([]traces.Placed(nil), placed[from:to]...), at(to)); err != nil {
			b.Fatal(err)
		}
	}
	take(0, 10)
	take(0, 10)
	b.reopen()
	take(5, 20)
	take(0, 20)
	b.reopen()
	take(0, 30)
	b.reopen()
	take(0, 30)
	a := b.ask(all())
	seen := map[string]int{}
	for _, e := range a.Events {
		seen[e.Message]++
	}
	if len(seen) != 30 || a.Total != 30 {
		b.Errorf("%d events of 30 kinds: %v", a.Total, seen)
	}
}

func brokenOff(b *bench) {
	var events []traces.Event
	for i := range 6000 {
		events = append(events, b.event(i%3600, func(e *traces.Event) {
			e.Message, e.Class, e.IPP = fmt.Sprint(i), traces.Classes()[i%5], fmt.Sprint(i%50)
		}))
	}
	placed := b.place(events...)
	for i := range 8 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*3)*time.Millisecond)
		_ = b.Take(ctx, append([]traces.Placed(nil), placed...), b.at) // broken off or not, it is told again
		cancel()
	}
	b.taken(placed)
	q := all()
	q.Distinct = traces.FieldMessage
	b.counts(q, "=6000")
	if a := b.ask(by(all(), traces.FieldClass)); a.Total != 5 || a.Groups[0].Count != 1200 {
		b.Errorf("by class: %+v", a.Groups)
	}
}

func monthBorders(b *bench) {
	border := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	at := func(t time.Time, m string) traces.Event {
		return b.event(0, func(e *traces.Event) { e.At, e.Received, e.Message = us(t), us(t), m })
	}
	b.take(at(border.Add(-time.Microsecond), "before"), at(border, "after"), at(border.AddDate(0, 1, 0), "next"))
	q := all()
	q.From, q.To = us(border.Add(-time.Second)), us(border)
	b.finds(q, "before")
	q.From, q.To = us(border), us(border)+1
	b.finds(q, "after")
	q.From, q.To = us(border)-1, us(border.AddDate(0, 1, 0))+1
	b.finds(q, "next", "after", "before")
	b.counts(by(q, traces.FieldDay), "2026-11-01=2", "2026-12-01=1")
}

func wrongClocks(b *bench) {
	at := func(t time.Time, m string) traces.Event {
		return b.event(0, func(e *traces.Event) { e.At, e.Message = us(t), m })
	}
	b.take(at(time.Date(1969, 7, 20, 20, 17, 0, 0, time.UTC), "1969"), at(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), "2099"),
		at(noon.Add(20*time.Hour), "tomorrow"), at(noon.AddDate(-9, 0, 0), "nine years"))
	q := all()
	q.Zone = "UTC"
	for _, c := range []struct {
		year int
		want string
	}{{1969, "1969"}, {2099, "2099"}, {2026, "tomorrow"}, {2017, "nine years"}} {
		q.From, q.To = us(time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC)), us(time.Date(c.year+1, 1, 1, 0, 0, 0, 0, time.UTC))
		b.finds(q, c.want)
		a := b.ask(by(q, traces.FieldDay))
		if len(a.Groups) != 1 || a.Groups[0].Keys[0][:4] != fmt.Sprint(c.year) {
			b.Errorf("%d: %+v", c.year, a.Groups)
		}
	}
}

func purge(b *bench) {
	for month := range 3 {
		for _, class := range []traces.Class{traces.PatientAccess, traces.System} {
			at := us(time.Date(2026, time.Month(8+month), 15, 0, 0, 0, 0, time.UTC))
			b.take(b.event(0, func(e *traces.Event) {
				e.At, e.Received, e.Class, e.Message = at, at, class, fmt.Sprintf("%s%d", class, month)
			}))
		}
	}
	gone := b.ask(where(traces.FieldMessage, traces.Is, "system0")).Events[0]
	p, err := b.Purge(context.Background(), b.organisation, traces.Purging{Class: traces.System, Before: us(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))})
	first, last := us(time.Date(2026, 8, 15, 0, 0, 0, 0, time.UTC)), us(time.Date(2026, 9, 15, 0, 0, 0, 0, time.UTC))
	if err != nil || p != (traces.Purged{Events: 2, First: first, Last: last}) {
		b.Fatalf("purged %+v, %v", p, err)
	}
	for range 2 {
		b.finds(where(traces.FieldClass, traces.Is, "system"), "system2")
		b.finds(where(traces.FieldClass, traces.Is, "patient"), "patient2", "patient1", "patient0")
		if _, err := b.Get(context.Background(), b.organisation, gone.Ref); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
			b.Errorf("a purged event: %v", err)
		}
		b.reopen()
	}
	if p, err := b.Purge(context.Background(), b.organisation, traces.Purging{Class: traces.System, Before: us(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))}); err != nil || p != (traces.Purged{}) {
		b.Errorf("purged again: %+v, %v", p, err)
	}
	b.take(b.event(1, func(e *traces.Event) { e.At, e.Message = last, "late" }))
	b.finds(where(traces.FieldClass, traces.Is, "system"), "system2", "late")
}

func purgePart(b *bench) {
	var events []traces.Event
	for i := range 20 {
		events = append(events, b.event(i, func(e *traces.Event) { e.Message, e.Raw = fmt.Sprintf("%02d", i), fmt.Appendf(nil, "original %d", i) }))
	}
	b.take(events[:12]...)
	b.take(events[12:]...)
	p, err := b.Purge(context.Background(), b.organisation, traces.Purging{Class: traces.System, Before: events[15].At})
	if err != nil || p != (traces.Purged{Events: 15, First: events[0].At, Last: events[14].At}) {
		b.Fatalf("purged %+v, %v", p, err)
	}
	b.take(b.event(100, func(e *traces.Event) { e.Message, e.Raw = "new", []byte("new") }))
	for range 2 {
		b.finds(all(), "new", "19", "18", "17", "16", "15")
		for i, e := range b.ask(all()).Events[1:] {
			b.same(b.get(e.Ref), events[19-i], true)
		}
		b.reopen()
	}
}
