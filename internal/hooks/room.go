package hooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// tellRooms gives the outbox what the rooms of teams are told of an event, in the
// transaction of the event. Their messages are a campaign of their own: they are
// nobody's, and count in no figure of the alert.
func (s *Service) tellRooms(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l alerting.Launch, e alerting.Event) error {
	a, told, err := s.opt.Alerting.AnnouncementOf(ctx, tx, scope, l, e)
	if err != nil || !told {
		return err
	}
	// One that was taken away since, or another establishment's, is told nothing.
	ours, err := s.opt.Dispatch.Rooms(ctx, tx, scope)
	rooms := slices.DeleteFunc(slices.Clone(a.Rooms), func(id uuid.UUID) bool { return !slices.Contains(ours, id) })
	if err != nil || len(rooms) == 0 {
		return err
	}
	campaign := uuid.NewSHA1(l.ID, []byte("rooms"))
	if err := s.opt.Dispatch.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: campaign, Mode: string(l.Mode)}); err != nil {
		return err
	}
	if e.Kind == alerting.EventEnded || e.Kind == alerting.EventKilled { // what a room has not read yet is over
		if _, err := s.opt.Dispatch.Withdraw(ctx, tx, scope, now, campaign, dispatch.Selection{}); err != nil {
			return err
		}
	}
	content := dispatch.Content{
		ID: storage.NewID(now), Medium: a.Medium, Language: a.Language, Subject: a.Title, Text: s.roomText(a, e.Kind),
	}
	if err := s.opt.Dispatch.AddContents(ctx, tx, scope, now, campaign, []dispatch.Content{content}); err != nil {
		return err
	}
	orders := make([]dispatch.Order, len(rooms))
	for i, room := range rooms {
		orders[i] = dispatch.Order{
			ID: storage.NewID(now), Campaign: campaign, Subject: room, Content: content.ID, Medium: a.Medium, Address: room.String(), Link: s.opt.Space,
			Purpose: string(e.Kind), Priority: a.Priority, ExpiresAt: now.Add(a.Validity),
		}
	}
	if _, err := s.opt.Dispatch.Enqueue(ctx, tx, scope, now, orders); err != nil {
		return fmt.Errorf("tell rooms of alert %s: %w", l.ID, err)
	}
	return nil
}

// roomText is what a room reads: the title, what is said, where to go, and how to answer.
func (s *Service) roomText(a alerting.Announcement, kind alerting.EventKind) string {
	loc := s.opt.Catalog.For(i18n.Language(a.Language))
	head := a.Title
	var foot string
	switch kind {
	case alerting.EventLaunched:
		foot = loc.T("hooks.room.answer", "link", "{lien}")
	case alerting.EventQuotaMet:
		foot = loc.T("hooks.room.quota_met")
	case alerting.EventEnded:
		head = loc.T("hooks.room.ended", "title", a.Title)
	case alerting.EventKilled:
		head = loc.T("hooks.room.killed", "title", a.Title)
	default:
	}
	var parts []string
	for _, part := range []string{head, a.Text, a.WhereToGo, foot} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}
