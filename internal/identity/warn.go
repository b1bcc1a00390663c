package identity

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/wire/gsm"
)

// Notice is a warning of the program to people of an establishment.
type Notice struct {
	// ID makes the warning one: said again, nobody gets it twice.
	ID uuid.UUID
	// Roles are whose holders are told, by every address they gave.
	Roles []access.Role
	// Only, when not nil, are the accounts among them that are told.
	Only []uuid.UUID
	// Without is a medium that cannot carry it; empty for none.
	Without string
	// Purpose says why, in the words of the outbox.
	Purpose string
	// Life is how long it is worth reading.
	Life time.Duration
	// Say writes it in a language. An SMS has no subject.
	Say func(loc *i18n.Localizer) (subject, text string)
}

// Warn writes to those a notice is for, in the caller's transaction; it leaves
// once that is committed and the outbox is woken. Only the program itself may.
func (s *Service) Warn(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, n Notice) error {
	if !scope.IsSystem() {
		return fault.New(fault.Denied, "access.denied")
	}
	var to []Address
	for _, role := range n.Roles {
		list, err := addresses(ctx, tx, scope.Organisation(), role)
		if err != nil {
			return err
		}
		to = append(to, list...)
	}
	return s.warn(ctx, tx, scope, now, n, to)
}

// warn writes to addresses, each once.
func (s *Service) warn(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, n Notice, to []Address) error {
	if s.outbox == nil || s.catalog == nil {
		return nil
	}
	var contents []dispatch.Content
	var orders []dispatch.Order
	seen := map[string]bool{"": true}
	for _, a := range to {
		if seen[a.Address] || a.Medium == n.Without || n.Only != nil && !slices.Contains(n.Only, a.Account) {
			continue
		}
		seen[a.Address] = true
		c, o := s.noticeFor(a, n, now)
		contents, orders = append(contents, c), append(orders, o)
	}
	if len(orders) == 0 {
		return nil
	}
	if err := s.outbox.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: n.ID}); err != nil {
		return err
	}
	if err := s.outbox.AddContents(ctx, tx, scope, now, n.ID, contents); err != nil {
		return err
	}
	_, err := s.outbox.Enqueue(ctx, tx, scope, now, orders)
	return err
}

// noticeFor is the message to one address.
func (s *Service) noticeFor(to Address, n Notice, now time.Time) (dispatch.Content, dispatch.Order) {
	subject, text := n.Say(s.catalog.For(i18n.Language(to.Language)))
	c := dispatch.Content{
		ID: uuid.NewSHA1(n.ID, []byte(to.Medium+"|"+to.Language)), Medium: reachEmail, Language: to.Language, Subject: subject, Text: text,
	}
	o := dispatch.Order{
		ID: uuid.NewSHA1(n.ID, []byte(to.Medium+"|"+to.Address)), Campaign: n.ID, Subject: to.Account, Content: c.ID,
		Medium: reachEmail, Address: to.Address, Purpose: n.Purpose, ExpiresAt: now.Add(n.Life),
	}
	if to.Medium == reachSMS {
		c.Medium, o.Medium, c.Subject, c.Text = reachSMS, reachSMS, "", gsm.Plain(c.Text)
	}
	return c, o
}
