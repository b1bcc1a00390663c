package pages

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/hl7"
	"tocsin/internal/ui"
)

// The addresses of who cares for whom.
const (
	CarePath      = Path + "/soins"
	careFilePath  = CarePath + "/fichiers"
	knownPath     = CarePath + "/connus"
	knownFilePath = knownPath + "/fichiers"
)

const (
	// fileLimit bounds a file, bytes; filePatience how long its passage may last.
	fileLimit    = 32 << 20
	filePatience = 10 * time.Minute
	// linesShown are the lines of a file that its page gives.
	linesShown  = 100
	sampleLines = 5
)

func careRoutes(r *ui.Router, p pages) {
	r.Get(CarePath, access.TracesRead, p.caring)
	// Who keeps the sources gives the files of care; who is well known is the data
	// protection officer's to say, by a door of his own.
	fileRoutes(r, p, careFilePath, access.TracesSource)
	fileRoutes(r, p, knownFilePath, access.TracesAsk)
	r.Post(CarePath+"/duree", access.TracesSource, p.careMonths)
	r.Get(knownPath, access.TracesAsk, p.knownOnes)
	r.Post(knownPath, access.TracesAsk, p.nameKnown)
	r.Post(knownPath+"/{id}/retirer", access.TracesAsk, p.unnameKnown)
}

func fileRoutes(r *ui.Router, p pages, path string, need access.Action) {
	r.Post(path, need, p.stage, ui.Upload(fileLimit), ui.Lasting(filePatience))
	r.Get(path+"/{id}", need, p.careFile)
	r.Post(path+"/{id}/importer", need, p.confirmFile, ui.Lasting(filePatience))
	r.Post(path+"/{id}/abandonner", need, p.abandonFile)
}

// fileAddress is the page of a file.
func fileAddress(one care.File) string {
	if one.Kind == care.WellKnowns {
		return knownFilePath + "/" + one.ID.String()
	}
	return careFilePath + "/" + one.ID.String()
}

// circle is what is known of who cares for whom.
type circle struct {
	census   care.Census
	duration care.Duration
	sources  []traces.Source
	heard    map[uuid.UUID][]care.Heard
	files    []care.File
}

func (p pages) circle(c *ui.Context) (out circle, err error) {
	if out.census, err = p.care.Census(c.Ctx(), c.Scope); err != nil {
		return out, err
	}
	if out.duration, err = p.care.Duration(c.Ctx(), c.Scope); err != nil {
		return out, err
	}
	all, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return out, err
	}
	for _, s := range all {
		if s.Format == hl7.Name {
			out.sources = append(out.sources, s)
		}
	}
	heard, err := p.care.Feeds(c.Ctx(), c.Scope)
	out.heard = map[uuid.UUID][]care.Heard{}
	for _, h := range heard {
		out.heard[h.Source] = append(out.heard[h.Source], h)
	}
	if err == nil {
		out.files, err = p.care.Files(c.Ctx(), c.Scope)
	}
	return out, err
}

// staffWords counts the people copied from the directory, and those who left.
func staffWords(c *ui.Context, members, left int64) string {
	if left == 0 {
		return c.Loc.N("traces.care.page.staff.all", int(members))
	}
	return c.Loc.N("traces.care.page.staff.of", int(members), "left", c.Loc.Int(int(left)))
}

func (p pages) caring(c *ui.Context) error {
	all, err := p.circle(c)
	if err != nil {
		return err
	}
	return c.Render(carePage(c, c.NewForm(map[string]string{"months": c.Loc.Int(all.duration.Months)}), all))
}

// refillCare shows the page again with what was wrong.
func (p pages) refillCare(c *ui.Context, f *ui.Form, err error) error {
	all, other := p.circle(c)
	if other != nil {
		return other
	}
	return c.Refill(f, err, carePage(c, f, all))
}

func (p pages) careMonths(c *ui.Context) error {
	f := c.Form()
	months := f.Int("months", care.MonthsLeast, care.MonthsMost)
	if !f.Valid() {
		return p.refillCare(c, f, nil)
	}
	if err := p.care.Decide(c.Ctx(), c.Scope, months); err != nil {
		return p.refillCare(c, f, err)
	}
	c.Flash(ui.Success, c.Loc.T("traces.care.page.months.done"))
	return c.Redirect(CarePath)
}

// stage reads a file into the waiting room and checks it: nothing else changes.
func (p pages) stage(c *ui.Context) error {
	f := c.Form()
	one, err := p.read(c, f)
	if err != nil {
		if e := fault.As(err); e != nil && e.Field == "" && e.Kind == fault.Invalid {
			err = e.At("fichier")
		}
		if care.FileKind(f.Value("nature")) == care.WellKnowns {
			return p.refillKnown(c, f, err)
		}
		return p.refillCare(c, f, err)
	}
	return c.Redirect(fileAddress(one))
}

func (p pages) read(c *ui.Context, f *ui.Form) (one care.File, err error) {
	file, header, err := c.File("fichier")
	if err != nil {
		return one, err
	}
	limits := table.DefaultLimits()
	limits.MaxRows = care.LinesMost
	src, err := table.Open(file, header.Size, header.Filename, limits)
	if err != nil {
		return one, err
	}
	one, err = p.care.Stage(c.Ctx(), c.Scope, care.FileKind(f.Value("nature")), header.Filename, src, c.Zone)
	if closed := src.Close(); err == nil {
		err = closed
	}
	return one, err
}

// checked is a file with the lines that its page gives.
type checked struct {
	care.File
	good, bad []care.Line
}

func (p pages) checked(c *ui.Context) (out checked, err error) {
	id, err := c.ID("id")
	if err != nil {
		return out, err
	}
	if out.File, err = p.care.File(c.Ctx(), c.Scope, id); err != nil {
		return out, err
	}
	if out.bad, err = p.care.Lines(c.Ctx(), c.Scope, id, true, linesShown); err != nil {
		return out, err
	}
	out.good, err = p.care.Lines(c.Ctx(), c.Scope, id, false, sampleLines)
	return out, err
}

func (p pages) careFile(c *ui.Context) error {
	one, err := p.checked(c)
	if err != nil {
		return err
	}
	return c.Render(careFilePage(c, one))
}

func (p pages) confirmFile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	one, err := p.care.Confirm(c.Ctx(), c.Scope, id, c.Zone)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.N("traces.care.page.file.done", one.Done))
	return c.Redirect(fileAddress(one))
}

func (p pages) abandonFile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.care.Abandon(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.care.page.file.abandoned"))
	return c.Redirect(CarePath)
}

// fileChoices are the kinds of files that the reader may give here.
func fileChoices(c *ui.Context) (out []ui.Choice) {
	for _, k := range care.FileKinds() {
		if k != care.WellKnowns && mayKeep(c) {
			out = append(out, ui.Choice{Value: string(k), Label: fileKindWord(c, k)})
		}
	}
	return out
}

func fileKindWord(c *ui.Context, k care.FileKind) string {
	return c.Loc.T("traces.care.page.kind." + string(k))
}

// columnWord is what a column of a file was understood as.
func columnWord(c *ui.Context, column care.Column) string {
	if column == care.ColIgnored {
		return c.Loc.T("traces.care.page.column.ignored")
	}
	return string(column)
}

// cellOf is a cell of a line, empty when the line is shorter than its header.
func cellOf(l care.Line, i int) string {
	if i < len(l.Cells) {
		return l.Cells[i]
	}
	return ""
}

func (p pages) knownOnes(c *ui.Context) error {
	list, err := p.care.WellKnown(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(knownPage(c, c.NewForm(nil), list))
}

func (p pages) nameKnown(c *ui.Context) error {
	f := c.Form()
	i := traces.Identity{INS: f.Value("ins")}
	if ipp := f.Value("ipp"); ipp != "" {
		i.IPP = []string{ipp}
	}
	f.Require("motif")
	err := error(nil)
	if f.Valid() {
		if err = p.care.Name(c.Ctx(), c.Scope, i, f.Value("motif")); err == nil {
			c.Flash(ui.Success, c.Loc.T("traces.care.page.known.added"))
			return c.Redirect(knownPath)
		}
	}
	return p.refillKnown(c, f, err)
}

func (p pages) refillKnown(c *ui.Context, f *ui.Form, err error) error {
	list, other := p.care.WellKnown(c.Ctx(), c.Scope)
	if other != nil {
		return other
	}
	return c.Refill(f, err, knownPage(c, f, list))
}

func (p pages) unnameKnown(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.care.Unname(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.care.page.known.removed"))
	return c.Redirect(knownPath)
}
