package pages

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

// SchedulesPath is where alerts that leave by themselves are planned.
const (
	SchedulesPath    = "/scenarios/planifies"
	scheduleStopPath = "/scenarios/planifies/arret"
)

// QualityLink is where the directory says what is proven, and rings.
const QualityLink = "/annuaire/qualite"

// scheduleView is the scheduled alerts and what can be planned.
type scheduleView struct {
	List      []alerting.Schedule
	Scenarios []ui.Choice
	// Open tells that the form was posted with a fault, or that nothing is planned yet.
	Open bool
}

func (p scenarioPages) scheduleView(c *ui.Context) (v scheduleView, err error) {
	if v.List, err = p.s.Schedules(c.Ctx(), c.Scope); err != nil {
		return v, err
	}
	scenarios, err := p.s.Scenarios(c.Ctx(), c.Scope, alerting.ScenarioFilter{})
	if err != nil {
		return v, err
	}
	for _, sc := range scenarios {
		v.Scenarios = append(v.Scenarios, ui.Choice{Value: sc.ID.String(), Label: sc.Title.In(lang(c))})
	}
	v.Open = len(v.List) == 0
	return v, nil
}

func (p scenarioPages) schedules(c *ui.Context) error {
	v, err := p.scheduleView(c)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{
		"mode": string(alerting.Test), "every": string(alerting.Monthly), "day": "1", "hour": "10:00", "working": "oui",
		"late": strconv.Itoa(alerting.LateDefault), "lasts": strconv.Itoa(alerting.LastsDefault),
	})
	return c.Render(schedulesPage(c, f, v))
}

// schedule plans an alert.
func (p scenarioPages) schedule(c *ui.Context) error {
	v, err := p.scheduleView(c)
	if err != nil {
		return err
	}
	v.Open = true
	f := c.Form()
	in := alerting.ScheduleInput{
		Mode: alerting.Mode(f.Value("mode")), Late: f.Int("late", alerting.LateLeast, alerting.LateMost), Lasts: f.Int("lasts", 1, alerting.LastsMost),
		Timetable: alerting.Timetable{Every: alerting.Every(f.Value("every")), Working: f.Checked("working", "oui")},
	}
	if in.Scenario, err = uuid.Parse(f.Value("scenario")); err != nil {
		f.Add("scenario", c.Loc.T("alerting.schedule.choose"))
	}
	if in.Timetable.Every == alerting.Monthly {
		in.Timetable.Day = f.Int("day", 1, alerting.LastDay)
	} else {
		in.Timetable.On = f.Value("on")
	}
	if at, err := time.Parse("15:04", f.Value("hour")); err != nil {
		f.Add("hour", c.Loc.T("alerting.schedule.hour"))
	} else {
		in.Timetable.Hour, in.Timetable.Minute = at.Hour(), at.Minute()
	}
	if !f.Valid() {
		return c.Refill(f, nil, schedulesPage(c, f, v))
	}
	sc, err := p.s.Plan(c.Ctx(), c.Scope, c.Now, in)
	if err != nil {
		return c.Refill(f, err, schedulesPage(c, f, v))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.schedule.planned", "title", sc.Title.In(lang(c)), "at", c.Loc.DateTime(sc.Next, c.Zone)))
	return c.Redirect(SchedulesPath)
}

// unschedule stops one; its id is in the form.
func (p scenarioPages) unschedule(c *ui.Context) error {
	id, err := uuid.Parse(c.Form().Value("planifie"))
	if err != nil {
		return noScenario()
	}
	if err := p.s.Unplan(c.Ctx(), c.Scope, c.Now, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.schedule.stopped"))
	return c.Redirect(SchedulesPath)
}

// timetableWords say when an alert leaves.
func timetableWords(c *ui.Context, s alerting.Schedule) string {
	t := s.Timetable
	hour := time.Date(2000, 1, 1, t.Hour, t.Minute, 0, 0, time.UTC).Format("15:04")
	switch {
	case t.Every == alerting.Once:
		return c.Loc.T("alerting.schedule.once", "hour", hour)
	case t.Day == alerting.LastDay && t.Working:
		return c.Loc.T("alerting.schedule.last_working", "hour", hour)
	case t.Day == alerting.LastDay:
		return c.Loc.T("alerting.schedule.last", "hour", hour)
	case t.Working:
		return c.Loc.T("alerting.schedule.day_working", "day", t.Day, "hour", hour)
	}
	return c.Loc.T("alerting.schedule.monthly", "day", t.Day, "hour", hour)
}

// runTone is the tone of what became of a date.
func runTone(o alerting.RunOutcome) ui.Tone {
	switch o {
	case alerting.RunLaunched:
		return ui.Success
	case alerting.RunRefused, alerting.RunLate:
		return ui.Alert
	case alerting.RunAwaiting, alerting.RunBusy:
	}
	return ui.Attention
}

// proofWords say how many of a service answered.
func proofWords(c *ui.Context, p alerting.ServiceProof) string {
	if p.Called == 0 {
		return "–"
	}
	return c.Loc.T("alerting.schedule.proof.cell", "answered", c.Loc.Int(p.Answered), "reached", c.Loc.Int(p.Reached), "called", c.Loc.Int(p.Called))
}

// mayPlan tells who may plan and stop.
func mayPlan(c *ui.Context) bool { return c.May(access.AlertLaunch) }
