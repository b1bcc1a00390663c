package pages

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// The addresses of the scenarios.
const (
	ScenariosPath       = "/scenarios"
	ScenarioLibraryPath = "/scenarios/bibliotheque"
	ScenarioNewPath     = "/scenarios/nouveau"
	// scenarioModelPath begins the preview of a model; its family follows.
	scenarioModelPath = "/scenarios/bibliotheque/modele/"
)

// ScenarioOptions are what the pages of scenarios rest on.
type ScenarioOptions struct {
	Service      *alerting.Service
	Directory    *directory.Directory
	Organisation *organisation.Service
	Catalog      *i18n.Catalog
	// OwnNumber is where a person has herself called; nil knows none.
	OwnNumber func(context.Context, access.Scope) (string, error)
}

// scenarioPages are the pages of scenarios: they share the words of the others.
type scenarioPages struct {
	*Pages
	ownNumber func(context.Context, access.Scope) (string, error)
}

// ScenarioRoutes registers the list of scenarios, the library, the reading
// page and the editor.
func ScenarioRoutes(r *ui.Router, o ScenarioOptions) {
	p := scenarioPages{&Pages{s: o.Service, dir: o.Directory, houses: o.Organisation, catalog: o.Catalog}, o.OwnNumber}
	r.Get(ScenariosPath, access.ScenarioRead, p.all)
	r.Get(ScenarioLibraryPath, access.ScenarioRead, p.library)
	r.Get(scenarioModelPath+"{famille}", access.ScenarioRead, p.model)
	r.Post(scenarioModelPath+"{famille}", access.ScenarioWrite, p.copyModel)
	r.Get(SchedulesPath, access.ScenarioRead, p.schedules)
	r.Post(SchedulesPath, access.AlertLaunch, p.schedule)
	r.Post(scheduleStopPath, access.AlertLaunch, p.unschedule)
	r.Get(ScenarioNewPath, access.ScenarioWrite, p.fresh)
	r.Post(ScenarioNewPath, access.ScenarioWrite, p.create)
	r.Get("/scenarios/{id}", access.ScenarioRead, p.read)
	r.Get("/scenarios/{id}/repetition", access.ScenarioRead, p.rehearsal)
	r.Post("/scenarios/{id}/repetition", access.ScenarioWrite, p.rehearse)
	r.Get("/scenarios/{id}"+spokenUnder, access.ScenarioRead, p.spoken)
	r.Post("/scenarios/{id}"+spokenUnder, access.ScenarioWrite, p.record, ui.Upload(alerting.RecordingFileMost))
	r.Get("/scenarios/{id}"+soundUnder, access.ScenarioRead, p.sound)
	r.Post("/scenarios/{id}"+eraseUnder, access.ScenarioWrite, p.unrecord)
	r.Get("/scenarios/{id}"+phoneUnder, access.ScenarioWrite, p.dictation)
	r.Post("/scenarios/{id}"+phoneUnder, access.ScenarioWrite, p.dictate)
	r.Post("/scenarios/{id}"+cancelUnder, access.ScenarioWrite, p.cancelDictation)
	r.Post("/scenarios/{id}/archiver", access.ScenarioWrite, p.archive)
	r.Post("/scenarios/{id}/dupliquer", access.ScenarioWrite, p.duplicate)
	r.Get("/scenarios/{id}/modifier", access.ScenarioWrite, p.edit)
	r.Get("/scenarios/{id}/modifier/{section}", access.ScenarioWrite, p.edit)
	r.Post("/scenarios/{id}/modifier/{section}", access.ScenarioWrite, p.change)
}

// ScenarioRail is the entry of the scenarios in the left rail.
func ScenarioRail() []ui.NavItem {
	return []ui.NavItem{{Label: "alerting.scenario.rail", Path: ScenariosPath, Icon: "scenario", Need: access.ScenarioRead}}
}

// scenarioPath is the reading page of a scenario, or a page under it.
func scenarioPath(id uuid.UUID, under string) string {
	return ScenariosPath + "/" + id.String() + under
}

// editPath is one section of the editor.
func editPath(id uuid.UUID, section string) string { return scenarioPath(id, "/modifier/"+section) }

// all lists the scenarios of the establishment.
func (p scenarioPages) all(c *ui.Context) error {
	archived := c.Query().Get("vue") == "archives"
	f := alerting.ScenarioFilter{Archived: archived, Improvised: archived, Text: c.Query().Get("q")}
	list, err := p.s.Scenarios(c.Ctx(), c.Scope, f)
	if err != nil {
		return err
	}
	return c.Render(scenarioListPage(c, list, f))
}

// models are the scenarios of the library not yet copied, then the others.
func (p scenarioPages) library(c *ui.Context) error {
	models, err := p.s.Library(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	own, err := p.s.Scenarios(c.Ctx(), c.Scope, alerting.ScenarioFilter{})
	if err != nil {
		return err
	}
	copied := map[string]uuid.UUID{}
	for _, sc := range own {
		if sc.Library != "" {
			copied[sc.Library] = sc.ID
		}
	}
	return c.Render(scenarioLibraryPage(c, models, copied))
}

// model previews a scenario of the library.
func (p scenarioPages) model(c *ui.Context) error {
	models, err := p.s.Library(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	for _, def := range models {
		if def.Family == c.PathValue("famille") {
			v, err := p.view(c, def)
			if err != nil {
				return err
			}
			return c.Render(scenarioModelPage(c, v))
		}
	}
	return noScenario()
}

// copyModel makes the establishment's own copy and opens it.
func (p scenarioPages) copyModel(c *ui.Context) error {
	sc, err := p.s.CopyFromLibrary(c.Ctx(), c.Scope, c.Now, c.PathValue("famille"))
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.scenario.copied"))
	return c.Redirect(scenarioPath(sc.ID, ""))
}

// read shows a scenario, or one of its older versions.
func (p scenarioPages) read(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	sc, def, err := p.s.Scenario(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	shown := sc.Version
	if text := c.Query().Get("version"); text != "" {
		if shown, err = strconv.Atoi(text); err != nil || shown < 1 {
			return noScenario()
		}
		if _, def, err = p.s.ScenarioVersion(c.Ctx(), c.Scope, id, shown); err != nil {
			return err
		}
	}
	v, err := p.view(c, def)
	if err != nil {
		return err
	}
	v.Scenario, v.Shown = sc, shown
	if v.Versions, err = p.s.Versions(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	return c.Render(scenarioReadPage(c, v))
}

// archive takes a scenario off the launch page, or puts it back.
func (p scenarioPages) archive(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	archived := c.FormValue("archive") == "oui"
	if err := p.s.ArchiveScenario(c.Ctx(), c.Scope, c.Now, id, archived); err != nil {
		return err
	}
	if archived {
		c.Flash(ui.Success, c.Loc.T("alerting.scenario.archived.done"))
	} else {
		c.Flash(ui.Success, c.Loc.T("alerting.scenario.restored.done"))
	}
	return c.Redirect(scenarioPath(id, ""))
}

// duplicate starts a scenario from another.
func (p scenarioPages) duplicate(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	sc, err := p.s.DuplicateScenario(c.Ctx(), c.Scope, c.Now, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.scenario.copied"))
	return c.Redirect(editPath(sc.ID, sectionOverview))
}
