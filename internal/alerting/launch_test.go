package alerting_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// TestTwoLaunchAtOnceMakeOneAlert has eight people press the button together,
// each with a form of his own.
func TestTwoLaunchAtOnceMakeOneAlert(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		h.agent("Deux", "iade")
		sc := h.scenario(recall())
		const hands = 8
		var wg sync.WaitGroup
		launches, already, errs := make([]alerting.Launch, hands), make([]bool, hands), make([]error, hands)
		start := make(chan struct{})
		for i := range hands {
			d := h.draft(sc)
			wg.Go(func() {
				<-start
				launches[i], already[i], errs[i] = h.Launch(t.Context(), person(h.scope.Organisation(), access.Launcher), h.now(), d)
			})
		}
		close(start)
		wg.Wait()
		first := 0
		for i := range hands {
			if errs[i] != nil {
				t.Fatalf("hand %d: %v", i, errs[i])
			}
			if !already[i] {
				first++
			}
			if launches[i].ID != launches[0].ID {
				t.Errorf("hand %d started another alert", i)
			}
		}
		if first != 1 {
			t.Errorf("%d people are told they started the alert, want 1", first)
		}
		if n := len(h.queue(launches[0].ID)); n != 2 {
			t.Errorf("%d messages for two people", n)
		}
		if active, err := h.Active(t.Context(), h.scope); err != nil || len(active) != 1 {
			t.Errorf("%d alerts run: %v", len(active), err)
		}
		twins := 0
		for _, e := range h.board(launches[0]).Timeline {
			if e.Kind == alerting.EventTwin {
				twins++
			}
		}
		if twins != hands-1 {
			t.Errorf("%d second hands in the timeline, want %d", twins, hands-1)
		}
	})
}

func TestTheSameThingLater(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		sc := h.scenario(recall())
		d := h.draft(sc)
		launch := func(d alerting.Draft, at time.Time) (uuid.UUID, bool) {
			t.Helper()
			l, already, err := h.Launch(t.Context(), h.scope, at, d)
			if err != nil {
				t.Fatal(err)
			}
			return l.ID, already
		}
		first, _ := launch(d, night)
		if id, already := launch(d, night.Add(10*time.Minute)); !already || id != first {
			t.Error("a retry of the same form, even late, must find its alert")
		}
		if l, err := h.LaunchByID(t.Context(), h.scope, first); err != nil || hasEvent(h.board(l).Timeline, alerting.EventTwin) {
			t.Errorf("the retry of a form is no second hand: %v", err)
		}
		other := h.draft(sc)
		if id, already := launch(other, night.Add(119*time.Second)); !already || id != first {
			t.Error("the same thing within two minutes is the same alert")
		}
		if id, already := launch(other, night.Add(5*time.Minute)); !already || id != first {
			t.Error("the second form was answered by the first alert: its retry is too")
		}
		elsewhere := h.draft(sc)
		elsewhere.Values = map[string]string{"lieu": "hall B"}
		if id, already := launch(elsewhere, night.Add(time.Second)); already || id == first {
			t.Error("another place is another alert")
		}
		later := h.draft(sc)
		second, already := launch(later, night.Add(121*time.Second))
		if already || second == first {
			t.Error("after two minutes it is a new alert")
		}
		if err := h.Kill(t.Context(), h.scope, night.Add(125*time.Second), second, "erreur"); err != nil {
			t.Fatal(err)
		}
		if id, already := launch(h.draft(sc), night.Add(130*time.Second)); already || id == second {
			t.Error("what was stopped can be launched again at once")
		}
	})
}

func TestWhoIsNotCalled(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Appelé", "ide")
		leave := h.agent("Congé", "ide")
		if _, err := h.dir.AddAbsence(t.Context(), access.System(h.scope.Organisation(), "test"), directory.Absence{Person: leave.ID, From: night.Add(-48 * time.Hour), To: night.Add(48 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		h.agent("Repos", "ide", func(p *directory.Person) { p.RestUntil = night.Add(3 * time.Hour) })
		h.agent("Régulation", "regulateur_samu", func(p *directory.Person) { p.Protected = true })
		h.agent("Muet", "ide", func(p *directory.Person) { p.Contacts = nil })
		h.agent("Refus", "ide", func(p *directory.Person) { p.Refused = []string{directory.SMS, directory.Mail} })
		mass := func(d *alerting.Definition) { d.Audience.Mass = true }
		sc := h.scenario(recall(mass))
		sheet, err := h.Prepare(t.Context(), h.scope, h.now(), h.draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		want := map[alerting.LeftOut]int{alerting.LeftAbsent: 1, alerting.LeftResting: 1, alerting.LeftProtected: 1, alerting.LeftNoAddress: 1, alerting.LeftRefused: 1}
		for why, n := range want {
			if sheet.LeftOut[why] != n {
				t.Errorf("sheet: %d left out as %s, want %d", sheet.LeftOut[why], why, n)
			}
		}
		if sheet.Messaged != 1 || len(sheet.Missing) != 5 {
			t.Errorf("sheet: %d called, %d named", sheet.Messaged, len(sheet.Missing))
		}
		d := h.draft(sc)
		d.Fingerprint = sheet.Fingerprint
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), d)
		if err != nil {
			t.Fatal(err)
		}
		if l.People != 1 || l.LeftOut != 5 || len(h.queue(l.ID)) != 1 {
			t.Errorf("launch: %d called, %d left out, %d messages", l.People, l.LeftOut, len(h.queue(l.ID)))
		}
		list, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{LeftOut: alerting.LeftAbsent}, alerting.Page{})
		if err != nil || len(list) != 1 || list[0].LastName != "Congé" || list[0].State != alerting.LeftAside {
			t.Errorf("the frozen list keeps who was absent: %+v %v", list, err)
		}
		rested := recall(mass, func(d *alerting.Definition) {
			d.Audience.IgnoreRest, d.Audience.RestReason = true, alerting.Localized{"fr": "Vies en danger", "en": "Lives at stake"}
		})
		woken := h.launch(rested)
		if woken.People != 2 {
			t.Errorf("%d called when the rest is set aside, want 2", woken.People)
		}
		got := h.journal("alert.launch")
		if !slices.ContainsFunc(got, func(r journal.Record) bool { return contains(r.After, "Vies en danger") }) {
			t.Errorf("the reason must be in the journal: %+v", got)
		}
	})
}

func (h *hospital) journal(action string) []journal.Record {
	h.t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := journal.NewReader(h.db, guard).Search(h.t.Context(), h.system(), journal.Filter{Action: action})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func TestSheetShowsWhatLeaves(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Two", "ide", func(p *directory.Person) { p.Language = "en" })
		sc := h.scenario(recall(byMetier("iade", "ide"), needs(3, "iade")))
		sheet, err := h.Prepare(t.Context(), h.scope, h.now(), h.draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		if len(sheet.ByWave) != 2 || sheet.ByWave[0].People != 1 || sheet.ByWave[1].People != 1 {
			t.Errorf("by wave: %+v", sheet.ByWave)
		}
		keys := map[string]bool{}
		for _, w := range sheet.Warnings {
			keys[w.Key] = true
		}
		if !keys["alerting.warning.quota"] || !keys["alerting.warning.no_gateway"] {
			t.Errorf("warnings: %v", sheet.Warnings)
		}
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), h.draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.pass(10*time.Minute + time.Second)
		for _, m := range h.queue(l.ID) {
			shown := false
			for _, p := range sheet.Previews {
				shown = shown || p.Medium == m.Medium && p.Use == m.Purpose && sameText(p.Body, m.Text)
			}
			if !shown {
				t.Errorf("this text left and no preview showed it: %q", m.Text)
			}
		}
		en := count(h.queue(l.ID), func(m message) bool { return contains(m.Text, "EXERCISE - ") })
		fr := count(h.queue(l.ID), func(m message) bool { return contains(m.Text, "EXERCICE - ") })
		if en == 0 || fr == 0 || en+fr != len(h.queue(l.ID)) {
			t.Errorf("every message is marked in its language: %d fr, %d en of %d", fr, en, len(h.queue(l.ID)))
		}
	})
}

func TestLaunchRefusals(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		sc := h.scenario(recall())
		try := func(scope access.Scope, change func(*alerting.Draft)) error {
			d := h.draft(sc)
			change(&d)
			_, _, err := h.Launch(t.Context(), scope, h.now(), d)
			return err
		}
		for name, c := range map[string]struct {
			change func(*alerting.Draft)
			key    string
		}{
			"no place":      {func(d *alerting.Draft) { d.Values = nil }, "alerting.value.required"},
			"unknown value": {func(d *alerting.Draft) { d.Values["autre"] = "x" }, "alerting.value.unknown"},
			"brace":         {func(d *alerting.Draft) { d.Values["lieu"] = "{lien}" }, "alerting.value.letters"},
			"mode":          {func(d *alerting.Draft) { d.Mode = "vrai" }, "alerting.launch.mode"},
			"key":           {func(d *alerting.Draft) { d.IdempotencyKey = "" }, "alerting.launch.key"},
			"stale sheet":   {func(d *alerting.Draft) { d.Fingerprint = "0123" }, "alerting.launch.changed"},
			"nobody":        {func(d *alerting.Draft) { d.Sites = []uuid.UUID{uuid.New()} }, "alerting.launch.nobody"},
			"unknown":       {func(d *alerting.Draft) { d.Scenario = uuid.New() }, "alerting.scenario.unknown"},
		} {
			if err := try(h.scope, c.change); fault.As(err) == nil || fault.As(err).Key != c.key {
				t.Errorf("%s: %v, want %s", name, err, c.key)
			}
		}
		same := func(*alerting.Draft) {}
		if err := try(person(h.scope.Organisation(), access.CrisisCell), same); !fault.Is(err, fault.Denied) {
			t.Errorf("the crisis cell does not launch: %v", err)
		}
		if active, err := h.Active(t.Context(), h.scope); err != nil || len(active) != 0 {
			t.Errorf("%d alerts after refusals only: %v", len(active), err)
		}
	})
}

func TestAuthorityOfTheScenario(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		sc := h.scenario(recall(func(d *alerting.Definition) { d.Authority.Roles = []string{string(access.Administrator)} }))
		_, _, err := h.Launch(t.Context(), h.scope, h.now(), h.draft(sc))
		wantFault(t, err, "alerting.launch.authority")
		both := person(h.scope.Organisation(), access.Launcher, access.Administrator)
		if _, _, err := h.Launch(t.Context(), both, h.now(), h.draft(sc)); err != nil {
			t.Errorf("who holds the role may: %v", err)
		}
	})
}

// TestNeighboursSeeNothing: another establishment cannot read, conduct or even find an alert.
func TestNeighboursSeeNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		p := h.agent("Un", "ide")
		l := h.launch(recall())
		other := h.establishment("Clinique voisine")
		ctx := t.Context()
		recipients, err := h.Recipients(ctx, h.scope, l.ID, alerting.RecipientFilter{}, alerting.Page{})
		if err != nil || len(recipients) != 1 || recipients[0].Person != p.ID {
			t.Fatalf("%+v %v", recipients, err)
		}
		who := recipients[0].ID
		_, errBoard := h.Board(ctx, other, l.ID, h.now())
		_, errLaunch := h.LaunchByID(ctx, other, l.ID)
		_, errReport := h.ReportData(ctx, other, l.ID, h.now())
		_, _, errScenario := h.Scenario(ctx, other, l.Scenario)
		_, errExtend := h.Extend(ctx, other, h.now(), l.ID, directory.Rule{})
		for name, err := range map[string]error{
			"board": errBoard, "launch": errLaunch, "report": errReport, "scenario": errScenario, "extend": errExtend,
			"kill":     h.Kill(ctx, other, h.now(), l.ID, ""),
			"end":      h.End(ctx, other, h.now(), l.ID, nil),
			"progress": h.Progress(ctx, other, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "x"}),
			"call":     h.ManualCall(ctx, other, h.now(), l.ID, who, alerting.Coming, 10, ""),
			"arrival":  h.Arrive(ctx, other, h.now(), l.ID, who, true),
			"wave":     h.StopWave(ctx, other, h.now(), l.ID, 1),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s from another establishment: %v", name, err)
			}
		}
		list, errList := h.Recipients(ctx, other, l.ID, alerting.RecipientFilter{}, alerting.Page{})
		events, errEvents := h.Timeline(ctx, other, l.ID)
		launches, errLaunches := h.Launches(ctx, other, alerting.Page{})
		if errList != nil || errEvents != nil || errLaunches != nil || len(list)+len(events)+len(launches) != 0 {
			t.Errorf("a neighbour reads %d people, %d events, %d alerts", len(list), len(events), len(launches))
		}
		m := h.queue(l.ID)[0]
		// A reply that reaches us through the neighbour's gateway does not count here.
		h.foreignReply(other, l.ID, m)
		b, err := h.Board(ctx, h.scope, l.ID, h.now())
		if err != nil || b.Counters.Answered != 0 {
			t.Errorf("%d answers counted: %v", b.Counters.Answered, err)
		}
	})
}

func TestHumanInThreeGroupsIsCalledOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		p := h.agent("Trois", "iade")
		system := access.System(h.scope.Organisation(), "test")
		var groups []uuid.UUID
		for _, name := range []string{"Cellule", "Bloc", "Garde"} {
			g, err := h.dir.SaveGroup(t.Context(), system, directory.Group{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.dir.AddMembers(t.Context(), system, g.ID, []uuid.UUID{p.ID}); err != nil {
				t.Fatal(err)
			}
			groups = append(groups, g.ID)
		}
		l := h.launch(recall(func(d *alerting.Definition) {
			d.Audience.Include.Groups = groups
			d.Waves = append(d.Waves, d.Waves[0])
			d.Waves[0].Who.Groups = groups[:2]
			d.Waves[1].Who.Groups, d.Waves[1].After, d.Waves[1].When = groups[2:], minutes(1), alerting.Always
		}))
		h.pass(2 * time.Minute)
		if n := count(h.queue(l.ID), of(alerting.UseAlert, channels.SMS)); n != 1 {
			t.Errorf("called %d times", n)
		}
	})
}

func TestLinkCodesAreLongAndDistinct(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for range 20 {
			h.agent("Agent", "ide")
		}
		h.launch(recall())
		seen := map[string]bool{}
		err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			return tx.Query(t.Context(), `SELECT code FROM alerting_recipients WHERE organisation_id = $1`, []any{h.scope.Organisation()}, func(row func(...any) error) error {
				var code string
				err := row(&code)
				if len(code) != 12 || seen[code] {
					t.Errorf("code %q", code)
				}
				seen[code] = true
				return err
			})
		})
		if err != nil || len(seen) != 20 {
			t.Fatalf("%d codes: %v", len(seen), err)
		}
	})
}
