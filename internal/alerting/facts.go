package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// Facts hears from dispatch what became of messages. It is repeated until it
// succeeds and may bring the same fact twice, or a receipt before its
// acceptance: every fact is merged into what is known, none is counted twice.
func (s *Service) Facts(ctx context.Context, scope access.Scope, now time.Time, facts []dispatch.Fact) error {
	touched := map[uuid.UUID]bool{}
	urgent := false
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		clear(touched)
		if err := dictationFacts(ctx, tx, scope, now, facts); err != nil {
			return err
		}
		groups, err := s.ours(ctx, tx, scope, facts)
		if err != nil {
			return err
		}
		for _, g := range groups {
			touched[g.launch.ID] = true
			hurry, err := s.mergeFacts(ctx, tx, scope, now, g)
			if err != nil {
				return err
			}
			urgent = urgent || hurry
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id := range touched {
		s.announced(Topic(id))
	}
	if urgent {
		s.nudge()
	}
	return nil
}

// factGroup is the facts of one alert.
type factGroup struct {
	launch Launch
	facts  []dispatch.Fact
}

// ours keeps the facts of alerts: other rooms send through dispatch too.
func (s *Service) ours(ctx context.Context, tx *storage.Tx, scope access.Scope, facts []dispatch.Fact) ([]factGroup, error) {
	by := map[uuid.UUID][]dispatch.Fact{}
	for _, f := range facts {
		by[f.Campaign] = append(by[f.Campaign], f)
	}
	var out []factGroup
	for _, id := range slices.SortedFunc(maps.Keys(by), compareIDs) {
		err := tx.Query(ctx, `SELECT `+launchColumns+` FROM alerting_launches WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id},
			func(row func(...any) error) error {
				l, err := scanLaunch(row)
				out = append(out, factGroup{l, by[id]})
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// attempt is a row of alerting_attempts.
type attempt struct {
	ID, Recipient                uuid.UUID
	Medium                       channels.Medium
	Purpose                      Use
	Address                      string
	State                        AttemptState
	Reason                       channels.Reason
	Submitted, Delivered, Failed time.Time
	Doubled                      bool
	known, changed               bool
}

// mergeFacts brings one alert up to date; hurry tells that somebody must be
// called another way at once.
func (s *Service) mergeFacts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, g factGroup) (hurry bool, err error) {
	attempts, err := readAttempts(ctx, tx, scope, g.facts)
	if err != nil {
		return false, err
	}
	var contacts []directory.ContactEvent
	guarded := 0
	for _, f := range g.facts {
		a := attempts[f.Delivery]
		if a == nil {
			a = &attempt{ID: f.Delivery, Recipient: f.Subject, Medium: f.Medium, Purpose: Use(f.Purpose), Address: f.Address, State: AttemptQueued}
			attempts[f.Delivery] = a
		}
		before := *a
		a.merge(f)
		if *a == before {
			continue
		}
		a.changed = true
		if a.State == AttemptGuarded {
			guarded++
		}
		if e, ok := directory.EventOf(f); ok {
			contacts = append(contacts, e)
		}
	}
	if err := saveAttempts(ctx, tx, scope, g.launch.ID, attempts); err != nil {
		return false, err
	}
	if hurry, err = s.moveRecipients(ctx, tx, scope, now, g, attempts, guarded); err != nil {
		return false, err
	}
	if len(contacts) == 0 {
		return hurry, nil
	}
	return hurry, s.people.Record(ctx, tx, scope, now, contacts)
}

// merge adds a fact to an attempt, whatever the order in which facts come.
func (a *attempt) merge(f dispatch.Fact) {
	switch f.Kind {
	case dispatch.FactAccepted, dispatch.FactMerged:
		if a.Submitted.IsZero() {
			a.Submitted = f.At
		}
		if a.State == AttemptQueued {
			a.State = AttemptSubmitted
		}
	case dispatch.FactDelivered:
		if a.Delivered.IsZero() {
			a.Delivered, a.State, a.Reason = f.At, AttemptDelivered, channels.ReasonNone
		}
	case dispatch.FactFailed:
		if a.Delivered.IsZero() && a.Failed.IsZero() {
			a.Failed, a.State, a.Reason = f.At, AttemptFailed, f.Reason
		}
	case dispatch.FactExpired:
		a.State, a.Reason = AttemptExpired, channels.ReasonExpired
	case dispatch.FactWithdrawn:
		a.State = AttemptWithdrawn
	case dispatch.FactGuarded:
		a.State = AttemptGuarded
	case dispatch.FactDoublePossible:
		a.Doubled = true
	}
}

// lost tells a message that will not arrive by this address.
func (a *attempt) lost() bool { return a.State == AttemptFailed || a.State == AttemptExpired }

// moveRecipients changes the people whom facts concern.
func (s *Service) moveRecipients(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, g factGroup, attempts map[uuid.UUID]*attempt, guarded int) (bool, error) {
	var subjects []uuid.UUID
	for _, a := range attempts {
		if a.changed && (!a.Delivered.IsZero() || a.lost()) {
			subjects = append(subjects, a.Recipient)
		}
	}
	slices.SortFunc(subjects, compareIDs)
	people, err := peopleByID(ctx, tx, scope, slices.Compact(subjects), lockInOrder)
	if err != nil {
		return false, err
	}
	t := tally{}
	changed := map[uuid.UUID]*person{}
	hurry := false
	for _, a := range attempts {
		p := people[a.Recipient]
		if p == nil || !a.changed {
			continue
		}
		if !a.Delivered.IsZero() && p.Reached.IsZero() && a.Purpose != UseKeptBack {
			p.Reached = a.Delivered
			t.curve("reached", g.launch.LaunchedAt, a.Delivered, 1)
			t.add("reached", 1)
			if after := p.standing(); p.State != after {
				t.state(p.State, after)
				p.State = after
			}
			changed[p.ID] = p
		}
		// An older message that is lost counts too once the ladder has ended: it may have been the last hope.
		if (a.ID == p.Current || p.Due.IsZero() && a.Purpose.calls()) && p.silent() && g.launch.State == Running && a.lost() {
			p.Due, hurry = now, true
			changed[p.ID] = p
		}
	}
	if err := saveReached(ctx, tx, scope, slices.SortedFunc(maps.Values(changed), func(a, b *person) int { return compareIDs(a.ID, b.ID) })); err != nil {
		return false, err
	}
	if guarded > 0 {
		t.add("guarded", guarded)
		if err := s.noteGuard(ctx, tx, scope, now, g.launch.ID, guarded); err != nil {
			return false, err
		}
	}
	return hurry, t.write(ctx, tx, scope, g.launch.ID)
}

// noteGuard writes the first messages held back by a limit in the timeline;
// the others only add to the figure.
func (s *Service) noteGuard(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, n int) error {
	var seen int
	found, err := tx.Row(ctx, `SELECT n FROM alerting_counters WHERE organisation_id = $1 AND launch_id = $2 AND name = 'guarded' AND slot = 0`,
		[]any{scope.Organisation(), launch}, &seen)
	if err != nil || found {
		return err
	}
	return s.event(ctx, tx, scope, now, launch, Event{Kind: EventGuarded, People: n})
}

// readAttempts reads what is known of the deliveries that facts are about.
func readAttempts(ctx context.Context, tx *storage.Tx, scope access.Scope, facts []dispatch.Fact) (map[uuid.UUID]*attempt, error) {
	subjects := make([]uuid.UUID, len(facts))
	wanted := make(map[uuid.UUID]bool, len(facts))
	for i, f := range facts {
		subjects[i] = f.Subject
		wanted[f.Delivery] = true
	}
	out := make(map[uuid.UUID]*attempt, len(facts))
	all, err := attemptsOf(ctx, tx, scope, subjects)
	for _, a := range all {
		if wanted[a.ID] {
			a.known = true
			out[a.ID] = a
		}
	}
	return out, err
}

// attemptsOf reads every attempt of these recipients, the oldest first.
func attemptsOf(ctx context.Context, tx *storage.Tx, scope access.Scope, recipients []uuid.UUID) ([]*attempt, error) {
	list := slices.Clone(recipients)
	slices.SortFunc(list, compareIDs)
	list = slices.Compact(list)
	var out []*attempt
	for chunk := range slices.Chunk(list, 512) {
		err := tx.Query(ctx, `SELECT id, recipient_id, medium, purpose, address, state, reason, submitted_us, delivered_us, failed_us, doubled
			FROM alerting_attempts WHERE organisation_id = $1 AND recipient_id IN (`+storage.In(len(chunk), 2)+`)`,
			storage.Args(chunk, scope.Organisation()), func(row func(...any) error) error {
				a, err := scanAttempt(row)
				out = append(out, a)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b *attempt) int { return cmp.Or(compareIDs(a.Recipient, b.Recipient), compareIDs(a.ID, b.ID)) })
	return out, nil
}

func scanAttempt(row func(...any) error) (*attempt, error) {
	a := &attempt{}
	var submitted, delivered, failed sql.NullInt64
	err := row(&a.ID, &a.Recipient, &a.Medium, &a.Purpose, &a.Address, &a.State, &a.Reason, &submitted, &delivered, &failed, &a.Doubled)
	a.Submitted, a.Delivered, a.Failed = storage.NullTime(submitted), storage.NullTime(delivered), storage.NullTime(failed)
	return a, err
}

func saveAttempts(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, attempts map[uuid.UUID]*attempt) error {
	var fresh, known [][]any
	list := slices.SortedFunc(maps.Values(attempts), func(a, b *attempt) int { return compareIDs(a.ID, b.ID) })
	for _, a := range list {
		tail := []any{string(a.State), string(a.Reason), storage.NullMicros(a.Submitted), storage.NullMicros(a.Delivered), storage.NullMicros(a.Failed), a.Doubled}
		switch {
		case !a.changed:
		case a.known:
			known = append(known, append([]any{scope.Organisation(), a.Recipient, a.ID}, tail...))
		default:
			fresh = append(fresh, append([]any{scope.Organisation(), a.Recipient, a.ID, launch, string(a.Medium), string(a.Purpose), a.Address}, tail...))
		}
	}
	if err := tx.InsertRows(ctx, "alerting_attempts", []string{
		"organisation_id", "recipient_id", "id", "launch_id", "medium", "purpose", "address",
		"state", "reason", "submitted_us", "delivered_us", "failed_us", "doubled",
	}, fresh); err != nil {
		return err
	}
	if len(known) == 0 {
		return nil
	}
	_, err := tx.UpdateRows(ctx, "alerting_attempts", 3, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "recipient_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "reason", Type: "text"},
		{Name: "submitted_us", Type: "bigint"},
		{Name: "delivered_us", Type: "bigint"},
		{Name: "failed_us", Type: "bigint"},
		{Name: "doubled", Type: "boolean"},
	}, known)
	return err
}

// saveReached writes what facts change of recipients: a hundred thousand times
// in a large alert, so no more than that.
func saveReached(ctx context.Context, tx *storage.Tx, scope access.Scope, people []*person) error {
	if len(people) == 0 {
		return nil
	}
	rows := make([][]any, len(people))
	for i, p := range people {
		rows[i] = []any{scope.Organisation(), p.ID, string(p.State), storage.NullMicros(p.Reached), storage.NullMicros(p.Due)}
	}
	_, err := tx.UpdateRows(ctx, "alerting_recipients", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "reached_us", Type: "bigint"},
		{Name: "due_us", Type: "bigint"},
	}, rows)
	return err
}
