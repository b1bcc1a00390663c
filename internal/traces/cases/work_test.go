package cases_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/watch"
)

func TestBehaviourWaitsForTheThreeSteps(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		d.keep(opened(nord(), "unexplained", "u1", "42", 90, start()), logged(nord(), "r1", 75, start()))
		if list := d.find(dpo(), cases.Filter{}); len(list) != 0 {
			t.Fatalf("kept before anything is on record: %+v", list)
		}
		d.one(rssi()) // the logs of systems are not concerned
		if err := d.s.Switch(ctx, dpo(), true, "vite"); !fault.Is(err, fault.Conflict) {
			t.Errorf("in service without the steps: %v", err)
		}
		for name, err := range map[string]error{
			"future day": d.s.Assess(ctx, dpo(), cases.Assessment{Day: "2027-01-01", Author: "a", Advice: "b", Document: "c"}),
			"no author":  d.s.Assess(ctx, dpo(), cases.Assessment{Day: "2026-01-01", Advice: "b", Document: "c"}),
			"no body":    d.s.Consult(ctx, dpo(), cases.Consultation{Day: "2026-01-01", Opinion: "x"}),
			"no day":     d.s.Inform(ctx, dpo(), cases.Notice{How: "note"}),
		} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		d.serve(nord())
		d.keep(opened(nord(), "unexplained", "u1", "42", 90, start()), opened(sud(), "unexplained", "u1", "42", 90, start()))
		d.one(dpo())
		if list := d.find(as(sud(), access.DataProtection), cases.Filter{}); len(list) != 0 {
			t.Errorf("the other establishment has put nothing into service: %+v", list)
		}
		if err := d.s.Switch(ctx, dpo(), false, "demande du CSE"); err != nil {
			t.Fatal(err)
		}
		d.keep(opened(nord(), "unexplained", "u2", "43", 90, start()))
		d.one(dpo())
		g, err := d.s.Gate(ctx, dpo())
		if err != nil || g.InService || g.Why != "demande du CSE" || !g.Ready() {
			t.Errorf("%+v, %v", g, err)
		}
		noted, err := journal.NewReader(d.db, d.guard).Search(ctx, as(nord(), access.Auditor), journal.Filter{Action: "traces.detection."})
		if err != nil || len(noted) != 5 {
			t.Errorf("%d entries, %v", len(noted), err)
		}
	})
}

func TestOneMessageForWhatOpensTogether(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		tell := func() {
			t.Helper()
			if _, err := d.s.Tell(t.Context(), d.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 40 {
			d.keep(opened(nord(), "unexplained", fmt.Sprint("u", n), "800424242", 60, start()))
		}
		d.keep(logged(nord(), "r1", 75, start()))
		tell()
		tell()
		if len(d.told) != 2 {
			t.Fatalf("%d messages: %q", len(d.told), d.told)
		}
		all := plain(strings.Join(d.told, "\n"))
		if !strings.Contains(all, "dpo Traces : 40") || !strings.Contains(all, "rssi Traces : un dossier") || !strings.Contains(all, "https://tocsin.test/traces/alertes/") || strings.Contains(all, "800424242") || strings.Contains(all, "MARCHAND") {
			t.Error(all)
		}
		d.keep(logged(nord(), "r2", 75, start()))
		d.clock.Advance(time.Minute)
		if tell(); len(d.told) != 2 {
			t.Error("a second message within the quarter of an hour")
		}
		d.clock.Advance(15 * time.Minute)
		if tell(); len(d.told) != 3 {
			t.Error("what opened meanwhile is not told")
		}
	})
}

func TestAGraveCaseAlertsOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, scenario := t.Context(), uuid.New()
		set := cases.Settings{Kind: cases.System, OpensFrom: 40, Alerts: true, AlertsFrom: 90, AlertsHour: 2, Mode: "reel", KeepMonths: 12}
		if err := d.s.Set(ctx, rssi(), set); !fault.Is(err, fault.Invalid) {
			t.Errorf("alerts without a scenario: %v", err)
		}
		set.Scenario = scenario
		if err := errors.Join(d.s.Set(ctx, rssi(), set)); err != nil {
			t.Fatal(err)
		}
		if err := d.s.Set(ctx, dpo(), set); !fault.Is(err, fault.Denied) {
			t.Errorf("the DPO sets the alerts of systems: %v", err)
		}
		alert := func() {
			t.Helper()
			if _, err := d.s.Alert(ctx, d.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		d.keep(logged(nord(), "r0", 80, start()))
		if alert(); len(d.launched) != 0 {
			t.Errorf("below the threshold: %+v", d.launched)
		}
		d.broken = errors.New("the database is away")
		d.keep(logged(nord(), "r1", 95, start()))
		if _, err := d.s.Alert(ctx, d.clock.Now()); err == nil {
			t.Error("a launch that failed is not told")
		}
		d.broken = nil
		alert()
		d.keep(logged(nord(), "r1", 95, start().Add(time.Minute)))
		if alert(); len(d.launched) != 1 || d.launched[0].Scenario != scenario || len(d.launched[0].Key) < 8 {
			t.Fatalf("%+v", d.launched)
		}
		loc := i18ntest.Localizer(t, i18n.French, cases.Locales)
		if said := d.launched[0].Say(loc); !strings.Contains(said, "poids") {
			t.Error(said)
		}
		for n := range 3 {
			d.keep(logged(nord(), fmt.Sprint("s", n), 96, start()))
		}
		alert()
		states := map[cases.Alert]int{}
		for _, c := range d.find(rssi(), cases.Filter{}) {
			states[c.Alert]++
		}
		if states[cases.Launched] != 2 || states[cases.Held] != 2 || states[cases.NoAlert] != 1 {
			t.Errorf("%v", states)
		}
		// A scenario that refuses is said on the case, and is not tried for ever.
		d.clock.Advance(2 * time.Hour)
		d.broken = fault.New(fault.Conflict, "alerting.launch.archived")
		d.keep(logged(nord(), "z", 99, start()))
		alert()
		alert()
		list := d.find(rssi(), cases.Filter{Rule: "sigma:z"})
		if len(list) != 1 || list[0].Alert != cases.Failed || list[0].AlertError != "alerting.launch.archived" {
			t.Errorf("%+v", list)
		}
	})
}

func TestClosedCasesGoWhenTheirTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.keep(logged(nord(), "r1", 75, start()), logged(nord(), "r2", 75, start()))
		id := d.find(rssi(), cases.Filter{Rule: "sigma:r1"})[0].ID
		if err := d.s.Decide(t.Context(), rssi(), id, cases.Verdict{State: cases.Dismissed, Reason: "test"}); err != nil {
			t.Fatal(err)
		}
		for _, months := range []int{11, 2} {
			d.clock.Advance(time.Duration(months) * 31 * 24 * time.Hour)
			if _, err := d.s.Sweep(t.Context(), d.clock.Now()); err != nil {
				t.Fatal(err)
			}
			want := 2
			if months == 2 {
				want = 1
			}
			if list := d.find(rssi(), cases.Filter{}); len(list) != want {
				t.Errorf("%d cases, want %d", len(list), want)
			}
		}
		var left int
		err := d.db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM traces_case_evidence WHERE case_id = $1) + (SELECT COUNT(*) FROM traces_case_steps WHERE case_id = $1) + (SELECT COUNT(*) FROM traces_case_memory)`, []any{id}, &left)
			return err
		})
		if err != nil || left != 0 {
			t.Errorf("%d rows are left, %v", left, err)
		}
	})
}

func TestTheRegisterIsDraftedFromWhatIsSet(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		for _, lang := range i18n.Languages() {
			loc := i18ntest.Localizer(t, lang, cases.Locales)
			e, err := d.s.Register(t.Context(), dpo(), loc, time.UTC, cases.Facts{Establishment: "CH de Valbrume", Durations: []cases.DurationFact{{Class: "Accès", Months: 0}}})
			if err != nil || len(e.Missing) != 5 || len(e.Sections) != 11 {
				t.Fatalf("%d missing, %d sections, %v", len(e.Missing), len(e.Sections), err)
			}
		}
		d.serve(nord())
		loc := i18ntest.Localizer(t, i18n.French, cases.Locales)
		e, err := d.s.Register(t.Context(), dpo(), loc, time.UTC, cases.Facts{Establishment: "CH de Valbrume", Sources: []string{"DPI"}, Durations: []cases.DurationFact{{Class: "Accès", Months: 6}}, Rules: []string{"Même nom"}, Systems: 6})
		if err != nil || len(e.Missing) != 0 {
			t.Fatalf("%+v, %v", e.Missing, err)
		}
		var all strings.Builder
		for _, s := range e.Sections {
			fmt.Fprintln(&all, s.Title, s.Lines)
		}
		for _, want := range []string{"CH de Valbrume", "AIPD-7", "1er septembre 2026", "CSE", "note de service", "Source : DPI.", "Même nom", "6 mois", "12 mois", "art. 32"} {
			if !strings.Contains(plain(all.String()), want) {
				t.Errorf("nothing says %q in\n%s", want, all.String())
			}
		}
		if _, err := d.s.Register(t.Context(), as(nord(), access.Administrator), loc, time.UTC, cases.Facts{}); !fault.Is(err, fault.Denied) {
			t.Errorf("an administrator: %v", err)
		}
	})
}

func TestWhatIsTriedTwiceIsKeptOnce(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		h := logged(nord(), "r1", 75, start())
		broken := errors.New("power cut")
		err := d.db.Write(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			if err := d.s.Keep(t.Context(), tx, start(), watch.Catch{Hits: []traces.Hit{h}}); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if list := d.find(rssi(), cases.Filter{}); len(list) != 0 {
			t.Fatalf("half a transaction is kept: %+v", list)
		}
		d.keep(h)
		d.keep(h)
		c := d.one(rssi())
		if sheet, err := d.s.Look(t.Context(), rssi(), c.ID); err != nil || len(sheet.Reasons) != 1 {
			t.Errorf("%+v, %v", sheet.Reasons, err)
		}
	})
}

func TestWhatTheCareSaidIsAddedUpWithWhatWasExamined(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		today := int(start().Unix() / (24 * 3600))
		add := func(day int, n int64) {
			t.Helper()
			c := watch.Catch{Examined: map[watch.Counted]int64{}, Shares: map[traces.Count]traces.Share{}}
			for service := range 150 {
				c.Shares[traces.Count{Organisation: nord(), Day: day, Service: fmt.Sprint("s", service), Application: "DPI"}] = traces.Share{Explained: n, Unexplained: 1}
			}
			c.Shares[traces.Count{Organisation: nord(), Day: day, Service: "s0\x00", Application: "DPI\xff"}] = traces.Share{NotJudged: 2}
			c.Shares[traces.Count{Organisation: sud(), Day: day, Service: "s0"}] = traces.Share{Explained: 900}
			c.Examined[watch.Counted{Organisation: nord(), Patient: true, Day: int64(day) * 24 * 3600 * 1_000_000}] = 150*(n+1) + 2
			if err := d.db.Write(t.Context(), access.Instance("test"), func(tx *storage.Tx) error { return d.s.Keep(t.Context(), tx, d.clock.Now(), c) }); err != nil {
				t.Fatal(err)
			}
		}
		add(today, 2)
		add(today, 1)
		add(today-cases.FiguresDays, 1) // the first day that is told: whole, in both
		add(today-cases.FiguresDays-1, 50)
		all, services, err := d.s.ExplainedShare(t.Context(), dpo())
		if err != nil || all.Explained != 600 || all.Unexplained != 450 || all.NotJudged != 6 || len(services) != 10 {
			t.Errorf("%+v, %+v, %v", all, services, err)
		}
		if f, err := d.s.Figures(t.Context(), dpo()); err != nil || f[0].Examined != all.Explained+all.Unexplained+all.NotJudged {
			t.Errorf("%+v examined, %+v judged, %v", f, all, err)
		}
		// An establishment that has not put detection into service keeps nothing.
		if other, _, err := d.s.ExplainedShare(t.Context(), as(sud(), access.DataProtection)); err != nil || other != (cases.Explained{}) {
			t.Errorf("%+v, %v", other, err)
		}
	})
}
