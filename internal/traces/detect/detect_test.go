package detect_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/detect"
)

var (
	house = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")
	other = uuid.MustParse("0190aaaa-0000-7000-8000-000000000002")
	nurse = uuid.MustParse("0190aaaa-0000-7000-8000-0000000000aa")
)

const (
	minute = int64(time.Minute / time.Microsecond)
	hour   = 60 * minute
	day    = 24 * hour
)

// monday is 2 November 2026, 10:00 in Paris.
var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).UnixMicro()

// ward is a hospital in a few maps.
type ward struct {
	bare     bool // no messages of care
	err      error
	patients map[string]traces.Patient
	members  map[string]traces.Member
	oncall   map[string]bool
	asked    int
}

func (w *ward) Covered(context.Context, uuid.UUID) (bool, error) { return !w.bare, w.err }

func (w *ward) Patient(_ context.Context, _ uuid.UUID, ipp, _ string, _ int64) (traces.Patient, bool, error) {
	w.asked++
	p, ok := w.patients[ipp]
	return p, ok, w.err
}

func (w *ward) Member(_ context.Context, _ uuid.UUID, account string) (traces.Member, bool, error) {
	m, ok := w.members[account]
	return m, ok, w.err
}

func (w *ward) OnCall(_ context.Context, _, _ uuid.UUID, service string, _ int64) (bool, error) {
	return w.oncall[service], w.err
}

func newWard() *ward {
	w := &ward{patients: map[string]traces.Patient{}, oncall: map[string]bool{}, members: map[string]traces.Member{
		"a": {Account: "a", Person: nurse, Name: "Alice TANGUY", Surname: "tanguy", Address: "4 rue des lilas", Postal: "29200", Function: "IDE", Services: []string{"cardiologie"}, IPP: "own"},
		"b": {Account: "b", Name: "Bruno MOREL", Surname: "morel", Function: "IDE", Services: []string{"cardiologie"}},
	}}
	for n := range 3000 {
		w.patients[fmt.Sprint("x", n)] = traces.Patient{Surname: fmt.Sprint("nom", n%900), Address: fmt.Sprint(n, " rue haute"), Postal: "29200", Relations: []traces.Relation{{Kind: traces.RelationStay, Service: "cardiologie", From: monday - 60*day}}}
	}
	return w
}

// put adds a patient who stays elsewhere.
func (w *ward) put(ipp string, change func(*traces.Patient)) {
	p := traces.Patient{IPP: ipp, Surname: "kerbrat", Relations: []traces.Relation{{Kind: traces.RelationStay, Service: "oncologie", From: monday - day}}}
	if change != nil {
		change(&p)
	}
	w.patients[ipp] = p
}

func event(account, ipp string, at int64) traces.Event {
	return traces.Event{Organisation: house, Class: traces.PatientAccess, Action: traces.Read, Account: account, Person: "Alice TANGUY", Function: "IDE", Service: "Cardiologie", Application: "DPI", Workstation: "PC-1", IPP: ipp, At: at, Received: at, Outcome: traces.Success}
}

// session is a record opened for four minutes.
func session(account, ipp string, at int64) (out []traces.Event) {
	for n := range int64(5) {
		out = append(out, event(account, ipp, at+n*minute))
	}
	return out
}

// learnt is a detection that saw the ward work for some days.
func learnt(t *testing.T, w *ward, o detect.Options) *detect.Detector {
	t.Helper()
	o.Carer, o.Staff = w, w
	d := detect.New(o)
	for n := range 3000 {
		account := "a"
		if n%2 == 0 {
			account = "b"
		}
		at := monday - 21*day + int64(n/150)*day + int64(n%150)*3*minute
		see(t, d, event(account, fmt.Sprint("x", n), at))
	}
	return d
}

func see(t *testing.T, d *detect.Detector, events ...traces.Event) []traces.Hit {
	t.Helper()
	hits, err := d.Observe(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// after looks at events and lets their session end.
func after(t *testing.T, d *detect.Detector, events ...traces.Event) []traces.Hit {
	t.Helper()
	hits := see(t, d, events...)
	return append(hits, d.Due(t.Context(), events[len(events)-1].Received+hour)...)
}

func sentences(t *testing.T, h traces.Hit) string {
	t.Helper()
	l := i18ntest.Localizer(t, i18n.French, detect.Locales)
	var out []string
	for _, e := range h.Evidence {
		var pairs []any
		for k, v := range e.Args {
			pairs = append(pairs, k, v)
		}
		out = append(out, l.T(e.Key, pairs...))
	}
	return strings.Join(out, "\n")
}

func TestRulesOnTheUnexplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, says string
		change     func(*traces.Patient)
		event      func(*traces.Event)
	}{
		{detect.RuleSurname, "Alice TANGUY (IDE, Cardiologie) a ouvert le dossier d’un patient du même nom, un nom rare ici, sans lien de soin connu.", func(p *traces.Patient) { p.Surname = "tanguy" }, nil},
		{detect.RuleSurname, "même nom", func(p *traces.Patient) { p.BirthName = "tanguy" }, nil},
		{detect.RuleAddress, "de la même adresse", func(p *traces.Patient) { p.Address, p.Postal = "4 rue des lilas", "29200" }, nil},
		{detect.RuleStreet, "de la même rue", func(p *traces.Patient) { p.Address, p.Postal = "9 bis rue des lilas", "29200" }, nil},
		{detect.RuleColleague, "de son propre service", func(p *traces.Patient) { p.StaffAccount = "b" }, nil},
		{detect.RuleColleague, "qui travaille dans l’établissement", func(p *traces.Patient) { p.StaffAccount = "zz" }, nil},
		{detect.RuleWellKnown, "signalé par le DPO", func(p *traces.Patient) { p.WellKnown = true }, nil},
		{detect.RuleExport, "exporté", func(p *traces.Patient) {}, func(e *traces.Event) { e.Action = traces.Export }},
		{detect.RuleGlass, "sans donner de motif", func(p *traces.Patient) {}, func(e *traces.Event) { e.Action = traces.BreakGlass }},
	} {
		w := newWard()
		w.put("p", c.change)
		events := session("a", "p", monday)
		if c.event != nil {
			c.event(&events[0])
		}
		hits := after(t, learnt(t, w, detect.Options{}), events...)
		if len(hits) != 1 || hits[0].Rule != c.rule || hits[0].IPP != "p" || hits[0].Account != "a" || hits[0].Score < detect.Threshold {
			t.Errorf("%s: %+v", c.rule, hits)
			continue
		}
		if said := sentences(t, hits[0]); !strings.Contains(said, c.says) || strings.Contains(said, "⟦") || strings.Contains(said, "{") {
			t.Errorf("%s:\n%s\nwithout %q", c.rule, said, c.says)
		}
	}
}

func TestWhatCareExplainsIsNeverTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ward, *traces.Patient){
		"stay": func(_ *ward, p *traces.Patient) { p.Relations[0].Service = "cardiologie" },
		"stay over": func(_ *ward, p *traces.Patient) {
			p.Relations[0].Service, p.Relations[0].To = "cardiologie", monday-12*hour
		},
		"appointment": func(_ *ward, p *traces.Patient) {
			p.Relations = append(p.Relations, traces.Relation{Kind: traces.RelationAppointment, Service: "cardiologie", From: monday + 2*day, To: monday + 2*day})
		},
		"prescription": func(_ *ward, p *traces.Patient) {
			p.Relations = append(p.Relations, traces.Relation{Kind: traces.RelationPrescription, Account: "a", From: monday - hour, To: monday})
		},
		"team": func(_ *ward, p *traces.Patient) {
			p.Relations = append(p.Relations, traces.Relation{Kind: traces.RelationTeam, Account: "a", From: monday - day})
		},
		"on call":     func(w *ward, _ *traces.Patient) { w.oncall["oncologie"] = true },
		"no messages": func(w *ward, _ *traces.Patient) { w.bare = true },
	} {
		w := newWard()
		w.put("p", func(p *traces.Patient) {
			p.Surname, p.WellKnown = "tanguy", true
			change(w, p)
		})
		if hits := after(t, learnt(t, w, detect.Options{}), session("a", "p", monday)...); len(hits) != 0 {
			t.Errorf("%s: %+v", name, hits)
		}
	}
	w := newWard()
	w.put("p", func(p *traces.Patient) {
		p.Surname, p.Relations[0].Service, p.Relations[0].To = "tanguy", "cardiologie", monday-31*day
	})
	if hits := after(t, learnt(t, w, detect.Options{}), session("a", "p", monday)...); len(hits) != 1 {
		t.Errorf("a stay over for a month explains: %+v", hits)
	}
}

// TestALateMessageExplains: the stay is told after the access, before the session
// is over.
func TestALateMessageExplains(t *testing.T) {
	t.Parallel()
	w := newWard()
	w.put("p", func(p *traces.Patient) { p.Surname = "tanguy" })
	d := learnt(t, w, detect.Options{})
	events := session("a", "p", monday)
	see(t, d, events...)
	w.put("p", func(p *traces.Patient) { p.Surname, p.Relations[0].Service = "tanguy", "cardiologie" })
	if hits := d.Due(t.Context(), events[4].At+hour); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
}

func TestACommonNameIsWeakEvidence(t *testing.T) {
	t.Parallel()
	scores, said := map[string]int{}, map[string]string{}
	for name, share := range map[string]int{"rare": 0, "common": 40} {
		w := newWard()
		for n := range 3000 {
			if p := w.patients[fmt.Sprint("x", n)]; share > 0 && n%share == 0 {
				p.Surname = "tanguy"
				w.patients[fmt.Sprint("x", n)] = p
			}
		}
		w.put("p", func(p *traces.Patient) { p.Surname = "tanguy" })
		for _, h := range after(t, learnt(t, w, detect.Options{Threshold: 1}), session("a", "p", monday)...) {
			scores[name], said[name] = h.Score, sentences(t, h)
		}
	}
	if scores["rare"] < scores["common"]+15 || !strings.Contains(said["rare"], "rare ici") || !strings.Contains(said["common"], "courant ici") {
		t.Error(scores, said)
	}
}

func TestALeaverIsToldWithoutMessagesOfCare(t *testing.T) {
	t.Parallel()
	w := newWard()
	w.bare = true
	d := learnt(t, w, detect.Options{})
	m := w.members["a"]
	m.Left = monday - 3*day
	w.members["a"] = m
	w.put("p", nil)
	hits := see(t, d, session("a", "p", monday)...)
	if len(hits) != 1 || hits[0].Rule != detect.RuleLeaver || !strings.Contains(sentences(t, hits[0]), "après le départ") {
		t.Errorf("%+v", hits)
	}
	if again := d.Due(t.Context(), monday+2*hour); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

func TestWhatLowers(t *testing.T) {
	t.Parallel()
	of := func(change func(*ward, []traces.Event) []traces.Event) (int, string) {
		w := newWard()
		w.put("p", func(p *traces.Patient) { p.Surname = "tanguy" })
		events := session("a", "p", monday)
		if change != nil {
			events = change(w, events)
		}
		hits := after(t, learnt(t, w, detect.Options{Threshold: 1}), events...)
		if len(hits) != 1 {
			t.Fatalf("%+v", hits)
		}
		return hits[0].Score, sentences(t, hits[0])
	}
	plain, _ := of(nil)
	shared, said := of(func(w *ward, e []traces.Event) []traces.Event {
		m := w.members["a"]
		m.Shared = true
		w.members["a"] = m
		return e
	})
	if shared > plain-15 || !strings.Contains(said, "partagé") {
		t.Error(plain, shared, said)
	}
	brief, said := of(func(_ *ward, e []traces.Event) []traces.Event { return e[:1] })
	if brief >= plain || !strings.Contains(said, "refermé aussitôt") {
		t.Error(plain, brief, said)
	}
}

// sum adds up all shares.
func sum(all map[traces.Count]traces.Share) (out traces.Share) {
	for _, s := range all {
		out = out.Plus(s)
	}
	return out
}

func TestWhatCannotBeReadIsNoSuspicion(t *testing.T) {
	t.Parallel()
	w := newWard()
	w.put("p", func(p *traces.Patient) { p.Surname, p.WellKnown = "tanguy", true })
	d := learnt(t, w, detect.Options{})
	d.TakeShares()
	w.err = errors.New("down")
	if hits := after(t, d, session("a", "p", monday)...); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
	shares := d.TakeShares()
	if len(shares) != 1 || sum(shares) != (traces.Share{NotJudged: 5}) {
		t.Errorf("%+v", shares)
	}
	// Read once, and no more when it is to be told.
	w.err = nil
	w.put("q", func(p *traces.Patient) { p.Surname = "tanguy" })
	see(t, d, session("a", "q", monday+day)...)
	w.err = errors.New("down")
	if hits := d.Due(t.Context(), monday+day+2*hour); len(hits) != 0 || d.Costs()[0].Unread != 1 {
		t.Errorf("%+v %+v", hits, d.Costs())
	}
}

func TestSharesAndCost(t *testing.T) {
	t.Parallel()
	w := newWard()
	w.put("p", func(p *traces.Patient) { p.WellKnown = true })
	d := detect.New(detect.Options{Carer: w, Staff: w, Ours: func(id uuid.UUID) bool { return id == other }})
	events := append(session("a", "x1", monday), session("a", "p", monday+hour)[:2]...)
	own := event("a", "p", monday)
	own.Source = other
	search, denied, nobody := event("a", "p", monday), event("a", "p", monday), event("", "p", monday)
	search.Action, denied.Outcome = traces.Search, traces.Denied
	events = append(events, own, search, denied, nobody)
	elsewhere := event("a", "x1", monday)
	elsewhere.Organisation = other
	events = append(events, elsewhere)
	hits := after(t, d, events...)
	shares := d.TakeShares()
	day := int(monday / (24 * hour))
	here := traces.Count{Organisation: events[0].Organisation, Day: day, Service: "cardiologie", Application: "DPI"}
	there := here
	there.Organisation = other
	if want := map[traces.Count]traces.Share{here: {Explained: 5, Unexplained: 2}, there: {Explained: 1}}; !maps.Equal(shares, want) {
		t.Errorf("%+v", shares)
	}
	costs := d.Costs()
	if len(hits) != 1 || len(costs) != 2 || costs[0].Accesses != 7 || costs[0].Hits != 1 || costs[0].PerThousand() < 142 || len(d.TakeShares()) != 0 {
		t.Errorf("%+v %+v", hits, costs)
	}
}

func TestBreadth(t *testing.T) {
	t.Parallel()
	w := newWard()
	d := learnt(t, w, detect.Options{})
	var hits []traces.Hit
	for n := range 150 {
		hits = append(hits, see(t, d, event("a", fmt.Sprint("x", 2000+n), monday+int64(n)*minute/4))...)
	}
	hits = append(hits, d.Due(t.Context(), monday+3*hour)...)
	if len(hits) == 0 || hits[0].Rule != detect.RuleBreadth || hits[0].IPP != "" || d.Costs()[0].Hits != 1 {
		t.Fatalf("%+v", hits)
	}
	if said := sentences(t, hits[0]); !strings.Contains(said, "dossiers différents") || !strings.Contains(said, "entre 10:00 et 10:") {
		t.Error(said)
	}
	if quiet := after(t, d, event("b", "x1", monday+4*hour)); len(quiet) != 0 {
		t.Errorf("%+v", quiet)
	}
}

func TestARestartDoesNotUnlearn(t *testing.T) {
	t.Parallel()
	w := newWard()
	w.put("p", func(p *traces.Patient) { p.Surname = "tanguy" })
	d := learnt(t, w, detect.Options{})
	kept, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again := detect.New(detect.Options{Carer: w, Staff: w})
	if err := again.Restore(kept); err != nil {
		t.Fatal(err)
	}
	events := session("a", "p", monday)
	one, two := after(t, d, events...), after(t, again, events...)
	if len(one) != 1 || len(two) != 1 || one[0].Score != two[0].Score || !slices.EqualFunc(one[0].Evidence, two[0].Evidence, func(x, y traces.Evidence) bool { return x.Key == y.Key }) {
		t.Errorf("%+v\n%+v", one, two)
	}
	for _, bad := range [][]byte{nil, []byte("x"), kept[:len(kept)/2]} {
		if err := again.Restore(bad); !errors.Is(err, detect.ErrSnapshot) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	s, err := detect.Measure(t.Context(), clock.Real(), detect.Load{People: 300, Patients: 5000, Events: 10_000})
	if err != nil || s.Events != 10_000 {
		t.Fatal(s, err)
	}
	t.Logf("%.0f events/s, %.3f %% of a core at 100 a second, %.1f MB", s.PerSecond(), s.CorePercent(100), float64(s.Heap)/1e6)
}

func TestTitles(t *testing.T) {
	t.Parallel()
	l := i18ntest.Localizer(t, i18n.French, detect.Locales)
	for _, r := range detect.Rules() {
		if title := l.T(detect.Title(r)); strings.Contains(title, "⟦") {
			t.Error(title)
		}
	}
}
