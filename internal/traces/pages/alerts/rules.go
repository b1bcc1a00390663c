package alerts

import (
	"net/url"

	"tocsin/internal/fault"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/rules"
	"tocsin/internal/ui"
)

func (p pages) rules(c *ui.Context) error {
	s, err := p.o.Rules.List(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(rulesPage(c, s))
}

// shownMost bounds the rules of one page: the public set is many thousands, and
// those beyond are found by their word.
const shownMost = 300

// shown are the rules that hold the word looked for, those that hit first.
func shown(c *ui.Context, s rules.Sheet) (out []rules.Rule, more int) {
	word := c.Query().Get("q")
	for _, hit := range []bool{true, false} {
		for _, r := range s.Rules {
			if r.Hits > 0 != hit || word != "" && !holds(r, word) {
				continue
			}
			if len(out) == shownMost {
				more++
				continue
			}
			out = append(out, r)
		}
	}
	return out, more
}

// trial is a rule on its page, with the trial that was asked.
type trial struct {
	rules.Rule
	figures cases.RuleFigures
	try     *ui.Form
	service *ui.Form
	answer  *rules.Answer
}

func (p pages) one(c *ui.Context) (t trial, err error) {
	key, err := url.PathUnescape(c.PathValue("regle"))
	if err != nil {
		return t, fault.New(fault.NotFound, "traces.rules.unknown")
	}
	if t.Rule, err = p.o.Rules.Rule(c.Ctx(), c.Scope, key); err != nil {
		return t, err
	}
	all, err := p.o.Cases.Figures(c.Ctx(), c.Scope)
	for _, f := range all {
		for _, r := range f.Rules {
			if r.Rule == key {
				t.figures.Hits, t.figures.Cases, t.figures.Decided, t.figures.Wellseen = t.figures.Hits+r.Hits, t.figures.Cases+r.Cases, t.figures.Decided+r.Decided, t.figures.Wellseen+r.Wellseen
			}
		}
	}
	t.try, t.service = c.NewForm(nil).As("e"), c.NewForm(nil).As("s")
	return t, err
}

func (p pages) rule(c *ui.Context) error {
	t, err := p.one(c)
	if err != nil {
		return err
	}
	return c.Render(rulePage(c, t))
}

func (p pages) try(c *ui.Context) error {
	t, err := p.one(c)
	if err != nil {
		return err
	}
	t.try = c.Form().As("e")
	answer, err := p.o.Rules.Try(c.Ctx(), c.Scope, t.Key, t.try.Value("events"))
	if err != nil {
		return c.Refill(t.try, err, rulePage(c, t))
	}
	t.answer = &answer
	return c.Render(rulePage(c, t))
}

func (p pages) switchRule(c *ui.Context) error {
	t, err := p.one(c)
	if err != nil {
		return err
	}
	t.service = c.Form().As("s")
	if err := p.o.Rules.Switch(c.Ctx(), c.Scope, t.Key, t.Off.By != "", t.service.Value("why")); err != nil {
		return c.Refill(t.service, err, rulePage(c, t))
	}
	key := "traces.alerts.rule.switched.off"
	if t.Off.By != "" {
		key = "traces.alerts.rule.switched.on"
	}
	c.Flash(ui.Success, c.Loc.T(key, "title", t.Title))
	return c.Redirect(rulePath(t.Key))
}
