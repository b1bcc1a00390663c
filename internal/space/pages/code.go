package pages

import (
	"time"

	"tocsin/internal/ui"
)

// codePath takes the personal code of the holder.
const codePath = Path + "/code"

// meView is what the page of the holder shows beside what is held.
type meView struct {
	// key is that of the notifications, empty where there are none.
	key string
	// since is when the holder chose his code, zero without one; noted tells that he just did.
	since time.Time
	noted bool
	form  *ui.Form
}

func (p pages) mine(v *visit) (m meView, err error) {
	m.form = v.NewForm(nil)
	if m.key, err = p.Service.PushKey(v.Ctx(), v.holder); err != nil {
		return m, err
	}
	m.since, err = p.Service.OwnCodeSince(v.Ctx(), v.holder)
	return m, err
}

// setCode chooses the holder's code. What was typed is never shown again.
func (p pages) setCode(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	err = p.Service.SetCode(c.Ctx(), v.holder, c.FormValue("current"), c.FormValue("code"), ui.AddressOf(c.Ctx()))
	if err == nil {
		return c.Redirect(Path + "/moi?note=code#code")
	}
	m, failed := p.mine(v)
	if failed != nil {
		return failed
	}
	return c.Refill(m.form, err, mePage(v, m))
}

// eraseCode forgets the code of a person, for who keeps the directory.
func (p pages) eraseCode(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.Service.EraseCode(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("space.code.erased"))
	return c.Redirect(DevicesPath(id))
}
