package pages

import (
	"strconv"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// act is an alert under way and a form about it.
type act struct {
	Launch alerting.Launch
	Board  alerting.Board
	Form   *ui.Form
}

// act reads the alert of the address; one that is over leads back to its follow-up.
func (p *Pages) act(c *ui.Context) (act, error) {
	l, err := p.alert(c)
	if err != nil {
		return act{}, err
	}
	if l.State != alerting.Running {
		return act{}, fault.New(fault.Conflict, "alerting.alert.over")
	}
	b, err := p.snapshot(c, l)
	return act{Launch: l, Board: b, Form: c.Form()}, err
}

// progress asks for a message to those already called.
func (p *Pages) progress(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	if a.Form.Value("a") == "" {
		a.Form.Set("a", string(alerting.ToAll))
	}
	return c.Render(progressPage(c, a))
}

// sendProgress shows the message as it will leave and to how many; it leaves
// at the second press.
func (p *Pages) sendProgress(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	a.Form.Require("texte")
	if !a.Form.Valid() {
		return c.Refill(a.Form, nil, progressPage(c, a))
	}
	text := localized(a.Form.Value("texte"), a.Form.Value("texte-en"))
	if a.Form.Value(stepField) != "envoyer" {
		previews, err := p.spoken(c, a.Launch, alerting.UseProgress, text)
		if err != nil {
			return err
		}
		return c.Render(progressCheckPage(c, a, previews))
	}
	if err := p.s.Progress(c.Ctx(), c.Scope, c.Now, a.Launch.ID, alerting.To(a.Form.Value("a")), text); err != nil {
		return c.Refill(a.Form, err, progressPage(c, a))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.progress.sent"))
	return c.Redirect(alertPath(a.Launch.ID, ""))
}

// spoken is a text of the cell as each medium and language will carry it.
func (p *Pages) spoken(c *ui.Context, l alerting.Launch, use alerting.Use, text alerting.Localized) ([]alerting.Preview, error) {
	_, def, err := p.s.ScenarioVersion(c.Ctx(), c.Scope, l.Scenario, l.Version)
	if err != nil {
		return nil, err
	}
	def.Messages = nil
	for _, language := range []string{"fr", "en"} {
		for _, m := range alerting.Media() {
			def.Messages = append(def.Messages, alerting.Text{Use: use, Medium: m, Language: language, Subject: l.Title.In(language), Body: text.In(language)})
		}
	}
	return p.s.PreviewDefinition(c.Ctx(), c.Scope, l.LaunchedAt, def, l.Values, l.Mode)
}

// addressed is how many people a choice of addressees reaches now.
func (a act) addressed(to alerting.To) int {
	n := a.Board.Counters
	switch to {
	case alerting.ToComing:
		return n.Coming + n.OnSite
	case alerting.ToUnanswered:
		return silent(n)
	}
	return called(n)
}

func (a act) addressees(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, to := range []alerting.To{alerting.ToAll, alerting.ToComing, alerting.ToUnanswered} {
		out = append(out, ui.Choice{Value: string(to), Label: c.Loc.T("alerting.page.progress.to." + string(to)), Hint: c.Loc.N("alerting.page.people", a.addressed(to))})
	}
	return out
}

// extending is a form to call more people.
type extending struct {
	act
	Who crowd
	// Count is how many people were chosen; -1 before they were.
	Count int
}

func (p *Pages) extending(c *ui.Context) (e extending, err error) {
	e.Count = -1
	if e.act, err = p.act(c); err != nil {
		return e, err
	}
	e.Who, err = p.crowd(c)
	return e, err
}

// extend asks whom to call besides.
func (p *Pages) extend(c *ui.Context) error {
	e, err := p.extending(c)
	if err != nil {
		return err
	}
	return c.Render(extendPage(c, e))
}

// callMore counts the people chosen, and calls them at the second press.
func (p *Pages) callMore(c *ui.Context) error {
	e, err := p.extending(c)
	if err != nil {
		return err
	}
	who, err := rule(e.Form)
	if err != nil {
		return err
	}
	if who.Empty() {
		e.Form.Add("rule", c.Loc.T("alerting.page.extend.empty"))
		return c.Refill(e.Form, nil, extendPage(c, e))
	}
	if e.Form.Value(stepField) != "appeler" {
		return p.countMore(c, e, who)
	}
	added, err := p.s.Extend(c.Ctx(), c.Scope, c.Now, e.Launch.ID, who)
	if err != nil {
		return c.Refill(e.Form, err, extendPage(c, e))
	}
	c.Flash(ui.Success, c.Loc.N("alerting.page.extend.done", added))
	return c.Redirect(alertPath(e.Launch.ID, ""))
}

func (p *Pages) countMore(c *ui.Context, e extending, who directory.Rule) error {
	n, err := p.dir.Count(c.Ctx(), c.Scope, who, c.Now)
	if err != nil {
		return err
	}
	e.Count = n
	return c.Render(extendPage(c, e))
}

// chosen are the words of everything ticked.
func (e extending) chosen() []string {
	out := labels(e.Form, "groupe", e.Who.Groups)
	out = append(out, labels(e.Form, "site", e.Who.Sites)...)
	out = append(out, labels(e.Form, "service", e.Who.Services)...)
	return append(out, labels(e.Form, "metier", e.Who.Metiers)...)
}

// ticked is everything ticked, to be sent again.
func (e extending) ticked() []hidden {
	var out []hidden
	for _, field := range []string{"groupe", "site", "service", "metier"} {
		for _, v := range e.Form.List(field) {
			out = append(out, hidden{field, v})
		}
	}
	return out
}

// waves lists the waves, or asks to confirm that one is stopped (vague).
func (p *Pages) waves(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	wave, _ := a.wave(a.Form.Value("vague"))
	return c.Render(wavesPage(c, a, wave))
}

// wave finds a wave of the board by its number as typed.
func (a act) wave(text string) (alerting.WaveView, bool) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return alerting.WaveView{}, false
	}
	for _, w := range a.Board.Waves {
		if w.Number == n {
			return w, true
		}
	}
	return alerting.WaveView{}, false
}

func holdToStopWave(c *ui.Context) ui.HoldSpec {
	return ui.HoldSpec{Act: c.Loc.T("alerting.page.waves.act"), Word: c.Loc.T("alerting.page.waves.word"), Name: wordField, Icon: "stop"}
}

// stopWave holds a wave for good.
func (p *Pages) stopWave(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	wave, ok := a.wave(a.Form.Value("vague"))
	if !ok {
		return fault.New(fault.NotFound, "ui.fail.no_page")
	}
	if !a.Form.Confirmed(holdToStopWave(c)) {
		return c.Refill(a.Form, nil, wavesPage(c, a, wave))
	}
	if err := p.s.StopWave(c.Ctx(), c.Scope, c.Now, a.Launch.ID, wave.Number); err != nil {
		return c.Refill(a.Form, err, wavesPage(c, a, wave))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.waves.stopped", "wave", wave.Number))
	return c.Redirect(alertPath(a.Launch.ID, ""))
}

// extendKind makes one button the way forward: counting, then calling.
func extendKind(e extending) string {
	if e.Count > 0 {
		return ""
	}
	return "primary"
}
