package app

import (
	"context"
	"fmt"
	"slices"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	adminpages "tocsin/internal/administration/pages"
	alertpages "tocsin/internal/alerting/pages"
	"tocsin/internal/alerting/report"
	directorypages "tocsin/internal/directory/pages"
	dispatchpages "tocsin/internal/dispatch/pages"
	"tocsin/internal/fault"
	hookpages "tocsin/internal/hooks/pages"
	"tocsin/internal/i18n"
	identitypages "tocsin/internal/identity/pages"
	inventorypages "tocsin/internal/inventory/pages"
	organisationpages "tocsin/internal/organisation/pages"
	"tocsin/internal/rest"
	screenpages "tocsin/internal/screens/pages"
	spacepages "tocsin/internal/space/pages"
	"tocsin/internal/storage"
	tracepages "tocsin/internal/traces/pages"
	exportpages "tocsin/internal/traces/pages/exports"
	"tocsin/internal/ui"
)

// HomePath is where a person lands: the alerts.
const HomePath = alertpages.AlertsPath

// Router registers every page of the product.
func (h *House) Router() (*ui.Router, error) {
	key, err := h.Vault.DeriveKey("ui.cookies")
	if err != nil {
		return nil, fmt.Errorf("key of the cookies: %w", err)
	}
	router, err := ui.NewRouter(ui.Options{
		Guard: h.Guard, Visitors: identitypages.NewVisitors(h.Accounts), Catalog: h.Catalog, Clock: h.Clock, Log: h.Log,
		Zone: h.Settings.Zone(), Key: key.Secret[:], PublicURL: h.origin().String(), TrustedProxies: h.Settings.Proxies(),
		LoginPath: identitypages.LoginPath, SecondFactorPath: identitypages.SecondFactorPath, LogoutPath: identitypages.LogoutPath,
		SwitchPath: identitypages.SwitchPath, AccountPath: identitypages.AccountPath,
		Frame: h.frame(), Observe: h.observe(), StyleGuide: h.StyleGuide,
	})
	if err != nil {
		return nil, err
	}
	h.register(router)
	return router, nil
}

func (h *House) register(r *ui.Router) {
	r.Get("/{$}", ui.SignedIn, func(c *ui.Context) error { return c.Redirect(HomePath) })
	identitypages.Routes(r, identitypages.Options{Service: h.Accounts, Origin: h.origin().String()})
	h.alerts = alertpages.Routes(r, alertpages.Options{
		Service: h.Alerting, Directory: h.Directory, Organisation: h.Houses, Catalog: h.Catalog, Hub: h.Hub, Clock: h.Clock,
		RecallBase: h.origin().String() + alertpages.RecallPath, Space: spacepages.AskPath, Notices: banners{directorypages.AlarmNotices{Proof: h.Proof}}, Beside: directorypages.Block(h.OnCall), PDF: report.PDF, XLSX: report.XLSX, Shared: h.DB.Engine() == storage.PostgreSQL,
	})
	alertpages.ScenarioRoutes(r, alertpages.ScenarioOptions{Service: h.Alerting, Directory: h.Directory, Organisation: h.Houses, Catalog: h.Catalog, OwnNumber: h.ownNumber})
	directorypages.Routes(r, directorypages.Options{
		Directory: h.Directory, Organisation: h.Houses, Proof: h.Proof, Feeds: h.Feeds, OnCall: h.OnCall, AgendaBase: h.origin().String() + directorypages.AgendaPath, Catalog: h.Catalog, Clock: h.Clock, Wake: h.wakeDirectory,
	})
	spacepages.Routes(r, spacepages.Options{
		Service: h.Space, Catalog: h.Catalog, Secure: h.origin().Scheme == "https", AnswerPath: alertpages.AnswerPath, PersonPath: directorypages.PersonPath,
	})
	screenpages.Routes(r, screenpages.Options{Service: h.Screens, Catalog: h.Catalog, Secure: h.origin().Scheme == "https", Version: Version})
	organisationpages.Routes(r, organisationpages.Options{Service: h.Houses})
	inventorypages.Routes(r, inventorypages.Options{Service: h.Inventory, Organisation: h.Houses})
	tracepages.Routes(r, tracepages.Options{Service: h.Traces, Kept: h.Kept, Audits: h.Audits, Files: h.TraceFiles, Pulls: h.TracePulls, Inventory: h.Inventory, Care: h.CareDesk, ItemPath: inventorypages.ItemPath, Origin: h.origin().String(), Intake: h.origin().String() + "/intake"})
	h.registerCases(r)
	exportpages.Routes(r, h.Exports)
	dispatchpages.Routes(r, dispatchpages.Options{Service: h.Dispatch})
	hookpages.Routes(r, hookpages.Options{Service: h.Hooks, Alerting: h.Alerting, Root: h.origin().String() + rest.Root + "/hooks/", Feeds: h.origin().String() + hookpages.FeedPath})
	h.registerDesk(r)
	if h.demo != nil {
		h.demo.register(r)
	}
	adminpages.Routes(r, adminpages.Options{
		Journal: h.Journal, Sealed: h.exportJournal, Manual: h.manual(), Doctor: administration.NewDoctor(h.Guard, h.Clock, h.Checks()...),
		Cards: []adminpages.Card{
			{Label: "app.card.accounts", Hint: "app.card.accounts.hint", Path: identitypages.AccountsPath, Icon: "users", Need: access.AccountRead},
			{Label: "identity.envelopes.title", Hint: "identity.envelopes.hint", Path: identitypages.EnvelopesPath, Icon: "lock", Need: access.AccountRead},
			{Label: "alerting.page.rules.title", Hint: "alerting.page.rules.hint", Path: alertpages.RulesPath, Icon: "shield", Need: access.AlertGovern},
			{Label: "app.card.channels", Hint: "app.card.channels.hint", Path: dispatchpages.Path, Icon: "phone", Need: access.ChannelRead},
			{Label: "app.card.screens", Hint: "app.card.screens.hint", Path: screenpages.Path, Icon: "eye", Need: access.ChannelRead},
			{Label: "app.card.hooks", Hint: "app.card.hooks.hint", Path: hookpages.Path, Icon: "link", Need: access.ChannelRead},
			{Label: "app.card.tokens", Hint: "app.card.tokens.hint", Path: identitypages.TokensPath, Icon: "key", Need: access.AccountRead},
		},
	})
}

// frame is what stands around every page.
func (h *House) frame() ui.Frame {
	var rail []ui.NavItem
	rail = append(append(rail, alertpages.Rail()...), alertpages.ScenarioRail()...)
	rail = append(rail, directorypages.Rail()...)
	rail = append(rail, inventorypages.Rail()...)
	rail = append(rail, tracepages.Rail()...)
	rail = append(rail, organisationpages.Rail()...)
	rail = append(rail, ui.NavItem{Label: "app.rail.administration", Path: adminpages.HomePath, Icon: "settings", Need: access.JournalRead})
	return ui.Frame{
		Rail: rail, Acts: slices.Concat(alertpages.Acts(), directorypages.Acts(), alertpages.ScenarioRail()),
		Banner: banners{dispatchpages.Banners{Service: h.Dispatch}, alertpages.Banners{Service: h.Alerting, Clock: h.Clock}, identitypages.EnvelopeBanners{Service: h.Accounts, Clock: h.Clock}},
		Search: searchers{
			alertpages.Search{Service: h.Alerting}, directorypages.Search{Directory: h.Directory}, organisationpages.Search{Service: h.Houses}, inventorypages.Search{Service: h.Inventory}, tracepages.Search{Service: h.Traces},
		},
	}
}

// searchers ask every room, and show the hits in that order.
type searchers []ui.Searcher

// Search gathers the hits.
func (all searchers) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	var out []ui.Hit
	for _, s := range all {
		hits, err := s.Search(ctx, scope, loc, query)
		if err != nil {
			return nil, err
		}
		out = append(out, hits...)
	}
	return out, nil
}

// banners are what every room must have seen on every page, in that order.
type banners []ui.Banners

// Banners gathers the lines. A room that the visitor may not enter says nothing.
func (all banners) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]ui.Banner, error) {
	var out []ui.Banner
	for _, b := range all {
		lines, err := b.Banners(ctx, scope, loc)
		if fault.Is(err, fault.Denied) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}
