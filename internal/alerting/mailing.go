package alerting

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// mailKind is why many people get a message.
type mailKind string

// The kinds of mailings. The values are stored.
const (
	mailWave      mailKind = "wave"       // a wave leaves
	mailRecall    mailKind = "recall"     // the silent are called again
	mailRepeat    mailKind = "repeat"     // a diffusion is said again
	mailStandDown mailKind = "stand_down" // those called and not needed are told
	mailProgress  mailKind = "progress"   // a word of the cell
	mailEnd       mailKind = "end"        // the end of the alert
	mailKept      mailKind = "kept_back"  // those of a relief are told
)

// mailing is a message to many, sent by portions; After is the last person done.
type mailing struct {
	ID, Launch uuid.UUID
	Kind       mailKind
	Wave       int
	To         To
	After      uuid.UUID
	Sent       int
	// From is when it may begin; zero is now.
	From time.Time
}

// standDownWait lets dispatch tell which calls were taken back before they
// left, so that nobody is told to forget a call he never got.
const standDownWait = 10 * time.Second

func insertMailing(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, m mailing) error {
	if m.ID == uuid.Nil {
		m.ID = storage.NewID(now)
	}
	if m.From.IsZero() {
		m.From = now
	}
	_, err := tx.Exec(ctx, `INSERT INTO alerting_mailings (organisation_id, id, launch_id, kind, wave, audience, after_id, sent, from_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`, scope.Organisation(), m.ID, m.Launch, string(m.Kind), m.Wave, string(m.To), uuid.Nil, storage.Micros(m.From))
	return err
}

// closeMailings ends the mailings of a kind that are under way; all kinds when empty.
func closeMailings(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, kind mailKind) error {
	_, err := tx.Exec(ctx, `UPDATE alerting_mailings SET done_us = $3 WHERE organisation_id = $1 AND launch_id = $2 AND done_us IS NULL AND ($4 = '' OR kind = $4)`,
		scope.Organisation(), launch, storage.Micros(now), string(kind))
	return err
}

// closeTurn ends the mailings of a kind for the waves of a turn.
func closeTurn(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, kind mailKind, waves []int) error {
	_, err := tx.Exec(ctx, `UPDATE alerting_mailings SET done_us = $3 WHERE organisation_id = $1 AND launch_id = $2 AND done_us IS NULL AND kind = $4 AND wave IN (`+numbered(waves)+`)`,
		scope.Organisation(), launch, storage.Micros(now), string(kind))
	return err
}

// numbered are numbers of waves for a condition in SQL; -1 stands for none.
func numbered(waves []int) string {
	list := []string{"-1"}
	for _, w := range waves {
		list = append(list, strconv.Itoa(w))
	}
	return strings.Join(list, ", ")
}

// mail sends one portion of the oldest mailing of an alert.
func (s *Service) mail(ctx context.Context, w job, now time.Time) (more bool, err error) {
	err = s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		var m mailing
		found, err := tx.Row(ctx, `SELECT id, launch_id, kind, wave, audience, after_id, sent FROM alerting_mailings
			WHERE organisation_id = $1 AND launch_id = $2 AND done_us IS NULL AND from_us <= $3 ORDER BY id LIMIT 1 {{skip_locked}}`,
			[]any{w.scope.Organisation(), w.launch, storage.Micros(now)}, &m.ID, &m.Launch, &m.Kind, &m.Wave, &m.To, &m.After, &m.Sent)
		if err != nil || !found {
			return err
		}
		l, err := readLaunch(ctx, tx, w.scope, w.launch)
		if err != nil {
			return err
		}
		more = true
		return s.portion(ctx, tx, w.scope, now, l, m)
	})
	return more, err
}

// portion sends a mailing to its next people and moves its mark.
func (s *Service) portion(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, m mailing) error {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return err
	}
	people, err := readPeople(ctx, tx, scope, l.ID, `id > $3 AND left_out = ''`+m.condition(p.Definition)+` ORDER BY id LIMIT $4 {{for_update}}`, m.After, portion)
	if err != nil {
		return err
	}
	sent := 0
	if len(people) > 0 {
		m.After = people[len(people)-1].ID
		if sent, err = s.mailTo(ctx, tx, scope, now, l, m, people); err != nil {
			return err
		}
	}
	done := time.Time{}
	if len(people) < portion {
		done = now
	}
	if _, err = tx.Exec(ctx, `UPDATE alerting_mailings SET after_id = $3, sent = $4, done_us = $5 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), m.ID, m.After, m.Sent+sent, storage.NullMicros(done)); err != nil {
		return err
	}
	if done.IsZero() || m.Sent+sent == 0 {
		return nil
	}
	switch m.Kind {
	case mailStandDown:
		return s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventStandDown, People: m.Sent + sent})
	case mailKept:
		return s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventKeptBack, Wave: m.Wave + 1, People: m.Sent + sent})
	}
	return nil
}

// condition chooses the people of a mailing, in SQL.
func (m mailing) condition(d Definition) string {
	// Who was told that he is kept back knows of the alert, though it did not call him.
	knows := ` AND (called_us IS NOT NULL OR (marks & ` + strconv.Itoa(markKept) + `) <> 0)`
	silent := ` AND called_us IS NOT NULL AND meaning = '' AND arrived_us IS NULL`
	turn := ``
	if d.relieves() {
		turn = ` AND wave IN (` + numbered(d.wavesOf(d.Waves[m.Wave].turn())) + `)`
	}
	switch m.Kind {
	case mailWave, mailKept:
		return ` AND state = 'waiting' AND wave = ` + strconv.Itoa(m.Wave)
	case mailRecall:
		return silent + turn
	case mailStandDown:
		return knows + ` AND meaning = '' AND arrived_us IS NULL` + turn
	case mailRepeat:
		return silent
	case mailProgress:
		switch m.To {
		case ToComing:
			return ` AND meaning IN ('coming', 'on_site')`
		case ToUnanswered:
			return silent
		}
	}
	return knows
}

func (s *Service) mailTo(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, m mailing, people []person) (int, error) {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return 0, err
	}
	if m.Kind == mailRecall {
		return len(people), s.step(ctx, tx, scope, now, l, people, true)
	}
	sites, err := sitesOf(ctx, tx, scope, l.ID)
	if err != nil {
		return 0, err
	}
	known, err := currentAttempts(ctx, tx, scope, people)
	if err != nil {
		return 0, err
	}
	b := batch{s: s, plan: p, launch: l, now: now, ids: newIDs(now), sites: sites, tally: tally{}, shelf: newShelf(p, l.ID)}
	for i := range people {
		b.mail(m, &people[i], known)
	}
	return len(b.orders), b.write(ctx, tx, scope)
}

// toOwnWords marks a mailing whose texts are its own and not the scenario's.
const toOwnWords To = "own"

// source is where the texts of a mailing are kept.
func (m mailing) source(launch uuid.UUID) uuid.UUID {
	if m.Kind == mailProgress || m.To == toOwnWords {
		return m.ID
	}
	return launch
}

// mail sends one mailing's words to one person.
func (b *batch) mail(m mailing, p *person, known map[uuid.UUID]*attempt) {
	switch m.Kind {
	case mailWave:
		b.do(p, Step{Kind: StepSend, Rung: 0, Use: b.plan.use(p.Wave)})
	case mailRepeat:
		b.do(p, Step{Kind: StepSend, Rung: p.Rung, Use: UseReminder})
	case mailStandDown:
		// Who never got the call must not be told to forget it.
		if a := known[p.Current]; p.Marks&markStoodDown == 0 && (a == nil || a.State != AttemptWithdrawn && a.State != AttemptGuarded && !a.lost()) {
			p.Marks |= markStoodDown
			b.changed = append(b.changed, p)
			b.tell(m, p, UseStandDown, b.launch.ID)
		}
	case mailKept:
		p.Marks |= markKept
		b.changed = append(b.changed, p)
		b.tell(m, p, UseKeptBack, b.launch.ID)
	case mailProgress:
		b.tell(m, p, UseProgress, m.source(b.launch.ID))
	case mailEnd:
		b.tell(m, p, UseEnd, m.source(b.launch.ID))
	}
}

// tell sends words that call nobody: they change neither the ladder nor the clock.
func (b *batch) tell(m mailing, p *person, use Use, source uuid.UUID) {
	r := p.quiet(p.Rungs[p.Rung])
	a := addressee{ID: p.ID, Wave: p.Wave, Language: p.Language, Code: p.Code, Site: b.sites[p.Unit]}
	id := uuid.NewSHA1(m.ID, p.ID[:])
	var o dispatch.Order
	ok := true
	if source == b.launch.ID {
		o, ok = b.s.order(b.shelf, id, a, r, use, b.now)
	} else {
		k := contentKey{Use: use, Medium: r.Medium, Language: p.Language}
		o = b.s.orderOf(b.plan, b.launch.ID, id, contentID(source, k), a, r, use, b.now)
	}
	if ok {
		b.orders = append(b.orders, o)
	}
}
