package tracestest

import (
	"context"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// textFields are the fields of text with the place of each in an event.
var textFields = []struct {
	field traces.Field
	of    func(*traces.Event) *string
}{
	{traces.FieldAccount, func(e *traces.Event) *string { return &e.Account }},
	{traces.FieldPerson, func(e *traces.Event) *string { return &e.Person }},
	{traces.FieldFunction, func(e *traces.Event) *string { return &e.Function }},
	{traces.FieldDelegate, func(e *traces.Event) *string { return &e.Delegate }},
	{traces.FieldVerb, func(e *traces.Event) *string { return &e.Verb }},
	{traces.FieldPatientName, func(e *traces.Event) *string { return &e.PatientName }},
	{traces.FieldStay, func(e *traces.Event) *string { return &e.Stay }},
	{traces.FieldDocument, func(e *traces.Event) *string { return &e.Document }},
	{traces.FieldObject, func(e *traces.Event) *string { return &e.Object }},
	{traces.FieldParameter, func(e *traces.Event) *string { return &e.Parameter }},
	{traces.FieldDevice, func(e *traces.Event) *string { return &e.Device }},
	{traces.FieldApplication, func(e *traces.Event) *string { return &e.Application }},
	{traces.FieldWorkstation, func(e *traces.Event) *string { return &e.Workstation }},
	{traces.FieldAddress, func(e *traces.Event) *string { return &e.Address }},
	{traces.FieldSite, func(e *traces.Event) *string { return &e.Site }},
	{traces.FieldService, func(e *traces.Event) *string { return &e.Service }},
	{traces.FieldPurpose, func(e *traces.Event) *string { return &e.Purpose }},
	{traces.FieldRelation, func(e *traces.Event) *string { return &e.Relation }},
	{traces.FieldCollector, func(e *traces.Event) *string { return &e.Collector }},
	// The patient is found by either number; here by the one of the establishment.
	{traces.FieldPatient, func(e *traces.Event) *string { return &e.IPP }},
}

// full has something everywhere.
func (b *bench) full(seconds int) traces.Event {
	return b.event(seconds, func(e *traces.Event) {
		for _, f := range textFields {
			*f.of(e) = "valeur de " + string(f.field)
		}
		e.Key, e.INS, e.Message = "clé-1", "185057800608436", "phrase de la source"
		e.Received = e.At + 1234567
		e.AtGuessed, e.Class, e.Action, e.Outcome, e.Severity = true, traces.PatientAccess, traces.BreakGlass, traces.Denied, 3
		e.Extra = []traces.Pair{{Name: "nom", Value: "valeur"}, {Name: "", Value: "sans nom"}, {Name: "sans valeur", Value: ""}, {Name: "nom", Value: "encore"}}
		e.Raw = []byte(`{"tout":"est là"}`)
	})
}

func fieldsComeBack(b *bench) {
	full, bare := b.full(10), b.event(0, nil)
	b.take(full, bare)
	for range 2 {
		a := b.ask(all())
		if len(a.Events) != 2 {
			b.Fatalf("%d events, want 2", len(a.Events))
		}
		b.same(a.Events[0], full, false)
		b.same(a.Events[1], bare, false)
		b.same(b.get(a.Events[0].Ref), full, true)
		b.same(b.get(a.Events[1].Ref), bare, true)
		b.reopen()
	}
	if _, err := b.Get(context.Background(), b.organisation, "n'importe quoi"); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
		b.Errorf("a reference that is none: %v", err)
	}
}

var hostile = []string{
	`'; DROP TABLE events; --`, `"guillemets" « français » 'simples'`, "100 % des_cas [a-z]* \\d+ \\", "nul\x00au milieu", "\x00",
	"sépa\x1arateurs\x1edes\x1fpaires\x1a", "retour\r\nà la ligne\ttabulation", "émoji 🏥 et é décomposé", "%s %d {0} ${x} $1 ?", "\u202eenvers", "\uFFFD",
}

func hostileTexts(b *bench) {
	var events []traces.Event
	for i, text := range hostile {
		events = append(events, b.event(i, func(e *traces.Event) {
			for _, f := range textFields {
				*f.of(e) = text
			}
			e.Message, e.INS, e.Key = text, text, text
			e.Extra = []traces.Pair{{Name: text, Value: text}}
			e.Raw = []byte("\xff\xfe" + text + "\x00")
		}))
	}
	b.take(events...)
	a := b.ask(all())
	if len(a.Events) != len(hostile) {
		b.Fatalf("%d events, want %d", len(a.Events), len(hostile))
	}
	for i, got := range a.Events {
		b.same(b.get(got.Ref), events[len(events)-1-i], true)
	}
	for _, text := range hostile {
		for _, op := range []traces.Op{traces.Is, traces.Contains, traces.Begins} {
			for _, f := range []traces.Field{traces.FieldAccount, traces.FieldPatient, traces.FieldMessage} {
				if a := b.ask(where(f, op, text)); a.Total < 1 || op == traces.Is && a.Total != 1 {
					b.Errorf("%s %s %q: %d events", f, op, text, a.Total)
				}
			}
		}
	}
	notUTF8(b)
}

// notUTF8 keeps what can be read of a text, and the original as it came.
func notUTF8(b *bench) {
	bad := b.event(3600, func(e *traces.Event) {
		e.Account, e.Message, e.IPP, e.Key = "d\xe9j\xe0", "\xff", "ipp\xe9", "cl\xe9"
		e.Extra = []traces.Pair{{Name: "\xfe", Value: "v\xe9"}}
		e.Raw = []byte("d\xe9j\xe0")
	})
	b.take(bad)
	want := bad
	want.Account, want.Message, want.IPP, want.Key = "d\uFFFDj\uFFFD", "\uFFFD", "ipp\uFFFD", "cl\uFFFD"
	want.Extra = []traces.Pair{{Name: "\uFFFD", Value: "v\uFFFD"}}
	a := b.ask(where(traces.FieldAccount, traces.Is, "d\xe9j\xe0"))
	if len(a.Events) != 1 {
		b.Fatalf("%d events with a text that is no UTF-8", len(a.Events))
	}
	b.same(b.get(a.Events[0].Ref), want, true)
}

func longTexts(b *bench) {
	long := strings.Repeat("très long ", 4096/11) + "fin"
	e := b.event(0, func(e *traces.Event) {
		for _, f := range textFields {
			*f.of(e) = long
		}
		e.Message = long
		for range traces.MaxExtra {
			e.Extra = append(e.Extra, traces.Pair{Name: "nom", Value: long})
		}
		e.Raw = []byte(strings.Repeat("original ", traces.MaxRaw/9))
	})
	small := b.event(1, func(e *traces.Event) { e.Message, e.Raw = "petit", []byte("petit") })
	b.take(e, small, e)
	a := b.ask(all())
	if len(a.Events) != 3 {
		b.Fatalf("%d events, want 3", len(a.Events))
	}
	b.same(b.get(a.Events[0].Ref), small, true)
	b.same(b.get(a.Events[1].Ref), e, true)
	b.same(b.get(a.Events[2].Ref), e, true)
	if a := b.ask(where(traces.FieldService, traces.Is, long)); a.Total != 2 {
		b.Errorf("%d events with a long value, want 2", a.Total)
	}
}

func largeBatch(b *bench) {
	const n = 50000
	var events []traces.Event
	for i := range n {
		events = append(events, b.event(0, func(e *traces.Event) {
			e.At += int64(i)
			e.Account, e.Raw = []string{"a", "b", "c"}[i%3], []byte(strings.Repeat("x", i%700))
		}))
	}
	b.take(events...)
	q := all()
	q.Group = []traces.Field{traces.FieldAccount}
	b.counts(q, "a=16667", "b=16667", "c=16666")
	q = all()
	q.Limit, q.Skip = 3, 40000
	a := b.ask(q)
	if a.Total != n || len(a.Events) != 3 || !a.More {
		b.Fatalf("total %d, %d events, more %v", a.Total, len(a.Events), a.More)
	}
	for i, got := range a.Events {
		b.same(b.get(got.Ref), events[n-1-40000-i], true)
	}
}

func emptyBase(b *bench) {
	for _, q := range []traces.Question{all(), where(traces.FieldPatient, traces.Is, "1"), {From: 0, To: int64(time.Hour), Zone: "UTC", Limit: 1, Group: []traces.Field{traces.FieldDay}}} {
		if a := b.ask(q); a.Total != 0 || len(a.Events) != 0 || len(a.Groups) != 0 || a.More {
			b.Errorf("an empty base answers %+v", a)
		}
	}
}

func badQuestions(b *bench) {
	b.take(b.event(0, nil))
	for name, q := range map[string]traces.Question{
		"no period":   {Zone: "UTC", Limit: 1},
		"no zone":     {From: 0, To: 1, Limit: 1},
		"no limit":    {From: 0, To: 1, Zone: "UTC"},
		"other field": {From: 0, To: 1, Zone: "UTC", Limit: 1, Group: []traces.Field{"1; DROP TABLE events"}},
		"other op":    {From: 0, To: 1, Zone: "UTC", Limit: 1, Where: []traces.Condition{{Field: traces.FieldAccount, Op: "= 1 OR", Values: []string{"x"}}}},
	} {
		if _, err := b.Ask(context.Background(), b.organisation, q); fault.As(err) == nil || fault.As(err).Kind != fault.Invalid {
			b.Errorf("%s: %v", name, err)
		}
	}
}
