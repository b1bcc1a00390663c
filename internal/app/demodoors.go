package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/demo"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	identitypages "tocsin/internal/identity/pages"
	"tocsin/internal/organisation"
	screenpages "tocsin/internal/screens/pages"
	"tocsin/internal/ui"
)

// demoPath begins the one-click links of the demonstration.
const demoPath = "/demonstration/"

// doors are the accounts of the demonstration with links that sign in by
// themselves: they type the password and the code as a person would, so that
// sign-in has no other way in than the real one. They exist in a demonstration
// only, on this machine only, and change at each start.
type doors struct {
	accounts *identity.Service
	clock    clock.Clock
	keys     map[string]demo.Account
	order    []string
}

// demoDoors makes the accounts of the demonstration.
func (h *House) demoDoors(ctx context.Context, e organisation.Establishment) (*doors, error) {
	all, err := demo.Accounts()
	if err != nil {
		return nil, err
	}
	d := &doors{accounts: h.Accounts, clock: h.Clock, keys: make(map[string]demo.Account, len(all))}
	scope := console().Within(e.ID)
	for _, a := range all {
		if a.TOTP, err = h.demoAccount(ctx, scope, a); err != nil {
			return nil, fmt.Errorf("demonstration account %s: %w", a.Login, err)
		}
		key := strings.ToLower(rand.Text())
		d.keys[key] = a
		d.order = append(d.order, key)
	}
	return d, nil
}

// demoAccount invites a person who accepts and sets up a second factor. A kept
// demonstration has the account already: its password is reset.
func (h *House) demoAccount(ctx context.Context, scope access.Scope, a demo.Account) (secret string, err error) {
	invited, err := h.Accounts.Add(ctx, scope, identity.NewAccount{Login: a.Login, Name: a.Name, Language: "fr", Roles: []access.Role{a.Role}})
	if fault.Is(err, fault.Conflict) {
		var known identity.Account
		if known, err = h.Accounts.ByLogin(ctx, console(), a.Login); err == nil {
			invited, err = h.Accounts.Reset(ctx, scope, known.ID, identity.ResetOptions{Factors: true})
		}
	}
	if err != nil {
		return "", err
	}
	here := identity.Client{Address: "127.0.0.1", Device: "demonstration"}
	step, err := h.Accounts.Accept(ctx, here, invited.Code, a.Password)
	if err != nil {
		return "", err
	}
	session, err := h.Accounts.Session(ctx, step.Token, here)
	if err != nil {
		return "", err
	}
	set, err := h.Accounts.BeginTOTP(ctx, session.Scope, step.Token)
	if err != nil {
		return "", err
	}
	secret = strings.ReplaceAll(set.Secret, " ", "")
	// The code of the step before now: the first sign-in may then use the present one.
	code, err := totp.GenerateCode(secret, h.Clock.Now().Add(-30*time.Second))
	if err != nil {
		return "", err
	}
	_, err = h.Accounts.ConfirmTOTP(ctx, session.Scope, step.Token, code)
	return secret, err
}

// register adds the one-click links to the pages.
func (d *doors) register(r *ui.Router) {
	r.Get(demoPath+"{key}", ui.Public, d.enter)
}

// enter signs in: password, then the code of the moment or of the next step,
// since each step's code works once.
func (d *doors) enter(c *ui.Context) error {
	a, ok := d.keys[c.PathValue("key")]
	if !ok {
		return fault.New(fault.NotFound, "identity.link.unknown")
	}
	here := identity.Client{Address: ui.AddressOf(c.Ctx()), Device: c.Request.UserAgent()}
	step, err := d.accounts.SignIn(c.Ctx(), here, a.Login, a.Password)
	if err != nil {
		return err
	}
	for _, later := range []time.Duration{0, 30 * time.Second} {
		code, cerr := totp.GenerateCode(a.TOTP, d.clock.Now().Add(later))
		if cerr != nil {
			return cerr
		}
		var proven identity.Step
		if proven, err = d.accounts.ProveCode(c.Ctx(), here, step.Token, code); err == nil {
			step = proven
			break
		}
	}
	if err != nil {
		return fault.Wrap(err, fault.TooMany, "app.demo.wait")
	}
	identitypages.Enter(c, d.accounts, step)
	return c.Redirect(HomePath)
}

// print tells the newcomer what to click.
func (d *doors) print(s *session, origin string) {
	s.printf("\n  Ouvrez un de ces liens dans un navigateur / open one of these links in a browser:\n")
	loc := s.words()
	for _, key := range d.order {
		a := d.keys[key]
		s.printf("    %-36s  %s%s%s", loc.T("access.role."+string(a.Role)), origin, demoPath, key)
	}
	s.printf("\n  Commencez par le déclencheur, puis « Déclencher » / begin with the alert launcher, then “Launch”.")
	s.printf("  Un écran de couloir : ouvrez %s%s, puis saisissez son code en administrateur, Administration, Écrans.", origin, screenpages.WallPath)
	s.printf("  A screen of a corridor: open that address, then type its code as the administrator, Administration, Screens.")
	s.printf("  Qui a ouvert un dossier ? En délégué à la protection des données : Traces, puis le patient %s.", DemoPatient)
	s.printf("  Who opened a record? As the data protection officer: Traces, then the patient of that number.")
	s.printf("  Ctrl-C pour arrêter / to stop.\n")
}
