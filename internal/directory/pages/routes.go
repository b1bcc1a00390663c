package pages

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/proof"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// The addresses other rooms lead to.
const (
	Path        = "/annuaire"
	GroupsPath  = "/annuaire/groupes"
	ImportPath  = "/annuaire/import"
	QualityPath = "/annuaire/qualite"
)

// Options are what the pages rest on.
type Options struct {
	Directory    *directory.Directory
	Organisation *organisation.Service
	Proof        *proof.Service
	Feeds        *feed.Service
	OnCall       *oncall.Service
	// AgendaBase begins the public address of a calendar, with its final slash.
	AgendaBase string
	// Catalog speaks to who follows a link, whose language is not that of the browser.
	Catalog *i18n.Catalog
	Clock   clock.Clock
	// Wake, if set, is called when an import waits for Directory.Work.
	Wake func()
}

type pages struct {
	d       *directory.Directory
	houses  *organisation.Service
	proof   *proof.Service
	feeds   *feed.Service
	desk    *oncall.Service
	agendas string
	catalog *i18n.Catalog
	clock   clock.Clock
	codes   *ui.Gate
	wake    func()
}

// uploadLimit is a little more than the largest file table reads, for the form around it.
const uploadLimit = 65 << 20

// exportTime bounds a download of everybody.
const exportTime = 5 * time.Minute

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{d: o.Directory, houses: o.Organisation, proof: o.Proof, feeds: o.Feeds, desk: o.OnCall, agendas: o.AgendaBase, catalog: o.Catalog, clock: o.Clock, codes: ui.NewGate(), wake: o.Wake}
	if p.wake == nil {
		p.wake = func() {}
	}
	r.Get(Path, access.DirectoryRead, p.list)
	r.Get(QualityPath, access.DirectoryRead, p.quality)
	r.Get(Path+"/nouveau", access.DirectoryWrite, p.newPerson)
	r.Post(Path+"/nouveau", access.DirectoryWrite, p.addPerson)
	r.Get(Path+"/export", access.DirectoryExport, p.exporting)
	r.Post(Path+"/export", access.DirectoryExport, p.export, ui.Lasting(exportTime))
	r.Get(Path+"/{id}", access.DirectoryRead, p.person)
	r.Get(peoplePath+"/{id}/modifier", access.DirectoryWrite, p.edit)
	r.Post(peoplePath+"/{id}/modifier", access.DirectoryWrite, p.save)
	r.Get(peoplePath+"/{id}/depart", access.DirectoryWrite, p.leaving)
	r.Post(peoplePath+"/{id}/depart", access.DirectoryWrite, p.depart)
	r.Post(peoplePath+"/{id}/retour", access.DirectoryWrite, p.comeBack)
	r.Post(peoplePath+"/{id}/coordonnees/{contact}/voir", access.DirectoryNumbers, p.reveal)
	r.Post(peoplePath+"/{id}/coordonnees/{contact}/debloquer", access.DirectoryWrite, p.lift)
	r.Post(peoplePath+"/{id}/preferences", access.DirectoryWrite, p.prefer)
	r.Post(peoplePath+"/{id}/absences", access.DirectoryWrite, p.addAbsence)
	r.Post(peoplePath+"/{id}/absences/{absence}/retirer", access.DirectoryWrite, p.removeAbsence)
	r.Post(peoplePath+"/{id}/groupes", access.DirectoryWrite, p.joinGroup)
	p.groupRoutes(r)
	p.importRoutes(r)
	p.rosterRoutes(r)
	p.campaignRoutes(r)
	p.alarmRoutes(r)
	p.conflictRoutes(r)
	p.feedRoutes(r)
	p.onCallRoutes(r)
	p.onCallFileRoutes(r)
}

func (p pages) campaignRoutes(r *ui.Router) {
	r.Get(CampaignsPath, access.DirectoryRead, p.campaigns)
	r.Get(CampaignsPath+"/nouvelle", access.DirectoryProve, p.newCampaign)
	r.Post(CampaignsPath+"/nouvelle", access.DirectoryProve, p.addCampaign)
	r.Get(CampaignsPath+"/{id}", access.DirectoryRead, p.campaign)
	r.Get(CampaignsPath+"/{id}/arreter", access.DirectoryProve, p.stoppingCampaign)
	r.Post(CampaignsPath+"/{id}/arreter", access.DirectoryProve, p.stopCampaign)
	r.Post(CampaignsPath+"/{id}/corrections/{correction}", access.DirectoryWrite, p.decide)
	r.Get(ConfirmPath+"{code}", ui.Public, p.confirming, ui.Bare())
	r.Post(ConfirmPath+"{code}", ui.Public, p.answerLink, ui.Bare())
}

func (p pages) groupRoutes(r *ui.Router) {
	r.Get(GroupsPath, access.DirectoryRead, p.groups)
	r.Get(GroupsPath+"/nouveau", access.DirectoryWrite, p.newGroup)
	r.Post(GroupsPath+"/nouveau", access.DirectoryWrite, p.addGroup)
	r.Get(GroupsPath+"/{id}", access.DirectoryRead, p.group)
	r.Get(GroupsPath+"/{id}/modifier", access.DirectoryWrite, p.editGroup)
	r.Post(GroupsPath+"/{id}/modifier", access.DirectoryWrite, p.saveGroup)
	r.Get(GroupsPath+"/{id}/membres", access.DirectoryWrite, p.membersOf)
	r.Post(GroupsPath+"/{id}/membres", access.DirectoryWrite, p.addMember)
	r.Post(GroupsPath+"/{id}/membres/retirer", access.DirectoryWrite, p.removeMember)
	r.Get(GroupsPath+"/{id}/supprimer", access.DirectoryWrite, p.deletingGroup)
	r.Post(GroupsPath+"/{id}/supprimer", access.DirectoryWrite, p.deleteGroup)
}

func (p pages) importRoutes(r *ui.Router) {
	r.Get(ImportPath, access.DirectoryImport, p.imports)
	r.Post(ImportPath, access.DirectoryImport, p.upload, ui.Upload(uploadLimit))
	r.Get(ImportPath+"/{id}", access.DirectoryImport, p.wizard)
	r.Get(ImportPath+"/{id}/colonnes", access.DirectoryImport, p.columns)
	r.Post(ImportPath+"/{id}/colonnes", access.DirectoryImport, p.setColumns)
	r.Get(ImportPath+"/{id}/illisibles", access.DirectoryImport, p.unreadable, ui.Lasting(exportTime))
	r.Post(ImportPath+"/{id}/confirmer", access.DirectoryImport, p.confirm)
	r.Post(ImportPath+"/{id}/abandonner", access.DirectoryImport, p.abandon)
	r.Get(ImportPath+"/{id}/annuler", access.DirectoryImport, p.undoing)
	r.Post(ImportPath+"/{id}/annuler", access.DirectoryImport, p.undo)
}

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{{Label: "directory.page.rail", Path: Path, Icon: "users", Need: access.DirectoryRead}}
}

// Acts are the acts of this room in the bottom bar of a phone.
func Acts() []ui.NavItem {
	return []ui.NavItem{{Label: "directory.page.rail", Path: Path, Icon: "users", Need: access.DirectoryRead}}
}

// peoplePath begins what is done with a person: under Path alone it would
// cross the addresses of groups and imports.
const peoplePath = "/annuaire/personnes"

// PersonPath is the page of a person.
func PersonPath(id uuid.UUID) string { return Path + "/" + id.String() }

// actPath begins the addresses of what is done with a person.
func actPath(id uuid.UUID) string { return peoplePath + "/" + id.String() }

// Search finds people by name, matricule, métier or service.
type Search struct{ Directory *directory.Directory }

// found bounds the hits.
const found = 8

// Search gives the people whose name begins with what is typed, then the others
// who match; the last hit leads to all of them when there are more.
func (s Search) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	if len(scope.Roles()) == 0 {
		return nil, nil // an account without a role sees nothing of the house
	}
	named, err := s.Directory.People(ctx, scope, directory.Filter{Named: query, Limit: found, Uncounted: true})
	if err != nil {
		return nil, err
	}
	page, err := s.Directory.People(ctx, scope, directory.Filter{Text: query, Limit: found})
	if err != nil {
		return nil, err
	}
	var out []ui.Hit
	shown := map[uuid.UUID]bool{}
	for _, p := range append(named.People, page.People...) {
		if len(out) == found || shown[p.ID] {
			continue
		}
		shown[p.ID] = true
		out = append(out, ui.Hit{Kind: loc.T("directory.page.search.person"), Title: p.Name(), Detail: joined(metierOf(s.Directory, loc, p), p.ServiceName), Path: PersonPath(p.ID), Icon: "user"})
	}
	if page.Total > len(out) {
		title := loc.N("directory.page.search.all", page.Total)
		if page.More {
			title = loc.T("directory.page.search.many", "count", loc.Int(page.Total))
		}
		out = append(out, ui.Hit{Kind: loc.T("directory.page.title"), Title: title, Path: Path + "?q=" + url.QueryEscape(query), Icon: "users"})
	}
	return out, nil
}

// parsed reads an id a form or an address carries; NotFound when it cannot be one.
func parsed(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.Wrap(err, fault.NotFound, "ui.fail.no_page")
	}
	return id, nil
}

// optional reads the id of a filter; what is none filters nothing.
func optional(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}
