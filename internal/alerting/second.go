package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// SecondWait is how long the first person waits before she may launch alone.
	SecondWait = 2 * time.Minute
	// RequestLife is how long a request can still be confirmed: an alert asked for
	// at night must not leave with the morning's coffee.
	RequestLife = 30 * time.Minute
	// reasonLimit is in characters.
	reasonLimit = 300
)

// Awaiting is the state of a Launch that has not left: its ID is that of the
// Request that a second person must confirm.
const Awaiting LaunchState = "awaiting"

// RequestState is what became of a request.
type RequestState string

// The states of a request. The values are stored.
const (
	RequestWaiting    RequestState = "waiting"
	RequestConfirmed  RequestState = "confirmed"  // by a second person
	RequestOverridden RequestState = "overridden" // by the first one, after SecondWait
	RequestRefused    RequestState = "refused"    // by a second person
	RequestDropped    RequestState = "dropped"    // by the first one
	RequestLapsed     RequestState = "lapsed"     // nobody said anything in RequestLife
)

// Key names the sentence of a state.
func (r RequestState) Key() string { return "alerting.request." + string(r) }

// Request is a launch that waits for a second person.
type Request struct {
	ID, Scenario uuid.UUID
	Title        Localized
	Mode         Mode
	People       int
	// Draft is what would leave, word for word; Fingerprint is that of the sheet
	// its author read.
	Draft Draft
	// AskedBy is the account of the author; Nil when no person asked.
	AskedBy   uuid.UUID
	AskedName string
	AskedAt   time.Time
	// Told is to how many addresses the request was sent.
	Told  int
	State RequestState
	// Until is when it lapses.
	Until time.Time
	// SettledAt, SettledBy and Reason tell how it ended; Launch is the alert, if one left.
	SettledAt time.Time
	SettledBy string
	Reason    string
	Launch    uuid.UUID
}

// Open tells whether it can still be confirmed.
func (r Request) Open(now time.Time) bool { return r.State == RequestWaiting && now.Before(r.Until) }

// By tells whether the actor is the author.
func (r Request) By(who access.Actor) bool {
	if who.Kind == access.Machine {
		return r.AskedBy == uuid.Nil
	}
	return r.AskedBy == who.ID
}

// AloneAt is when its author may launch without a second person.
func (r Request) AloneAt() time.Time { return r.AskedAt.Add(SecondWait) }

// asks tells whether a launch waits for a second person. Where lives are at
// stake at once (fire, attack), nobody waits.
func (g Governance) asks(def Definition, people int) bool {
	return !def.LifeSafety && g.SecondAbove > 0 && people > g.SecondAbove
}

// secondHand is how a request lets its launch leave.
type secondHand struct {
	request Request
	state   RequestState
	reason  string
}

// launchedBy is who launches: the first person, even when the second one's hand
// makes it leave.
func (pr *prepared) launchedBy(scope access.Scope) string {
	if second := pr.draft.second; second != nil {
		return second.request.AskedName
	}
	return scope.Actor().Name
}

// Request reads one request. Needs access.AlertRead. Errors: NotFound.
func (s *Service) Request(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (Request, error) {
	list, err := s.requests(ctx, scope, now, ` AND id = $2`, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "alerting.second.unknown")
	}
	if err != nil {
		return Request{}, err
	}
	return list[0], nil
}

// Requests lists what waits for a second person now, the oldest first. Needs access.AlertRead.
func (s *Service) Requests(ctx context.Context, scope access.Scope, now time.Time) ([]Request, error) {
	return s.requests(ctx, scope, now, ` AND state = 'waiting' AND until_us > $2 ORDER BY id`, storage.Micros(now))
}

func (s *Service) requests(ctx context.Context, scope access.Scope, now time.Time, tail string, arg any) (out []Request, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readRequests(ctx, tx, scope, now, tail, arg)
		return err
	})
	return out, err
}

// Confirm lets a request leave, as its second person. The alert is launched in
// the name of the first one. already is that of Launch. Needs access.AlertLaunch.
// Errors: Denied for the author himself and for what is no person, Conflict when
// the request is over or its scenario changed since.
func (s *Service) Confirm(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (Launch, bool, error) {
	r, err := s.toSettle(ctx, scope, now, id)
	if err != nil {
		return Launch{}, false, err
	}
	if scope.Actor().Kind != access.Person {
		return Launch{}, false, fault.New(fault.Denied, "alerting.second.person")
	}
	if r.By(scope.Actor()) {
		return Launch{}, false, fault.New(fault.Denied, "alerting.second.same")
	}
	return s.letGo(ctx, scope, now, secondHand{request: r, state: RequestConfirmed})
}

// Override lets a request leave without a second person: its author only, once
// SecondWait has passed, with the reason. Needs access.AlertLaunch. Errors:
// Denied for anybody else, Conflict when it is too early or over, Invalid at "reason".
func (s *Service) Override(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, reason string) (Launch, bool, error) {
	r, err := s.toSettle(ctx, scope, now, id)
	if err != nil {
		return Launch{}, false, err
	}
	who := scope.Actor()
	if who.Kind != access.Person && who.Kind != access.Machine {
		return Launch{}, false, fault.New(fault.Denied, "alerting.second.person")
	}
	if !r.By(who) {
		return Launch{}, false, fault.New(fault.Denied, "alerting.second.not_yours")
	}
	if now.Before(r.AloneAt()) {
		return Launch{}, false, fault.New(fault.Conflict, "alerting.second.early", "wait", r.AloneAt().Sub(now).Round(time.Second))
	}
	if reason, err = newReason(reason); err != nil {
		return Launch{}, false, err
	}
	return s.letGo(ctx, scope, now, secondHand{request: r, state: RequestOverridden, reason: reason})
}

func newReason(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || utf8.RuneCountInString(text) > reasonLimit {
		return "", fault.New(fault.Invalid, "alerting.second.reason", "limit", reasonLimit).At("reason")
	}
	return text, nil
}

// toSettle is the request that somebody is about to settle.
func (s *Service) toSettle(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (Request, error) {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return Request{}, err
	}
	r, err := s.Request(ctx, scope, now, id)
	if err == nil && !r.Open(now) {
		err = requestOver()
	}
	return r, err
}

func requestOver() error {
	return fault.New(fault.Conflict, "alerting.second.over")
}

// letGo launches what a request holds.
func (s *Service) letGo(ctx context.Context, scope access.Scope, now time.Time, hand secondHand) (Launch, bool, error) {
	d := hand.request.Draft
	d.second = &hand
	l, already, err := s.Launch(ctx, scope, now, d)
	if err != nil || !already {
		return l, already, err
	}
	// The same thing left meanwhile: the request ends with that alert.
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := s.settle(ctx, tx, scope, now, hand, l.ID)
		return err
	})
	s.moved(l.ID, scope)
	return l, already, err
}

// seconded ends the request in the transaction of its launch.
func (s *Service) seconded(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, hand *secondHand, l Launch) error {
	if hand == nil {
		return nil
	}
	settled, err := s.settle(ctx, tx, scope, now, *hand, l.ID)
	if err != nil {
		return err
	}
	if !settled {
		return requestOver()
	}
	e := Event{Kind: EventConfirmed, By: scope.Actor().Name}
	if hand.state == RequestOverridden {
		e = Event{Kind: EventOverridden, By: scope.Actor().Name, Text: hand.reason}
	}
	return s.event(ctx, tx, scope, now, l.ID, e)
}

// Refuse ends a request without an alert: refused by a second person, dropped by
// its author. Needs access.AlertLaunch. Errors: Conflict when it is over,
// Invalid at "reason" for a refusal without one.
func (s *Service) Refuse(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, reason string) error {
	r, err := s.toSettle(ctx, scope, now, id)
	if err != nil {
		return err
	}
	hand := secondHand{request: r, state: RequestDropped}
	if !r.By(scope.Actor()) {
		hand.state = RequestRefused
		if hand.reason, err = newReason(reason); err != nil {
			return err
		}
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		settled, err := s.settle(ctx, tx, scope, now, hand, uuid.Nil)
		if err == nil && !settled {
			err = requestOver()
		}
		return err
	})
	s.announced(TopicActive(scope.Organisation()))
	return err
}

// settle ends a request that still waits, says so in the journal, and takes back
// the messages that nobody has to read any more.
func (s *Service) settle(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, hand secondHand, launch uuid.UUID) (bool, error) {
	r := hand.request
	n, err := tx.Exec(ctx, `UPDATE alerting_requests SET state = $3, settled_us = $4, settled_by = $5, reason = $6, launch_id = $7
		WHERE organisation_id = $1 AND id = $2 AND state = 'waiting'`,
		scope.Organisation(), r.ID, string(hand.state), storage.Micros(now), scope.Actor().Name, hand.reason, storage.NullID(launch))
	if err != nil || n == 0 {
		return false, err
	}
	if err := s.unask(ctx, tx, scope, now, r); err != nil {
		return false, err
	}
	after := map[string]any{"request": r.ID, "asked_by": r.AskedName, "people": r.People, "waited_s": int(now.Sub(r.AskedAt).Seconds())}
	if hand.reason != "" {
		after["reason"] = hand.reason
	}
	e := journal.Entry{Action: "alert.second." + string(hand.state), ObjectKind: "alert", ObjectID: r.ID.String(), ObjectName: r.Title.In("fr"), After: after}
	if launch != uuid.Nil {
		e.ObjectID = launch.String()
	}
	return true, journal.Append(ctx, tx, scope, now, e)
}

// unmarshal reads what a request keeps as text.
func (r *Request) unmarshal(title, draft string) error {
	err := errors.Join(json.Unmarshal([]byte(title), &r.Title), json.Unmarshal([]byte(draft), &r.Draft))
	if err != nil {
		return fmt.Errorf("read request %s: %w", r.ID, err)
	}
	return nil
}
