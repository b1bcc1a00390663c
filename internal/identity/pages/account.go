package pages

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"

	"github.com/pquerna/otp"

	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/ui"
)

// own is what the page of one's own account shows.
type own struct {
	account  identity.Account
	keys     []identity.Passkey
	sessions []identity.OpenSession
	recovery identity.Recovery
	passkeys bool
	reach    identity.Reach
	phone    identity.Telephone
	// pin is the form of the telephone code, when it comes back with a fault.
	pin *ui.Form
	// sealed says why nothing can be changed in a session an envelope opened; nil elsewhere.
	sealed error
}

// form is the form of who one is, filled.
func (o own) form(c *ui.Context) *ui.Form {
	return c.NewForm(map[string]string{"name": o.account.Name, "language": o.account.Language})
}

// reachForm is the form of where one is told, filled.
func (o own) reachForm(c *ui.Context) *ui.Form {
	return c.NewForm(map[string]string{"mobile": o.reach.Mobile, "email": o.reach.Email})
}

// pinForm is the form of the telephone code, always empty.
func (o own) pinForm(c *ui.Context) *ui.Form {
	if o.pin != nil {
		return o.pin
	}
	return c.NewForm(nil)
}

func (p pages) token(c *ui.Context) string { return p.jar.get(c.Request, SessionCookie) }

func (p pages) load(c *ui.Context) (o own, err error) {
	o.passkeys = p.service.HasPasskeys()
	if o.account, err = p.service.Own(c.Ctx(), c.Scope); err != nil {
		return o, err
	}
	if o.keys, err = p.service.Passkeys(c.Ctx(), c.Scope); err != nil {
		return o, err
	}
	if o.reach, err = p.service.OwnReach(c.Ctx(), c.Scope); err != nil {
		return o, err
	}
	if o.phone, err = p.service.OwnTelephone(c.Ctx(), c.Scope); err != nil {
		return o, err
	}
	if o.sessions, err = p.service.Sessions(c.Ctx(), c.Scope, p.token(c)); err != nil {
		return o, err
	}
	if o.account.HasFactor() && c.Scope.Strong() {
		o.recovery, err = p.service.RecoveryCodes(c.Ctx(), c.Scope, p.token(c))
	}
	if fault.Is(err, fault.Denied) {
		o.sealed, err = err, nil
	}
	return o, err
}

func (p pages) account(c *ui.Context) error {
	o, err := p.load(c)
	if err != nil {
		return err
	}
	return c.Render(accountPage(c, o.form(c), o.reachForm(c), o))
}

func (p pages) saveAccount(c *ui.Context) error {
	f := c.Form()
	f.Require("name", "language")
	var err error
	if f.Valid() {
		err = p.service.UpdateOwn(c.Ctx(), c.Scope, identity.OwnUpdate{Name: f.Value("name"), Language: f.Value("language")})
	}
	if err != nil || !f.Valid() {
		o, lerr := p.load(c)
		if lerr != nil {
			return lerr
		}
		return c.Refill(f, err, accountPage(c, f, o.reachForm(c), o))
	}
	c.Flash(ui.Success, c.Loc.T("identity.account.saved"))
	return c.Redirect(AccountPath)
}

func (p pages) saveReach(c *ui.Context) error {
	f := c.Form()
	err := p.service.SetOwnReach(c.Ctx(), c.Scope, p.token(c), identity.Reach{Mobile: f.Value("mobile"), Email: f.Value("email")})
	if err != nil {
		o, lerr := p.load(c)
		if lerr != nil {
			return lerr
		}
		return c.Refill(f, err, accountPage(c, o.form(c), f, o))
	}
	c.Flash(ui.Success, c.Loc.T("identity.reach.saved"))
	return c.Redirect(AccountPath)
}

func (p pages) saveTelephone(c *ui.Context) error {
	f := c.Form()
	f.Require("pin")
	var err error
	if f.Valid() {
		err = p.service.SetTelephone(c.Ctx(), c.Scope, p.token(c), f.Value("pin"))
	}
	if err != nil || !f.Valid() {
		o, lerr := p.load(c)
		if lerr != nil {
			return lerr
		}
		f.Set("pin", "")
		o.pin = f
		return c.Refill(f, err, accountPage(c, o.form(c), o.reachForm(c), o))
	}
	c.Flash(ui.Success, c.Loc.T("identity.telephone.saved"))
	return c.Redirect(AccountPath + "#telephone")
}

func (p pages) removeTelephone(c *ui.Context) error {
	if err := p.service.RemoveTelephone(c.Ctx(), c.Scope, p.token(c)); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("identity.telephone.removed"))
	return c.Redirect(AccountPath + "#telephone")
}

func (p pages) password(c *ui.Context) error {
	account, err := p.service.Own(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(passwordPage(c, c.NewForm(nil), account.Login))
}

func (p pages) changePassword(c *ui.Context) error {
	account, err := p.service.Own(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("old", "password")
	if !f.Valid() {
		return c.Refill(f, nil, passwordPage(c, f, account.Login))
	}
	typed := c.Request.PostForm
	fresh, err := p.service.ChangePassword(c.Ctx(), c.Scope, p.token(c), typed.Get("old"), typed.Get("password"))
	if err != nil {
		return c.Refill(f, err, passwordPage(c, f, account.Login))
	}
	p.jar.set(c, SessionCookie, fresh, int(identity.SessionLife.Seconds()))
	c.Flash(ui.Success, c.Loc.T("identity.password.changed"))
	return c.Redirect(AccountPath)
}

func (p pages) factors(c *ui.Context) error {
	o, err := p.load(c)
	if err != nil {
		return err
	}
	return c.Render(factorsPage(c, o))
}

func (p pages) application(c *ui.Context) error {
	set, picture, err := p.setUp(c)
	if err != nil {
		return err
	}
	return c.Render(applicationPage(c, c.NewForm(nil), set, picture))
}

// setUp is the secret of a new application and its picture.
func (p pages) setUp(c *ui.Context) (identity.TOTPSetUp, string, error) {
	set, err := p.service.BeginTOTP(c.Ctx(), c.Scope, p.token(c))
	if err != nil {
		return set, "", err
	}
	picture, err := pictureOf(set.Address)
	return set, picture, err
}

// pictureOf draws a QR code as a data address: it leaves no trace in a cache
// and needs no route that would serve a secret.
func pictureOf(address string) (string, error) {
	key, err := otp.NewKeyFromURL(address)
	if err != nil {
		return "", fmt.Errorf("picture of a key: %w", err)
	}
	drawn, err := key.Image(264, 264)
	if err != nil {
		return "", fmt.Errorf("picture of a key: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, drawn); err != nil {
		return "", fmt.Errorf("picture of a key: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func (p pages) confirmApplication(c *ui.Context) error {
	f := c.Form()
	f.Require("code")
	var fresh string
	var err error
	if f.Valid() {
		fresh, err = p.service.ConfirmTOTP(c.Ctx(), c.Scope, p.token(c), f.Value("code"))
	}
	if err != nil || !f.Valid() {
		set, picture, serr := p.setUp(c)
		if serr != nil {
			return serr
		}
		f.Set("code", "")
		return c.Refill(f, err, applicationPage(c, f, set, picture))
	}
	return p.factorAdded(c, fresh, c.Redirect)
}

// factorAdded carries the new token and leads to the codes on paper, when there are new ones.
func (p pages) factorAdded(c *ui.Context, fresh string, lead func(string) error) error {
	p.jar.set(c, SessionCookie, fresh, int(identity.SessionLife.Seconds()))
	session, err := p.service.Session(c.Ctx(), fresh, p.jar.client(c.Request))
	if err != nil {
		return err
	}
	recovery, err := p.service.RecoveryCodes(c.Ctx(), session.Scope, fresh)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("identity.factor.added"))
	if len(recovery.New) > 0 {
		return lead("/compte/codes-de-secours")
	}
	return lead(SecondFactorPath)
}

func (p pages) removeApplication(c *ui.Context) error {
	return p.removed(c, p.service.RemoveTOTP(c.Ctx(), c.Scope, p.token(c)))
}

// removed goes back to the factors, with the reason when one could not go.
func (p pages) removed(c *ui.Context, err error) error {
	switch {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		c.Flash(ui.Success, c.Loc.T("identity.factor.removed"))
	}
	return c.Redirect(SecondFactorPath)
}

func (p pages) beginKey(c *ui.Context) error {
	var asked struct {
		Name string `json:"nom"`
	}
	if err := c.DecodeJSON(&asked); err != nil {
		return err
	}
	options, err := p.service.BeginPasskey(c.Ctx(), c.Scope, p.token(c), asked.Name)
	if err != nil {
		return err
	}
	return c.JSON(200, options)
}

func (p pages) finishKey(c *ui.Context) error {
	answer, err := readAnswer(c)
	if err != nil {
		return err
	}
	fresh, err := p.service.FinishPasskey(c.Ctx(), c.Scope, p.token(c), answer)
	if err != nil {
		return err
	}
	return p.factorAdded(c, fresh, func(path string) error { return c.JSON(200, map[string]string{"redirect": path}) })
}

func (p pages) removeKey(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	return p.removed(c, p.service.RemovePasskey(c.Ctx(), c.Scope, p.token(c), id))
}

func (p pages) codes(c *ui.Context) error {
	recovery, err := p.service.RecoveryCodes(c.Ctx(), c.Scope, p.token(c))
	if err != nil {
		return err
	}
	return c.Render(codesPage(c, recovery))
}

func (p pages) renewCodes(c *ui.Context) error {
	if err := p.service.RenewRecoveryCodes(c.Ctx(), c.Scope, p.token(c)); err != nil {
		return err
	}
	return c.Redirect("/compte/codes-de-secours")
}

func (p pages) sawCodes(c *ui.Context) error {
	if err := p.service.SawRecoveryCodes(c.Ctx(), c.Scope, p.token(c)); err != nil {
		return err
	}
	return c.Redirect("/")
}

func (p pages) revoke(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	return p.revoked(c, p.service.Revoke(c.Ctx(), c.Scope, id))
}

func (p pages) revokeOthers(c *ui.Context) error {
	return p.revoked(c, p.service.RevokeOthers(c.Ctx(), c.Scope, p.token(c)))
}

func (p pages) revoked(c *ui.Context, err error) error {
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("identity.session.revoked"))
	return c.Redirect(AccountPath + "#sessions")
}

// deviceOf says a User-Agent in words. It is a hint for the person, nothing is
// decided on it.
func deviceOf(c *ui.Context, agent string) string {
	browser, system := known(agent, browsers()), known(agent, systems())
	if browser == "" || system == "" {
		return c.Loc.T("identity.device.unknown")
	}
	return c.Loc.T("identity.device", "browser", browser, "system", system)
}

type mark struct{ sign, name string }

// browsers and systems are in the order to look: Edge and Chrome also say
// "Safari", Android also says "Linux".
func browsers() []mark {
	return []mark{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
}

func systems() []mark {
	return []mark{{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
}

func known(agent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(agent, m.sign) {
			return m.name
		}
	}
	return ""
}
