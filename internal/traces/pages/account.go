package pages

import (
	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
	"tocsin/internal/ui"
)

// The addresses of accounts. An account names somebody: it is posted, never part
// of an address.
const (
	AccountsPath = Path + "/comptes"
	sayPath      = AccountsPath + "/dire"
	unknownPath  = AccountsPath + "/inconnus"
)

// seenDays is how far back the accounts that are tied to nobody are looked for.
const seenDays = 30

func accountRoutes(r *ui.Router, p pages) {
	r.Get(AccountsPath, access.TracesRead, p.accounts)
	r.Post(AccountsPath, access.TracesRead, p.accounts)
	r.Post(unknownPath, access.TracesSource, p.unknown, ui.Lasting(patience))
	r.Get(sayPath, access.TracesSource, p.saying)
	r.Post(sayPath, access.TracesSource, p.say)
	r.Post(AccountsPath+"/oublier", access.TracesSource, p.forgetAccount)
}

// ledger is the list of accounts.
type ledger struct {
	list []care.Account
	// unknown are the accounts of the traces that are tied to nobody, when they
	// were asked for.
	asked   bool
	unknown []traces.Group
	known   int
	ready   bool
}

func (p pages) ledger(c *ui.Context, f *ui.Form) (r ledger, err error) {
	r.ready = p.s.Ready()
	r.list, err = p.care.Accounts(c.Ctx(), c.Scope, f.Value("q"))
	return r, err
}

// saidColumns are those of the table of accounts; what one may not change has no
// column for it.
func saidColumns(c *ui.Context) []ui.Column {
	all := []ui.Column{{Label: c.Loc.T("traces.field.account")}, {Label: c.Loc.T("traces.account.page.whose")}, {Label: c.Loc.T("traces.account.page.how")}}
	if mayKeep(c) {
		all = append(all, ui.Column{Label: c.Loc.T("common.edit")})
	}
	return all
}

func (p pages) accounts(c *ui.Context) error {
	f := c.Form()
	r, err := p.ledger(c, f)
	if err != nil {
		return err
	}
	return c.Render(accountsPage(c, f, r))
}

// unknown asks the base which accounts touched records, and shows those that are
// tied to nobody. It is posted: it is a look, and leaves a trace.
func (p pages) unknown(c *ui.Context) error {
	f := c.Form()
	r, err := p.ledger(c, f)
	if err != nil {
		return err
	}
	seen, err := p.s.SeenAccounts(c.Ctx(), c.Scope, traces.Period{From: c.Now.AddDate(0, 0, -seenDays), To: c.Now, Zone: c.Zone.String()})
	if err != nil {
		return err
	}
	var names []string
	for _, g := range seen.Groups {
		names = append(names, g.Keys[0])
	}
	known, err := p.care.Recognise(c.Ctx(), c.Scope, names)
	if err != nil {
		return err
	}
	r.asked = true
	for _, g := range seen.Groups {
		if _, tied := known[g.Keys[0]]; tied {
			r.known++
			continue
		}
		r.unknown = append(r.unknown, g)
	}
	return c.Render(accountsPage(c, f, r))
}

func (p pages) saying(c *ui.Context) error {
	return c.Render(sayPage(c, c.NewForm(map[string]string{"nature": string(care.OfPerson)})))
}

// say keeps what is said of an account; with « preparer » it only fills the form.
func (p pages) say(c *ui.Context) error {
	f := c.Form()
	if f.Value("preparer") != "" {
		a, err := p.care.Account(c.Ctx(), c.Scope, f.Value("compte"))
		if err != nil {
			return err
		}
		kind := a.Kind
		if kind == "" {
			kind = care.OfPerson
		}
		return c.Render(sayPage(c, c.NewForm(map[string]string{"compte": f.Value("compte"), "nature": string(kind), "ipp": a.IPP, "adresse": a.Address, "code_postal": a.Postal})))
	}
	err := p.care.Say(c.Ctx(), c.Scope, care.Said{
		Account: f.Value("compte"), Kind: care.Kind(f.Value("nature")), Matricule: f.Value("matricule"), IPP: f.Value("ipp"), Address: f.Value("adresse"), Postal: f.Value("code_postal"),
	})
	if err != nil {
		return c.Refill(f, err, sayPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("traces.account.page.done", "account", f.Value("compte")))
	return c.Redirect(AccountsPath)
}

func (p pages) forgetAccount(c *ui.Context) error {
	f := c.Form()
	if err := p.care.Forget(c.Ctx(), c.Scope, f.Value("compte")); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.account.page.forgotten", "account", f.Value("compte")))
	return c.Redirect(AccountsPath)
}

func accountKinds(c *ui.Context) (out []ui.Choice) {
	for _, k := range care.Kinds() {
		out = append(out, ui.Choice{Value: string(k), Label: accountKind(c, k)})
	}
	return out
}

func accountKind(c *ui.Context, k care.Kind) string {
	return c.Loc.T("traces.account.page.kind." + string(k))
}

// whose is the person of an account, in words.
func whose(c *ui.Context, a care.Account) string {
	switch {
	case a.PersonName != "":
		return a.PersonName
	case a.Kind != care.OfPerson:
		return accountKind(c, a.Kind)
	}
	return c.Loc.T("traces.account.page.nobody")
}
