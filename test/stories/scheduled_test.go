package stories_test

import (
	"sync"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// withPlace gives the question of the scenario an answer of its own, so that nobody
// has to be there.
func withPlace(d *alerting.Definition) {
	d.Variables[0].Default = alerting.Localized{"fr": "hall", "en": "hall"}
}

func monthly(sc alerting.Scenario) alerting.ScheduleInput {
	return alerting.ScheduleInput{
		Scenario: sc.ID, Mode: alerting.Test, Late: 30, Lasts: 2,
		Timetable: alerting.Timetable{Every: alerting.Monthly, Day: 1, Hour: 10, Working: true},
	}
}

func (h *hospital) schedules() []alerting.Schedule {
	h.t.Helper()
	list, err := h.Alerting.Schedules(h.t.Context(), h.scope)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// at moves the clock to an instant without living the time between.
func (h *hospital) at(at time.Time) { h.clock.Advance(at.Sub(h.now())) }

// write changes the base behind the program's back.
func (h *hospital) write(query string, args ...any) {
	h.t.Helper()
	if err := h.DB.Write(h.t.Context(), access.Instance("story"), func(tx *storage.Tx) error {
		_, err := tx.Exec(h.t.Context(), query, args...)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hospital) runSchedules() {
	h.t.Helper()
	if _, err := h.Alerting.RunSchedules(h.t.Context(), h.now()); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
}

// A test planned each month leaves at its hour, once, whoever looks at the clock and
// whoever dies meanwhile; it ends by itself, and says what each service answered.
func TestTheMonthlyTestLeavesOnceAndByItself(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		one := h.agent("Un", "ide")
		h.agent("Deux", "ide")
		sc := h.scenario(recall(withPlace))
		if _, err := h.Alerting.Plan(t.Context(), h.scope, h.now(), monthly(sc)); err != nil {
			t.Fatal(err)
		}
		s := h.schedules()[0]
		due := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
		if !s.Next.Equal(due) || len(s.Dates) != 3 || !s.Dates[1].Equal(time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)) {
			t.Fatalf("it leaves on %v", s.Dates)
		}
		h.at(due.Add(-time.Second))
		h.runSchedules()
		count(t, h.sms.all("VENEZ"), 0, "messages before the hour")

		h.at(due)
		var nodes sync.WaitGroup
		for range 4 {
			nodes.Go(func() {
				if _, err := h.Alerting.RunSchedules(t.Context(), h.now()); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		h.settle()
		count(t, h.sms.all("VENEZ"), 2, "messages of four nodes that looked at the clock together")
		run := h.schedules()[0].Runs
		if len(run) != 1 || run[0].Outcome != alerting.RunLaunched || h.number(`SELECT COUNT(*) FROM alerting_launches`) != 1 {
			t.Fatalf("runs %+v", run)
		}
		// A node that dies after the launch and before it noted the date: the next one finds the same alert.
		h.write(`DELETE FROM alerting_schedule_runs WHERE organisation_id = $1`, h.scope.Organisation())
		h.write(`UPDATE alerting_schedules SET next_us = $2 WHERE organisation_id = $1`, h.scope.Organisation(), storage.Micros(due))
		h.clock.Advance(5 * time.Second)
		h.runSchedules()
		if run = h.schedules()[0].Runs; len(run) != 1 || run[0].Outcome != alerting.RunLaunched || h.number(`SELECT COUNT(*) FROM alerting_launches`) != 1 {
			t.Fatalf("after the death of a node: runs %+v, %d alerts", run, h.number(`SELECT COUNT(*) FROM alerting_launches`))
		}

		h.sms.answer(mobile(one), "1 30")
		h.clock.Advance(2*time.Hour + time.Minute)
		h.runSchedules()
		if active, err := h.Alerting.Active(t.Context(), h.scope); err != nil || len(active) != 0 {
			t.Errorf("it still runs after two hours: %v %v", active, err)
		}
		count(t, h.sms.all("FIN"), 2, "words of the end")
		proof := h.schedules()[0].Runs[0].Services
		if len(proof) != 1 || proof[0].Called != 2 || proof[0].Answered != 1 || proof[0].Reached != 2 {
			t.Errorf("what the services answered: %+v", proof)
		}
	})
}

// What is late, what meets a true alert and what cannot leave is skipped and said;
// nothing leaves for real, and nobody plans who may not launch.
func TestAScheduledAlertThatDoesNotLeaveSaysSo(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		sc := h.scenario(recall(withPlace))
		reader := access.For(h.scope.Organisation(), h.scope.Actor(), true, access.DirectoryManager)
		if _, err := h.Alerting.Plan(t.Context(), reader, h.now(), monthly(sc)); fault.As(err) == nil {
			t.Errorf("somebody who may not launch planned: %v", err)
		}
		in := monthly(sc)
		in.Mode = alerting.Real
		if _, err := h.Alerting.Plan(t.Context(), h.scope, h.now(), in); fault.As(err) == nil {
			t.Errorf("a true alert was planned: %v", err)
		}
		if _, err := h.Alerting.Plan(t.Context(), h.scope, h.now(), monthly(h.scenario(recall()))); fault.As(err) == nil {
			t.Errorf("a scenario that asks where was planned: %v", err)
		}
		planned, err := h.Alerting.Plan(t.Context(), h.scope, h.now(), monthly(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.at(planned.Next.Add(31 * time.Minute))
		h.runSchedules()
		if r := h.schedules()[0].Runs; len(r) != 1 || r[0].Outcome != alerting.RunLate {
			t.Fatalf("31 minutes late: %+v", r)
		}
		launch := draft(h.scenario(recall(withPlace)))
		launch.Mode = alerting.Real
		if _, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), launch); err != nil {
			t.Fatal(err)
		}
		h.settle()
		h.at(h.schedules()[0].Next)
		h.runSchedules()
		if r := h.schedules()[0].Runs; len(r) != 2 || r[0].Outcome != alerting.RunBusy {
			t.Fatalf("while a true alert runs: %+v", r)
		}
		count(t, h.sms.all("TEST"), 0, "tests")
		if err := h.Alerting.Unplan(t.Context(), h.scope, h.now(), planned.ID); err != nil || len(h.schedules()) != 0 {
			t.Errorf("stopped: %v, %d left", err, len(h.schedules()))
		}
		other := h.establishment("CH du Verger", "other")
		if err := h.Alerting.Unplan(t.Context(), other, h.now(), planned.ID); fault.As(err) == nil {
			t.Error("another establishment stopped it")
		}
		if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE action LIKE 'alert.schedule%'`); n != 4 {
			t.Errorf("%d lines in the journal, want planned, two dates, stopped", n)
		}
	})
}
