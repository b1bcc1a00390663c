package alerting

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// TwinWindow is how long the same scenario, mode and values make one alert.
const TwinWindow = 2 * time.Minute

// messagesPerPerson is the total limit of an alert whose scenario gives none.
const messagesPerPerson = 20

// prepared is a draft that could leave: read, checked, rendered.
type prepared struct {
	draft    Draft
	scenario Scenario
	version  uuid.UUID
	plan     *plan
	narrow   narrowing
}

// ready reads and checks everything of a draft that does not depend on people.
func (s *Service) ready(ctx context.Context, scope access.Scope, now time.Time, d Draft) (prepared, error) {
	pr := prepared{draft: d, narrow: narrowing{Sites: d.Sites, Services: d.Services}}
	if !slices.Contains([]Mode{Real, Exercise, Test}, d.Mode) {
		return pr, fault.New(fault.Invalid, "alerting.launch.mode").At("mode")
	}
	if utf8.RuneCountInString(d.OrderedBy) > 120 {
		return pr, fault.New(fault.Invalid, "alerting.launch.ordered_by", "limit", 120).At("ordered_by")
	}
	house, err := s.houses.Get(ctx, inside(scope))
	if err != nil {
		return pr, err
	}
	var def Definition
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		pr.scenario, def, pr.version, err = readScenario(ctx, tx, scope, d.Scenario, 0)
		return err
	})
	if err != nil {
		return pr, err
	}
	if pr.scenario.Archived {
		return pr, fault.New(fault.Conflict, "alerting.launch.archived")
	}
	if err := authorised(scope, def); err != nil {
		return pr, err
	}
	if faults := def.Check(); len(faults) > 0 {
		return pr, fault.Wrap(faults[0], fault.Conflict, "alerting.launch.faults", "n", len(faults))
	}
	pr.plan = &plan{
		Definition: def, Mode: d.Mode, Values: d.Values, LaunchedAt: now,
		Setting: setting{Establishment: house.Name, Word: house.Word, Zone: house.Zone, Language: house.Language},
	}
	pr.plan.zone = pr.plan.Setting.location()
	if err = s.count(ctx, scope, pr.plan, now.In(pr.plan.zone)); err != nil {
		return pr, err
	}
	for _, language := range languages() {
		if _, err := def.filled(d.Values, language); err != nil {
			return pr, err
		}
	}
	return pr, nil
}

// inside is the scope in which the room works for someone whose right was checked.
func inside(scope access.Scope) access.Scope { return access.System(scope.Organisation(), "alerting") }

// authorised applies the scenario's own list of roles.
func authorised(scope access.Scope, def Definition) error {
	if scope.IsSystem() || len(def.Authority.Roles) == 0 {
		return nil
	}
	for _, r := range def.Authority.Roles {
		if scope.Has(access.Role(r)) {
			return nil
		}
	}
	return fault.New(fault.Denied, "alerting.launch.authority")
}

// fingerprint identifies what a sheet showed: the version, the values, the mode
// and the narrowing. The number of people is not part of it: somebody who falls
// ill between the sheet and the launch must not stop an alert.
func (pr *prepared) fingerprint() string {
	sum := sha256.Sum256(pr.identity(true))
	return hex.EncodeToString(sum[:16])
}

func (pr *prepared) identity(version bool) []byte {
	v := map[string]any{
		"scenario": pr.scenario.ID, "mode": pr.draft.Mode, "values": trimmed(pr.draft.Values),
		"sites": sortedIDs(pr.narrow.Sites), "services": sortedIDs(pr.narrow.Services),
	}
	if version {
		v["version"] = pr.version
	}
	b, err := json.Marshal(v) // maps are written in the order of their keys
	if err != nil {
		panic("alerting: strings and ids always marshal: " + err.Error())
	}
	return b
}

func trimmed(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for k, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			out[k] = v
		}
	}
	return out
}

func sortedIDs(list []uuid.UUID) []uuid.UUID {
	out := slices.Clone(list)
	slices.SortFunc(out, compareIDs)
	return out
}

func compareIDs(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

// Launch starts the alert. already tells that the same thing was launched less
// than two minutes ago, by anyone, or by a retry of the same form: that alert is
// returned and nobody is called twice. Everything is written in one
// transaction: either the alert exists with its people and its first messages,
// or nothing does. Above the establishment's number of people it comes back
// Awaiting: see Confirm and Override. Needs access.AlertLaunch. Errors: Invalid with the Field of
// a value, Conflict when the scenario has faults or changed since the sheet.
func (s *Service) Launch(ctx context.Context, scope access.Scope, now time.Time, d Draft) (launch Launch, already bool, err error) {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return Launch{}, false, err
	}
	if n := len(d.IdempotencyKey); n < 8 || n > 100 {
		return Launch{}, false, fault.New(fault.Invalid, "alerting.launch.key").At("key")
	}
	pr, err := s.ready(ctx, scope, now, d)
	if err != nil {
		return Launch{}, false, fmt.Errorf("launch: %w", err)
	}
	if d.Fingerprint != "" && d.Fingerprint != pr.fingerprint() {
		return Launch{}, false, fault.New(fault.Conflict, "alerting.launch.changed")
	}
	list, err := s.enrol(ctx, scope, &pr, now)
	if err != nil {
		return Launch{}, false, fmt.Errorf("launch %s: %w", d.Scenario, err)
	}
	if held, wait, err := s.holdForSecond(ctx, scope, now, &pr, list.people); err != nil || wait {
		return held, false, err
	}
	texts, err := pr.plan.composeAll(list.sites)
	if err != nil {
		return Launch{}, false, err
	}
	launch = pr.launch(scope, now, list)
	first := s.call(pr.plan, launch.ID, list.entries, now)
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		already = false
		other, retry, err := s.takeKeys(ctx, tx, scope, now, &pr, launch.ID)
		if err != nil {
			return err
		}
		if other != uuid.Nil {
			already = true
			if retry {
				launch, err = readLaunch(ctx, tx, scope, other)
			} else {
				launch, err = s.joinTwin(ctx, tx, scope, now, launch.ID, other)
			}
			return err
		}
		if list.people == 0 {
			return fault.New(fault.Invalid, "alerting.launch.nobody")
		}
		return s.writeLaunch(ctx, tx, scope, now, &pr, launch, list, texts, first)
	})
	if err != nil {
		return Launch{}, false, fmt.Errorf("launch %s: %w", d.Scenario, err)
	}
	s.moved(launch.ID, scope)
	s.dispatch.Wake()
	return launch, already, nil
}

// enrol resolves the audience into the frozen list, in the order of names.
func (s *Service) enrol(ctx context.Context, scope access.Scope, pr *prepared, now time.Time) (*roll, error) {
	list := newRoll()
	err := s.audience(ctx, inside(scope), pr.plan, pr.narrow, now, func(m member) error {
		list.add(m, pr.plan.Setting.Language)
		return nil
	})
	if err != nil {
		return nil, err
	}
	pr.plan.Setting.Site = onlySite(pr.narrow, list)
	list.arrange(now)
	return list, nil
}

// onlySite is the name of the site when the launch was narrowed to one.
func onlySite(n narrowing, list *roll) string {
	if len(n.Sites) == 1 {
		return list.sites[n.Sites[0]]
	}
	return ""
}

// arrange puts the list in the order of names and numbers it.
func (r *roll) arrange(now time.Time) {
	for i := range r.entries {
		r.entries[i].Folded = storage.Fold(r.entries[i].Last + " " + r.entries[i].First)
	}
	slices.SortFunc(r.entries, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.Folded, b.Folded), compareIDs(a.Person, b.Person))
	})
	r.number(now)
}

func (pr *prepared) launch(scope access.Scope, now time.Time, list *roll) Launch {
	def := pr.plan.Definition
	return Launch{
		ID: storage.NewID(now), Scenario: pr.scenario.ID, Version: pr.scenario.Version, Title: def.Title, Family: def.Family,
		Profile: def.Profile, Mode: pr.draft.Mode, State: Running, LaunchedAt: now.Truncate(time.Microsecond).UTC(), OrderedBy: strings.TrimSpace(pr.draft.OrderedBy),
		LaunchedBy: pr.launchedBy(scope), Values: trimmed(pr.draft.Values), People: list.people, LeftOut: list.left,
	}
}

// takeKeys claims the form and the thing launched. It returns the alert that
// holds one of them already; retry tells that it is the same form. Of two transactions that meet here the second one
// waits for the first, on both engines: the primary key is the judge.
func (s *Service) takeKeys(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, pr *prepared, launch uuid.UUID) (other uuid.UUID, retry bool, err error) {
	sum := sha256.Sum256(pr.identity(false))
	keys := []struct {
		id    string
		until time.Time
	}{
		{"form:" + pr.draft.IdempotencyKey, now.AddDate(0, 0, 30)},
		{"thing:" + hex.EncodeToString(sum[:]), now.Add(TwinWindow)},
	}
	for i, k := range keys {
		var holder uuid.UUID
		found, err := tx.Row(ctx, `INSERT INTO alerting_launch_keys (organisation_id, id, launch_id, until_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation_id, id) DO UPDATE SET launch_id = excluded.launch_id, until_us = excluded.until_us
			WHERE alerting_launch_keys.until_us <= $5 RETURNING launch_id`,
			[]any{scope.Organisation(), k.id, launch, storage.Micros(k.until), storage.Micros(now)}, &holder)
		if err != nil {
			return uuid.Nil, false, err
		}
		if found {
			continue
		}
		_, err = tx.Row(ctx, `SELECT launch_id FROM alerting_launch_keys WHERE organisation_id = $1 AND id = $2`,
			[]any{scope.Organisation(), k.id}, &holder)
		return holder, i == 0, err
	}
	return uuid.Nil, false, nil
}

// joinTwin gives the alert somebody just launched, and notes the second hand in its timeline.
func (s *Service) joinTwin(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, mine, id uuid.UUID) (Launch, error) {
	// The form's own key was taken for a launch that will not exist: a retry of this form finds the other.
	if _, err := tx.Exec(ctx, `UPDATE alerting_launch_keys SET launch_id = $3 WHERE organisation_id = $1 AND launch_id = $2`,
		scope.Organisation(), mine, id); err != nil {
		return Launch{}, err
	}
	l, err := readLaunch(ctx, tx, scope, id)
	if err != nil {
		return l, err
	}
	if err := s.event(ctx, tx, scope, now, id, Event{Kind: EventTwin, By: scope.Actor().Name}); err != nil {
		return l, err
	}
	return l, journal.Append(ctx, tx, scope, now, journal.Entry{Action: "alert.launch_twin", ObjectKind: "alert", ObjectID: id.String(), ObjectName: l.Title.In("fr")})
}

func (s *Service) writeLaunch(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, pr *prepared, l Launch, list *roll, texts map[contentKey]composed, first calls) error {
	if err := insertLaunch(ctx, tx, scope, pr, l, list); err != nil {
		return err
	}
	campaign, err := s.campaign(ctx, tx, scope, pr.plan, l, list.people)
	if err != nil {
		return err
	}
	if err := s.dispatch.OpenCampaign(ctx, tx, scope, now, campaign); err != nil {
		return err
	}
	if err := s.writeContents(ctx, tx, scope, now, l.ID, l.ID, texts); err != nil {
		return err
	}
	if err := insertRoll(ctx, tx, scope, l.ID, pr.plan, list, now); err != nil {
		return err
	}
	if _, err := s.dispatch.EnqueueFirst(ctx, tx, scope, now, l.ID, first.orders()); err != nil {
		return err
	}
	if err := insertWaves(ctx, tx, scope, l, pr.plan, list.byWave); err != nil {
		return err
	}
	if err := tellKept(ctx, tx, scope, l, pr.plan, list.byWave); err != nil {
		return err
	}
	t := tally{}
	t.add("people", list.people)
	t.add("state."+string(Called), first.n)
	t.add("state."+string(Waiting), list.people-first.n)
	t.add("state."+string(LeftAside), list.left)
	if err := t.write(ctx, tx, scope, l.ID); err != nil {
		return err
	}
	if err := s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventLaunched, By: l.LaunchedBy, People: list.people, Text: l.OrderedBy}); err != nil {
		return err
	}
	if err := s.seconded(ctx, tx, scope, now, pr.draft.second, l); err != nil {
		return err
	}
	after := map[string]any{"mode": l.Mode, "version": l.Version, "people": l.People, "left_out": l.LeftOut, "ordered_by": l.OrderedBy, "values": l.Values}
	if a := pr.plan.Definition.Audience; a.IgnoreRest {
		after["rest_ignored_because"] = a.RestReason.In("fr")
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "alert.launch", ObjectKind: "alert", ObjectID: l.ID.String(),
		ObjectName: l.Title.In("fr"), After: after,
	})
}

// calls are the messages of the first wave. They are made one by one when they
// are written: a hundred thousand at once would weigh more than the list.
type calls struct {
	s       *Service
	shelf   *shelf
	entries []entry
	now     time.Time
	n       int
}

// call gives a message to everyone the first wave calls.
func (s *Service) call(p *plan, launch uuid.UUID, entries []entry, now time.Time) calls {
	c := calls{s: s, shelf: newShelf(p, launch), entries: entries, now: now}
	next := newIDs(now)
	for i := range entries {
		e := &entries[i]
		if e.Why != "" || e.Wave != 0 {
			continue
		}
		id := next.take()
		if _, ok := c.shelf.content(p.use(0), e.Ladder[0].Medium, e.Language, e.Site, 0); ok {
			e.Order = id
			c.n++
		}
	}
	return c
}

func (c calls) orders() iter.Seq[dispatch.Order] {
	use := c.shelf.plan.use(0)
	return func(yield func(dispatch.Order) bool) {
		for i := range c.entries {
			e := &c.entries[i]
			if e.Order == uuid.Nil {
				continue
			}
			a := addressee{ID: e.ID, Language: e.Language, Code: e.Code, Site: e.Site}
			if o, ok := c.s.order(c.shelf, e.Order, a, e.Ladder[0], use, c.now); ok && !yield(o) {
				return
			}
		}
	}
}
