package alerting

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Silence is when an establishment thinks that its links open for nobody: SMS
// with a link arrived at People or more for Minutes, not one answer came by link
// in that time, and answers by SMS do come.
type Silence struct {
	// Minutes 0 never thinks so.
	Minutes int
	People  int
}

// The defaults and limits of Silence, and how many answers by SMS prove that
// people do answer. Fifteen minutes and fifty people: in a call-out that asks for
// a key or a link, the first links are followed within a minute.
const (
	SilenceMinutesDefault = 15
	SilencePeopleDefault  = 50
	SilenceMinutesMost    = 240
	SilencePeopleMost     = 100_000
	silenceAnswers        = 10
	// silenceFresh is how many times Minutes ago a message may have arrived: late in
	// an alert few answer at all, and that says nothing of the links.
	silenceFresh = 3
)

func (s Silence) check() error {
	if s.Minutes < 0 || s.Minutes > SilenceMinutesMost {
		return fault.New(fault.Invalid, "alerting.governance.silence", "most", SilenceMinutesMost).At("silence_minutes")
	}
	if s.Minutes > 0 && (s.People < 1 || s.People > SilencePeopleMost) {
		return fault.New(fault.Invalid, "alerting.governance.silence_people", "most", SilencePeopleMost).At("silence_people")
	}
	return nil
}

// silenceEvery is how often an alert is looked at for it: it reads many rows.
const silenceEvery = 15 * time.Second

// dueForSilence tells, once in silenceEvery, that an alert is to be looked at.
func (s *Service) dueForSilence(launch uuid.UUID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.listened[launch]) < silenceEvery {
		return false
	}
	s.listened[launch] = now
	return true
}

// listen sets the isolated mode when an alert shows that nobody opens our links.
// One alert says so once: who ends the mode by hand is not contradicted by it.
func (s *Service) listen(ctx context.Context, w job, now time.Time) error {
	if !s.dueForSilence(w.launch, now) {
		return nil
	}
	silent := false
	err := s.db.Read(ctx, w.scope, func(tx *storage.Tx) (err error) {
		silent, err = s.linksSilent(ctx, tx, w, now)
		return err
	})
	if err != nil || !silent {
		return err
	}
	err = s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		if _, err := lockLaunch(ctx, tx, w.scope, w.launch); err != nil {
			return err
		}
		if silent, err = s.linksSilent(ctx, tx, w, now); err != nil || !silent {
			return err
		}
		if err := s.dispatch.LinksSilent(ctx, tx, w.scope, now); err != nil {
			return err
		}
		return s.event(ctx, tx, w.scope, now, w.launch, Event{Kind: EventLinksSilent})
	})
	s.announced(Topic(w.launch))
	s.dispatch.Wake()
	return err
}

// linksSilent is the rule of Silence for one alert, the cheapest question first.
func (s *Service) linksSilent(ctx context.Context, tx *storage.Tx, w job, now time.Time) (bool, error) {
	rules, err := readGovernance(ctx, tx, w.scope)
	if err != nil || rules.Silence.Minutes == 0 {
		return false, err
	}
	since := now.Add(-time.Duration(rules.Silence.Minutes) * time.Minute)
	bySMS, byLink, err := answersSince(ctx, tx, w, since)
	if err != nil || bySMS < silenceAnswers || byLink > 0 {
		return false, err
	}
	l, err := readLaunch(ctx, tx, w.scope, w.launch)
	if err != nil || l.State != Running {
		return false, err
	}
	p, err := s.planOf(ctx, tx, w.scope, l)
	if err != nil || !p.linksBySMS() {
		return false, err
	}
	events, err := readEvents(ctx, tx, w.scope, w.launch)
	if err != nil || slices.ContainsFunc(events, func(e Event) bool { return e.Kind == EventLinksSilent }) {
		return false, err
	}
	n, err := hadLink(ctx, tx, w, since.Add(-(silenceFresh-1)*now.Sub(since)), since, rules.Silence.People)
	return n >= rules.Silence.People, err
}

// linksBySMS tells whether the SMS that call carry a link.
func (p *plan) linksBySMS() bool {
	t, ok := p.Definition.text(UseAlert, channels.SMS, p.Setting.Language)
	return ok && strings.Contains(t.Body, linkPlaceholder)
}

// answersSince counts the answers of an alert by SMS and by link since an instant.
func answersSince(ctx context.Context, tx *storage.Tx, w job, since time.Time) (bySMS, byLink int, err error) {
	err = tx.Query(ctx, `SELECT source, COUNT(*) FROM alerting_answers WHERE organisation_id = $1 AND launch_id = $2 AND at_us > $3 AND source IN ('sms', 'link') GROUP BY source`,
		[]any{w.scope.Organisation(), w.launch, storage.Micros(since)}, func(row func(...any) error) error {
			var source Source
			var n int
			err := row(&source, &n)
			if source == ByLink {
				byLink = n
			} else {
				bySMS = n
			}
			return err
		})
	return bySMS, byLink, err
}

// hadLink counts the people to whom an SMS that calls arrived between two
// instants, or was taken by an operator who tells no more; it counts no further
// than enough.
func hadLink(ctx context.Context, tx *storage.Tx, w job, from, to time.Time, enough int) (n int, err error) {
	_, err = tx.Row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM alerting_recipients r WHERE r.organisation_id = $1 AND r.launch_id = $2 AND r.called_us IS NOT NULL
		AND EXISTS (SELECT 1 FROM alerting_attempts a WHERE a.organisation_id = r.organisation_id AND a.recipient_id = r.id
			AND a.medium = 'sms' AND a.purpose IN ('alert', 'reminder') AND a.state IN ('submitted', 'delivered')
			AND COALESCE(a.delivered_us, a.submitted_us) > $3 AND COALESCE(a.delivered_us, a.submitted_us) <= $4) LIMIT $5) AS reached`,
		[]any{w.scope.Organisation(), w.launch, storage.Micros(from), storage.Micros(to), enough}, &n)
	return n, err
}

// heardByLink ends what silence began: somebody has just followed a link.
func (s *Service) heardByLink(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID) error {
	ended, err := s.dispatch.LinksHeard(ctx, tx, access.System(scope.Organisation(), "alerting"), now)
	if err != nil || !ended {
		return err
	}
	return s.event(ctx, tx, scope, now, launch, Event{Kind: EventLinksBack})
}
