package tracestest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

func textComparisons(b *bench) {
	b.take(
		b.event(1, func(e *traces.Event) {
			for _, f := range textFields {
				*f.of(e) = "Élise-Durand"
			}
			e.Message = "accent"
		}),
		b.event(2, func(e *traces.Event) {
			for _, f := range textFields {
				*f.of(e) = "elise-durand"
			}
			e.Message = "plain"
		}),
		b.event(3, func(e *traces.Event) { e.Collector, e.Message = "", "nothing" }),
	)
	for _, f := range textFields {
		b.finds(where(f.field, traces.Is, "éLISE-DURAND"), "accent")
		b.finds(where(f.field, traces.Is, "nobody", "ELISE-durand"), "plain")
		b.finds(where(f.field, traces.Is, "elise"))
		b.finds(where(f.field, traces.IsNot, "élise-durand"), "nothing", "plain")
		b.finds(where(f.field, traces.IsNot, "élise-durand", "elise-durand"), "nothing")
		b.finds(where(f.field, traces.Contains, "SE-DU"), "plain", "accent")
		b.finds(where(f.field, traces.Contains, "se_du", "é"), "accent")
		b.finds(where(f.field, traces.Contains, "%"))
		b.finds(where(f.field, traces.Begins, "éli"), "accent")
		b.finds(where(f.field, traces.Begins, "lise"))
		b.finds(where(f.field, traces.Empty), "nothing")
		b.finds(where(f.field, traces.NotEmpty), "plain", "accent")
	}
	b.finds(where(traces.FieldSource, traces.Is, strings.ToUpper(source.String())), "nothing", "plain", "accent")
	b.finds(where(traces.FieldSource, traces.Begins, "0190cccc"))
	b.finds(where(traces.FieldMessage, traces.Contains, "LAI", "oth"), "nothing", "plain")
	q := where(traces.FieldAccount, traces.NotEmpty)
	q.Where = append(q.Where, traces.Condition{Field: traces.FieldPerson, Op: traces.Begins, Values: []string{"elise"}})
	b.finds(q, "plain")
}

func codeComparisons(b *bench) {
	b.take(
		b.event(1, func(e *traces.Event) {
			e.Message, e.Class, e.Action, e.Outcome, e.Severity = "read", traces.PatientAccess, traces.Read, traces.Success, 0
		}),
		b.event(2, func(e *traces.Event) {
			e.Message, e.Class, e.Action, e.Outcome, e.Severity = "login", traces.Authentication, traces.Login, traces.Denied, 6
		}),
		b.event(3, func(e *traces.Event) { e.Message = "unsaid" }),
	)
	b.finds(where(traces.FieldAction, traces.Is, "READ"), "read")
	b.finds(where(traces.FieldAction, traces.Is, "read", "login", "nothing such"), "login", "read")
	b.finds(where(traces.FieldAction, traces.IsNot, "read"), "unsaid", "login")
	b.finds(where(traces.FieldAction, traces.Contains, "OGI"), "login")
	b.finds(where(traces.FieldAction, traces.Begins, "re"), "read")
	b.finds(where(traces.FieldAction, traces.Empty), "unsaid")
	b.finds(where(traces.FieldAction, traces.NotEmpty), "login", "read")
	b.finds(where(traces.FieldOutcome, traces.Is, "denied"), "login")
	b.finds(where(traces.FieldOutcome, traces.Empty), "unsaid")
	b.finds(where(traces.FieldSeverity, traces.Is, "6"), "login")
	b.finds(where(traces.FieldSeverity, traces.IsNot, "6"), "unsaid", "read")
	b.finds(where(traces.FieldSeverity, traces.Empty), "unsaid")
	b.finds(where(traces.FieldSeverity, traces.NotEmpty), "login", "read")
	b.finds(where(traces.FieldClass, traces.Is, "patient"), "read")
	b.finds(where(traces.FieldClass, traces.IsNot, "patient"), "unsaid", "login")
	b.finds(where(traces.FieldClass, traces.Is, "system", "authentication"), "unsaid", "login")
	b.finds(where(traces.FieldClass, traces.Empty))
	b.finds(where(traces.FieldClass, traces.NotEmpty), "unsaid", "login", "read")
}

func timeComparisons(b *bench) {
	for i, at := range []string{"2026-11-03T08:30:00+01:00", "2026-11-03T23:30:00+01:00", "2026-11-08T08:15:00+01:00"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			b.Fatal(err)
		}
		b.take(b.event(0, func(e *traces.Event) {
			e.At, e.Received, e.Message = us(when), us(when), []string{"morning", "night", "sunday"}[i]
		}))
	}
	b.finds(where(traces.FieldHour, traces.Is, "2026-11-03T08"), "morning")
	b.finds(where(traces.FieldDay, traces.Is, "2026-11-03"), "night", "morning")
	b.finds(where(traces.FieldDay, traces.IsNot, "2026-11-03"), "sunday")
	b.finds(where(traces.FieldDay, traces.Begins, "2026-11"), "sunday", "night", "morning")
	b.finds(where(traces.FieldHour, traces.Contains, "t08"), "sunday", "morning")
	b.finds(where(traces.FieldWeekday, traces.Is, "7"), "sunday")
	b.finds(where(traces.FieldWeekday, traces.IsNot, "6", "7"), "night", "morning")
	b.finds(where(traces.FieldHourOfDay, traces.Is, "23", "00"), "night")
	b.finds(where(traces.FieldHourOfDay, traces.Begins, "0"), "sunday", "morning")
	b.finds(where(traces.FieldDay, traces.Empty))
	b.finds(where(traces.FieldDay, traces.NotEmpty), "sunday", "night", "morning")
}

// hourly takes one event at the half of each hour from a time on.
func (b *bench) hourly(from time.Time, hours int) {
	var events []traces.Event
	for i := range hours {
		at := us(from.Add(time.Duration(i)*time.Hour + 30*time.Minute))
		events = append(events, b.event(0, func(e *traces.Event) { e.At, e.Received = at, at }))
	}
	b.take(events...)
}

func by(q traces.Question, fields ...traces.Field) traces.Question {
	q.Group = fields
	return q
}

func parisSpring(b *bench) {
	// At 2026-03-29T01:00Z the clock goes from 2 to 3: no event at 2.
	b.hourly(time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC), 24)
	b.counts(by(all(), traces.FieldDay), "2026-03-29=23", "2026-03-30=1")
	q := by(all(), traces.FieldHour)
	q.To = us(time.Date(2026, 3, 29, 3, 0, 0, 0, time.UTC))
	b.counts(q, "2026-03-29T00=1", "2026-03-29T01=1", "2026-03-29T03=1", "2026-03-29T04=1")
	b.counts(by(all(), traces.FieldWeekday), "7=23", "1=1")
}

func parisAutumn(b *bench) {
	// At 2026-10-25T01:00Z the clock goes from 3 back to 2: two hours are at 2.
	b.hourly(time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC), 26)
	b.counts(by(all(), traces.FieldDay), "2026-10-25=25", "2026-10-26=1")
	q := by(all(), traces.FieldHourOfDay)
	q.To = us(time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC))
	b.counts(q, "02=2", "00=1", "01=1", "03=1")
	q = all()
	q.Where = []traces.Condition{{Field: traces.FieldHour, Op: traces.Is, Values: []string{"2026-10-25T02"}}}
	if a := b.ask(q); a.Total != 2 {
		b.Errorf("%d events in the hour that is twice, want 2", a.Total)
	}
}

func reunion(b *bench) {
	b.hourly(time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC), 4)
	q := all()
	q.Zone = "Indian/Reunion"
	b.counts(by(q, traces.FieldHour), "2026-11-03T22=1", "2026-11-03T23=1", "2026-11-04T00=1", "2026-11-04T01=1")
	b.counts(by(q, traces.FieldDay, traces.FieldWeekday), "2026-11-03/2=2", "2026-11-04/3=2")
}

func groups(b *bench) {
	for i := range 10 {
		b.take(b.event(i, func(e *traces.Event) {
			e.Account = []string{"a", "b", "c", ""}[min(i/3, 3)]
			e.Action = []traces.Action{traces.Read, traces.Print}[i%2]
			e.Class = []traces.Class{traces.PatientAccess, traces.System}[i%2]
			e.Severity = int8(i%3) - 1
		}))
	}
	b.counts(by(all(), traces.FieldAccount), "a=3", "b=3", "c=3", "=1")
	b.counts(by(all(), traces.FieldAction), "print=5", "read=5")
	b.counts(by(all(), traces.FieldClass), "patient=5", "system=5")
	b.counts(by(all(), traces.FieldSeverity), "=4", "0=3", "1=3")
	b.counts(by(all(), traces.FieldOutcome), "unsaid=10")
	b.counts(by(all(), traces.FieldAccount, traces.FieldAction), "a/read=2", "b/print=2", "c/read=2", "/print=1", "a/print=1", "b/read=1", "c/print=1")
	b.counts(by(all(), traces.FieldSource), source.String()+"=10")
	q := by(all(), traces.FieldAccount)
	q.Oldest = true
	b.counts(q, "=1", "a=3", "b=3", "c=3")
	q = by(where(traces.FieldAction, traces.Is, "read"), traces.FieldAccount)
	b.counts(q, "a=2", "c=2", "b=1")
	first := b.ask(by(all(), traces.FieldAccount)).Groups[0]
	if first.First != us(noon) || first.Last != us(noon.Add(2*time.Second)) {
		b.Errorf("the first group is from %d to %d", first.First, first.Last)
	}
	q = by(all(), traces.FieldAccount)
	q.To = q.From + 1
	b.counts(q)
}

func groupsFold(b *bench) {
	b.take(
		b.event(1, func(e *traces.Event) { e.Account, e.Service = "MDUPONT", "Éveil" }),
		b.event(2, func(e *traces.Event) { e.Account, e.Service = "mdupont", "éveil" }),
		b.event(3, func(e *traces.Event) { e.Account, e.Service = "MDupont", "Eveil" }),
	)
	b.counts(by(all(), traces.FieldAccount), "MDUPONT=3")
	b.counts(by(all(), traces.FieldService), "Éveil=2", "Eveil=1")
}

func distinct(b *bench) {
	for i := range 12 {
		b.take(b.event(i, func(e *traces.Event) {
			e.Account = []string{"a", "b"}[i%2]
			e.Document = []string{"d1", "D1", "d2", "", "d3", "d4"}[i%6]
			e.IPP = []string{"", "1", "2", "3", "1", "3"}[i%6]
			e.Action = []traces.Action{traces.Unsaid, traces.Read, traces.Print}[i%3]
		}))
	}
	q := by(all(), traces.FieldAccount)
	q.Distinct = traces.FieldDocument
	b.counts(q, "a=3", "b=2")
	q.Distinct = traces.FieldPatient
	b.counts(q, "a=2", "b=2")
	q.Distinct = traces.FieldAction
	b.counts(q, "a=2", "b=2")
	q.Group = nil
	b.counts(q, "=2")
	q.Distinct = traces.FieldDocument
	b.counts(q, "=4")
	q.Distinct = traces.FieldDay
	b.counts(q, "=1")
	q.Distinct, q.Group = traces.FieldAccount, []traces.Field{traces.FieldPatient}
	b.counts(q, "1=2", "=1", "2=1", "3=1")
}

func pages(b *bench) {
	var events []traces.Event
	for i := range 25 {
		events = append(events, b.event(i/2, func(e *traces.Event) {
			e.Message = fmt.Sprintf("%02d", i)
			e.Class = []traces.Class{traces.PatientAccess, traces.System, traces.Authentication}[i%3]
		}))
	}
	b.take(events...)
	for _, oldest := range []bool{false, true} {
		seen := map[string]bool{}
		last := int64(0)
		for skip := 0; ; skip += 10 {
			q := all()
			q.Limit, q.Skip, q.Oldest = 10, skip, oldest
			a := b.ask(q)
			if a.Total != 25 || a.More != (skip < 20) {
				b.Fatalf("page at %d: total %d, more %v", skip, a.Total, a.More)
			}
			for _, e := range a.Events {
				if seen[e.Message] || last != 0 && (oldest && e.At < last || !oldest && e.At > last) {
					b.Errorf("event %s is twice or out of order", e.Message)
				}
				seen[e.Message], last = true, e.At
			}
			if !a.More {
				break
			}
		}
		if len(seen) != 25 {
			b.Errorf("%d events over all pages, want 25", len(seen))
		}
	}
	q := all()
	q.Skip = 30
	if a := b.ask(q); a.Total != 25 || len(a.Events) != 0 || a.More {
		b.Errorf("after the last page: %+v", a)
	}
	q = all()
	q.From, q.To = us(noon.Add(3*time.Second)), us(noon.Add(4*time.Second))
	q.Oldest = true
	if got := messages(b.ask(q)); len(got) != 2 {
		b.Errorf("one second holds %q", got)
	}
}

func groupPages(b *bench) {
	for i := range 9 {
		b.take(b.event(i, func(e *traces.Event) { e.Account = string(rune('a' + i)) }))
	}
	q := by(all(), traces.FieldAccount)
	q.Limit, q.Skip = 4, 4
	a := b.ask(q)
	if a.Total != 9 || !a.More || len(a.Groups) != 4 || a.Groups[0].Keys[0] != "e" {
		b.Errorf("second page of groups: %+v", a)
	}
	q.Skip = 20
	if a := b.ask(q); a.Total != 9 || a.More || len(a.Groups) != 0 {
		b.Errorf("after the last page of groups: %+v", a)
	}
}

func words(b *bench) {
	b.take(
		b.event(1, func(e *traces.Event) { e.Account, e.Person, e.Message = "mdupont", "Marie DUPONT", "one" }),
		b.event(2, func(e *traces.Event) {
			e.Message, e.Extra = "two 100% sûr", []traces.Pair{{Name: "poste", Value: `C:\Temp\été.txt`}}
		}),
		b.event(3, func(e *traces.Event) {
			e.Message, e.IPP, e.INS, e.PatientName = "three", "800123", "185057800608436", "NOËL Zoé"
		}),
	)
	text := func(s string) traces.Question {
		q := all()
		q.Text = s
		return q
	}
	b.finds(text("DUPONT"), "one")
	b.finds(text("marie mdup"), "one")
	b.finds(text("marie noël"))
	b.finds(text(`c:\temp`), "two 100% sûr")
	b.finds(text("POSTE Été"), "two 100% sûr")
	b.finds(text("0% SÛR"), "two 100% sûr")
	b.finds(text("%"), "two 100% sûr")
	b.finds(text("_"))
	b.finds(text("noël"), "three")
	b.finds(text("noel"))
	b.finds(text("800123"), "three")
	b.finds(text("5780060"), "three")
	q := text("zoé")
	q.Where = []traces.Condition{{Field: traces.FieldPatient, Op: traces.Is, Values: []string{"800123"}}}
	b.finds(q, "three")
}

func cancellation(b *bench) {
	var events []traces.Event
	for i := range 20000 {
		events = append(events, b.event(i%3000, func(e *traces.Event) { e.Account, e.Message = fmt.Sprint(i%977), fmt.Sprint("message ", i) }))
	}
	b.take(events...)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Ask(ended, b.organisation, all()); !errors.Is(err, context.Canceled) {
		b.Errorf("a question nobody waits for: %v", err)
	}
	q := all()
	q.Text, q.Limit = strings.Repeat("e ", traces.MaxWords), traces.MaxLimit
	started := time.Now()
	soon, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, err := b.Ask(soon, b.organisation, q); err == nil && time.Since(started) > 500*time.Millisecond {
		b.Error("a question went on after its end")
	} else if err != nil && fault.As(err) != nil {
		b.Errorf("a question whose time is over is nobody's fault: %v", err)
	}
	if a := b.ask(where(traces.FieldAccount, traces.Is, "5")); a.Total != 21 {
		b.Errorf("after it: %d events, want 21", a.Total)
	}
}
