package pages

import (
	"strconv"

	"tocsin/internal/access"
	"tocsin/internal/directory/proof"
	"tocsin/internal/ui"
)

// AlarmsPath is where the thresholds are set.
const AlarmsPath = "/annuaire/qualite/alarmes"

func (p pages) alarmRoutes(r *ui.Router) {
	r.Get(AlarmsPath, access.DirectoryProve, p.thresholds)
	r.Post(AlarmsPath, access.DirectoryProve, p.setThresholds)
}

func (p pages) thresholds(c *ui.Context) error {
	_, t, err := p.proof.Alarms(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(alarmsPage(c, c.NewForm(map[string]string{
		"share": strconv.Itoa(t.Share), "months": strconv.Itoa(t.Months), "failures": strconv.Itoa(t.Failures), "mail": t.Mail,
	})))
}

func (p pages) setThresholds(c *ui.Context) error {
	f := c.Form()
	t := proof.Thresholds{Share: f.Int("share", 1, 100), Months: f.Int("months", 1, 24), Failures: f.Int("failures", 1, 20), Mail: f.Value("mail")}
	if !f.Valid() {
		return c.Refill(f, nil, alarmsPage(c, f))
	}
	if err := p.proof.SetThresholds(c.Ctx(), c.Scope, t); err != nil {
		return c.Refill(f, err, alarmsPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.alarm.saved"))
	return c.Redirect(QualityPath)
}

// alarmPath leads to the people an alarm is about.
func alarmPath(a proof.Alarm) string {
	switch a.Kind {
	case proof.AlarmFailing:
		return Path + "?cause=failed"
	case proof.AlarmUnproven:
		return Path + "?cause=unproven"
	}
	return Path + "?service=" + a.Service.String() + "&cause=unproven"
}
