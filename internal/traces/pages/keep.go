package pages

import (
	"strconv"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// keepings are how long each class stays, and what was removed.
type keepings struct {
	durations []traces.Duration
	purges    []traces.PurgeRecord
	seal      traces.Sealing
	holdings  traces.Holdings
}

func (p pages) keeping(c *ui.Context) (err error) {
	var k keepings
	if k.durations, err = p.s.Durations(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if k.purges, err = p.s.Purges(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if k.seal, err = p.s.Sealing(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if k.holdings, err = p.s.Holding(c.Ctx(), c.Scope); err != nil {
		return err
	}
	return c.Render(keepPage(c, k))
}

// publicKey is the current public key of the seal, for whoever notes it elsewhere.
func (p pages) publicKey(c *ui.Context) error {
	s, err := p.s.Sealing(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	var out []byte
	for _, k := range s.Keys {
		text, err := k.PEM()
		if err != nil {
			return err
		}
		out = append(out, text...)
	}
	_, err = c.Download("tocsin-scellement.pem", "application/x-pem-file").Write(out)
	return err
}

// sealState is whether the seal does what it must.
func sealState(c *ui.Context, s traces.Sealing) (tone ui.Tone, word string) {
	switch {
	case s.Lost > 0:
		return ui.Critical, c.Loc.T("traces.keep.page.seal.lost")
	case s.Late(c.Now):
		return ui.Alert, c.Loc.T("traces.keep.page.seal.late")
	case s.Last.Problem != "":
		return ui.Attention, c.Loc.T(s.Last.Problem)
	}
	return ui.Success, c.Loc.T("traces.keep.page.seal.well")
}

func stampWord(c *ui.Context, s traces.Sealing) string {
	switch {
	case !s.Stamps:
		return c.Loc.T("traces.keep.page.seal.stamp.off")
	case s.Last.Stamped.IsZero():
		return c.Loc.T("traces.keep.page.seal.stamp.waits")
	}
	return c.Loc.DateTime(s.Last.Stamped, c.Zone)
}

func copiesWord(c *ui.Context, s traces.Sealing) string {
	switch {
	case !s.Copies:
		return c.Loc.T("traces.keep.page.seal.copies.off")
	case s.Uncopied > 0:
		return c.Loc.N("traces.keep.page.seal.copies.wait", int(s.Uncopied))
	}
	return c.Loc.T("traces.keep.page.seal.copies.all")
}

// class reads the class of the address with what was decided of it.
func (p pages) class(c *ui.Context) (traces.Duration, error) {
	class, ok := traces.ParseClass(c.PathValue("classe"))
	if !ok {
		return traces.Duration{}, fault.New(fault.NotFound, "ui.fail.no_page")
	}
	all, err := p.s.Durations(c.Ctx(), c.Scope)
	for _, d := range all {
		if d.Class == class {
			return d, err
		}
	}
	return traces.Duration{Class: class}, err
}

func (p pages) deciding(c *ui.Context) error {
	d, err := p.class(c)
	if err != nil {
		return err
	}
	months := ""
	if d.Months > 0 {
		months = strconv.Itoa(d.Months)
	}
	return c.Render(decidePage(c, c.NewForm(map[string]string{"months": months}), d, 0))
}

// decide keeps a duration; one that removes something is first said, with what
// it removes, and posted again to be confirmed.
func (p pages) decide(c *ui.Context) error {
	d, err := p.class(c)
	if err != nil {
		return err
	}
	f := c.Form()
	months := f.Int("months", 0, 1000)
	if !f.Valid() {
		return c.Refill(f, nil, decidePage(c, f, d, 0))
	}
	if shorter(d.Months, months) && f.Value("confirmer") != strconv.Itoa(months) {
		if err := d.Class.Allows(months); err != nil {
			return c.Refill(f, err, decidePage(c, f, d, 0))
		}
		return c.Render(decidePage(c, f, d, months))
	}
	if err := p.s.Decide(c.Ctx(), c.Scope, d.Class, months); err != nil {
		return c.Refill(f, err, decidePage(c, f, d, 0))
	}
	c.Flash(ui.Success, c.Loc.T("traces.keep.page.done", "class", classWord(c.Loc, d.Class)))
	return c.Redirect(KeepPath)
}

// shorter tells a decision that will remove something: zero keeps everything.
func shorter(before, after int) bool { return after > 0 && (before == 0 || after < before) }

func monthsWord(c *ui.Context, months int) string {
	if months == 0 {
		return c.Loc.T("traces.keep.page.forever")
	}
	return c.Loc.N("traces.keep.page.months", months)
}
