package alerting_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// perform runs the worker of rehearsals until nothing waits.
func (h *hospital) perform() {
	h.t.Helper()
	task := h.RehearsalTask(h.clock)
	for range 10 {
		more, err := task.Run(h.t.Context(), h.now())
		if err != nil {
			h.t.Fatal(err)
		}
		if !more {
			return
		}
	}
	h.t.Fatal("the worker of rehearsals never rests")
}

// rowsOf counts what an alert would leave behind it.
func (h *hospital) rowsOf(tables ...string) map[string]int {
	h.t.Helper()
	out := map[string]int{}
	for _, table := range tables {
		n := 0
		if err := h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
			_, err := tx.Row(h.t.Context(), `SELECT COUNT(*) FROM `+table+` WHERE organisation_id = $1`, []any{h.scope.Organisation()}, &n)
			return err
		}); err != nil {
			h.t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

// A rehearsal shows curves, and nothing of it leaves: no alert, no message, no
// recipient, not a byte on the air.
func TestRehearsalShowsCurvesAndNothingLeaves(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for i := range 30 {
			h.numbered(i, fmt.Sprintf("Agent%d", i), "iade")
		}
		sc := h.scenario(recall(needs(5, "iade")))
		r, err := h.AskRehearsal(t.Context(), h.scope, h.now(), sc.ID, alerting.RehearsalOrder{Draws: 50})
		if err != nil || r.State != alerting.RehearsalAsked {
			t.Fatalf("%+v %v", r, err)
		}
		if again, err := h.AskRehearsal(t.Context(), h.scope, h.now(), sc.ID, alerting.RehearsalOrder{Draws: 50}); err != nil || again.ID != r.ID {
			t.Errorf("asking twice makes two: %v %v", again.ID, err)
		}
		h.perform()
		list, err := h.Rehearsals(t.Context(), h.scope, sc.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		o := list[0].Shown.Outcome
		if list[0].State != alerting.RehearsalDone || o.People != 30 || o.Draws != 50 || len(o.Points) < 60 || o.Quota.Never > 0.2 || o.Points[30].Reached.Middle < 5 {
			t.Errorf("%s: %d people, %d draws, quota %+v, %+v", list[0].State, o.People, o.Draws, o.Quota, o.Points[30])
		}
		if list[0].Done != list[0].Total || list[0].Shown.Breadth["sms"] != alerting.OfNobody {
			t.Errorf("%d of %d, breadth %v", list[0].Done, list[0].Total, list[0].Shown.Breadth)
		}
		for table, n := range h.rowsOf("alerting_launches", "alerting_recipients", "alerting_attempts", "dispatch_campaigns", "dispatch_deliveries", "dispatch_lots", "dispatch_contents") {
			if n != 0 {
				t.Errorf("%s has %d rows after a rehearsal", table, n)
			}
		}
	})
}

// A true alert goes before a rehearsal: it waits, and is played afterwards.
func TestRehearsalWaitsForATrueAlert(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Seul", "iade")
		sc := h.scenario(recall())
		draft := h.draft(sc)
		draft.Mode = alerting.Real
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), draft)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.AskRehearsal(t.Context(), h.scope, h.now(), sc.ID, alerting.RehearsalOrder{Draws: 50}); err != nil {
			t.Fatal(err)
		}
		h.perform()
		if list, _ := h.Rehearsals(t.Context(), h.scope, sc.ID); list[0].State != alerting.RehearsalAsked {
			t.Errorf("a rehearsal is %s while an alert leaves", list[0].State)
		}
		h.end(l)
		h.perform()
		if list, _ := h.Rehearsals(t.Context(), h.scope, sc.ID); !list[0].Over() {
			t.Errorf("after the alert the rehearsal is %s", list[0].State)
		}
	})
}

// A node that dies leaves its rehearsal to another, and the same draws are played.
func TestRehearsalIsTakenUpByAnotherNode(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Seul", "iade")
		sc := h.scenario(recall())
		if _, err := h.AskRehearsal(t.Context(), h.scope, h.now(), sc.ID, alerting.RehearsalOrder{Draws: 50}); err != nil {
			t.Fatal(err)
		}
		dead, cut := context.WithCancel(t.Context())
		cut()
		if _, err := h.RehearsalTask(h.clock).Run(dead, h.now()); err == nil {
			t.Log("the node ended before it claimed anything")
		}
		h.clock.Advance(2 * time.Minute)
		other := newHospitalOver(h)
		if _, err := other.RehearsalTask(h.clock).Run(t.Context(), h.now()); err != nil {
			t.Fatal(err)
		}
		if list, _ := h.Rehearsals(t.Context(), h.scope, sc.ID); !list[0].Over() {
			t.Errorf("the rehearsal is %s", list[0].State)
		}
	})
}

func TestRehearsalIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Seul", "iade")
		sc := h.scenario(recall())
		ask := func(scope access.Scope, id uuid.UUID, o alerting.RehearsalOrder) error {
			_, err := h.AskRehearsal(t.Context(), scope, h.now(), id, o)
			return err
		}
		if err := ask(person(h.scope.Organisation(), access.Reader), sc.ID, alerting.RehearsalOrder{}); fault.As(err) == nil || fault.As(err).Kind != fault.Denied {
			t.Errorf("a reader: %v", err)
		}
		elsewhere := h.establishment("Autre")
		if err := ask(elsewhere, sc.ID, alerting.RehearsalOrder{}); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
			t.Errorf("another establishment: %v", err)
		}
		if _, err := h.Rehearsals(t.Context(), elsewhere, sc.ID); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
			t.Errorf("another establishment reads: %v", err)
		}
		wantFault(t, ask(h.scope, sc.ID, alerting.RehearsalOrder{Draws: 1}), "alerting.rehearsal.draws")
		wantFault(t, ask(h.scope, sc.ID, alerting.RehearsalOrder{At: h.now().AddDate(3, 0, 0)}), "alerting.rehearsal.when")
		broken := h.scenario(recall(func(d *alerting.Definition) { d.Waves = nil }))
		wantFault(t, ask(h.scope, broken.ID, alerting.RehearsalOrder{}), "alerting.rehearsal.faults")
	})
}

func (h *hospital) end(l alerting.Launch) {
	h.t.Helper()
	if err := h.End(h.t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
		h.t.Fatal(err)
	}
}

// What an alert taught outlives its names, holds no person, and is counted once.
func TestWhatAnAlertTaughtOutlivesItsNames(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for i := range 8 {
			h.numbered(i, fmt.Sprintf("Agent%d", i), "iade")
		}
		h.numbered(90, "Unique", "perfusionniste", func(p *directory.Person) { p.Qualifications = []string{"plongeur"} })
		l := h.launch(recall())
		sent := h.deliver(l.ID)
		h.clock.Advance(30 * time.Second)
		for i, m := range sent {
			if i < 4 {
				h.reply(l.ID, m, "1 30")
			}
		}
		h.end(l)
		instance := access.Instance("alerting")
		if _, err := h.Learn(t.Context(), instance, h.now()); err != nil {
			t.Fatal(err)
		}
		if n := h.rowsOf("alerting_learnt")["alerting_learnt"]; n != 0 {
			t.Errorf("%d lines learnt before the last ones arrived", n)
		}
		h.clock.Advance(3 * time.Hour)
		for range 2 {
			if _, err := h.Learn(t.Context(), instance, h.now()); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.learnt("iade", ""); got.tried != 8 || got.answered == 0 || got.answered > 4 {
			t.Errorf("IADE: %+v", got)
		}
		if got := h.learnt("", ""); got.tried != 9 || got.answered != 4 || got.coming != 4 {
			t.Errorf("everyone: %+v", got)
		}
		for _, alone := range []string{"perfusionniste", "plongeur"} {
			if got := h.learnt(alone, ""); got.tried != 0 {
				t.Errorf("a line about one person, %s: %+v", alone, got)
			}
		}
		h.clock.Advance(366 * 24 * time.Hour)
		if _, err := h.Purge(t.Context(), instance, h.now()); err != nil {
			t.Fatal(err)
		}
		if got := h.learnt("iade", ""); got.tried != 8 {
			t.Errorf("after the names were erased: %+v", got)
		}
		if n := h.rowsOf("alerting_learnt_launches")["alerting_learnt_launches"]; n != 1 {
			t.Errorf("the alert was counted %d times", n)
		}
	})
}

type taught struct{ tried, answered, coming int }

func (h *hospital) learnt(skill, medium string) (out taught) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT COALESCE(SUM(tried), 0), COALESCE(SUM(answered), 0), COALESCE(SUM(coming), 0) FROM alerting_learnt
			WHERE organisation_id = $1 AND skill = $2 AND medium = $3`, []any{h.scope.Organisation(), skill, medium}, &out.tried, &out.answered, &out.coming)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return out
}
