package pages

import (
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/feed"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// FeedsPath is the list of the servers whose people are read.
const FeedsPath = "/annuaire/serveurs"

// feedKind is the one sort of server there is.
const feedKind = "ldap"

func feedPath(id uuid.UUID, under string) string { return FeedsPath + "/" + id.String() + under }

func (p pages) feedRoutes(r *ui.Router) {
	r.Get(FeedsPath, access.DirectoryImport, p.feedList)
	r.Get(FeedsPath+"/nouveau", access.ChannelWrite, p.newFeed)
	r.Post(FeedsPath+"/nouveau", access.ChannelWrite, p.addFeed)
	r.Get(FeedsPath+"/{id}", access.ChannelWrite, p.editFeed)
	r.Post(FeedsPath+"/{id}", access.ChannelWrite, p.saveFeed)
	r.Post(FeedsPath+"/{id}/essayer", access.DirectoryImport, p.tryFeed)
	r.Post(FeedsPath+"/{id}/lire", access.DirectoryImport, p.readFeed)
	r.Get(FeedsPath+"/{id}/supprimer", access.ChannelWrite, p.deletingFeed)
	r.Post(FeedsPath+"/{id}/supprimer", access.ChannelWrite, p.deleteFeed)
}

func (p pages) feedList(c *ui.Context) error {
	list, err := p.feeds.Feeds(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(feedsPage(c, list))
}

// server is what the form of a server shows.
type server struct {
	feed.Feed
	fields []feed.Field
}

func (p pages) newFeed(c *ui.Context) error {
	d, err := p.feeds.Describe(feedKind)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": "AD", "every": "24", "gone": "5", "enabled": "oui"})
	for _, field := range d.Fields {
		f.Set(settingName(field), field.Default)
	}
	return c.Render(feedForm(c, f, server{fields: d.Fields}))
}

func settingName(f feed.Field) string { return "ldap-" + f.Name }

func (p pages) server(c *ui.Context) (server, error) {
	id, err := c.ID("id")
	if err != nil {
		return server{}, err
	}
	f, err := p.feeds.Feed(c.Ctx(), c.Scope, id)
	if err != nil {
		return server{}, err
	}
	d, err := p.feeds.Describe(f.Kind)
	return server{Feed: f, fields: d.Fields}, err
}

func (p pages) editFeed(c *ui.Context) error {
	v, err := p.server(c)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": v.Name, "every": strconv.Itoa(v.EveryHours), "gone": strconv.Itoa(v.GoneMost)})
	if v.Enabled {
		f.Set("enabled", "oui")
	}
	for _, field := range v.fields {
		f.Set(settingName(field), v.Settings[field.Name])
	}
	return c.Render(feedForm(c, f, v))
}

func (p pages) addFeed(c *ui.Context) error {
	d, err := p.feeds.Describe(feedKind)
	if err != nil {
		return err
	}
	return p.writeFeed(c, server{Feed: feed.Feed{Kind: feedKind}, fields: d.Fields})
}

func (p pages) saveFeed(c *ui.Context) error {
	v, err := p.server(c)
	if err != nil {
		return err
	}
	return p.writeFeed(c, v)
}

func (p pages) writeFeed(c *ui.Context, v server) error {
	f := c.Form()
	number := func(name string) int {
		n, err := strconv.Atoi(f.Value(name))
		if err != nil {
			return -1
		}
		return n
	}
	v.Name, v.EveryHours, v.GoneMost, v.Enabled = f.Value("name"), number("every"), number("gone"), f.Checked("enabled", "oui")
	v.Settings = feed.Settings{}
	for _, field := range v.fields {
		v.Settings[field.Name] = f.Value(settingName(field))
		if field.Type == feed.Bool {
			v.Settings[field.Name] = strconv.FormatBool(f.Checked(settingName(field), "true"))
		}
	}
	saved, err := p.feeds.Save(c.Ctx(), c.Scope, v.Feed)
	if err != nil {
		if e := fault.As(err); e != nil {
			if _, ours := v.Settings[e.Field]; ours {
				err = e.At("ldap-" + e.Field)
			}
		}
		return c.Refill(f, err, feedForm(c, f, v))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.feed.saved", "name", saved.Name))
	return c.Redirect(FeedsPath)
}

// tryFeed connects and reads one entry.
func (p pages) tryFeed(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	err = p.feeds.Check(c.Ctx(), c.Scope, id)
	switch e := fault.As(err); {
	case err == nil:
		c.Flash(ui.Success, c.Loc.T("directory.page.feed.tried"))
	case e == nil, fault.Is(err, fault.NotFound) && e.Key == "directory.feed.not_found":
		return err
	default:
		c.Flash(ui.Alert, c.Loc.Fault(err))
	}
	return c.Redirect(FeedsPath)
}

// readFeed reads the server now: to look only, or to apply.
func (p pages) readFeed(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	i, err := p.feeds.Read(c.Ctx(), c.Scope, id, c.FormValue("faire") != "appliquer")
	switch e := fault.As(err); {
	case err == nil:
		return c.Redirect(importPath(i, ""))
	case e == nil, e.Key == "directory.feed.not_found", fault.Is(err, fault.Denied) && e.Key != "directory.feed.ldap.rights":
		return err
	}
	c.Flash(ui.Alert, c.Loc.Fault(err))
	return c.Redirect(FeedsPath)
}

func (p pages) deletingFeed(c *ui.Context) error {
	v, err := p.server(c)
	if err != nil {
		return err
	}
	return c.Render(deleteFeedPage(c, v))
}

func (p pages) deleteFeed(c *ui.Context) error {
	v, err := p.server(c)
	if err != nil {
		return err
	}
	if err := p.feeds.Delete(c.Ctx(), c.Scope, v.ID); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.feed.deleted", "name", v.Name))
	return c.Redirect(FeedsPath)
}

func settingLabel(c *ui.Context, f feed.Field) string {
	return c.Loc.T("directory.feed.ldap." + f.Name)
}

// settingHelp is empty for a setting that needs no word more.
func settingHelp(c *ui.Context, f feed.Field) string {
	if key := "directory.feed.ldap." + f.Name + ".help"; c.Loc.Has(key) {
		return c.Loc.T(key)
	}
	return ""
}

func settingChoices(c *ui.Context, f feed.Field) []ui.Choice {
	var out []ui.Choice
	for _, v := range f.Choices {
		out = append(out, ui.Choice{Value: v, Label: c.Loc.T("directory.feed.ldap." + f.Name + "." + v)})
	}
	return out
}

// settingSpec is the field of a form for a setting.
func settingSpec(c *ui.Context, f feed.Field) ui.FieldSpec {
	s := ui.FieldSpec{Name: settingName(f), Label: settingLabel(c, f), Hint: settingHelp(c, f), Required: f.Required, Autocomplete: "off", Wide: f.Type == feed.Text}
	switch f.Type {
	case feed.Secret:
		s.Type, s.Autocomplete = "password", "new-password"
	case feed.Number:
		s.Type, s.Min, s.Max = "number", strconv.Itoa(f.Min), strconv.Itoa(f.Max)
	case feed.LongText:
		s.Rows = 4
	}
	return s
}
