package pages

import (
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/live"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// The addresses other rooms lead to.
const (
	AlertsPath    = "/alertes"
	LaunchPath    = "/alertes/declencher"
	ImprovisePath = "/alertes/improviser"
	// SheetPath begins the launch of one scenario; its id follows. (The shorter
	// /alertes/declencher/{scenario} would also be a page of an alert.)
	SheetPath  = "/alertes/declencher/scenario/"
	AnswerPath = "/r/"

	// isolationPath is the page of the isolated mode, in the room of the channels.
	isolationPath = "/isolement"
)

// Options are what the pages rest on.
type Options struct {
	Service      *alerting.Service
	Directory    *directory.Directory
	Organisation *organisation.Service
	// Catalog speaks to the agents, whose language is not that of the browser.
	Catalog *i18n.Catalog
	// Hub is the one the service notifies.
	Hub   *live.Hub
	Clock clock.Clock
	// RecallBase begins the public address of a recall order, with its final slash.
	RecallBase string
	// Beside, if set, is what stands beside the alerts: who is on call. It may give nothing.
	Beside func(*ui.Context) (templ.Component, error)
	// Space is where an agent asks for his own space; empty offers none.
	Space string
	// Shared is true when other nodes may move an alert without this one's hub knowing.
	Shared bool
	// Notices are what other rooms have to say on the first page; nil says nothing.
	Notices ui.Banners
	// PDF and XLSX write the report of an alert; nil when this house has none.
	PDF, XLSX Document
}

// Pages are the handlers of this room. Close ends its live readings.
type Pages struct {
	s       *alerting.Service
	dir     *directory.Directory
	houses  *organisation.Service
	catalog *i18n.Catalog
	clock   clock.Clock
	board   *live.Board[alerting.Board]
	drawn   *drawings
	codes   *ui.Gate
	// recallBase begins what the QR of an order says.
	recallBase string
	// space is where an agent asks for his own space.
	space   string
	notices ui.Banners
	beside  func(*ui.Context) (templ.Component, error)
	// pdf and xlsx may be nil.
	pdf, xlsx Document
}

// The pace of the follow-up: two readings a second at most, at each news; among
// several nodes two each second, so that all of them show the same within one.
const (
	boardEvery = 500 * time.Millisecond
	boardStale = 5 * time.Second
)

// Routes registers the pages of alerts: launch, follow-up, answer, report.
func Routes(r *ui.Router, o Options) *Pages {
	stale := boardStale
	if o.Shared {
		stale = boardEvery
	}
	p := &Pages{
		s: o.Service, dir: o.Directory, houses: o.Organisation, catalog: o.Catalog, clock: o.Clock, codes: ui.NewGate(), drawn: newDrawings(), recallBase: o.RecallBase, space: o.Space, notices: o.Notices, beside: o.Beside, pdf: o.PDF, xlsx: o.XLSX,
		board: live.NewBoard[alerting.Board](o.Hub, live.Pace{Every: boardEvery, Stale: stale, Clock: o.Clock}),
	}
	r.Get(AlertsPath, access.AlertRead, p.list)
	r.Get(LaunchPath, access.AlertLaunch, p.choose)
	r.Get(ImprovisePath, access.AlertLaunch, p.blank)
	r.Post(ImprovisePath, access.AlertLaunch, p.improvise)
	r.Get(SheetPath+"{scenario}", access.AlertLaunch, p.verify)
	r.Post(SheetPath+"{scenario}", access.AlertLaunch, p.launch)

	r.Get("/alertes/{id}", access.AlertRead, p.follow)
	r.Get("/alertes/{id}/mur", access.AlertRead, p.wall)
	r.Get("/alertes/{id}/flux", access.AlertRead, p.stream, ui.Stream())
	r.Get("/alertes/{id}/personnes", access.AlertAnswers, p.people)
	r.Get("/alertes/{id}/personnes/{personne}", access.AlertAnswers, p.person)
	p.requestRoutes(r)
	p.ruleRoutes(r)
	p.conductRoutes(r)
	p.reportRoutes(r)
	p.recallRoutes(r)
	p.rollRoutes(r)

	r.Get(AnswerPath+"{code}", ui.Public, p.answer, ui.Bare())
	r.Post(AnswerPath+"{code}", ui.Public, p.record, ui.Bare())
	return p
}

func (p *Pages) conductRoutes(r *ui.Router) {
	r.Post("/alertes/{id}/personnes/{personne}/appel", access.AlertConduct, p.noteCall)
	r.Get("/alertes/{id}/arrivees", access.AlertConduct, p.door)
	r.Post("/alertes/{id}/arrivees", access.AlertConduct, p.tick)
	r.Get("/alertes/{id}/message", access.AlertConduct, p.progress)
	r.Post("/alertes/{id}/message", access.AlertConduct, p.sendProgress)
	r.Get("/alertes/{id}/elargir", access.AlertConduct, p.extend)
	r.Post("/alertes/{id}/elargir", access.AlertConduct, p.callMore)
	r.Get("/alertes/{id}/vagues", access.AlertConduct, p.waves)
	r.Post("/alertes/{id}/vagues", access.AlertConduct, p.stopWave)
	r.Get("/alertes/{id}/reponses", access.AlertConduct, p.unmatched)
	r.Post("/alertes/{id}/reponses", access.AlertConduct, p.attach)
	r.Get("/alertes/{id}/fin", access.AlertConduct, p.ending)
	r.Post("/alertes/{id}/fin", access.AlertConduct, p.end)
	r.Get("/alertes/{id}/plafond", access.AlertLaunch, p.ceiling)
	r.Post("/alertes/{id}/plafond", access.AlertLaunch, p.liftCeiling)
	r.Get("/alertes/{id}/arret", access.AlertKill, p.killing)
	r.Post("/alertes/{id}/arret", access.AlertKill, p.kill)
}

// aside is what stands beside the alerts; a component that says nothing when there is none.
func (p *Pages) aside(c *ui.Context) (templ.Component, error) {
	if p.beside == nil {
		return templ.NopComponent, nil
	}
	piece, err := p.beside(c)
	if piece == nil {
		piece = templ.NopComponent
	}
	return piece, err
}

// Close ends the live readings; call it once the server takes no new page.
func (p *Pages) Close() { p.board.Close() }

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{
		{Label: "alerting.page.act.launch", Path: LaunchPath, Icon: "megaphone", Need: access.AlertLaunch},
		{Label: "alerting.page.rail", Path: AlertsPath, Icon: "alert", Need: access.AlertRead},
	}
}

// Acts are the acts of this room in the bottom bar of a phone, the most urgent first.
func Acts() []ui.NavItem {
	return []ui.NavItem{
		{Label: "alerting.page.act.launch", Path: LaunchPath, Icon: "megaphone", Need: access.AlertLaunch},
		{Label: "alerting.page.act.follow", Path: AlertsPath, Icon: "alert", Need: access.AlertRead},
	}
}

// alertPath is the follow-up of an alert, or a page under it.
func alertPath(id uuid.UUID, under string) string { return AlertsPath + "/" + id.String() + under }

// alert reads the alert of the address, as far as the visitor may see it.
func (p *Pages) alert(c *ui.Context) (alerting.Launch, error) {
	id, err := c.ID("id")
	if err != nil {
		return alerting.Launch{}, err
	}
	return p.s.LaunchByID(c.Ctx(), c.Scope, id)
}

// idOf reads an id a form carries; NotFound when it cannot be one.
func idOf(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.Wrap(err, fault.NotFound, "ui.fail.no_page")
	}
	return id, nil
}
