package pages

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// CampaignsPath is the list of the campaigns that prove the directory.
const CampaignsPath = "/annuaire/campagnes"

func campaignPath(id uuid.UUID, under string) string {
	return CampaignsPath + "/" + id.String() + under
}

func (p pages) campaigns(c *ui.Context) error {
	list, err := p.proof.Campaigns(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(campaignsPage(c, list))
}

// plan is what the form of a campaign proposes.
type plan struct {
	kind    proof.Kind
	places  located
	metiers []ui.Choice
}

func kindOf(text string) proof.Kind {
	if proof.Kind(text) == proof.Test {
		return proof.Test
	}
	return proof.Verification
}

func (p pages) plan(c *ui.Context, kind proof.Kind) (plan, error) {
	out := plan{kind: kind, metiers: p.metiers(c, "")}
	var err error
	out.places, err = p.places(c)
	return out, err
}

func (p pages) newCampaign(c *ui.Context) error {
	v, err := p.plan(c, kindOf(c.FormValue("type")))
	if err != nil {
		return err
	}
	d := proof.Defaults(v.kind, c.Now)
	f := c.NewForm(map[string]string{
		"type": string(v.kind), "title": c.Loc.T("directory.page.campaign.title."+string(v.kind), "month", c.Loc.Month(c.Now.In(c.Zone).Month()), "year", c.Now.In(c.Zone).Year()),
		"quota": strconv.Itoa(d.Quota), "from": c.Now.In(c.Zone).Format(time.DateOnly), "until": d.Until.In(c.Zone).Format(time.DateOnly),
		"remind_after": strconv.Itoa(d.RemindAfter), "reminders": strconv.Itoa(d.Reminders), "every": strconv.Itoa(d.EveryMonths),
		"hours": strconv.Itoa(d.Hours.From), "to": strconv.Itoa(d.Hours.To),
	})
	return c.Render(campaignForm(c, f, v))
}

func (p pages) addCampaign(c *ui.Context) error {
	f := c.Form()
	v, err := p.plan(c, kindOf(f.Value("type")))
	if err != nil {
		return err
	}
	made, err := p.proof.Create(c.Ctx(), c.Scope, draftOf(c, f, v.kind))
	if err != nil {
		return c.Refill(f, err, campaignForm(c, f, v))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.campaign.created", "title", made.Title))
	return c.Redirect(campaignPath(made.ID, ""))
}

// draftOf reads the form; what it cannot read, the operation refuses.
func draftOf(c *ui.Context, f *ui.Form, kind proof.Kind) proof.Draft {
	number := func(name string) int {
		n, err := strconv.Atoi(f.Value(name))
		if err != nil {
			return -1
		}
		return n
	}
	day := func(name string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, f.Value(name), c.Zone)
		if err != nil {
			return time.Time{}
		}
		return t
	}
	d := proof.Draft{
		Kind: kind, Title: f.Value("title"), Quota: number("quota"), From: day("from"), RemindAfter: number("remind_after"), Reminders: number("reminders"),
		EveryMonths: number("every"), Hours: proof.Hours{From: number("hours"), To: number("to"), Saturdays: f.Checked("saturdays", "oui")},
		Audience: directory.Rule{Services: ids(f.List("services")), Sites: ids(f.List("sites")), Metiers: f.List("metiers")},
	}
	if until := day("until"); !until.IsZero() {
		d.Until = until.AddDate(0, 0, 1) // its last day counts whole
	}
	return d
}

// watched is what the page of a campaign shows.
type watched struct {
	proof.View
	corrections []proof.Correction
	audience    []string
}

func (p pages) watched(c *ui.Context) (watched, error) {
	id, err := c.ID("id")
	if err != nil {
		return watched{}, err
	}
	var w watched
	if w.View, err = p.proof.Campaign(c.Ctx(), c.Scope, id); err != nil {
		return w, err
	}
	if w.corrections, err = p.proof.Corrections(c.Ctx(), c.Scope, id); err != nil {
		return w, err
	}
	if !w.Audience.Empty() {
		w.audience, err = p.ruleWords(c, w.Audience)
	}
	return w, err
}

func (p pages) campaign(c *ui.Context) error {
	w, err := p.watched(c)
	if err != nil {
		return err
	}
	return c.Render(campaignPage(c, w))
}

func (p pages) stoppingCampaign(c *ui.Context) error {
	w, err := p.watched(c)
	if err != nil {
		return err
	}
	return c.Render(stopCampaignPage(c, w))
}

func (p pages) stopCampaign(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	switch err := p.proof.Stop(c.Ctx(), c.Scope, id); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		c.Flash(ui.Success, c.Loc.T("directory.page.campaign.stopped"))
	}
	return c.Redirect(campaignPath(id, ""))
}

// decide applies or refuses a correction.
func (p pages) decide(c *ui.Context) error {
	w, err := p.watched(c)
	if err != nil {
		return err
	}
	id, err := parsed(c.PathValue("correction"))
	if err != nil {
		return err
	}
	apply := c.FormValue("faire") == "appliquer"
	switch err := p.proof.Decide(c.Ctx(), c.Scope, id, apply); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	case apply:
		c.Flash(ui.Success, c.Loc.T("directory.page.correction.applied"))
	default:
		c.Flash(ui.Information, c.Loc.T("directory.page.correction.refused"))
	}
	return c.Redirect(campaignPath(w.ID, "") + "#corrections")
}

func campaignTone(s proof.State) ui.Tone {
	switch s {
	case proof.Running:
		return ui.Information
	case proof.Ended:
		return ui.Success
	case proof.Stopped:
		return ui.Attention
	}
	return ui.Neutral
}

func standingTone(s proof.Standing) ui.Tone {
	switch s {
	case proof.Confirmed:
		return ui.Success
	case proof.Corrected:
		return ui.Information
	case proof.NotMe, proof.Unreachable:
		return ui.Alert
	case proof.Unclear:
		return ui.Attention
	}
	return ui.Neutral
}

// campaignWords says what a campaign does, in one line.
func campaignWords(c *ui.Context, v proof.View) string {
	return joined(
		c.Loc.T("directory.proof.kind."+string(v.Kind)),
		c.Loc.T("directory.page.campaign.dates", "from", c.Loc.Date(v.From, c.Zone), "until", lastDay(c, v.Until)),
		c.Loc.N("directory.page.campaign.pace", v.Quota),
		c.Loc.T("directory.page.campaign.hours", "from", v.Hours.From, "to", v.Hours.To),
	)
}

// correctionTone tells what waits for a person from what is settled.
func correctionTone(s proof.CorrectionState) ui.Tone {
	switch s {
	case proof.Applied, proof.Proven:
		return ui.Success
	case proof.Proposed, proof.Proving:
		return ui.Attention
	}
	return ui.Neutral
}

// toCall leads to the people of a service whom nobody proved.
func toCall(s proof.ServiceTally) string {
	if s.Service == uuid.Nil {
		return ""
	}
	return Path + "?service=" + s.Service.String() + "&cause=" + string(directory.CauseUnproven)
}

func serviceLabel(c *ui.Context, s proof.ServiceTally) string {
	if s.Name != "" {
		return s.Name
	}
	return c.Loc.T("directory.page.service.none")
}

func hourChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for h := 8; h <= 20; h++ {
		out = append(out, ui.Choice{Value: strconv.Itoa(h), Label: c.Loc.T("directory.page.campaign.hour", "hour", h)})
	}
	return out
}
