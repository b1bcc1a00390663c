package pages

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/pull"
	"tocsin/internal/ui"
)

// The addresses of this room. None of them ever carries what names a person.
const (
	Path        = "/traces"
	SourcesPath = Path + "/sources"
	KeepPath    = Path + "/conservation"
	// ConsumersPath are the applications that may search the traces.
	ConsumersPath = Path + "/consommateurs"
	// ExportsPath and NewExportPath are those of the package exports.
	ExportsPath   = Path + "/exports"
	NewExportPath = ExportsPath + "/nouvelle"
	// AlertsPath, RulesPath and DetectionPath are those of the package alerts.
	AlertsPath    = Path + "/alertes"
	RulesPath     = Path + "/regles"
	DetectionPath = Path + "/detection"
	searchPath    = Path + "/recherche"
	SavedPath     = Path + "/gardees"
	BoardsPath    = Path + "/tableaux"
	RequestsPath  = Path + "/demandes"
	questionPath  = Path + "/questions/"
	eventPath     = Path + "/evenements/"
	keysPath      = KeepPath + "/scellement/cles"
)

// patience is how long a question may last; a reader who leaves ends it sooner.
const patience = 2 * time.Minute

// Options are what the pages rest on.
type Options struct {
	Service   *traces.Service
	Inventory *inventory.Service
	// Care is who cares for whom, and who acts under an account.
	Care *care.Service
	// Files are what applications give; nil: this program takes none.
	Files *files.Service
	// Pulls are the tables of audit that are read; nil: none is.
	Pulls *pull.Service
	// ItemPath is the sheet of what a source is in the inventory.
	ItemPath func(id uuid.UUID) string
	// Origin is where sources reach this program, without a path: https://tocsin.ch.example.
	Origin string
	// Intake is where they post what they trace: https://tocsin.ch.example/intake.
	Intake string
	// Kept are the questions that people keep, and their dashboards.
	Kept *kept.Service
	// Audits are the requests for audit.
	Audits *audits.Service
}

type pages struct {
	audits *audits.Service
	kept   *kept.Service
	s      *traces.Service
	items  *inventory.Service
	care   *care.Service
	files  *files.Service
	pulls  *pull.Service
	itemAt func(id uuid.UUID) string
	origin string
	intake string
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{kept: o.Kept, audits: o.Audits, s: o.Service, items: o.Inventory, care: o.Care, files: o.Files, pulls: o.Pulls, itemAt: o.ItemPath, origin: strings.TrimSuffix(o.Origin, "/"), intake: strings.TrimSuffix(o.Intake, "/")}
	r.Get(Path, access.TracesRead, p.phrases)
	r.Get(questionPath+"{key}", access.TracesAsk, p.question)
	r.Post(questionPath+"{key}", access.TracesAsk, p.answer, ui.Lasting(patience))
	r.Post(questionPath+"{key}/fichier", access.TracesAsk, p.file, ui.Lasting(patience))
	r.Get(eventPath+"{ref}", access.TracesAsk, p.event)
	r.Get(searchPath, access.TracesAsk, p.searching)
	r.Post(searchPath, access.TracesAsk, p.search, ui.Lasting(patience))
	p.savedRoutes(r)
	p.boardRoutes(r)
	p.requestRoutes(r)
	r.Get(SourcesPath, access.TracesRead, p.sources)
	r.Get(SourcesPath+"/nouvelle", access.TracesSource, p.newSource)
	r.Post(SourcesPath+"/nouvelle", access.TracesSource, p.addSource)
	r.Get(SourcesPath+"/{id}", access.TracesRead, p.source)
	r.Get(SourcesPath+"/{id}/modifier", access.TracesSource, p.editSource)
	r.Post(SourcesPath+"/{id}/modifier", access.TracesSource, p.saveSource)
	r.Get(SourcesPath+"/{id}/jeton", access.TracesSource, p.renewing)
	r.Post(SourcesPath+"/{id}/jeton", access.TracesSource, p.renew)
	r.Get(SourcesPath+"/{id}/retirer", access.TracesSource, p.retiring)
	r.Post(SourcesPath+"/{id}/retirer", access.TracesSource, p.retire)
	r.Get(ConsumersPath, access.TracesAsk, p.consumers)
	r.Get(ConsumersPath+"/nouveau", access.TracesAsk, p.newConsumer)
	r.Post(ConsumersPath+"/nouveau", access.TracesAsk, p.admit)
	r.Get(ConsumersPath+"/{id}/revoquer", access.TracesAsk, p.revoking)
	r.Post(ConsumersPath+"/{id}/revoquer", access.TracesAsk, p.revoke)
	r.Get(KeepPath, access.TracesRead, p.keeping)
	r.Get(keysPath, access.TracesRead, p.publicKey)
	r.Get(KeepPath+"/{classe}", access.TracesSource, p.deciding)
	r.Post(KeepPath+"/{classe}", access.TracesSource, p.decide)
	p.holdRoutes(r)
	careRoutes(r, p)
	accountRoutes(r, p)
	if p.files != nil {
		p.fileRoutes(r)
	}
	if p.pulls != nil {
		p.pullRoutes(r)
	}
}

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{{Label: "traces.page.rail", Path: Path, Icon: "search", Need: access.TracesRead}, {Label: "traces.request.rail", Path: RequestsPath, Icon: "shield", Need: access.TracesAuditAsk}}
}

// SourcePath is the sheet of one source.
func SourcePath(id uuid.UUID) string { return SourcesPath + "/" + id.String() }

func eventAddress(ref string) string { return eventPath + url.PathEscape(ref) }

// Search finds sources by name, and questions by their words.
type Search struct{ Service *traces.Service }

// found bounds the hits.
const found = 8

// Search gives the sources whose name holds the query; none to who may not read them.
func (s Search) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	list, err := s.Service.Sources(ctx, scope)
	if denied(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []ui.Hit
	for _, one := range list {
		if len(out) < found && strings.Contains(storage.Fold(one.Name), storage.Fold(query)) {
			out = append(out, ui.Hit{Kind: loc.T("traces.page.hit"), Title: one.Name, Detail: formatWord(loc, one.Format), Path: SourcePath(one.ID), Icon: "antenna"})
		}
	}
	return out, nil
}

func mayAsk(c *ui.Context) bool  { return c.May(access.TracesAsk) }
func mayKeep(c *ui.Context) bool { return c.May(access.TracesSource) }

// views are the pages of the room, each at its address.
func views(c *ui.Context, now string) []ui.Tab {
	asked, told := askedViews(c), toldViews(c)
	// Each half shows the door of the other: a dozen tabs at once are read by nobody.
	all := append(asked, told[0])
	if slices.ContainsFunc(told, func(t ui.Tab) bool { return t.Path == now }) {
		all = append([]ui.Tab{asked[0]}, told...)
	}
	for i := range all {
		all[i].Current = all[i].Path == now
	}
	return all
}

// askedViews are the pages of those who ask and handle.
func askedViews(c *ui.Context) []ui.Tab {
	all := []ui.Tab{{Label: c.Loc.T("traces.page.tab.questions"), Path: Path}}
	if mayAsk(c) {
		all = append(all, ui.Tab{Label: c.Loc.T("traces.page.tab.search"), Path: searchPath}, ui.Tab{Label: c.Loc.T("traces.saved.title"), Path: SavedPath}, ui.Tab{Label: c.Loc.T("traces.board.title"), Path: BoardsPath})
	}
	if c.May(access.TracesCases) {
		all = append(all, ui.Tab{Label: c.Loc.T("traces.page.tab.alerts"), Path: AlertsPath}, ui.Tab{Label: c.Loc.T("traces.page.tab.rules"), Path: RulesPath}, ui.Tab{Label: c.Loc.T("traces.page.tab.detection"), Path: DetectionPath})
	}
	return all
}

// toldViews are the pages of what the traces come from and how they are kept.
func toldViews(c *ui.Context) []ui.Tab {
	all := []ui.Tab{
		{Label: c.Loc.T("traces.page.tab.sources"), Path: SourcesPath},
		{Label: c.Loc.T("traces.page.tab.care"), Path: CarePath},
		{Label: c.Loc.T("traces.page.tab.accounts"), Path: AccountsPath},
		{Label: c.Loc.T("traces.page.tab.keep"), Path: KeepPath},
	}
	if mayAsk(c) {
		all = append(all, ui.Tab{Label: c.Loc.T("traces.page.tab.consumers"), Path: ConsumersPath})
	}
	return all
}

// Views are the pages of the room as tabs, for the packages of its other pages.
func Views(c *ui.Context, now string) []ui.Tab { return views(c, now) }
