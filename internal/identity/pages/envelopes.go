package pages

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/ui"
)

// proveByEnvelope is the second step without telephone and key.
func (p pages) proveByEnvelope(c *ui.Context) error {
	token := p.jar.get(c.Request, SessionCookie)
	waits, err := p.service.Waiting(c.Ctx(), token)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("envelope")
	if !f.Valid() {
		return c.Refill(f, nil, secondPage(c, f, waits, next(c)))
	}
	step, err := p.service.ProveEnvelope(c.Ctx(), p.jar.client(c.Request), token, f.Value("envelope"))
	if err != nil {
		f.Set("envelope", "")
		page := secondPage(c, f, waits, next(c))
		if fault.Is(err, fault.Denied) {
			f.Take(err)
			return c.Status(403).Render(page)
		}
		return c.Refill(f, err, page)
	}
	p.jar.takeStep(c, step)
	return c.Redirect(next(c))
}

func (p pages) envelopes(c *ui.Context) error {
	return p.envelopesWith(c, c.NewForm(nil), nil)
}

func (p pages) envelopesWith(c *ui.Context, f *ui.Form, why error) error {
	list, err := p.service.Envelopes(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	if why == nil && f.Valid() {
		return c.Render(envelopesPage(c, f, list))
	}
	return c.Refill(f, why, envelopesPage(c, f, list))
}

func (p pages) makeEnvelope(c *ui.Context) error {
	f := c.Form()
	f.Require("label")
	if !f.Valid() {
		return p.envelopesWith(c, f, nil)
	}
	id, err := p.service.MakeEnvelope(c.Ctx(), c.Scope, f.Value("label"))
	if err != nil {
		return p.envelopesWith(c, f, err)
	}
	return c.Redirect(EnvelopesPath + "/" + id.String() + "/imprimer")
}

// envelopePaper is the page to print. It is kept by no cache.
func (p pages) envelopePaper(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	e, code, err := p.service.EnvelopeCode(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	return c.Render(envelopePaperPage(c, e, code, p.origin))
}

func (p pages) envelopePrinted(c *ui.Context) error {
	return p.envelopeDone(c, p.service.EnvelopePrinted, "identity.envelopes.paper.done")
}

func (p pages) revokeEnvelope(c *ui.Context) error {
	return p.envelopeDone(c, p.service.RevokeEnvelope, "identity.envelopes.revoked")
}

func (p pages) seeEnvelope(c *ui.Context) error {
	return p.envelopeDone(c, p.service.SeeEnvelope, "identity.envelopes.seen.done")
}

func (p pages) envelopeDone(c *ui.Context, do func(context.Context, access.Scope, uuid.UUID) error, key string) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := do(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T(key))
	return c.Redirect(EnvelopesPath)
}

// EnvelopeBanners says on every page of an administrator that an envelope was
// opened, until one of them says that he checked.
type EnvelopeBanners struct {
	Service *identity.Service
	Clock   clock.Clock
}

// Banners gives one line per opened envelope.
func (b EnvelopeBanners) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) (out []ui.Banner, err error) {
	opened, err := b.Service.OpenedEnvelopes(ctx, scope)
	if err != nil {
		return nil, err
	}
	now := b.Clock.Now()
	for _, e := range opened {
		out = append(out, ui.Banner{
			Tone: ui.Critical, Mark: loc.T("identity.envelope.banner.mark"), Path: EnvelopesPath, Action: loc.T("identity.envelope.banner.act"),
			Text: loc.T("identity.envelope.banner", "name", e.UsedName, "label", e.Label, "when", loc.Ago(e.Used, now)),
		})
	}
	return out, nil
}
