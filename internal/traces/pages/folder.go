package pages

import (
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/files"
	"tocsin/internal/ui"
)

// folderRoutes are the pages of the folder that is watched for a source.
func (p pages) folderRoutes(r *ui.Router) {
	r.Get(SourcesPath+"/{id}/dossier", access.TracesSource, p.folder)
	r.Post(SourcesPath+"/{id}/dossier", access.TracesSource, p.watchFolder)
}

// place is the folder of a source, and where one may be.
type place struct {
	source traces.Source
	folder files.Folder
	roots  []string
}

func (p pages) place(c *ui.Context) (out place, err error) {
	if out.source, err = p.one(c); err != nil {
		return out, err
	}
	out.roots = p.files.Roots(c.Scope)
	out.folder, err = p.files.Folder(c.Ctx(), c.Scope, out.source.ID)
	return out, err
}

func (p pages) folder(c *ui.Context) error {
	at, err := p.place(c)
	if err != nil {
		return err
	}
	values := map[string]string{"path": at.folder.Path, "patterns": strings.Join(at.folder.Patterns, " "), "way": at.folder.Way}
	if at.folder.Path == "" {
		values["patterns"], values["way"] = "*.csv *.xlsx", files.Move
	}
	return c.Render(folderPage(c, c.NewForm(values), at))
}

func (p pages) watchFolder(c *ui.Context) error {
	at, err := p.place(c)
	if err != nil {
		return err
	}
	f := c.Form()
	wanted := files.Folder{Source: at.source.ID, Path: f.Value("path"), Patterns: strings.Fields(f.Value("patterns")), Way: f.Value("way")}
	if err := p.files.Watch(c.Ctx(), c.Scope, wanted); err != nil {
		return c.Refill(f, err, folderPage(c, f, at))
	}
	key := "traces.folders.page.saved"
	if wanted.Path == "" {
		key = "traces.folders.page.stopped"
	}
	c.Flash(ui.Success, c.Loc.T(key))
	return c.Redirect(filesPath(at.source.ID))
}
