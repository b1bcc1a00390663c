package cases_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
)

func TestAFloodOfOneAccountIsOneCase(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		var hits []traces.Hit
		for n := range 10_000 {
			hits = append(hits, opened(nord(), "volume.hour", "u1", "", 60, start().Add(time.Duration(n)*time.Second)))
		}
		for from := 0; from < len(hits); from += 2500 {
			d.keep(hits[from : from+2500]...)
		}
		c := d.one(dpo())
		if c.Hits != 10_000 || c.Weight != 80 || c.State != cases.Waiting || c.Kind != cases.Patient {
			t.Errorf("%+v", c)
		}
		f, err := d.s.Figures(t.Context(), dpo())
		if err != nil || len(f) != 1 || f[0].Hits != 10_000 || f[0].Cases != 1 || f[0].Examined != 2000 || f[0].PerThousand(f[0].Cases) != 0.5 {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

func TestWhatIsSaidOfOneRecordIsOneCaseThatWeighsMore(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		d.keep(opened(nord(), "unexplained", "u1", "42", 50, start()))
		d.keep(opened(nord(), "same_name", "U1", "42", 60, start().Add(time.Hour)), opened(nord(), "unexplained", "u1", "43", 50, start()))
		list := d.find(dpo(), cases.Filter{})
		if len(list) != 2 || list[0].IPP != "42" || list[0].Rule != "same_name" || list[0].Weight != 72 || len(list[0].Rules) != 2 || list[0].Hits != 2 {
			t.Fatalf("%+v", list)
		}
		sheet, err := d.s.Look(t.Context(), dpo(), list[0].ID)
		if err != nil || len(sheet.Reasons) != 2 || len(sheet.Others) != 1 {
			t.Fatalf("%+v, %v", sheet, err)
		}
		loc := i18ntest.Localizer(t, i18n.French, cases.Locales)
		if got := plain(d.s.Sentence(loc, sheet)); got != "Yann BONNET (u1), Secrétaire médicale, Gériatrie 1 a accédé au dossier de Odile MARCHAND (42), 2 fois, ce qui ressort : « Accès inhabituel » : Accès inhabituel ; Accès inhabituel." {
			t.Error(got)
		}
		// Far apart in time it is another case.
		d.keep(opened(nord(), "unexplained", "u1", "42", 50, start().AddDate(0, 0, 30)))
		if list := d.find(dpo(), cases.Filter{}); len(list) != 3 {
			t.Errorf("%d cases", len(list))
		}
	})
}

func TestCasesAreSeenByThoseWhoAnswerForThem(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		d.serve(sud())
		d.keep(opened(nord(), "unexplained", "u1", "42", 60, start()), logged(nord(), "r1", 75, start()), opened(sud(), "unexplained", "u9", "99", 60, start()))
		patient, system := d.one(dpo()), d.one(rssi())
		if patient.Kind != cases.Patient || system.Kind != cases.System || patient.Account != "u1" {
			t.Fatalf("%+v %+v", patient, system)
		}
		if both := d.find(as(nord(), access.DataProtection, access.SecurityOfficer), cases.Filter{}); len(both) != 2 {
			t.Errorf("both roles: %d", len(both))
		}
		if mine := d.find(rssi(), cases.Filter{Kind: cases.Patient}); len(mine) != 1 || mine[0].Kind != cases.System {
			t.Errorf("a filter opens what one may not see: %+v", mine)
		}
		for name, scope := range map[string]access.Scope{"rssi": rssi(), "another establishment": as(sud(), access.DataProtection)} {
			if _, err := d.s.Look(t.Context(), scope, patient.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s looks: %v", name, err)
			}
			if err := d.s.Decide(t.Context(), scope, patient.ID, cases.Verdict{State: cases.Justified, Reason: "x"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s decides: %v", name, err)
			}
			if err := d.s.Note(t.Context(), scope, patient.ID, "x"); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s notes: %v", name, err)
			}
		}
		for _, role := range []access.Role{access.Administrator, access.Auditor, access.Launcher, access.Reader} {
			scope := as(nord(), role)
			_, find := d.s.Find(t.Context(), scope, cases.Filter{})
			_, look := d.s.Look(t.Context(), scope, patient.ID)
			_, figures := d.s.Figures(t.Context(), scope)
			_, gate := d.s.Gate(t.Context(), scope)
			for what, err := range map[string]error{
				"find": find, "look": look, "figures": figures, "gate": gate,
				"assign": d.s.Assign(t.Context(), scope, patient.ID, solene().ID), "reopen": d.s.Reopen(t.Context(), scope, patient.ID, "x"),
				"switch": d.s.Switch(t.Context(), scope, false, "x"), "set": d.s.Set(t.Context(), scope, cases.Settings{Kind: cases.Patient}),
			} {
				if !fault.Is(err, fault.Denied) {
					t.Errorf("%s %s: %v", role, what, err)
				}
			}
		}
		if err := d.s.Switch(t.Context(), rssi(), false, "x"); !fault.Is(err, fault.Denied) {
			t.Errorf("the security officer governs: %v", err)
		}
		if len(d.looks) > 0 {
			t.Errorf("looks that were refused are noted: %+v", d.looks)
		}
	})
}

func TestALookIsWrittenDownOrRefused(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		d.keep(opened(nord(), "unexplained", "u1", "42", 60, start()))
		id := d.one(dpo()).ID
		d.refuse = fault.New(fault.Unavailable, "traces.error.none")
		if sheet, err := d.s.Look(t.Context(), dpo(), id); !fault.Is(err, fault.Unavailable) || sheet.IPP != "" {
			t.Errorf("%+v, %v", sheet, err)
		}
		d.refuse = nil
		if _, err := d.s.Look(t.Context(), dpo(), id); err != nil || len(d.looks) != 1 || d.looks[0].IPP != "42" || d.looks[0].ID != id.String() {
			t.Errorf("%+v, %v", d.looks, err)
		}
	})
}

func TestACaseIsHandledAndTheJournalNamesNoPatient(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		d.keep(opened(nord(), "unexplained", "u1", "800424242", 60, start()))
		id, ctx := d.one(dpo()).ID, t.Context()
		if err := d.s.Assign(ctx, dpo(), id, uuid.New()); !fault.Is(err, fault.Invalid) {
			t.Errorf("given to anybody: %v", err)
		}
		if err := d.s.Assign(ctx, dpo(), id, solene().ID); err != nil {
			t.Fatal(err)
		}
		if mine := d.find(dpo(), cases.Filter{Mine: true}); len(mine) != 1 || mine[0].AssignedName != "Solène Riou" || mine[0].State != cases.Assigned {
			t.Errorf("%+v", mine)
		}
		if err := d.s.Note(ctx, dpo(), id, "Appelé Mme MARCHAND 800424242"); err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]cases.Verdict{
			"no reason": {State: cases.Justified}, "nothing follows": {State: cases.Confirmed, Reason: "x"}, "no verdict": {State: cases.Waiting, Reason: "x"}, "long": {State: cases.Dismissed, Reason: strings.Repeat("é", 2001)},
		} {
			if err := d.s.Decide(ctx, dpo(), id, v); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		d.clock.Advance(2 * time.Hour)
		if err := d.s.Decide(ctx, dpo(), id, cases.Verdict{State: cases.Confirmed, Reason: "Curiosité pour Mme MARCHAND", Followed: "Entretien avec la cadre"}); err != nil {
			t.Fatal(err)
		}
		if err := d.s.Decide(ctx, dpo(), id, cases.Verdict{State: cases.Justified, Reason: "x"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("decided twice: %v", err)
		}
		sheet, err := d.s.Look(ctx, dpo(), id)
		if err != nil || sheet.State != cases.Confirmed || sheet.Followed != "Entretien avec la cadre" || len(sheet.Steps) != 3 || sheet.ClosedBy != "Solène Riou" || len(sheet.Others) != 0 {
			t.Errorf("%+v, %v", sheet, err)
		}
		f, err := d.s.Figures(ctx, dpo())
		if share, ok := f[0].Share(); err != nil || !ok || share != 1 || f[0].Median != 2*time.Hour || f[0].Rules[0].Wellseen != 1 {
			t.Errorf("%+v, %v", f, err)
		}
		if err := d.s.Reopen(ctx, dpo(), id, "Nouvelle pièce"); err != nil {
			t.Fatal(err)
		}
		noted, err := journal.NewReader(d.db, d.guard).Search(ctx, as(nord(), access.Auditor), journal.Filter{Action: "traces.case."})
		if err != nil || len(noted) != 4 {
			t.Fatalf("%d entries, %v", len(noted), err)
		}
		for _, e := range noted {
			for _, word := range []string{"MARCHAND", "800424242", "Odile", "BONNET"} {
				if strings.Contains(e.Before+e.After+e.ObjectName, word) {
					t.Errorf("the journal says %s: %+v", word, e)
				}
			}
		}
	})
}

func TestWhatWasJustifiedWeighsLessAndNeverNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		ctx := t.Context()
		justify := func(scope access.Scope) uuid.UUID {
			id := d.one(scope).ID
			if err := d.s.Decide(ctx, scope, id, cases.Verdict{State: cases.Justified, Reason: "Remplacement"}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, start()))
		id := justify(dpo())
		// The same events told once more after a crash open nothing and count nothing.
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, start()))
		// The same a day later: 80 × 0.25 stays under the threshold, and is counted.
		d.clock.Advance(24 * time.Hour)
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, d.clock.Now()))
		if c := d.one(dpo()); c.ID != id || c.Repeats != 1 || c.State != cases.Justified {
			t.Fatalf("%+v", c)
		}
		// Another patient is another matter; so is a well-known one, each time.
		d.keep(opened(nord(), "unexplained", "u1", "43", 80, d.clock.Now()))
		d.keep(opened(nord(), "well_known_patient", "u1", "42", 80, d.clock.Now()))
		list := d.find(dpo(), cases.Filter{State: "open"})
		if len(list) != 2 {
			t.Fatalf("%d open: %+v", len(list), list)
		}
		// After six months it weighs whole again, and says that it was justified.
		d.clock.Advance(183 * 24 * time.Hour)
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, d.clock.Now()))
		if list := d.find(dpo(), cases.Filter{State: "open"}); len(list) != 3 || list[0].Weight != 80 {
			t.Errorf("%+v", list)
		}
	})
}

func TestAHeavyCaseThatWasJustifiedSaysSo(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		d.serve(nord())
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, start()))
		id := d.one(dpo()).ID
		if err := d.s.Decide(t.Context(), dpo(), id, cases.Verdict{State: cases.Justified, Reason: "Garde"}); err != nil {
			t.Fatal(err)
		}
		at := start().Add(48 * time.Hour)
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, at), opened(nord(), "same_name", "u1", "42", 60, at))
		list := d.find(dpo(), cases.Filter{State: "open"})
		if len(list) != 1 || list[0].Earlier != id || list[0].EarlierAt.IsZero() || list[0].Weight != 72 {
			t.Errorf("%+v", list)
		}
		// What is reopened is remembered no more.
		if err := d.s.Reopen(t.Context(), dpo(), id, "Erreur"); err != nil {
			t.Fatal(err)
		}
		d.keep(opened(nord(), "unexplained", "u1", "42", 80, at.AddDate(0, 1, 0)))
		if list := d.find(dpo(), cases.Filter{State: "open"}); len(list) != 3 || list[0].Weight != 80 {
			t.Errorf("%+v", list)
		}
	})
}

func TestBelowTheThresholdItIsCountedOnly(t *testing.T) {
	lite(t, func(t *testing.T, d *desk) {
		d.keep(logged(nord(), "r1", 25, start()))
		if list := d.find(rssi(), cases.Filter{}); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		f, err := d.s.Figures(t.Context(), rssi())
		if err != nil || f[0].Hits != 1 || f[0].Cases != 0 {
			t.Errorf("%+v, %v", f, err)
		}
		if err := d.s.Set(t.Context(), rssi(), cases.Settings{Kind: cases.System, OpensFrom: 20, AlertsFrom: 90, AlertsHour: 3, Mode: "reel", KeepMonths: 12}); err != nil {
			t.Fatal(err)
		}
		d.keep(logged(nord(), "r1", 25, start()))
		d.one(rssi())
	})
}

func TestHostileWordsAreKeptAsWords(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		h := logged(nord(), "r1", 75, start())
		h.Account, h.Title = "\x00'; DROP TABLE traces_cases; --\xff", strings.Repeat("<script>", 1000)
		h.Evidence = []traces.Evidence{{Key: "no.such.sentence", Args: map[string]string{"v": "\x00<img>"}}}
		d.keep(h)
		c := d.one(rssi())
		if !strings.HasPrefix(c.Account, "'; DROP") || len(c.Title) > 500 {
			t.Errorf("%q %d", c.Account, len(c.Title))
		}
		sheet, err := d.s.Look(t.Context(), rssi(), c.ID)
		loc := i18ntest.Localizer(t, i18n.French, cases.Locales)
		if err != nil || !strings.Contains(cases.Said(loc, sheet.Reasons[0].Evidence), "v <img>") {
			t.Errorf("%+v, %v", sheet.Reasons, err)
		}
	})
}
