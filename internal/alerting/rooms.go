package alerting

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Announcement is what the rooms of teams are told of an event of an alert.
type Announcement struct {
	// Medium carries it; Rooms are the gateways of the rooms.
	Medium channels.Medium
	Rooms  []uuid.UUID
	// Language is that of the establishment: a room has one for all.
	Language string
	// Title carries the mark of the mode; Text and WhereToGo may be empty.
	Title, Text, WhereToGo string
	Priority               int
	// Validity is how long it is worth saying.
	Validity time.Duration
}

// AnnouncementOf is what the rooms that the scenario chose are told of an event;
// false when they are told nothing. No link of a person is in it, and no name. An
// alert of the profile discret is told nowhere. It reads in the transaction of the
// room above that tells.
func (s *Service) AnnouncementOf(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, e Event) (Announcement, bool, error) {
	use, told := map[EventKind]Use{EventLaunched: UseAlert, EventProgress: "", EventQuotaMet: "", EventEnded: UseEnd, EventKilled: ""}[e.Kind]
	if !told || l.Profile == Discret {
		return Announcement{}, false, nil
	}
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil || len(p.Definition.Rooms) == 0 {
		return Announcement{}, false, err
	}
	language := cmp.Or(p.Setting.Language, "fr")
	a := Announcement{
		Medium: channels.Room, Rooms: p.Definition.Rooms, Language: language, Title: Mark(l.Mode, language, p.Definition.Title.In(language)),
		Priority: p.priority(UseAlert), Validity: p.Definition.Limits.Validity.Std(),
	}
	switch use {
	case UseAlert:
		m, err := p.screenMessage(l, language)
		if err != nil {
			return a, false, err
		}
		a.Text, a.WhereToGo = m.Text, m.WhereToGo
	case UseEnd:
		c, _, err := p.onScreen(UseEnd, channels.SMS, language, p.Setting.Site, 0)
		if err != nil {
			return a, false, err
		}
		a.Text = withoutLink(c.Body)
	default:
		if e.Kind == EventProgress {
			a.Text = withoutLink(e.Text)
		}
	}
	return a, true, nil
}

// TeamRoom is a room of a team that alerts can be told in.
type TeamRoom struct {
	ID   uuid.UUID
	Name string
}

// TeamRooms lists those of the establishment, by name. It needs access.ScenarioRead.
func (s *Service) TeamRooms(ctx context.Context, scope access.Scope) (out []TeamRoom, err error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	list, err := s.dispatch.Gateways(ctx, inside(scope))
	for _, g := range list {
		if g.Medium == channels.Room && g.Enabled {
			out = append(out, TeamRoom{g.ID, g.Name})
		}
	}
	return out, err
}
