package pages

import (
	"context"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/ui"
)

// Banners says on every page that an alert is under way, and to who may launch
// that one waits for a second person.
type Banners struct {
	Service *alerting.Service
	Clock   clock.Clock
}

// Banners gives one line per alert that waits or runs, the real ones first.
func (b Banners) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]ui.Banner, error) {
	if len(scope.Roles()) == 0 {
		return nil, nil // an account without a role sees nothing of the house
	}
	out, err := b.waiting(ctx, scope, loc)
	if err != nil {
		return nil, err
	}
	active, err := b.Service.Active(ctx, scope)
	if err != nil {
		return nil, err
	}
	var drills []ui.Banner
	for _, l := range active {
		line := ui.Banner{
			Tone: modeTone(l.Mode), Mark: loc.T("alerting.page.mark." + string(l.Mode)), Text: l.Title.In(string(loc.Language())),
			Path: alertPath(l.ID, ""), Action: loc.T("alerting.page.banner.follow"),
		}
		if l.Mode == alerting.Real {
			out = append(out, line)
		} else {
			drills = append(drills, line)
		}
	}
	return append(out, drills...), nil
}

// waiting are the launches that somebody else asked for and the reader may confirm.
func (b Banners) waiting(ctx context.Context, scope access.Scope, loc *i18n.Localizer) (out []ui.Banner, err error) {
	if !scope.Has(access.Launcher) {
		return nil, nil
	}
	list, err := b.Service.Requests(ctx, scope, b.Clock.Now())
	for _, r := range list {
		if !r.By(scope.Actor()) {
			out = append(out, ui.Banner{
				Tone: ui.Alert, Mark: loc.T("alerting.page.second.mark"), Path: requestPath(r.ID, ""), Action: loc.T("alerting.page.second.read"),
				Text: loc.T("alerting.page.second.banner", "title", r.Title.In(string(loc.Language())), "name", r.AskedName),
			})
		}
	}
	return out, err
}

// Search finds scenarios and alerts by their title.
type Search struct{ Service *alerting.Service }

// searched bounds the alerts looked through, the newest first, and found the hits of each kind.
const (
	searched = 200
	found    = 8
)

// Search gives the scenarios, to launch for those who may, then the alerts.
func (s Search) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	if len(scope.Roles()) == 0 {
		return nil, nil
	}
	lang := string(loc.Language())
	scenarios, err := s.Service.Scenarios(ctx, scope, alerting.ScenarioFilter{Text: query})
	if err != nil {
		return nil, err
	}
	var out []ui.Hit
	for _, sc := range scenarios[:min(found, len(scenarios))] {
		path := "/scenarios/" + sc.ID.String()
		if scope.Has(access.Launcher) {
			path = SheetPath + sc.ID.String()
		}
		out = append(out, ui.Hit{
			Kind: loc.T("alerting.page.search.scenario"), Title: sc.Title.In(lang),
			Detail: loc.T("alerting.page.family." + sc.Family), Path: path, Icon: familyIcon(sc.Family),
		})
	}
	launches, err := s.Service.Launches(ctx, scope, alerting.Page{Limit: searched})
	if err != nil {
		return nil, err
	}
	wanted := storage.Fold(query)
	for _, l := range launches {
		if len(out) >= 2*found || !strings.Contains(storage.Fold(l.Title.In(lang)), wanted) {
			continue
		}
		out = append(out, ui.Hit{
			Kind: loc.T("alerting.page.search.alert"), Title: l.Title.In(lang),
			Detail: loc.T("alerting.page.mode." + string(l.Mode)), Path: alertPath(l.ID, ""), Icon: "alert",
		})
	}
	return out, nil
}
