package proof

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// The purposes of messages, as dispatch keeps them.
const (
	purposeAsk    = "ask"
	purposeRemind = "remind"
	purposeProve  = "prove" // to a number that was just given
)

// sparedMost is how many messages a gateway may lose before a person is left in peace.
const sparedMost = 6

// outbox is the campaign as dispatch knows it: a kill stops it, and nobody gets
// more than what a campaign can mean to send him.
func (s *Service) outbox(c Campaign) dispatch.Campaign {
	return dispatch.Campaign{ID: c.ID, Mode: "test", MaxPerSubject: 2*(c.Reminders+2) + sparedMost}
}

// send lets the next messages of a campaign leave, as far as the day's quota
// and the clocks of the sites allow.
func (s *Service) send(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, e organisation.Establishment, id uuid.UUID) (more bool, err error) {
	// Locked first: two nodes must not spend one quota twice.
	if _, err := tx.Exec(ctx, `UPDATE directory_campaigns SET day_sent = day_sent WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
		return false, err
	}
	c, err := campaign(ctx, tx, scope, id)
	if err != nil || c.State != Running {
		return false, err
	}
	home, err := time.LoadLocation(e.Zone)
	if err != nil {
		return false, err
	}
	if today := dayOf(now, home); c.day != today {
		c.day, c.daySent = today, 0
	}
	p := &portion{s: s, tx: tx, scope: scope, now: now, c: c, house: e}
	zones, err := p.zones(ctx)
	if err != nil {
		return false, err
	}
	for _, zone := range zones {
		if err := p.zone(ctx, zone); err != nil {
			return false, err
		}
	}
	if err := p.flush(ctx); err != nil {
		return false, err
	}
	return p.full, nil
}

// portion is one transaction's worth of messages.
type portion struct {
	s      *Service
	tx     *storage.Tx
	scope  access.Scope
	now    time.Time
	c      Campaign
	house  organisation.Establishment
	orders []dispatch.Order
	texts  map[uuid.UUID]dispatch.Content
	full   bool
}

// zones are the clocks of the people who are due.
func (p *portion) zones(ctx context.Context) (out []string, err error) {
	err = p.tx.Query(ctx, `SELECT DISTINCT zone FROM directory_asked WHERE organisation_id = $1 AND campaign_id = $2 AND next_us <= $3 ORDER BY zone`,
		[]any{p.scope.Organisation(), p.c.ID, storage.Micros(p.now)}, func(row func(...any) error) error {
			var z string
			err := row(&z)
			out = append(out, z)
			return err
		})
	return out, err
}

// zone writes to the next people of one clock.
func (p *portion) zone(ctx context.Context, name string) error {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return err
	}
	from, to, open := p.c.Hours.window(p.now, zone)
	if !open {
		return nil
	}
	left := p.c.Hours.allowed(p.c.Quota, p.now, from, to) - p.c.daySent
	if left <= 0 {
		return nil
	}
	list, err := readAsked(ctx, p.tx, p.scope, `a.campaign_id = $2 AND a.next_us <= $3 AND a.zone = $4 ORDER BY a.next_us, a.id LIMIT $5`,
		p.c.ID, storage.Micros(p.now), name, min(left, sendChunk))
	if err != nil || len(list) == 0 {
		return err
	}
	p.full = p.full || len(list) == sendChunk
	known, err := p.s.reach(ctx, p.tx, p.scope, p.now, list)
	if err != nil {
		return err
	}
	for _, a := range list {
		p.write(&a, known[a.person], to)
		if err := a.save(ctx, p.tx, p.scope); err != nil {
			return err
		}
	}
	return nil
}

// reach reads how people can be reached today. Who left, or is on leave, is not there.
func (s *Service) reach(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, list []asked) (map[uuid.UUID]directory.Target, error) {
	rule := directory.Rule{}
	for _, a := range list {
		rule.People = append(rule.People, a.person)
	}
	out := make(map[uuid.UUID]directory.Target, len(list))
	err := s.people.Resolve(ctx, tx, scope, rule, directory.Rule{}, now, func(t directory.Target) error {
		out[t.Person] = t
		return nil
	})
	return out, err
}

// write makes the message of one person, and says when he is asked again.
func (p *portion) write(a *asked, t directory.Target, closing time.Time) {
	k, ok := choose(t, a.failed)
	if !ok {
		a.settle(Unreachable, p.now)
		return
	}
	purpose := purposeAsk
	if a.sent > 0 {
		purpose = purposeRemind
	}
	a.contact, a.standing, a.sentAt = k.ID, Asked, p.now
	a.sent++
	a.next = time.Time{}
	if a.asks() <= p.c.Reminders {
		a.next = p.now.AddDate(0, 0, p.c.RemindAfter)
	}
	p.c.daySent++
	content := p.s.content(p.house, p.c, purpose, k.Kind, t.Language)
	if p.texts == nil {
		p.texts = map[uuid.UUID]dispatch.Content{}
	}
	p.texts[content.ID] = content
	p.orders = append(p.orders, dispatch.Order{
		ID: uuid.NewSHA1(a.id, []byte(strconv.Itoa(a.sent))), Campaign: p.c.ID, Subject: a.id, Content: content.ID, Medium: content.Medium,
		Address: k.Address, Link: p.s.linkBase + a.code, Token: token(k.Kind, a.code), Purpose: purpose, Wave: a.sent, Priority: lowPriority, ExpiresAt: closing,
	})
}

// lowPriority lets everything of an alert leave first.
const lowPriority = 9

// token lets an answer by e-mail be recognised; an SMS has no room for one.
func token(kind, code string) string {
	if kind == directory.Email {
		return code
	}
	return ""
}

// choose is the contact point to try: a mobile before a mailbox, and none that
// failed in this campaign, that is refused, or that nobody may use.
func choose(t directory.Target, failed []string) (directory.Contact, bool) {
	for _, kind := range []string{directory.Mobile, directory.Email} {
		medium := directory.SMS
		if kind == directory.Email {
			medium = directory.Mail
		}
		if slices.Contains(t.Refused, medium) {
			continue
		}
		for _, k := range t.Contacts {
			if k.Kind == kind && k.Usable() && !slices.Contains(failed, k.ID.String()) {
				return k, true
			}
		}
	}
	return directory.Contact{}, false
}

func (p *portion) flush(ctx context.Context) error {
	if len(p.orders) > 0 {
		contents := make([]dispatch.Content, 0, len(p.texts))
		for _, c := range p.texts {
			contents = append(contents, c)
		}
		if err := p.s.dispatch.AddContents(ctx, p.tx, p.scope, p.now, p.c.ID, contents); err != nil {
			return err
		}
		if _, err := p.s.dispatch.Enqueue(ctx, p.tx, p.scope, p.now, p.orders); err != nil {
			return err
		}
	}
	_, err := p.tx.Exec(ctx, `UPDATE directory_campaigns SET day = $3, day_sent = $4 WHERE organisation_id = $1 AND id = $2`,
		p.scope.Organisation(), p.c.ID, p.c.day, p.c.daySent)
	return err
}
