package alerting

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/wire/gsm"
)

// Seconds tells how to reach those who may confirm a launch. The room below that
// knows accounts answers; app joins them.
type Seconds interface {
	// Seconds lists the addresses of the people who may launch in the scope's establishment.
	Seconds(ctx context.Context, scope access.Scope) ([]Second, error)
}

// Second is one address of somebody who may confirm.
type Second struct {
	Account  uuid.UUID
	Language string
	Medium   channels.Medium
	Address  string
}

// holdForSecond keeps a launch back that a second person must confirm. held is
// then what Launch returns, in the state Awaiting. A second person who launches
// the very thing that waits confirms it by that.
func (s *Service) holdForSecond(ctx context.Context, scope access.Scope, now time.Time, pr *prepared, people int) (held Launch, wait bool, err error) {
	if pr.draft.second != nil || pr.plan.Definition.LifeSafety && !pr.draft.Propose {
		return held, false, nil
	}
	g, err := s.Governance(ctx, inside(scope))
	if err != nil || !pr.draft.Propose && !g.asks(pr.plan.Definition, people) {
		return held, false, err
	}
	told, err := s.toTell(ctx, scope)
	if err != nil {
		return held, false, err
	}
	var r Request
	var left, fresh bool
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if left, err = hasLeft(ctx, tx, scope, now, pr); err != nil || left {
			return err
		}
		r, fresh, err = s.request(ctx, tx, scope, now, pr, people, told)
		return err
	})
	if err != nil || left {
		return held, false, err // what left already is Launch's to join
	}
	if fresh {
		s.announced(TopicActive(scope.Organisation()))
		s.dispatch.Wake()
	}
	if who := scope.Actor(); who.Kind == access.Person && !r.By(who) {
		pr.draft.second = &secondHand{request: r, state: RequestConfirmed}
		return held, false, nil
	}
	return Launch{
		ID: r.ID, Scenario: r.Scenario, Version: pr.scenario.Version, Title: r.Title, Family: pr.plan.Definition.Family, Profile: pr.plan.Definition.Profile,
		Mode: r.Mode, State: Awaiting, LaunchedAt: r.AskedAt, OrderedBy: r.Draft.OrderedBy, LaunchedBy: r.AskedName, Values: trimmed(r.Draft.Values), People: r.People,
	}, true, nil
}

// hasLeft tells whether this form, or this very thing, is an alert already.
func hasLeft(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, pr *prepared) (bool, error) {
	return tx.Row(ctx, `SELECT 1 FROM alerting_launch_keys WHERE organisation_id = $1 AND id IN ($2, $3) AND until_us > $4`,
		[]any{scope.Organisation(), "form:" + pr.draft.IdempotencyKey, "thing:" + pr.thing(), storage.Micros(now)}, new(int))
}

// thing names what is launched, whoever launches it and whatever version it has.
func (pr *prepared) thing() string {
	sum := sha256.Sum256(pr.identity(false))
	return hex.EncodeToString(sum[:])
}

// request finds the request of this very thing that waits, or makes it.
func (s *Service) request(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, pr *prepared, people int, told []Second) (r Request, fresh bool, err error) {
	if _, err = tx.Exec(ctx, `UPDATE alerting_requests SET state = 'lapsed' WHERE organisation_id = $1 AND state = 'waiting' AND until_us <= $2`,
		scope.Organisation(), storage.Micros(now)); err != nil {
		return r, false, err
	}
	now = now.Truncate(time.Microsecond).UTC()
	r = Request{
		ID: storage.NewID(now), Scenario: pr.scenario.ID, Title: pr.plan.Definition.Title, Mode: pr.draft.Mode, People: people, Draft: pr.draft,
		AskedName: scope.Actor().Name, AskedAt: now, Told: len(told), State: RequestWaiting, Until: now.Add(RequestLife),
	}
	if scope.Actor().Kind != access.Machine {
		r.AskedBy = scope.Actor().ID
	}
	r.Draft.Fingerprint = pr.fingerprint()
	if fresh, err = insertRequest(ctx, tx, scope, r, pr.thing()); err != nil {
		return r, false, err
	}
	if !fresh {
		list, err := readRequests(ctx, tx, scope, now, ` AND thing = $2 AND state = 'waiting'`, pr.thing())
		if err == nil && len(list) != 1 {
			err = errors.New("alerting: a request that waits cannot be read")
		}
		if err != nil {
			return r, false, err
		}
		return list[0], false, nil
	}
	if err = s.ask(ctx, tx, scope, now, pr, r, told); err != nil {
		return r, false, err
	}
	return r, true, journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "alert.second.asked", ObjectKind: "alert", ObjectID: r.ID.String(), ObjectName: r.Title.In("fr"),
		After: map[string]any{"mode": r.Mode, "people": r.People, "ordered_by": r.Draft.OrderedBy, "told": r.Told},
	})
}

func insertRequest(ctx context.Context, tx *storage.Tx, scope access.Scope, r Request, thing string) (bool, error) {
	title, errTitle := json.Marshal(r.Title)
	draft, errDraft := json.Marshal(r.Draft)
	if err := errors.Join(errTitle, errDraft); err != nil {
		return false, fmt.Errorf("write a request: %w", err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO alerting_requests (organisation_id, id, scenario_id, title_json, mode, people, draft_json, thing, asked_us, asked_by,
		asked_name, told, state, until_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		scope.Organisation(), r.ID, r.Scenario, string(title), string(r.Mode), r.People, string(draft), thing, storage.Micros(r.AskedAt), storage.NullID(r.AskedBy),
		r.AskedName, r.Told, string(r.State), storage.Micros(r.Until))
	return n == 1, err
}

// readRequests reads requests by a condition on $2. One that lapsed says so,
// whether or not anybody wrote it down.
func readRequests(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, tail string, arg any) (out []Request, err error) {
	err = tx.Query(ctx, `SELECT id, scenario_id, title_json, mode, people, draft_json, asked_us, asked_by, asked_name, told, state, until_us, settled_us,
		settled_by, reason, launch_id FROM alerting_requests WHERE organisation_id = $1`+tail, []any{scope.Organisation(), arg}, func(row func(...any) error) error {
		var r Request
		var title, draft string
		var asked, until int64
		var by, launch uuid.NullUUID
		var settled sql.NullInt64
		if err := row(&r.ID, &r.Scenario, &title, &r.Mode, &r.People, &draft, &asked, &by, &r.AskedName, &r.Told, &r.State, &until, &settled,
			&r.SettledBy, &r.Reason, &launch); err != nil {
			return err
		}
		r.AskedAt, r.Until, r.SettledAt = storage.Time(asked), storage.Time(until), storage.NullTime(settled)
		r.AskedBy, r.Launch = by.UUID, launch.UUID
		if r.State == RequestWaiting && !now.Before(r.Until) {
			r.State = RequestLapsed
		}
		err := r.unmarshal(title, draft)
		out = append(out, r)
		return err
	})
	return out, err
}

// toTell are the addresses of those who may confirm, the author's own left out.
func (s *Service) toTell(ctx context.Context, scope access.Scope) ([]Second, error) {
	if s.seconds == nil || s.catalog == nil {
		return nil, nil
	}
	all, err := s.seconds.Seconds(ctx, inside(scope))
	if err != nil {
		return nil, fmt.Errorf("who may confirm: %w", err)
	}
	out := all[:0:0]
	for _, a := range all {
		if a.Account != scope.Actor().ID {
			out = append(out, a)
		}
	}
	return out, nil
}

// purposeSecond is why dispatch writes to a second person.
const purposeSecond = "second"

// ask writes to those who may confirm. The message says who asks, what and for
// how many, and leads to the page where the rest is read.
func (s *Service) ask(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, pr *prepared, r Request, told []Second) error {
	if len(told) == 0 {
		return nil
	}
	if err := s.dispatch.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: r.ID, Mode: string(r.Mode)}); err != nil {
		return err
	}
	var contents []dispatch.Content
	orders := make([]dispatch.Order, len(told))
	next := newIDs(now)
	for i, to := range told {
		c := s.askWords(pr, r, to)
		contents = append(contents, c)
		orders[i] = dispatch.Order{
			ID: next.take(), Campaign: r.ID, Subject: to.Account, Content: c.ID, Medium: to.Medium, Address: to.Address,
			Link: s.requestBase + r.ID.String(), Purpose: purposeSecond, ExpiresAt: r.Until,
		}
	}
	if err := s.dispatch.AddContents(ctx, tx, scope, now, r.ID, contents); err != nil {
		return err
	}
	_, err := s.dispatch.Enqueue(ctx, tx, scope, now, orders)
	return err
}

// askWords is the message in the language of the one who reads it.
func (s *Service) askWords(pr *prepared, r Request, to Second) dispatch.Content {
	loc := s.speak(to.Language)
	args := []any{
		"house", pr.plan.Setting.signed(), "name", r.AskedName, "title", r.Title.In(to.Language), "mode", loc.T("alerting.second.mode." + string(r.Mode)), "people", loc.Int(r.People),
	}
	c := dispatch.Content{
		ID: uuid.NewSHA1(r.ID, []byte(string(to.Medium)+"|"+to.Language)), Medium: to.Medium, Language: to.Language,
		Subject: Mark(r.Mode, to.Language, loc.T("alerting.second.subject", "title", r.Title.In(to.Language))),
		Text:    Mark(r.Mode, to.Language, loc.T("alerting.second.text", args...)+" "+linkPlaceholder),
	}
	if to.Medium == channels.SMS {
		c.Subject, c.Text = "", gsm.Plain(c.Text)
	}
	return c
}

// signed is the name of the house with its word, which a stranger does not know.
func (s setting) signed() string {
	if s.Word == "" {
		return s.Establishment
	}
	return s.Establishment + " [" + s.Word + "]"
}

// unask takes back what asks for a confirmation that nobody needs any more.
func (s *Service) unask(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, r Request) error {
	if r.Told == 0 {
		return nil
	}
	_, err := s.dispatch.Withdraw(ctx, tx, scope, now, r.ID, dispatch.Selection{})
	return err
}
