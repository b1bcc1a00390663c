package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/pull"
	"tocsin/internal/ui"
)

// pullRoutes are the pages of the sources whose table of audit is read.
func (p pages) pullRoutes(r *ui.Router) {
	one := SourcesPath + "/{id}/table"
	r.Get(one, access.TracesSource, p.pull)
	r.Get(one+"/connexion", access.TracesSource, p.connecting)
	r.Post(one+"/connexion", access.TracesSource, p.connect, ui.Lasting(patience))
	r.Get(one+"/choix", access.TracesSource, p.choosing, ui.Lasting(patience))
	r.Post(one+"/choix", access.TracesSource, p.choose, ui.Lasting(patience))
	r.Get(one+"/rythme", access.TracesSource, p.pacing)
	r.Post(one+"/rythme", access.TracesSource, p.pace)
	r.Get(one+"/colonnes", access.TracesSource, p.tableColumns, ui.Lasting(patience))
	r.Post(one+"/colonnes", access.TracesSource, p.mapTable, ui.Lasting(patience))
	r.Post(one+"/suspendre", access.TracesSource, p.pausePull)
	r.Post(one+"/reprendre", access.TracesSource, p.resumePull)
}

func tablePath(s traces.Source) string { return SourcePath(s.ID) + "/table" }

// register is the table of audit of a source.
type register struct {
	source traces.Source
	pull   pull.Pull
	saved  files.Saved
	tables []pull.Table
}

func (p pages) register(c *ui.Context) (r register, err error) {
	if r.source, err = p.one(c); err != nil {
		return r, err
	}
	if r.pull, err = p.pulls.Get(c.Ctx(), c.Scope, r.source.ID); err != nil {
		return r, err
	}
	r.saved, err = p.files.Mapping(c.Ctx(), c.Scope, r.source.ID)
	if fault.Is(err, fault.Invalid) {
		err = nil
	}
	return r, err
}

// pull shows how the table is read, or leads to what is to be told first.
func (p pages) pull(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	switch {
	case r.pull.State == "":
		return c.Redirect(tablePath(r.source) + "/connexion")
	case len(r.pull.Settings.Columns) == 0:
		return c.Redirect(tablePath(r.source) + "/choix")
	}
	return c.Render(pullPage(c, r))
}

func (p pages) connecting(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	w := r.pull.Settings
	if r.pull.State == "" {
		w = pull.Settings{Driver: pull.PostgreSQL, TLS: pull.TLSOn}
	}
	port := ""
	if w.Port > 0 {
		port = strconv.Itoa(w.Port)
	}
	return c.Render(connectPage(c, c.NewForm(map[string]string{"driver": w.Driver, "host": w.Host, "port": port, "database": w.Database, "user": w.User, "tls": w.TLS}), r))
}

// connect tries the connection, and keeps it when the database answers.
func (p pages) connect(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	f := c.Form()
	w := pull.Settings{Driver: f.Value("driver"), Host: f.Value("host"), Database: f.Value("database"), User: f.Value("user"), TLS: f.Value("tls")}
	if w.Port = pull.UsualPort(w.Driver); f.Value("port") != "" {
		w.Port = f.Int("port", 1, 65535)
	}
	if !f.Valid() {
		return c.Refill(f, nil, connectPage(c, f, r))
	}
	list := f.List("password")
	password := ""
	if len(list) > 0 {
		password = list[0]
	}
	if _, err := p.pulls.Connect(c.Ctx(), c.Scope, r.source.ID, w, password); err != nil {
		return c.Refill(f, err, connectPage(c, f, r))
	}
	c.Flash(ui.Success, c.Loc.T("traces.pull.page.connected"))
	return c.Redirect(tablePath(r.source) + "/choix")
}

// tableValue is a table in a form: whatever its names are made of.
func tableValue(t pull.Table) string {
	return url.QueryEscape(t.Schema) + "/" + url.QueryEscape(t.Name)
}

// readTable is the inverse; what is none is a table that no catalogue has.
func readTable(value string) pull.Table {
	schema, name, _ := strings.Cut(value, "/")
	var t pull.Table
	var err error
	if t.Schema, err = url.QueryUnescape(schema); err != nil {
		return pull.Table{}
	}
	if t.Name, err = url.QueryUnescape(name); err != nil {
		return pull.Table{}
	}
	return t
}

func (p pages) choosing(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	if r.pull.State == "" {
		return c.Redirect(tablePath(r.source))
	}
	f := c.NewForm(map[string]string{"table": tableValue(pull.Table{Schema: r.pull.Settings.Schema, Name: r.pull.Settings.Table})})
	if r.tables, err = p.pulls.Tables(c.Ctx(), c.Scope, r.source.ID); err != nil {
		return c.Refill(f, err, choosePage(c, f, r))
	}
	return c.Render(choosePage(c, f, r))
}

func (p pages) choose(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if _, err := p.pulls.Choose(c.Ctx(), c.Scope, r.source.ID, readTable(f.Value("table"))); err != nil {
		found, terr := p.pulls.Tables(c.Ctx(), c.Scope, r.source.ID)
		if terr == nil {
			r.tables = found
		}
		return c.Refill(f, err, choosePage(c, f, r))
	}
	return c.Redirect(tablePath(r.source) + "/colonnes")
}

func (p pages) pacing(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	w := r.pull.Settings
	if len(w.Columns) == 0 {
		return c.Redirect(tablePath(r.source))
	}
	values := map[string]string{"overlap": strconv.Itoa(w.Overlap), "rate": strconv.Itoa(w.Rate), "from": strconv.Itoa(w.From), "to": strconv.Itoa(w.To), "every": strconv.Itoa(w.Every)}
	for i, k := range w.Key {
		values["key"+strconv.Itoa(i+1)] = k
	}
	if len(w.Key) == 0 {
		values["key1"], values["overlap"] = likelyKey(w), "100"
	}
	return c.Render(pacePage(c, c.NewForm(values), r))
}

// likelyKey is the first column that counts, else the first that tells a time.
func likelyKey(w pull.Settings) string {
	for _, kind := range []string{pull.Number, pull.Time} {
		if i := slices.IndexFunc(w.Columns, func(c pull.Column) bool { return c.Kind == kind }); i >= 0 {
			return w.Columns[i].Name
		}
	}
	return ""
}

func (p pages) pace(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	f := c.Form()
	pace := pull.Pace{Overlap: f.Int("overlap", 0, 1_000_000), Rate: f.Int("rate", 1, 5000), From: f.Int("from", 0, 23), To: f.Int("to", 0, 23), Every: f.Int("every", 5, 24*3600)}
	for _, name := range []string{"key1", "key2"} {
		if k := f.Value(name); k != "" {
			pace.Key = append(pace.Key, k)
		}
	}
	if !f.Valid() {
		return c.Refill(f, nil, pacePage(c, f, r))
	}
	if _, err := p.pulls.Set(c.Ctx(), c.Scope, r.source.ID, pace); err != nil {
		if e := fault.As(err); e != nil && e.Field == "key" {
			err = e.At("key1")
		}
		return c.Refill(f, err, pacePage(c, f, r))
	}
	c.Flash(ui.Success, c.Loc.T("traces.pull.page.begins"))
	return c.Redirect(tablePath(r.source))
}

func (p pages) pausePull(c *ui.Context) error  { return p.turnPull(c, true) }
func (p pages) resumePull(c *ui.Context) error { return p.turnPull(c, false) }

func (p pages) turnPull(c *ui.Context, pause bool) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	switch err := p.pulls.Pause(c.Ctx(), c.Scope, id, pause); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	}
	return c.Redirect(SourcePath(id) + "/table")
}

// tableAssistant is the assistant for the rows of a table.
func (p pages) tableAssistant(c *ui.Context) (a assistant, err error) {
	if a.source, err = p.one(c); err != nil {
		return a, err
	}
	a.at, a.back, a.title = tablePath(a.source)+"/colonnes", tablePath(a.source), a.source.Name
	a.sample, a.problem = p.pulls.Sample(c.Ctx(), c.Scope, a.source.ID, lookRows)
	if a.problem != nil && !fault.Is(a.problem, fault.Invalid) {
		return a, a.problem
	}
	return a, nil
}

func (p pages) tableColumns(c *ui.Context) error {
	r, err := p.register(c)
	if err != nil {
		return err
	}
	if len(r.pull.Settings.Columns) == 0 {
		return c.Redirect(tablePath(r.source))
	}
	a, err := p.tableAssistant(c)
	if err != nil {
		return err
	}
	saved, err := p.files.Mapping(c.Ctx(), c.Scope, a.source.ID)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	var values map[string]string
	if _, err := saved.Mapping.Plan(a.sample.Header, a.source.Location(), columns.Pull); saved.Version > 0 && err == nil {
		values = fill(c.Loc, saved.Mapping, a.sample.Header)
		values["kind"] = columns.Table
	} else {
		values = a.guess(c.Loc, a.sample.Cut)
	}
	f := c.NewForm(values)
	a.show(c, f)
	return c.Render(columnsPage(c, f, a))
}

func (p pages) mapTable(c *ui.Context) error {
	a, err := p.tableAssistant(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if a.problem != nil {
		return c.Refill(f, a.problem, columnsPage(c, f, a))
	}
	m, err := mappingOf(c.Loc, f, columns.Cut{Kind: columns.Table}, a.sample.Header)
	if err == nil && f.Value("faire") == "enregistrer" {
		_, err = p.files.Save(c.Ctx(), c.Scope, a.source.ID, m)
		if err == nil {
			return c.Redirect(tablePath(a.source) + "/rythme")
		}
	}
	if a.show(c, f); err != nil {
		return c.Refill(f, err, columnsPage(c, f, a))
	}
	return c.Render(columnsPage(c, f, a))
}

// columnChoices are the columns of a table; none when it may be left out.
func columnChoices(c *ui.Context, r register, none bool) (out []ui.Choice) {
	if none {
		out = append(out, ui.Choice{Label: c.Loc.T("traces.pull.page.no_key")})
	}
	for _, col := range r.pull.Settings.Columns {
		out = append(out, ui.Choice{Value: col.Name, Label: col.Name + " (" + c.Loc.T("traces.pull.kind."+col.Kind) + ")"})
	}
	return out
}

func tableChoices(r register) (out []ui.Choice) {
	for _, t := range r.tables {
		out = append(out, ui.Choice{Value: tableValue(t), Label: t.Name, Group: t.Schema})
	}
	return out
}

// hoursWord says when the database may be asked.
func hoursWord(c *ui.Context, w pull.Settings) string {
	if w.From == w.To {
		return c.Loc.T("traces.pull.page.always")
	}
	return c.Loc.T("traces.pull.page.between", "from", w.From, "to", w.To)
}
