package pages

import (
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// sheet is the form of a gateway: the settings everybody gives, then those
// whose default suits nearly everybody.
type sheet struct {
	kind          channels.Description
	main, details []channels.Field
	// exists tells that secrets are kept already.
	exists bool
}

func newSheet(kind channels.Description, exists bool) sheet {
	s := sheet{kind: kind, exists: exists}
	last := -1 // the last field nobody can do without
	for i, f := range kind.Fields {
		if f.Required && f.Default == "" || f.Type == channels.Secret && !f.Drawn {
			last = i
		}
	}
	for i, f := range kind.Fields {
		if f.Drawn || i > last && f.Default != "" {
			s.details = append(s.details, f)
		} else {
			s.main = append(s.main, f)
		}
	}
	return s
}

// open tells whether the details must be seen: something in them is wrong.
func (s sheet) open(f *ui.Form) bool {
	return len(f.Errors("in_flight")) > 0 || slices.ContainsFunc(s.details, func(d channels.Field) bool { return len(f.Errors(d.Name)) > 0 })
}

// values fills a form with the settings of a gateway, or with the defaults.
func (s sheet) values(settings channels.Settings) map[string]string {
	out := map[string]string{}
	for _, f := range s.kind.Fields {
		v, given := settings[f.Name]
		if !given {
			v = f.Default
		}
		switch {
		case f.Type == channels.Secret:
			v = ""
		case f.Type == channels.Bool && v == "true":
			v = "oui"
		}
		out[f.Name] = v
	}
	return out
}

// read takes the settings out of what was posted. Priority and flight are
// checked by the operation when they are numbers.
func (s sheet) read(f *ui.Form) dispatch.GatewayInput {
	in := dispatch.GatewayInput{
		Kind: s.kind.Kind, Name: f.Value("name"), Settings: channels.Settings{}, Fares: f.Value("fares"), Enabled: f.Checked("enabled", "oui"),
		Priority: f.Int("priority", 1, 99), InFlight: f.Int("in_flight", 1, 1<<20),
	}
	for _, field := range s.kind.Fields {
		v := f.Value(field.Name)
		if field.Type == channels.Bool {
			v = strconv.FormatBool(f.Checked(field.Name, "oui"))
		}
		in.Settings[field.Name] = v
	}
	return in
}

// word is the label of a setting.
func (s sheet) word(loc *i18n.Localizer, f channels.Field) string {
	return loc.T("channels." + s.kind.Kind + "." + f.Name)
}

// hint is the help of a setting; a secret that is kept says so.
func (s sheet) hint(loc *i18n.Localizer, f channels.Field) string {
	text := ""
	if key := "channels." + s.kind.Kind + "." + f.Name + ".help"; loc.Has(key) {
		text = loc.T("channels." + s.kind.Kind + "." + f.Name + ".help")
	}
	if f.Type == channels.Secret && s.exists {
		return loc.T("dispatch.page.secret.kept")
	}
	return text
}

func (s sheet) choices(loc *i18n.Localizer, f channels.Field) []ui.Choice {
	out := make([]ui.Choice, len(f.Choices))
	for i, v := range f.Choices {
		out[i] = ui.Choice{Value: v, Label: loc.T("channels." + s.kind.Kind + "." + f.Name + "." + v)}
	}
	return out
}

// shown is a setting as a person who may not change it reads it.
func (s sheet) shown(loc *i18n.Localizer, f channels.Field, v string) string {
	switch {
	case f.Type == channels.Secret:
		return loc.T("dispatch.page.secret.hidden")
	case v == "":
		return loc.T("dispatch.page.not_given")
	case f.Type == channels.Bool && v == "true":
		return loc.T("common.yes")
	case f.Type == channels.Bool:
		return loc.T("common.no")
	case f.Type == channels.Choice:
		return loc.T("channels." + s.kind.Kind + "." + f.Name + "." + v)
	}
	return v
}

func kindWord(loc *i18n.Localizer, kind string) string {
	if !loc.Has("channels." + kind) {
		return kind
	}
	return loc.T("channels." + kind)
}

// newGateway asks for the kind first: the form follows from it.
func (p pages) newGateway(c *ui.Context) error {
	kind, ok := p.kind(c.FormValue("sorte"))
	if !ok {
		return c.Render(kindPage(c, p.d.Kinds()))
	}
	s := newSheet(kind, false)
	values := s.values(nil)
	values["name"], values["priority"], values["enabled"], values["in_flight"] = kindWord(c.Loc, kind.Kind), "1", "oui", ""
	return c.Render(addPage(c, c.NewForm(values), s))
}

func (p pages) add(c *ui.Context) error {
	f := c.Form()
	kind, ok := p.kind(f.Value("sorte"))
	if !ok {
		return c.Status(422).Render(kindPage(c, p.d.Kinds()))
	}
	s := newSheet(kind, false)
	in := s.read(f)
	f.Require("name")
	if !f.Valid() {
		return c.Refill(f, nil, addPage(c, f, s))
	}
	g, err := p.d.CreateGateway(c.Ctx(), c.Scope, c.Now, in)
	if err != nil {
		return c.Refill(f, err, addPage(c, f, s))
	}
	c.Flash(ui.Success, c.Loc.T("dispatch.page.added", "name", g.Name))
	return c.Redirect(GatewayPath(g.ID))
}

// known is the gateway of the address with the form of its kind.
func (p pages) known(c *ui.Context) (dispatch.Gateway, sheet, error) {
	panel, _, err := p.panel(c)
	if err != nil {
		return dispatch.Gateway{}, sheet{}, err
	}
	kind, ok := p.kind(panel.Gateway.Kind)
	if !ok {
		return dispatch.Gateway{}, sheet{}, fault.New(fault.NotFound, "channels.unknown_kind", "kind", panel.Gateway.Kind)
	}
	return panel.Gateway, newSheet(kind, true), nil
}

func (p pages) edit(c *ui.Context) error {
	g, s, err := p.known(c)
	if err != nil {
		return err
	}
	values := s.values(g.Settings)
	values["name"], values["priority"], values["in_flight"] = g.Name, strconv.Itoa(g.Priority), strconv.Itoa(g.InFlight)
	values["fares"] = g.Fares
	if g.Enabled {
		values["enabled"] = "oui"
	}
	return c.Render(editPage(c, c.NewForm(values), g, s))
}

func (p pages) save(c *ui.Context) error {
	g, s, err := p.known(c)
	if err != nil {
		return err
	}
	f := c.Form()
	in := s.read(f)
	f.Require("name")
	if !f.Valid() {
		return c.Refill(f, nil, editPage(c, f, g, s))
	}
	if _, err := p.d.UpdateGateway(c.Ctx(), c.Scope, c.Now, g.ID, in); err != nil {
		return c.Refill(f, err, editPage(c, f, g, s))
	}
	c.Flash(ui.Success, c.Loc.T("dispatch.page.saved", "name", in.Name))
	return c.Redirect(GatewayPath(g.ID))
}

// faresShown is where a gateway sends and for how much, as a person reads it.
func faresShown(c *ui.Context, text string) string {
	fares, err := dispatch.ParseFares(text)
	if err != nil || len(fares) == 0 {
		return c.Loc.T("dispatch.page.fares.all")
	}
	var out []string
	for _, r := range dispatch.Routes() {
		price, there := fares[r]
		switch {
		case !there:
		case price < 0:
			out = append(out, dispatch.RouteWord(c.Loc, r))
		default:
			out = append(out, c.Loc.T("dispatch.page.fares.one", "route", dispatch.RouteWord(c.Loc, r), "price", c.Loc.Decimal(float64(price)/1e6, 3)))
		}
	}
	return strings.Join(out, ", ")
}

// troubleWords say since when a provider refuses us, and who knows of it.
func troubleWords(c *ui.Context, t dispatch.Trouble) string {
	words := c.Loc.T("dispatch.page.trouble", "at", c.Loc.DateTime(t.Since, c.Zone), "reason", c.Loc.T("channels.reason."+string(t.Reason)))
	if !t.Told.IsZero() {
		words += " " + c.Loc.T("dispatch.page.trouble.told", "at", c.Loc.Clock(t.Told, c.Zone))
	}
	return words
}
