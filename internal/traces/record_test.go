package traces_test

import (
	"bytes"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/traces"
)

func rooms() []fs.FS { return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations} }

// full is an event with something different in every field.
func full(t testing.TB) traces.Event {
	t.Helper()
	var e traces.Event
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("é" + v.Type().Field(i).Name)
		case reflect.Int64, reflect.Int8:
			f.SetInt(int64(-3 - i))
		case reflect.Uint8:
			f.SetUint(uint64(i % 4))
		case reflect.Bool:
			f.SetBool(true)
		}
	}
	e.Organisation, e.Source = uuid.New(), uuid.New()
	e.Extra = []traces.Pair{{Name: "a", Value: "1"}, {Name: "", Value: strings.Repeat("x", 300)}}
	e.Raw = []byte{0, 1, 255, '\n'}
	return e
}

func TestEveryFieldOfARecordComesBack(t *testing.T) {
	want := full(t)
	var got traces.Event
	if err := traces.ReadRecord(traces.AppendRecord(nil, &want), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestACutRecordIsNoRecord(t *testing.T) {
	e := full(t)
	whole := traces.AppendRecord(nil, &e)
	for n := range whole {
		var got traces.Event
		if err := traces.ReadRecord(whole[:n], &got); !errors.Is(err, traces.ErrRecord) {
			t.Fatalf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
	newer := append([]byte{99}, whole[1:]...)
	var got traces.Event
	if err := traces.ReadRecord(newer, &got); !errors.Is(err, traces.ErrRecord) {
		t.Fatalf("a newer record: %v", err)
	}
}

func FuzzReadRecord(f *testing.F) {
	e := full(f)
	f.Add(traces.AppendRecord(nil, &e))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e traces.Event
		if err := traces.ReadRecord(b, &e); err != nil {
			return
		}
		var again traces.Event
		if err := traces.ReadRecord(traces.AppendRecord(nil, &e), &again); err != nil || !bytes.Equal(again.Raw, e.Raw) || again.Message != e.Message {
			t.Fatalf("what was read is not written again: %v", err)
		}
	})
}

func TestAQuestionIsChecked(t *testing.T) {
	good := traces.Question{From: 1, To: 2, Zone: "Europe/Paris", Limit: 10}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(q *traces.Question){
		"from":     func(q *traces.Question) { q.To = q.From },
		"limit":    func(q *traces.Question) { q.Limit = traces.MaxLimit + 1 },
		"zone":     func(q *traces.Question) { q.Zone = "Local" },
		"group":    func(q *traces.Question) { q.Group = []traces.Field{"account; DROP"} },
		"distinct": func(q *traces.Question) { q.Distinct = "x" },
		"where": func(q *traces.Question) {
			q.Where = []traces.Condition{{Field: traces.FieldAccount, Op: "LIKE", Values: []string{"x"}}}
		},
	} {
		q := good
		spoil(&q)
		if err := q.Check(); !fault.Is(err, fault.Invalid) || fault.As(err).Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []traces.Condition{
		{Field: traces.FieldAccount, Op: traces.Is},
		{Field: traces.FieldAccount, Op: traces.Empty, Values: []string{"x"}},
		{Field: "x", Op: traces.Empty},
		{Field: traces.FieldAccount, Op: traces.Is, Values: make([]string, traces.MaxValues+1)},
	} {
		q := good
		q.Where = []traces.Condition{c}
		if err := q.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestKeysOfActionsAndTheirInverse(t *testing.T) {
	for _, a := range traces.Actions() {
		if got, ok := traces.ParseAction(a.String()); !ok || got != a {
			t.Errorf("%d is %q and reads as %d", a, a, got)
		}
	}
	for _, o := range traces.Outcomes() {
		if got, ok := traces.ParseOutcome(o.String()); !ok || got != o {
			t.Errorf("%d is %q and reads as %d", o, o, got)
		}
	}
	for _, c := range traces.Classes() {
		if got, ok := traces.ParseClass(c.String()); !ok || got != c {
			t.Errorf("%d is %q and reads as %d", c, c, got)
		}
	}
	if traces.Action(200).String() != "unsaid" || traces.Outcome(200).String() != "unsaid" || traces.Class(200).String() != "system" {
		t.Error("what is not known has no name of its own")
	}
}

func TestClassify(t *testing.T) {
	for want, events := range map[traces.Class][]traces.Event{
		traces.PatientAccess:  {{IPP: "1"}, {INS: "1", Action: traces.Login}, {Stay: "1"}},
		traces.Authentication: {{Action: traces.Login}, {Action: traces.Logout}},
		traces.Administration: {{Action: traces.Configure}},
		traces.System:         {{}, {Action: traces.Read}},
	} {
		for _, e := range events {
			if got := traces.Classify(&e, false); got != want {
				t.Errorf("%+v is %s, wanted %s", e, got, want)
			}
		}
	}
	if got := traces.Classify(&traces.Event{}, true); got != traces.Biomedical {
		t.Errorf("of a biomedical source: %s", got)
	}
}
