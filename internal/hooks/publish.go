package hooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/storage"
	"tocsin/internal/wire/cap"
)

// The life of a published message: an alert that runs is said again before the
// message that says it expires.
const (
	PublishedFor = 6 * time.Hour
	renewBefore  = time.Hour
)

// published is the last message of an alert.
type published struct {
	ref    cap.Reference
	kind   string
	ends   time.Time
	number int
}

// capKind is the message that an event of an alert makes; empty makes none.
func capKind(k alerting.EventKind) string {
	switch k {
	case alerting.EventLaunched:
		return cap.Alerting
	case alerting.EventQuotaMet, alerting.EventProgress, alerting.EventExtended:
		return cap.Updating
	case alerting.EventEnded, alerting.EventKilled:
		return cap.Canceling
	default:
		return ""
	}
}

// publish writes the message of an event in the transaction of the event: a
// reader never finds an alert that was not launched, nor misses one that was.
func (s *Service) publish(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l alerting.Launch, kind string) error {
	p, on, err := s.opt.Alerting.PublicationOf(ctx, tx, scope, l)
	if err != nil || !on {
		return err
	}
	last, known, err := lastPublished(ctx, tx, scope, l.ID)
	if err != nil || known == (kind == cap.Alerting) || known && last.kind == cap.Canceling {
		return err
	}
	now = now.UTC().Truncate(time.Second)
	id := storage.NewID(now)
	a := cap.Alert{
		Identifier: id.String(), Sender: scope.Organisation().String() + "@" + s.opt.Host, Sent: now, Status: capStatus(l.Mode), Kind: kind, Scope: "Public",
		Infos: capInfos(p, kind, l.LaunchedAt.UTC().Truncate(time.Second), now.Add(PublishedFor)),
	}
	if known {
		a.References = []cap.Reference{last.ref}
	}
	body, err := a.Marshal()
	if err != nil {
		return fmt.Errorf("publish alert %s: %w", l.ID, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO hooks_messages (organisation_id, id, launch_id, number, sender, kind, sent_us, expires_us, title, establishment, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		scope.Organisation(), id, l.ID, last.number+1, a.Sender, kind, storage.Micros(a.Sent), storage.Micros(a.Expires()), capTitle(p, kind, "fr"), p.Establishment, string(body))
	return err
}

// lastPublished is the newest message of an alert.
func lastPublished(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (p published, known bool, err error) {
	var id uuid.UUID
	var sent, ends int64
	known, err = tx.Row(ctx, `SELECT id, sender, kind, sent_us, expires_us, number FROM hooks_messages WHERE organisation_id = $1 AND launch_id = $2 ORDER BY number DESC LIMIT 1`,
		[]any{scope.Organisation(), launch}, &id, &p.ref.Sender, &p.kind, &sent, &ends, &p.number)
	p.ref.Identifier, p.ref.Sent, p.ends = id.String(), storage.Time(sent), storage.Time(ends)
	return p, known, err
}

func capStatus(m alerting.Mode) string {
	switch m {
	case alerting.Exercise:
		return cap.Exercise
	case alerting.Test:
		return cap.Test
	case alerting.Real:
	}
	return cap.Actual
}

// capTitle is the headline: the mode and the end are said in letters, for who
// reads nothing else.
func capTitle(p alerting.Published, kind, language string) string {
	title := p.Title.In(language)
	words := map[string]map[string]string{
		"fr": {cap.Exercise: "EXERCICE : ", cap.Test: "TEST : ", cap.Canceling: "Fin d’alerte : "},
		"en": {cap.Exercise: "EXERCISE: ", cap.Test: "TEST: ", cap.Canceling: "End of alert: "},
	}[language]
	if kind == cap.Canceling {
		title = words[cap.Canceling] + title
	}
	return words[capStatus(p.Mode)] + title
}

// capInfos are the blocks of the two languages.
func capInfos(p alerting.Published, kind string, onset, expires time.Time) (out []cap.Info) {
	for _, language := range []struct{ key, tag string }{{"fr", "fr-FR"}, {"en", "en-GB"}} {
		i := cap.Info{
			Language: language.tag, Categories: []string{p.Category}, Event: p.Title.In(language.key), Urgency: p.Urgency, Severity: p.Severity, Certainty: p.Certainty,
			Onset: onset, Expires: expires, SenderName: p.Establishment, Headline: capTitle(p, kind, language.key),
			Description: p.Text.In(language.key), Instruction: p.Instruction.In(language.key), Areas: []cap.Area{{Description: p.Area}},
		}
		if p.INSEE != "" {
			i.Areas[0].Geocodes = []cap.Geocode{{Name: "INSEE", Value: p.INSEE}}
		}
		if kind == cap.Canceling {
			i.Urgency, i.Responses, i.Instruction = "Past", []string{"AllClear"}, ""
		}
		out = append(out, i)
	}
	return out
}

// Renew says again the alerts that run, before their last message expires. One
// node does it at a time.
func (s *Service) Renew(ctx context.Context, now time.Time) (bool, error) {
	type due struct{ organisation, launch uuid.UUID }
	var list []due
	err := s.opt.DB.Read(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		list = nil
		return tx.Query(ctx, `SELECT organisation_id, launch_id FROM hooks_messages GROUP BY organisation_id, launch_id
			HAVING MAX(expires_us) <= $1 AND MAX(CASE WHEN kind = 'Cancel' THEN 1 ELSE 0 END) = 0`, []any{storage.Micros(now.Add(renewBefore))}, func(row func(...any) error) error {
			var d due
			err := row(&d.organisation, &d.launch)
			list = append(list, d)
			return err
		})
	})
	for _, d := range list {
		err = errors.Join(err, s.renew(ctx, access.System(d.organisation, "hooks"), now, d.launch))
	}
	return false, err
}

func (s *Service) renew(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID) error {
	l, err := s.opt.Alerting.LaunchByID(ctx, scope, launch)
	if err != nil || l.State != alerting.Running {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		last, known, err := lastPublished(ctx, tx, scope, launch)
		if err != nil || !known || last.kind == cap.Canceling || last.ends.After(now.Add(renewBefore)) {
			return err // told meanwhile
		}
		return s.publish(ctx, tx, scope, now, l, cap.Updating)
	})
}

// Message is one published message.
type Message struct {
	ID    uuid.UUID
	Title string
	Sent  time.Time
	// Body is the file, word for word.
	Body string
}

// Feed is what a secret address shows.
type Feed struct {
	Establishment string
	Messages      []Message
}

// FeedLength is how many messages a feed lists.
const FeedLength = 50

// ReadFeed gives the messages behind a secret address, the newest first, without
// their bodies. Errors: NotFound, the same for one that never was and one that was closed.
func (s *Service) ReadFeed(ctx context.Context, now time.Time, code string) (f Feed, err error) {
	scope, id, err := s.reader(ctx, code)
	if err != nil {
		return f, err
	}
	if err := s.readNow(ctx, scope, now, id); err != nil {
		return f, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		f = Feed{}
		return tx.Query(ctx, `SELECT id, title, sent_us, establishment FROM hooks_messages WHERE organisation_id = $1 ORDER BY sent_us DESC, number DESC LIMIT $2`,
			[]any{scope.Organisation(), FeedLength}, func(row func(...any) error) error {
				var m Message
				var sent int64
				var house string
				err := row(&m.ID, &m.Title, &sent, &house)
				m.Sent = storage.Time(sent)
				if f.Establishment == "" {
					f.Establishment = house
				}
				f.Messages = append(f.Messages, m)
				return err
			})
	})
	return f, err
}

// ReadMessage gives one message behind a secret address. Errors: NotFound.
func (s *Service) ReadMessage(ctx context.Context, code string, id uuid.UUID) (m Message, err error) {
	scope, _, err := s.reader(ctx, code)
	if err != nil {
		return m, err
	}
	found := false
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		var sent int64
		found, err = tx.Row(ctx, `SELECT id, title, sent_us, body FROM hooks_messages WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id}, &m.ID, &m.Title, &sent, &m.Body)
		m.Sent = storage.Time(sent)
		return err
	})
	if err == nil && !found {
		err = noReader()
	}
	return m, err
}

// readNow notes that a reader came, at most once a minute.
func (s *Service) readNow(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	var last sql.NullInt64
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT read_us FROM hooks_readers WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id}, &last)
		return err
	})
	if err != nil || last.Valid && now.Sub(storage.Time(last.Int64)) < time.Minute {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE hooks_readers SET read_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, storage.Micros(now))
		return err
	})
}
