package pages

import (
	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/ui"
)

// RosterPath is where the plannings are kept.
const RosterPath = "/annuaire/planning"

func (p pages) rosterRoutes(r *ui.Router) {
	r.Get(RosterPath, access.DirectoryImport, p.rosters)
	r.Post(RosterPath, access.DirectoryImport, p.uploadRoster, ui.Upload(uploadLimit))
	r.Get(RosterPath+"/{id}", access.DirectoryImport, p.roster)
	r.Post(RosterPath+"/{id}/confirmer", access.DirectoryImport, p.confirmRoster)
	r.Post(RosterPath+"/{id}/annuler", access.DirectoryImport, p.undoRoster)
}

// plannings is what the page of plannings shows.
type plannings struct {
	list []directory.Roster
	now  directory.Coverage
}

func (p pages) plannings(c *ui.Context) (out plannings, err error) {
	if out.list, err = p.d.Rosters(c.Ctx(), c.Scope); err != nil {
		return out, err
	}
	out.now, err = p.d.Duties(c.Ctx(), c.Scope, c.Now)
	return out, err
}

func (p pages) rosters(c *ui.Context) error {
	v, err := p.plannings(c)
	if err != nil {
		return err
	}
	return c.Render(rostersPage(c, c.NewForm(map[string]string{"source": "Soins"}), v))
}

// uploadRoster reads the planning beside the one in use: nothing changes yet.
func (p pages) uploadRoster(c *ui.Context) error {
	f := c.Form()
	r, err := p.stageRoster(c, f)
	if err != nil {
		v, lerr := p.plannings(c)
		if lerr != nil {
			return lerr
		}
		return c.Refill(f, err, rostersPage(c, f, v))
	}
	return c.Redirect(rosterPath(r, ""))
}

func (p pages) stageRoster(c *ui.Context, f *ui.Form) (directory.Roster, error) {
	file, header, err := c.File("fichier")
	if err != nil {
		return directory.Roster{}, err
	}
	src, err := table.Open(file, header.Size, header.Filename, table.DefaultLimits())
	if err != nil {
		return directory.Roster{}, atFile(err)
	}
	r, err := p.d.StageRoster(c.Ctx(), c.Scope, src, directory.File{Name: header.Filename, Source: cut(f.Value("source"), 60)})
	if closed := src.Close(); err == nil {
		err = closed
	}
	return r, atFile(err)
}

func rosterPath(r directory.Roster, under string) string {
	return RosterPath + "/" + r.ID.String() + under
}

func (p pages) roster(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	r, err := p.d.Roster(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	return c.Render(rosterPage(c, r))
}

func (p pages) confirmRoster(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.d.ConfirmRoster(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	return c.Redirect(RosterPath)
}

func (p pages) undoRoster(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.d.UndoRoster(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	return c.Redirect(RosterPath)
}

// days says the days a planning speaks of.
func days(c *ui.Context, r directory.Roster) string {
	return c.Loc.T("directory.page.roster.days", "from", c.Loc.Date(r.From, c.Zone), "to", c.Loc.Date(r.To.Add(-1), c.Zone))
}

func rosterTone(r directory.Roster) ui.Tone {
	switch r.State {
	case directory.RosterCurrent:
		return ui.Success
	case directory.RosterReady:
		return ui.Attention
	}
	return ui.Neutral
}
