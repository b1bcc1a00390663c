package alerting

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Screens are the screens that show an alert while it runs.
type Screens struct {
	Show bool `json:"show" yaml:"show"`
	// Places are the sites and services whose screens show it; none is every screen.
	Places []uuid.UUID `json:"places,omitempty" yaml:"places,omitempty"`
}

// ScreenMessage is an alert as the screens of a place show it.
type ScreenMessage struct {
	Launch     uuid.UUID
	Mode       Mode
	Title      string
	Text       string
	WhereToGo  string
	LaunchedAt time.Time
}

// OnScreens are the alerts that a screen of some places shows now, the last
// first, in a language. An alert of the profile discret shows nowhere: a screen
// that lights up betrays people who hide. It needs access.AlertRead.
func (s *Service) OnScreens(ctx context.Context, scope access.Scope, places []uuid.UUID, language string) (out []ScreenMessage, err error) {
	active, err := s.Active(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, l := range active {
		if l.State != Running || l.Profile == Discret {
			continue
		}
		var p *plan
		if err := s.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
			p, err = s.planOf(ctx, tx, scope, l)
			return err
		}); err != nil {
			return nil, err
		}
		if !p.Definition.Screens.wants(places) {
			continue
		}
		m, err := p.screenMessage(l, language)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (w Screens) wants(places []uuid.UUID) bool {
	if !w.Show {
		return false
	}
	for _, p := range places {
		if among(w.Places, p) {
			return true
		}
	}
	return len(w.Places) == 0
}

// screenMessage takes the shortest words of the alert, without their link.
func (p *plan) screenMessage(l Launch, language string) (ScreenMessage, error) {
	m := ScreenMessage{Launch: l.ID, Mode: l.Mode, Title: p.Definition.Title.In(language), LaunchedAt: l.LaunchedAt}
	for _, medium := range []channels.Medium{channels.SMS, channels.Email} {
		c, ok, err := p.onScreen(UseAlert, medium, language, p.Setting.Site, 0)
		if err != nil {
			return m, err
		}
		if ok && m.Text == "" {
			m.Text = withoutLink(c.Body)
		}
	}
	values, err := p.Definition.filled(p.Values, language)
	if err != nil {
		return m, err
	}
	m.WhereToGo, err = Render(p.Definition.WhereToGo.In(language), p.Setting.variables(values, p.Mode, language, p.Setting.Site, p.LaunchedAt))
	return m, err
}
