package pages

import (
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

func (p pages) consumers(c *ui.Context) error {
	list, err := p.s.Consumers(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(consumersPage(c, list))
}

// consumerState is what is to be known of a consumer first.
func consumerState(c *ui.Context, one traces.Consumer) mark {
	switch {
	case !one.Revoked.IsZero():
		return mark{ui.Neutral, c.Loc.T("traces.consumer.state.revoked")}
	case !one.Serves(c.Now):
		return mark{ui.Neutral, c.Loc.T("traces.consumer.state.over")}
	}
	return mark{ui.Success, c.Loc.T("traces.consumer.state.serves")}
}

// untilDay is the last day on which a token serves.
func untilDay(c *ui.Context, one traces.Consumer) string {
	return c.Loc.Date(one.Until.Add(-time.Second), c.Zone)
}

func (p pages) newConsumer(c *ui.Context) error {
	half := c.Now.In(c.Zone).AddDate(0, 6, 0).Format(time.DateOnly)
	return c.Render(consumerFormPage(c, c.NewForm(map[string]string{"until": half})))
}

func (p pages) admit(c *ui.Context) error {
	f := c.Form()
	one, token, err := p.s.Admit(c.Ctx(), c.Scope, traces.WantedConsumer{
		Name: f.Value("name"), Reason: f.Value("reason"), LastDay: f.Value("until"), Addresses: f.Value("addresses"), Zone: c.Zone,
	})
	if err != nil {
		return c.Refill(f, err, consumerFormPage(c, f))
	}
	// The only page that ever says this token.
	c.Writer.Header().Set("Cache-Control", "no-store")
	base := p.intake + "/fhir"
	day := c.Now.In(c.Zone).AddDate(0, -1, 0).Format(time.DateOnly)
	return c.Render(admittedPage(c, one, token, []recipe{
		{title: c.Loc.T("traces.consumer.recipe.base"), code: base},
		{title: c.Loc.T("traces.consumer.recipe.try"), code: `curl -H "Authorization: Bearer ` + token + `" -d "date=ge` + day + `&patient=8001&_count=10" ` + base + `/AuditEvent/_search`},
	}))
}

func (p pages) consumer(c *ui.Context) (traces.Consumer, error) {
	id, err := c.ID("id")
	if err != nil {
		return traces.Consumer{}, err
	}
	return p.s.Consumer(c.Ctx(), c.Scope, id)
}

func (p pages) revoking(c *ui.Context) error {
	one, err := p.consumer(c)
	if err != nil {
		return err
	}
	return c.Render(revokePage(c, one))
}

func (p pages) revoke(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	one, err := p.s.Revoke(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.consumer.revoke.done", "name", one.Name))
	return c.Redirect(ConsumersPath)
}
