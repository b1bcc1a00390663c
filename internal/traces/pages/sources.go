package pages

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/ui"
)

// roll is the list of sources with what they say.
type roll struct {
	list    []traces.Source
	rates   map[uuid.UUID]traces.Rate
	formats bool
}

func (p pages) sources(c *ui.Context) (err error) {
	r := roll{formats: len(p.s.Formats()) > 0}
	if r.list, err = p.s.Sources(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if r.rates, err = p.s.Rates(c.Ctx(), c.Scope); err != nil {
		return err
	}
	return c.Render(sourcesPage(c, r))
}

// tableFilterFrom is from how many sources on one types to find one.
const tableFilterFrom = 10

// mark is a state with its tone.
type mark struct {
	tone ui.Tone
	text string
}

// marks are what is to be known of a source, the gravest first.
func marks(c *ui.Context, s traces.Source) []mark {
	var out []mark
	switch {
	case !s.Retired.IsZero():
		return []mark{{ui.Neutral, c.Loc.T("traces.source.state.retired")}}
	case !s.Silent.IsZero() && s.First.IsZero():
		out = append(out, mark{ui.Alert, c.Loc.T("traces.source.state.never_late", "since", c.Loc.Duration(c.Now.Sub(s.Created)))})
	case !s.Silent.IsZero():
		out = append(out, mark{ui.Alert, c.Loc.T("traces.source.state.silent", "since", c.Loc.Duration(c.Now.Sub(s.Last)))})
	case s.First.IsZero():
		out = append(out, mark{ui.Information, c.Loc.T("traces.source.state.never")})
	default:
		out = append(out, mark{ui.Success, c.Loc.T("traces.source.state.speaks")})
	}
	if s.Skew.Abs() >= traces.SkewTold {
		key := "traces.source.state.ahead"
		if s.Skew < 0 {
			key = "traces.source.state.behind"
		}
		out = append(out, mark{ui.Attention, c.Loc.T(key, "d", s.Skew.Abs())})
	}
	if s.Failures > 0 {
		out = append(out, mark{ui.Attention, c.Loc.N("traces.source.state.failures", int(s.Failures))})
	}
	return out
}

// rateWord says what was said in the last whole hour against what is usual.
func rateWord(c *ui.Context, r traces.Rate, known bool) string {
	switch {
	case !known:
		return c.Loc.T("traces.source.rate.none")
	case r.Usual < 0:
		return c.Loc.N("traces.source.rate.new", int(r.Said))
	}
	return c.Loc.N("traces.source.rate", int(r.Said), "usual", c.Loc.Int(int(r.Usual)))
}

// quietDefault is the silence that is told unless somebody says otherwise, in
// minutes: long enough for a night without anybody.
const quietDefault = 180

// draft is what the form of a source needs to know.
type draft struct {
	formats, items []ui.Choice
	source         traces.Source
}

func (p pages) draft(c *ui.Context, s traces.Source) (draft, error) {
	d := draft{source: s}
	for _, f := range p.s.Formats() {
		d.formats = append(d.formats, ui.Choice{Value: f.Name, Label: formatWord(c.Loc, f.Name)})
	}
	d.items = []ui.Choice{{Label: c.Loc.T("traces.source.form.no_item")}}
	if !c.May(access.InventoryRead) {
		return d, nil
	}
	list, err := p.items.Search(c.Ctx(), c.Scope, inventory.Filter{})
	for _, i := range list {
		if i.Kind != inventory.Supplier {
			d.items = append(d.items, ui.Choice{Value: i.ID.String(), Label: i.Name, Group: c.Loc.T("inventory.kind." + string(i.Kind))})
		}
	}
	slices.SortStableFunc(d.items[1:], func(a, b ui.Choice) int { return compare(a.Group+" "+a.Label, b.Group+" "+b.Label) })
	return d, err
}

func (p pages) newSource(c *ui.Context) error {
	d, err := p.draft(c, traces.Source{})
	if err != nil {
		return err
	}
	return c.Render(sourceFormPage(c, c.NewForm(map[string]string{"zone": c.Zone.String(), "quiet": strconv.Itoa(quietDefault)}), d))
}

// wanted reads the form of a source.
func wanted(c *ui.Context, f *ui.Form) traces.Wanted {
	w := traces.Wanted{Name: f.Value("name"), Format: f.Value("format"), Zone: f.Value("zone"), Addresses: f.Value("addresses"), Biomedical: f.Checked("biomedical", "oui")}
	w.Quiet = f.Int("quiet", 0, 31*24*60)
	if text := f.Value("item"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			f.Take(fault.Wrap(err, fault.Invalid, "inventory.not_found").At("item"))
		}
		w.Item = id
	}
	return w
}

func (p pages) addSource(c *ui.Context) error {
	f := c.Form()
	d, err := p.draft(c, traces.Source{})
	if err != nil {
		return err
	}
	w := wanted(c, f)
	if !f.Valid() {
		return c.Refill(f, nil, sourceFormPage(c, f, d))
	}
	s, token, err := p.s.Add(c.Ctx(), c.Scope, w)
	if err != nil {
		return c.Refill(f, err, sourceFormPage(c, f, d))
	}
	return p.showToken(c, s, token)
}

// showToken is the only page that ever says a token: it answers the POST that
// made it, and nothing keeps it.
func (p pages) showToken(c *ui.Context, s traces.Source, token string) error {
	c.Writer.Header().Set("Cache-Control", "no-store")
	return c.Render(tokenPage(c, s, token, p.recipes(c.Loc, s, token)))
}

// dossier is all that is shown of a source.
type dossier struct {
	traces.Sheet
	rate  traces.Rate
	heard bool
	// item is its name in the inventory, itemAt its sheet there.
	item, itemAt string
	// filesAt is where the files that it gives are; empty when it gives none.
	filesAt string
	// tableAt is where the table of audit that is read of it is told.
	tableAt string
	recipes []recipe
}

func (p pages) source(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	var d dossier
	if d.Sheet, err = p.s.Sheet(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	rates, err := p.s.Rates(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	d.rate, d.heard = rates[id]
	if d.Item != uuid.Nil && c.May(access.InventoryRead) {
		item, err := p.items.Get(c.Ctx(), c.Scope, d.Item)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		d.item, d.itemAt = item.Name, p.itemAt(d.Item)
	}
	if p.givesFiles(d.Source) {
		d.filesAt = filesPath(id)
	}
	if p.pulls != nil && d.Format == columns.Pull && mayKeep(c) && d.Retired.IsZero() {
		d.tableAt = tablePath(d.Source)
	}
	if mayKeep(c) && d.Retired.IsZero() {
		d.recipes = p.recipes(c.Loc, d.Source, c.Loc.T("traces.recipe.token"))
	}
	return c.Render(sourcePage(c, d))
}

// weekGroups are the hours of a source as bars are drawn from.
func weekGroups(c *ui.Context, hours []traces.Hour) []traces.Group {
	var out []traces.Group
	for _, h := range hours {
		key := h.From.In(c.Zone).Format("2006-01-02T15")
		if n := len(out); n > 0 && out[n-1].Keys[0] >= key {
			out[n-1].Count += h.Events // the hour that comes twice in autumn
			continue
		}
		out = append(out, traces.Group{Keys: []string{key}, Count: h.Events})
	}
	return out
}

// dayGroups are the same by day, for the table.
func dayGroups(c *ui.Context, hours []traces.Hour) (out []traces.Hour) {
	for _, h := range hours {
		day := h.From.In(c.Zone).Format(time.DateOnly)
		if n := len(out); n > 0 && out[n-1].From.In(c.Zone).Format(time.DateOnly) == day {
			out[n-1].Events, out[n-1].Failures = out[n-1].Events+h.Events, out[n-1].Failures+h.Failures
			continue
		}
		out = append(out, h)
	}
	return out
}

// reasonWord is why a message could not be read: the key of a fault, whose words
// may want what is not kept any more.
func reasonWord(loc *i18n.Localizer, key string) string {
	if loc.Has(key) {
		return loc.T(key)
	}
	return loc.T("traces.intake.unread")
}

func (p pages) one(c *ui.Context) (traces.Source, error) {
	id, err := c.ID("id")
	if err != nil {
		return traces.Source{}, err
	}
	return p.s.Source(c.Ctx(), c.Scope, id)
}

func (p pages) editSource(c *ui.Context) error {
	s, err := p.one(c)
	if err != nil {
		return err
	}
	d, err := p.draft(c, s)
	if err != nil {
		return err
	}
	values := map[string]string{"name": s.Name, "format": s.Format, "zone": s.Zone, "addresses": traces.WriteAddresses(s.Addresses), "quiet": strconv.Itoa(int(s.Quiet / time.Minute))}
	if s.Biomedical {
		values["biomedical"] = "oui"
	}
	if s.Item != uuid.Nil {
		values["item"] = s.Item.String()
	}
	return c.Render(sourceFormPage(c, c.NewForm(values), d))
}

func (p pages) saveSource(c *ui.Context) error {
	s, err := p.one(c)
	if err != nil {
		return err
	}
	f := c.Form()
	d, err := p.draft(c, s)
	if err != nil {
		return err
	}
	w := wanted(c, f)
	if !c.May(access.InventoryRead) {
		w.Item = s.Item
	}
	if !f.Valid() {
		return c.Refill(f, nil, sourceFormPage(c, f, d))
	}
	if s, err = p.s.Change(c.Ctx(), c.Scope, s.ID, w); err != nil {
		return c.Refill(f, err, sourceFormPage(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("traces.source.saved", "name", s.Name))
	return c.Redirect(SourcePath(s.ID))
}

func (p pages) renewing(c *ui.Context) error {
	s, err := p.one(c)
	if err != nil {
		return err
	}
	return c.Render(renewPage(c, s))
}

func (p pages) renew(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	s, token, err := p.s.Renew(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	return p.showToken(c, s, token)
}

func (p pages) retiring(c *ui.Context) error {
	s, err := p.one(c)
	if err != nil {
		return err
	}
	return c.Render(retirePage(c, s))
}

func (p pages) retire(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	s, err := p.s.Retire(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.source.retire.done", "name", s.Name))
	return c.Redirect(SourcePath(id))
}

func compare(a, b string) int {
	switch fa, fb := storage.Fold(a), storage.Fold(b); {
	case fa < fb:
		return -1
	case fa > fb:
		return 1
	}
	return 0
}
