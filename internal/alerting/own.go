package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// ownMost is how many alerts, or answers, a person is shown of his own.
const ownMost = 50

// Own is an alert as a person it called sees it.
type Own struct {
	// Code is that of his answer link.
	Code string
	Link Link
}

// OwnAlerts lists the alerts that called a person, the last first, those that
// run before the others. It is for who showed that they are his own: it needs access.AlertAnswers.
func (s *Service) OwnAlerts(ctx context.Context, scope access.Scope, person uuid.UUID, now time.Time) (out []Own, err error) {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return nil, err
	}
	var codes []string
	if err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT r.code FROM alerting_recipients r JOIN alerting_launches l ON l.organisation_id = r.organisation_id AND l.id = r.launch_id
			WHERE r.organisation_id = $1 AND r.person_id = $2 AND r.code IS NOT NULL AND r.called_us IS NOT NULL
			ORDER BY CASE WHEN l.state = 'running' THEN 0 ELSE 1 END, l.launched_us DESC, l.id LIMIT $3`, []any{scope.Organisation(), person, ownMost},
			func(row func(...any) error) error {
				var code string
				err := row(&code)
				codes = append(codes, code)
				return err
			})
	}); err != nil {
		return nil, err
	}
	for _, code := range codes {
		link, err := s.OpenLink(ctx, code, now)
		if err != nil {
			return nil, err
		}
		if link.Found {
			out = append(out, Own{code, link})
		}
	}
	return out, nil
}

// OwnGiven is an answer as who gave it sees it.
type OwnGiven struct {
	Title   Localized
	Mode    Mode
	Meaning Meaning
	Minutes int
	Source  Source
	At      time.Time
	// Received is when it reached us, for one that waited for a network; zero otherwise.
	Received time.Time
	Late     bool
}

// OwnAnswers lists the answers of a person, the last first. It needs access.AlertAnswers.
func (s *Service) OwnAnswers(ctx context.Context, scope access.Scope, person uuid.UUID) (out []OwnGiven, err error) {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT l.title_json, l.mode, a.meaning, a.minutes, a.source, a.at_us, a.received_us, a.late FROM alerting_answers a
			JOIN alerting_recipients r ON r.organisation_id = a.organisation_id AND r.id = a.recipient_id
			JOIN alerting_launches l ON l.organisation_id = a.organisation_id AND l.id = a.launch_id
			WHERE a.organisation_id = $1 AND r.person_id = $2 AND a.meaning <> '' ORDER BY a.at_us DESC, a.id LIMIT $3`, []any{scope.Organisation(), person, ownMost},
			func(row func(...any) error) error {
				var g OwnGiven
				var title string
				var at int64
				var received sql.NullInt64
				if err := row(&title, &g.Mode, &g.Meaning, &g.Minutes, &g.Source, &at, &received, &g.Late); err != nil {
					return err
				}
				g.At, g.Received = storage.Time(at), storage.NullTime(received)
				if err := json.Unmarshal([]byte(title), &g.Title); err != nil {
					return err
				}
				out = append(out, g)
				return nil
			})
	})
	return out, err
}

// OwnAnswer is an answer that a person gives in his own space.
type OwnAnswer struct {
	// Code is that of the alert's answer link.
	Code    string
	Meaning Meaning
	Minutes int
	// At is when the button was pressed, for one that was kept until the network
	// came back; zero is now. Key recognises one that is sent twice.
	At  time.Time
	Key string
}

// AnswerOwn records an answer given in a space. Errors: NotFound for an alert
// that did not call this person, Invalid for an answer the scenario does not propose.
func (s *Service) AnswerOwn(ctx context.Context, scope access.Scope, person uuid.UUID, a OwnAnswer, from string, now time.Time) (late bool, err error) {
	if err := s.guard.Check(scope, access.AlertConduct); err != nil {
		return false, err
	}
	l, found, err := s.follow(ctx, a.Code, now)
	if err != nil {
		return false, err
	}
	if !found || l.scope.Organisation() != scope.Organisation() || l.person.Person != person {
		return false, fault.New(fault.NotFound, "alerting.link.unknown")
	}
	at := a.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	if at.Before(l.launch.LaunchedAt) {
		at = l.launch.LaunchedAt // a telephone that is wrong about the time
	}
	given := Answer{ID: storage.NewID(now), At: at, Source: BySpace, Meaning: a.Meaning, Minutes: a.Minutes}
	if now.Sub(at) > waited {
		given.Received = now
	}
	if a.Key != "" {
		given.ID = uuid.NewSHA1(l.person.ID, []byte(a.Key))
	}
	return s.answerLinked(ctx, l, given, from, now)
}

// waited is from when an answer that travelled is said to have come late.
const waited = 30 * time.Second

// Called tells whom an answer link was sent to.
func (s *Service) Called(ctx context.Context, code string, now time.Time) (organisation, person uuid.UUID, found bool, err error) {
	l, found, err := s.follow(ctx, code, now)
	if err != nil || !found {
		return uuid.Nil, uuid.Nil, false, err
	}
	return l.scope.Organisation(), l.person.Person, true, nil
}
