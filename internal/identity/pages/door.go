package pages

import (
	"io"
	"net/url"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// toSecond leads to the second step of a sign-in, keeping where the person was going.
func toSecond(next string) string {
	if next == "/" {
		return "/connexion/second-facteur"
	}
	return "/connexion/second-facteur?suite=" + url.QueryEscape(next)
}

func next(c *ui.Context) string { return ui.LocalPath(c.FormValue("suite"), "/") }

func (p pages) firstRun(c *ui.Context) error {
	link, err := p.service.ReadLink(c.Ctx(), c.PathValue("code"))
	if err != nil {
		return c.Status(404).Render(linkRefusedPage(c, err))
	}
	if link.Kind != identity.FirstLink {
		return c.Redirect(InvitationPath + url.PathEscape(c.PathValue("code")))
	}
	f := c.NewForm(map[string]string{"colour": organisation.Palette()[0], "launches": "oui"})
	return c.Render(firstRunPage(c, f))
}

func (p pages) start(c *ui.Context) error {
	f := c.Form()
	f.Require("establishment", "name", "login", "password")
	if !f.Valid() {
		return c.Refill(f, nil, firstRunPage(c, f))
	}
	step, err := p.service.Start(c.Ctx(), p.jar.client(c.Request), identity.FirstRun{
		Code: c.PathValue("code"), Establishment: f.Value("establishment"), Colour: f.Value("colour"),
		Name: f.Value("name"), Login: f.Value("login"), Password: c.Request.PostForm.Get("password"),
		Language: string(c.Loc.Language()), Launches: f.Checked("launches", "oui"),
	})
	if fault.Is(err, fault.NotFound) {
		return c.Status(404).Render(linkRefusedPage(c, err))
	}
	if err != nil {
		return c.Refill(f, err, firstRunPage(c, f))
	}
	p.jar.takeStep(c, step)
	return c.Redirect(SecondFactorPath)
}

func (p pages) invitation(c *ui.Context) error {
	link, err := p.service.ReadLink(c.Ctx(), c.PathValue("code"))
	if err != nil {
		return c.Status(404).Render(linkRefusedPage(c, err))
	}
	return c.Render(invitationPage(c, c.NewForm(nil), link))
}

func (p pages) accept(c *ui.Context) error {
	code := c.PathValue("code")
	link, err := p.service.ReadLink(c.Ctx(), code)
	if err != nil {
		return c.Status(404).Render(linkRefusedPage(c, err))
	}
	f := c.Form()
	f.Require("password")
	if !f.Valid() {
		return c.Refill(f, nil, invitationPage(c, f, link))
	}
	step, err := p.service.Accept(c.Ctx(), p.jar.client(c.Request), code, c.Request.PostForm.Get("password"))
	if err != nil {
		return c.Refill(f, err, invitationPage(c, f, link))
	}
	p.jar.takeStep(c, step)
	if !step.Done {
		return c.Redirect(toSecond("/"))
	}
	return c.Redirect("/")
}

func (p pages) login(c *ui.Context) error {
	if c.Visitor.SignedIn() {
		return c.Redirect(next(c))
	}
	begun, err := p.service.Begun(c.Ctx())
	if err != nil {
		return err
	}
	return c.Render(loginPage(c, c.NewForm(nil), next(c), p.service.HasPasskeys(), begun))
}

func (p pages) signIn(c *ui.Context) error {
	f := c.Form()
	f.Require("login", "password")
	if !f.Valid() {
		return c.Refill(f, nil, loginPage(c, f, next(c), p.service.HasPasskeys(), true))
	}
	step, err := p.service.SignIn(c.Ctx(), p.jar.client(c.Request), f.Value("login"), c.Request.PostForm.Get("password"))
	if err != nil {
		return p.refused(c, f, err)
	}
	p.jar.takeStep(c, step)
	if !step.Done {
		return c.Redirect(toSecond(next(c)))
	}
	return c.Redirect(next(c))
}

// refused shows the sign-in again. A closed account is told here rather than on
// the page of what one's role does not allow.
func (p pages) refused(c *ui.Context, f *ui.Form, err error) error {
	page := loginPage(c, f, next(c), p.service.HasPasskeys(), true)
	if fault.Is(err, fault.Denied) {
		f.Take(err)
		return c.Status(403).Render(page)
	}
	return c.Refill(f, err, page)
}

func (p pages) second(c *ui.Context) error {
	waits, err := p.service.Waiting(c.Ctx(), p.jar.get(c.Request, SessionCookie))
	if err != nil {
		return err
	}
	return c.Render(secondPage(c, c.NewForm(nil), waits, next(c)))
}

func (p pages) prove(c *ui.Context) error {
	token := p.jar.get(c.Request, SessionCookie)
	waits, err := p.service.Waiting(c.Ctx(), token)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("code")
	if !f.Valid() {
		return c.Refill(f, nil, secondPage(c, f, waits, next(c)))
	}
	step, err := p.service.ProveCode(c.Ctx(), p.jar.client(c.Request), token, f.Value("code"))
	if err != nil {
		f.Set("code", "")
		return c.Refill(f, err, secondPage(c, f, waits, next(c)))
	}
	p.jar.takeStep(c, step)
	return c.Redirect(next(c))
}

// answerMost bounds what a browser says about a key.
const answerMost = 64 << 10

func (p pages) beginKeySignIn(c *ui.Context) error {
	options, key, err := p.service.BeginPasskeySignIn(c.Ctx(), p.jar.get(c.Request, SessionCookie))
	if err != nil {
		return err
	}
	p.jar.set(c, challengeCookie, key, 300)
	return c.JSON(200, options)
}

func (p pages) finishKeySignIn(c *ui.Context) error {
	answer, err := readAnswer(c)
	if err != nil {
		return err
	}
	step, err := p.service.FinishPasskeySignIn(c.Ctx(), p.jar.client(c.Request), p.jar.get(c.Request, SessionCookie), p.jar.get(c.Request, challengeCookie), answer)
	if err != nil {
		return err
	}
	p.jar.takeStep(c, step)
	p.jar.set(c, challengeCookie, "", 0)
	return c.JSON(200, map[string]string{"redirect": ui.LocalPath(c.Request.URL.Query().Get("suite"), "/")})
}

func readAnswer(c *ui.Context) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(c.Request.Body, answerMost))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
	}
	return answer, nil
}

func (p pages) signOut(c *ui.Context) error {
	if err := p.service.SignOut(c.Ctx(), p.jar.get(c.Request, SessionCookie), p.jar.client(c.Request)); err != nil {
		return err
	}
	p.jar.set(c, SessionCookie, "", 0)
	c.Flash(ui.Success, c.Loc.T("identity.signedout"))
	return c.Redirect(LoginPath)
}

func (p pages) switchTo(c *ui.Context) error {
	to, err := uuid.Parse(c.FormValue("etablissement"))
	if err != nil {
		return fault.Wrap(err, fault.NotFound, "identity.establishment.unknown")
	}
	if err := p.service.Switch(c.Ctx(), p.jar.get(c.Request, SessionCookie), to); err != nil {
		return err
	}
	// The page one comes from may not exist over there.
	return c.Redirect("/")
}
