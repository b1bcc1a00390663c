package pages

import (
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
	"tocsin/internal/ui"
)

// uploadLimit is what a page takes at once; larger files come with the token of
// the source, or in a folder.
const uploadLimit = 1 << 30

// fileRoutes are the pages of the sources that give files.
func (p pages) fileRoutes(r *ui.Router) {
	one := SourcesPath + "/{id}"
	r.Get(one+"/fichiers", access.TracesRead, p.fileList)
	r.Post(one+"/fichiers", access.TracesSource, p.giveFile, ui.Upload(uploadLimit))
	r.Post(one+"/fichiers/{fichier}/arreter", access.TracesSource, p.cancelFile)
	r.Post(one+"/fichiers/{fichier}/reprendre", access.TracesSource, p.resumeFile)
	r.Get(one+"/fichiers/{fichier}/colonnes", access.TracesSource, p.columns)
	r.Post(one+"/fichiers/{fichier}/colonnes", access.TracesSource, p.mapColumns)
	p.folderRoutes(r)
}

func filesPath(source uuid.UUID) string { return SourcePath(source) + "/fichiers" }

func filePath(f files.File, under string) string {
	return filesPath(f.Source) + "/" + f.ID.String() + under
}

// stack is what a source gave.
type stack struct {
	source traces.Source
	list   []files.File
	saved  files.Saved
	past   []files.Saved
	busy   bool
}

func (p pages) stack(c *ui.Context) (s stack, err error) {
	if s.source, err = p.one(c); err != nil {
		return s, err
	}
	if s.list, err = p.files.Files(c.Ctx(), c.Scope, s.source.ID); err != nil {
		return s, err
	}
	for _, f := range s.list {
		s.busy = s.busy || f.State == files.Waiting || f.State == files.Reading
	}
	if !mayKeep(c) {
		return s, nil
	}
	if s.saved, err = p.files.Mapping(c.Ctx(), c.Scope, s.source.ID); err != nil && !fault.Is(err, fault.Invalid) {
		return s, err
	}
	s.past, err = p.files.Versions(c.Ctx(), c.Scope, s.source.ID)
	return s, err
}

func (p pages) fileList(c *ui.Context) error {
	s, err := p.stack(c)
	if err != nil {
		return err
	}
	return c.Render(filesPage(c, c.NewForm(nil), s))
}

// giveFile takes a file; one whose columns nobody told goes to the assistant.
func (p pages) giveFile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f, err := p.receive(c, id)
	if err != nil {
		s, serr := p.stack(c)
		if serr != nil {
			return serr
		}
		return c.Refill(c.Form(), err, filesPage(c, c.Form(), s))
	}
	switch {
	case f.Again:
		c.Flash(ui.Information, c.Loc.T("traces.files.page.again", "name", f.Name))
	case f.State == files.Unmapped:
		return c.Redirect(filePath(f, "/colonnes"))
	default:
		c.Flash(ui.Success, c.Loc.T("traces.files.page.taken", "name", f.Name))
	}
	return c.Redirect(filesPath(id))
}

func (p pages) receive(c *ui.Context, source uuid.UUID) (files.File, error) {
	content, header, err := c.File("fichier")
	if err != nil {
		return files.File{}, err
	}
	return p.files.Give(c.Ctx(), c.Scope, source, header.Filename, content)
}

// asked is the file of an address, which must be of the source of the address.
func (p pages) asked(c *ui.Context) (files.File, error) {
	source, err := c.ID("id")
	if err != nil {
		return files.File{}, err
	}
	id, err := c.ID("fichier")
	if err != nil {
		return files.File{}, err
	}
	f, err := p.files.File(c.Ctx(), c.Scope, id)
	if err == nil && f.Source != source {
		return f, fault.New(fault.NotFound, "traces.files.unknown")
	}
	return f, err
}

func (p pages) cancelFile(c *ui.Context) error {
	f, err := p.asked(c)
	if err != nil {
		return err
	}
	return p.turned(c, f, "traces.files.page.cancelled")(p.files.Cancel(c.Ctx(), c.Scope, f.ID))
}

func (p pages) resumeFile(c *ui.Context) error {
	f, err := p.asked(c)
	if err != nil {
		return err
	}
	return p.turned(c, f, "traces.files.page.resumed")(p.files.Resume(c.Ctx(), c.Scope, f.ID))
}

// turned tells what became of a file, and goes back to the list.
func (p pages) turned(c *ui.Context, f files.File, key string) func(files.File, error) error {
	return func(_ files.File, err error) error {
		switch {
		case fault.Is(err, fault.Conflict):
			c.Flash(ui.Attention, c.Loc.Fault(err))
		case err != nil:
			return err
		default:
			c.Flash(ui.Success, c.Loc.T(key, "name", f.Name))
		}
		return c.Redirect(filesPath(f.Source))
	}
}

func fileTone(f files.File) ui.Tone {
	switch f.State {
	case files.Done:
		return ui.Success
	case files.Refused:
		return ui.Alert
	case files.Unmapped:
		return ui.Attention
	case files.Cancelled:
		return ui.Neutral
	}
	return ui.Information
}

// originWord says how a file came, and by whom.
func originWord(c *ui.Context, f files.File) string {
	word := c.Loc.T("traces.files.origin." + f.Origin)
	if f.By != "" {
		word += ", " + f.By
	}
	return word
}

// done is how much of a file was read, in thousandths: bytes tell it but in a
// workbook.
func done(f files.File) int {
	if f.Size == 0 {
		return 0
	}
	return int(f.Read.Offset * 1000 / f.Size)
}

// givesFiles tells a source whose traces come in files.
func (p pages) givesFiles(s traces.Source) bool { return p.files != nil && s.Format == columns.Files }
