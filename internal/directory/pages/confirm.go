package pages

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// ConfirmPath begins the personal links of campaigns.
const ConfirmPath = "/c/"

// unknownFloor is how long a page for a wrong code takes at least, so that its
// time tells nothing of what was looked up.
const unknownFloor = 80 * time.Millisecond

// confirmation is what the page of a personal link shows.
type confirmation struct {
	proof.Link
	code string
	// asked is the language of the switch, empty for the person's own.
	asked string
	// done is what was just recorded: "oui", "non", "nouveau" or "souhait".
	done string
	// typed and wrong are a refused correction.
	typed, wrong string
}

// confirming shows the page of a personal link. It records nothing.
func (p pages) confirming(c *ui.Context) error {
	v, err := p.confirmation(c)
	if err != nil {
		return err
	}
	if !v.Found {
		return p.unknownLink(c)
	}
	v.done = c.Request.URL.Query().Get("note")
	return c.Render(confirmPage(c, v))
}

func (p pages) confirmation(c *ui.Context) (confirmation, error) {
	c.Writer.Header().Set("Cache-Control", "no-store")
	v := confirmation{code: c.PathValue("code")}
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return v, fault.New(fault.TooMany, "directory.page.confirm.too_many")
	}
	if lang := c.Request.URL.Query().Get("lang"); slices.Contains(i18n.Languages(), i18n.Language(lang)) {
		v.asked = lang
	}
	var err error
	if v.Link, err = p.proof.OpenLink(c.Ctx(), v.code, c.Now); err != nil {
		return v, err
	}
	p.codes.Tried(address, v.Found, c.Now)
	if v.Found {
		lang := v.Language
		if v.asked != "" {
			lang = v.asked
		}
		c.Loc = p.catalog.For(i18n.Language(lang))
	}
	return v, nil
}

// unknownLink is the page of a code that leads nowhere, whatever the reason.
func (p pages) unknownLink(c *ui.Context) error {
	select {
	case <-p.clock.After(unknownFloor - p.clock.Now().Sub(c.Now)):
	case <-c.Ctx().Done():
	}
	return c.Status(http.StatusNotFound).Render(unknownLinkPage(c))
}

// answerLink records what a button says.
func (p pages) answerLink(c *ui.Context) error {
	v, err := p.confirmation(c)
	if err != nil {
		return err
	}
	if !v.Found {
		return p.unknownLink(c)
	}
	done := c.FormValue("reponse")
	switch done {
	case "oui":
		err = p.proof.Confirm(c.Ctx(), v.code, c.Now)
	case "non":
		err = p.proof.Disown(c.Ctx(), v.code, c.Now)
	case "nouveau":
		v.typed = cut(c.FormValue("address"), 254)
		err = p.proof.Correct(c.Ctx(), v.code, v.typed, ui.AddressOf(c.Ctx()), c.Now)
	case "souhait":
		v.Wishes = directory.Preferences{Day: c.FormValue("day"), Night: c.FormValue("night")}
		err = p.proof.Wish(c.Ctx(), v.code, v.Wishes, ui.AddressOf(c.Ctx()), c.Now)
	default:
		v.wrong = c.Loc.T("directory.page.confirm.wrong")
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return p.unknownLink(c)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Conflict), fault.Is(err, fault.TooMany):
		v.wrong = c.Loc.Fault(err)
	case err != nil:
		return err
	}
	if v.wrong != "" {
		return c.Status(http.StatusUnprocessableEntity).Render(confirmPage(c, v))
	}
	return c.Redirect(v.path() + "note=" + done)
}

// path is this page, ready for one more query value.
func (v confirmation) path() string {
	path := ConfirmPath + url.PathEscape(v.code) + "?"
	if v.asked != "" {
		path += "lang=" + v.asked + "&"
	}
	return path
}

// otherLanguage is the one the switch leads to.
func otherLanguage(c *ui.Context) string {
	if c.Loc.Language() == i18n.English {
		return string(i18n.French)
	}
	return string(i18n.English)
}
