package proof

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

const campaignColumns = `id, kind, title, state, audience, quota, from_us, until_us, remind_days, reminders, hour_from, hour_to, saturdays,
	every_months, frozen, day, day_sent, actor_name, created_us, closed_us`

func scanCampaign(row func(...any) error) (Campaign, error) {
	var c Campaign
	var audience string
	var from, until, created int64
	var closed sql.NullInt64
	if err := row(&c.ID, &c.Kind, &c.Title, &c.State, &audience, &c.Quota, &from, &until, &c.RemindAfter, &c.Reminders, &c.Hours.From, &c.Hours.To,
		&c.Hours.Saturdays, &c.EveryMonths, &c.frozen, &c.day, &c.daySent, &c.By, &created, &closed); err != nil {
		return c, err
	}
	c.From, c.Until, c.Created, c.Closed = storage.Time(from), storage.Time(until), storage.Time(created), storage.NullTime(closed)
	return c, json.Unmarshal([]byte(audience), &c.Audience)
}

func insertCampaign(ctx context.Context, tx *storage.Tx, scope access.Scope, c Campaign) error {
	audience, err := json.Marshal(c.Audience)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_campaigns (organisation_id, `+campaignColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		scope.Organisation(), c.ID, string(c.Kind), c.Title, string(c.State), string(audience), c.Quota, storage.Micros(c.From), storage.Micros(c.Until),
		c.RemindAfter, c.Reminders, c.Hours.From, c.Hours.To, c.Hours.Saturdays, c.EveryMonths, c.frozen, c.day, c.daySent, c.By,
		storage.Micros(c.Created), storage.NullMicros(c.Closed))
	return err
}

// campaigns reads those that a condition selects; its parameters begin at $2.
func campaigns(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Campaign, err error) {
	err = tx.Query(ctx, `SELECT `+campaignColumns+` FROM directory_campaigns WHERE organisation_id = $1 AND `+which,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			c, err := scanCampaign(row)
			out = append(out, c)
			return err
		})
	return out, err
}

// campaign reads one. Errors: NotFound.
func campaign(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Campaign, error) {
	list, err := campaigns(ctx, tx, scope, `id = $2`, id)
	if err != nil {
		return Campaign{}, err
	}
	if len(list) == 0 {
		return Campaign{}, fault.New(fault.NotFound, "directory.proof.not_found")
	}
	return list[0], nil
}

// asked is one person of a campaign.
type asked struct {
	id, campaign, person, service uuid.UUID
	zone, language                string
	standing                      Standing
	code                          string
	contact                       uuid.UUID
	// failed are the contact points that did not work, in this campaign.
	failed []string
	sent   int
	next   time.Time
	sentAt time.Time
	// settled is when the person answered, or was given up.
	settled time.Time
}

const askedColumns = `a.id, a.campaign_id, a.person_id, a.service_id, a.zone, a.language, a.state, a.code, a.contact_id, a.failed, a.sent, a.next_us, a.sent_us, a.settled_us`

func scanAsked(row func(...any) error) (asked, error) {
	var a asked
	var service, contact uuid.NullUUID
	var failed string
	var next, sent, settled sql.NullInt64
	err := row(&a.id, &a.campaign, &a.person, &service, &a.zone, &a.language, &a.standing, &a.code, &contact, &failed, &a.sent, &next, &sent, &settled)
	a.service, a.contact, a.failed = service.UUID, contact.UUID, strings.Fields(failed)
	a.next, a.sentAt, a.settled = storage.NullTime(next), storage.NullTime(sent), storage.NullTime(settled)
	return a, err
}

// readAsked reads the people that a condition selects; its parameters begin at $2.
func readAsked(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []asked, err error) {
	err = tx.Query(ctx, `SELECT `+askedColumns+` FROM directory_asked a WHERE a.organisation_id = $1 AND `+which,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			a, err := scanAsked(row)
			out = append(out, a)
			return err
		})
	return out, err
}

func (a asked) save(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `UPDATE directory_asked SET state = $3, contact_id = $4, failed = $5, sent = $6, next_us = $7, sent_us = $8, settled_us = $9
		WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), a.id, string(a.standing), storage.NullID(a.contact), strings.Join(a.failed, " "), a.sent,
		storage.NullMicros(a.next), storage.NullMicros(a.sentAt), storage.NullMicros(a.settled))
	return err
}

// settle gives a person his standing; what was learnt last counts.
func (a *asked) settle(s Standing, now time.Time) {
	a.standing, a.settled, a.next = s, now, time.Time{}
}

// view counts a campaign, whole and by service.
func (s *Service) view(ctx context.Context, tx *storage.Tx, scope access.Scope, c Campaign) (View, error) {
	now := s.clock.Now()
	v := View{Campaign: c, Tally: Tally{}}
	places, err := s.houses.Places(ctx, tx, scope, now)
	if err != nil {
		return v, err
	}
	by := map[uuid.UUID]*ServiceTally{}
	if err := tx.Query(ctx, `SELECT service_id, state, COUNT(*) FROM directory_asked WHERE organisation_id = $1 AND campaign_id = $2 GROUP BY service_id, state`,
		[]any{scope.Organisation(), c.ID}, func(row func(...any) error) error {
			var service uuid.NullUUID
			var standing Standing
			var n int
			if err := row(&service, &standing, &n); err != nil {
				return err
			}
			t := by[service.UUID]
			if t == nil {
				t = named(places, service.UUID)
				by[service.UUID] = t
			}
			t.Tally[standing] += n
			v.Tally[standing] += n
			return nil
		}); err != nil {
		return v, err
	}
	for _, t := range by {
		v.Services = append(v.Services, *t)
	}
	v.sort()
	if zone, err := time.LoadLocation(places.Zone); err == nil && c.day == dayOf(now, zone) {
		v.Today = c.daySent
	}
	if left := v.Tally[Waiting]; c.Open() && left > 0 {
		v.Last = c.lastDay(now, left-(c.Quota-v.Today))
	}
	return v, nil
}

func named(places *organisation.Places, service uuid.UUID) *ServiceTally {
	t := &ServiceTally{Tally: Tally{}, Service: service}
	if place, ok := places.Get(service); ok {
		t.Name, t.Site = place.Name, place.SiteName
	}
	return t
}

// lastDay is the day by which so many more people have had their message, at
// the pace of the quota; zero when that is after the end.
func (c Campaign) lastDay(now time.Time, left int) time.Time {
	day := now
	if c.From.After(now) {
		day = c.From
	}
	for left > 0 && day.Before(c.Until) {
		day = day.AddDate(0, 0, 1)
		noon := time.Date(day.Year(), day.Month(), day.Day(), c.Hours.From, 0, 0, 0, time.UTC)
		if _, _, open := c.Hours.window(noon, time.UTC); open {
			left -= c.Quota
		}
	}
	if left > 0 {
		return time.Time{}
	}
	return day
}

// dayOf names a day on a clock.
func dayOf(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }
