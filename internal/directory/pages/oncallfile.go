package pages

import (
	"path"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// The addresses of files and calendars of on-call functions.
const (
	onCallFilesPath = OnCallPath + "/fichiers"
	linksPath       = OnCallPath + "/calendriers"
	// AgendaPath begins the secret addresses that calendar programs read.
	AgendaPath = "/agenda/"
)

func (p pages) onCallFileRoutes(r *ui.Router) {
	r.Get(onCallFilesPath, access.OnCallWrite, p.onCallFiles)
	r.Post(onCallFilesPath, access.OnCallWrite, p.uploadOnCall, ui.Upload(uploadLimit))
	r.Get(onCallFilesPath+"/{id}", access.OnCallWrite, p.onCallFile)
	r.Post(onCallFilesPath+"/{id}/confirmer", access.OnCallWrite, p.confirmOnCall)
	r.Post(onCallFilesPath+"/{id}/annuler", access.OnCallWrite, p.undoOnCall)
	r.Get(functionsPath+"/{id}/calendriers", access.OnCallWrite, p.calendars)
	r.Post(functionsPath+"/{id}/calendriers", access.OnCallWrite, p.openCalendar)
	r.Post(linksPath+"/{calendrier}/fermer", access.OnCallWrite, p.closeCalendar)
	r.Get(AgendaPath+"{code}", ui.Public, p.agenda, ui.Bare())
}

// fileDraft is what the page of files shows.
type fileDraft struct {
	list      []oncall.Import
	functions []ui.Choice
}

func (p pages) fileDraft(c *ui.Context) (d fileDraft, err error) {
	if d.list, err = p.desk.Imports(c.Ctx(), c.Scope); err != nil {
		return d, err
	}
	all, err := p.desk.Functions(c.Ctx(), c.Scope)
	d.functions = []ui.Choice{{Value: "", Label: c.Loc.T("directory.page.oncall.file.by_column")}}
	for _, f := range all {
		d.functions = append(d.functions, ui.Choice{Value: f.ID.String(), Label: f.Name})
	}
	return d, err
}

func (p pages) onCallFiles(c *ui.Context) error {
	d, err := p.fileDraft(c)
	if err != nil {
		return err
	}
	return c.Render(onCallFilesPage(c, c.NewForm(nil), d))
}

// uploadOnCall reads a file beside what counts: nothing changes yet.
func (p pages) uploadOnCall(c *ui.Context) error {
	f := c.Form()
	i, err := p.stageOnCall(c, f)
	if err != nil {
		d, derr := p.fileDraft(c)
		if derr != nil {
			return derr
		}
		return c.Refill(f, err, onCallFilesPage(c, f, d))
	}
	return c.Redirect(onCallFilesPath + "/" + i.ID.String())
}

func (p pages) stageOnCall(c *ui.Context, f *ui.Form) (oncall.Import, error) {
	file, header, err := c.File("fichier")
	if err != nil {
		return oncall.Import{}, err
	}
	function := optional(f.Value("fonction"))
	if strings.EqualFold(path.Ext(header.Filename), ".ics") {
		i, err := p.desk.StageCalendar(c.Ctx(), c.Scope, file, header.Filename, function)
		return i, atFile(err)
	}
	src, err := table.Open(file, header.Size, header.Filename, table.DefaultLimits())
	if err != nil {
		return oncall.Import{}, atFile(err)
	}
	i, err := p.desk.StageTable(c.Ctx(), c.Scope, src, header.Filename, function)
	if closed := src.Close(); err == nil {
		err = closed
	}
	return i, atFile(err)
}

// fileView is one file, with what it brings.
type fileView struct {
	oncall.Import
	list  []oncall.Replacement
	names map[uuid.UUID]string
}

func (p pages) onCallFile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	v := fileView{}
	if v.Import, v.list, v.names, err = p.desk.Import(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	return c.Render(onCallFilePage(c, v))
}

func (p pages) confirmOnCall(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.desk.Confirm(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.file.applied"))
	return c.Redirect(OnCallPath)
}

func (p pages) undoOnCall(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.desk.Undo(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.file.undone"))
	return c.Redirect(onCallFilesPath)
}

func fileTone(s oncall.ImportState) ui.Tone {
	switch s {
	case oncall.Current:
		return ui.Success
	case oncall.Ready:
		return ui.Attention
	case oncall.Undone:
	}
	return ui.Neutral
}

// linked is the open calendars of a function and of its people.
type linked struct {
	rota
	links []oncall.Link
	// made is the address just opened: it is shown once.
	made     string
	subjects []ui.Choice
}

func (p pages) linked(c *ui.Context) (linked, error) {
	v, err := p.rota(c)
	if err != nil {
		return linked{}, err
	}
	out := linked{rota: v, subjects: []ui.Choice{{Value: "", Label: c.Loc.T("directory.page.oncall.calendars.function", "name", v.Function.Name)}}}
	if out.links, err = p.desk.Calendars(c.Ctx(), c.Scope, oncall.OfFunction, v.Function.ID); err != nil {
		return out, err
	}
	offered := map[uuid.UUID]bool{}
	for _, r := range v.Function.Rotations {
		for _, id := range r.Members {
			if _, known := v.People[id]; !known || offered[id] {
				continue
			}
			offered[id] = true
			out.subjects = append(out.subjects, ui.Choice{Value: id.String(), Label: v.who(c, id)})
			own, err := p.desk.Calendars(c.Ctx(), c.Scope, oncall.OfPerson, id)
			if err != nil {
				return out, err
			}
			out.links = append(out.links, own...)
		}
	}
	return out, nil
}

// subjectWord says whose calendar one is.
func (v linked) subjectWord(c *ui.Context, l oncall.Link) string {
	if l.Subject == oncall.OfPerson {
		return v.who(c, l.Of)
	}
	return c.Loc.T("directory.page.oncall.calendars.function", "name", v.Function.Name)
}

func (p pages) calendars(c *ui.Context) error {
	v, err := p.linked(c)
	if err != nil {
		return err
	}
	return c.Render(calendarsPage(c, c.NewForm(nil), v))
}

func (p pages) openCalendar(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form()
	subject, of := oncall.OfFunction, id
	if person := optional(f.Value("sujet")); person != uuid.Nil {
		subject, of = oncall.OfPerson, person
	}
	_, code, err := p.desk.OpenCalendar(c.Ctx(), c.Scope, subject, of)
	if err != nil {
		return err
	}
	v, err := p.linked(c)
	if err != nil {
		return err
	}
	v.made = p.agendas + code
	c.Writer.Header().Set("Cache-Control", "no-store")
	return c.Render(calendarsPage(c, f, v))
}

func (p pages) closeCalendar(c *ui.Context) error {
	id, err := c.ID("calendrier")
	if err != nil {
		return err
	}
	l, err := p.desk.CloseCalendar(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.calendars.closed"))
	if l.Subject == oncall.OfFunction {
		return c.Redirect(functionPath(l.Of, "/calendriers"))
	}
	return c.Redirect(OnCallPath)
}

// agenda is a calendar as programs read it: without a session, by its secret.
func (p pages) agenda(c *ui.Context) error {
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return fault.New(fault.TooMany, "directory.page.confirm.too_many")
	}
	text, err := p.desk.ICS(c.Ctx(), strings.TrimSuffix(c.PathValue("code"), ".ics"), c.Now)
	p.codes.Tried(address, err == nil, c.Now)
	if err != nil {
		return err
	}
	w := c.Download("astreintes.ics", "text/calendar; charset=utf-8")
	w.Header().Set("Cache-Control", "private, max-age=900")
	_, err = w.Write(text)
	return err
}
