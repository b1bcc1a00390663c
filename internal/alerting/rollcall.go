package alerting

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// RollMost bounds the people typed as present and not listed: more is a slip of the finger.
const RollMost = 2_000

// Roll is what a service last said of who was there already when the alert
// came: people on duty, whom nobody called. They fill no quota line.
type Roll struct {
	Service     uuid.UUID `json:"-"`
	ServiceName string    `json:"service"`
	SiteName    string    `json:"site"`
	// Listed are the people of the service in the directory; 0 with a zero At when
	// it said nothing yet.
	Listed int `json:"listed"`
	// Ticked are those of them who are present, Others people who are present and
	// not on the list.
	Ticked int `json:"ticked"`
	Others int `json:"others"`
	// Skills counts the ticked by métier and qualification.
	Skills map[string]int `json:"skills"`
	At     time.Time      `json:"at"`
	By     string         `json:"by"`
}

// Present is how many people the service has there.
func (r Roll) Present() int { return r.Ticked + r.Others }

// Said tells a service that answered the call.
func (r Roll) Said() bool { return !r.At.IsZero() }

// RollCall is the roll of an alert: a line for each service.
type RollCall struct {
	Rolls []Roll
}

// Present is how many people are known to be there already.
func (r RollCall) Present() (n int) {
	for _, s := range r.Rolls {
		n += s.Present()
	}
	return n
}

// Said is how many services answered.
func (r RollCall) Said() (n int) {
	for _, s := range r.Rolls {
		if s.Said() {
			n++
		}
	}
	return n
}

// Counted is a number of people under a name or a code.
type Counted struct {
	Name   string
	People int
}

// BySite adds the rolls up by site, in the order of names.
func (r RollCall) BySite() []Counted {
	by := map[string]int{}
	for _, s := range r.Rolls {
		if s.Said() {
			by[s.SiteName] += s.Present()
		}
	}
	return sorted(by)
}

// BySkill adds the rolls up by skill, the most numerous first; Name is a code.
func (r RollCall) BySkill() []Counted {
	by := map[string]int{}
	for _, s := range r.Rolls {
		for skill, n := range s.Skills {
			by[skill] += n
		}
	}
	out := sorted(by)
	slices.SortStableFunc(out, func(a, b Counted) int { return b.People - a.People })
	return out
}

func sorted(by map[string]int) []Counted {
	var out []Counted
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, Counted{name, by[name]})
	}
	return out
}

// readRolls reads the last word of each service.
func readRolls(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (RollCall, error) {
	last := map[uuid.UUID]Roll{}
	err := tx.Query(ctx, `SELECT service_id, service_name, site_name, at_us, noted_by, listed, ticked, others, skills_json FROM alerting_rolls
		WHERE organisation_id = $1 AND launch_id = $2 ORDER BY at_us, id`, []any{scope.Organisation(), launch}, func(row func(...any) error) error {
		var r Roll
		var at int64
		var skills string
		if err := row(&r.Service, &r.ServiceName, &r.SiteName, &at, &r.By, &r.Listed, &r.Ticked, &r.Others, &skills); err != nil {
			return err
		}
		r.At = storage.Time(at)
		err := json.Unmarshal([]byte(skills), &r.Skills)
		last[r.Service] = r
		return err
	})
	out := RollCall{Rolls: slices.SortedFunc(maps.Values(last), byPlace)}
	return out, err
}

func byPlace(a, b Roll) int {
	return cmp.Or(strings.Compare(storage.Fold(a.SiteName), storage.Fold(b.SiteName)), strings.Compare(storage.Fold(a.ServiceName), storage.Fold(b.ServiceName)), compareIDs(a.Service, b.Service))
}

// Rolls gives the roll-call of an alert: every service of the directory, and
// those that answered with what they said. Needs access.AlertRead. Errors: NotFound.
func (s *Service) Rolls(ctx context.Context, scope access.Scope, launch uuid.UUID) (out RollCall, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return out, err
	}
	if err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, err := readLaunch(ctx, tx, scope, launch); err != nil {
			return err
		}
		out, err = readRolls(ctx, tx, scope, launch)
		return err
	}); err != nil {
		return out, err
	}
	services, err := s.people.Services(ctx, scope)
	if err != nil {
		return out, err
	}
	for _, place := range services {
		known := slices.ContainsFunc(out.Rolls, func(r Roll) bool { return r.Service == place.ID })
		if !known && place.People > 0 {
			out.Rolls = append(out.Rolls, Roll{Service: place.ID, ServiceName: place.Name, SiteName: place.Site, Listed: place.People})
		}
	}
	slices.SortFunc(out.Rolls, byPlace)
	return out, nil
}

// Member is a person on the list of a service.
type Member struct {
	Person                      uuid.UUID
	LastName, FirstName, Metier string
	Present                     bool
}

// RollOf gives the list of one service, with those ticked by its last word; Nil
// is the people who are in no service. Needs access.AlertConduct. Errors: NotFound.
func (s *Service) RollOf(ctx context.Context, scope access.Scope, launch, service uuid.UUID, now time.Time) (r Roll, list []Member, err error) {
	if err := s.guard.Check(scope, access.AlertConduct); err != nil {
		return r, nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, err := readLaunch(ctx, tx, scope, launch); err != nil {
			return err
		}
		team, err := s.team(ctx, tx, scope, now, service)
		if err != nil {
			return err
		}
		said, err := readRolls(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		r = team.roll(service)
		for _, x := range said.Rolls {
			if x.Service == service {
				r = x
			}
		}
		ticked, err := rollTicks(ctx, tx, scope, launch, service)
		for _, t := range team.people {
			list = append(list, Member{Person: t.Person, LastName: t.LastName, FirstName: t.FirstName, Metier: t.Metier, Present: ticked[t.Person]})
		}
		return err
	})
	return r, list, err
}

// rollTicks are the people ticked by the last word of a service.
func rollTicks(ctx context.Context, tx *storage.Tx, scope access.Scope, launch, service uuid.UUID) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	err := tx.Query(ctx, `SELECT person_id FROM alerting_roll_people WHERE organisation_id = $1 AND roll_id = (SELECT id FROM alerting_rolls
		WHERE organisation_id = $1 AND launch_id = $2 AND service_id = $3 ORDER BY at_us DESC, id DESC LIMIT 1)`,
		[]any{scope.Organisation(), launch, service}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out[id] = true
			return err
		})
	return out, err
}

// team is a service and its people.
type team struct {
	service, site string
	people        []directory.Target
}

func (t team) roll(service uuid.UUID) Roll {
	return Roll{Service: service, ServiceName: t.service, SiteName: t.site, Listed: len(t.people)}
}

func (s *Service) team(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, service uuid.UUID) (t team, err error) {
	if service != uuid.Nil {
		places, err := s.houses.Places(ctx, tx, inside(scope), now)
		if err != nil {
			return t, err
		}
		place, ok := places.Get(service)
		if !ok {
			return t, fault.New(fault.NotFound, "alerting.roll.service")
		}
		t.service, t.site = place.Name, place.SiteName
	}
	t.people, err = s.people.Team(ctx, tx, inside(scope), now, service)
	return t, err
}

// CallRoll keeps what a service says of who is there: the people ticked of its
// list, and how many others. Its last word counts; the same one twice is kept
// once. Needs access.AlertConduct. Errors: Invalid, NotFound, Conflict when the
// alert is over.
func (s *Service) CallRoll(ctx context.Context, scope access.Scope, now time.Time, launch, service uuid.UUID, present []uuid.UUID, others int) error {
	if others < 0 || others > RollMost {
		return fault.New(fault.Invalid, "alerting.roll.others", "most", RollMost).At("autres")
	}
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		t, err := s.team(ctx, tx, scope, now, service)
		if err != nil {
			return journal.Entry{}, err
		}
		r := t.roll(service)
		r.Others, r.Skills = others, map[string]int{}
		var ticked []directory.Target
		for _, p := range t.people {
			if slices.Contains(present, p.Person) {
				ticked = append(ticked, p)
				for _, skill := range strings.Fields(skills(p.Metier, p.Qualifications)) {
					r.Skills[skill]++
				}
			}
		}
		r.Ticked = len(ticked)
		if same, err := saidAlready(ctx, tx, scope, l.ID, r, ticked); err != nil || same {
			return journal.Entry{}, err
		}
		if err := writeRoll(ctx, tx, scope, now, l.ID, r, ticked); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.roll_call", After: map[string]any{"service": r.ServiceName, "ticked": r.Ticked, "others": others}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventRoll, By: scope.Actor().Name, People: r.Present(), Text: r.ServiceName})
	})
}

// saidAlready tells a form sent twice.
func saidAlready(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, r Roll, ticked []directory.Target) (bool, error) {
	others := -1
	if _, err := tx.Row(ctx, `SELECT others FROM alerting_rolls WHERE organisation_id = $1 AND launch_id = $2 AND service_id = $3 ORDER BY at_us DESC, id DESC LIMIT 1`,
		[]any{scope.Organisation(), launch, r.Service}, &others); err != nil || others != r.Others {
		return false, err
	}
	known, err := rollTicks(ctx, tx, scope, launch, r.Service)
	if err != nil || len(known) != len(ticked) {
		return false, err
	}
	return !slices.ContainsFunc(ticked, func(t directory.Target) bool { return !known[t.Person] }), nil
}

func writeRoll(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, r Roll, ticked []directory.Target) error {
	counted, err := json.Marshal(r.Skills)
	if err != nil {
		return fmt.Errorf("write a roll: %w", err)
	}
	id := storage.NewID(now)
	if _, err := tx.Exec(ctx, `INSERT INTO alerting_rolls (organisation_id, id, launch_id, service_id, service_name, site_name, at_us, noted_by, listed, ticked, others, skills_json)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, scope.Organisation(), id, launch, r.Service, r.ServiceName, r.SiteName,
		storage.Micros(now), scope.Actor().Name, r.Listed, r.Ticked, r.Others, string(counted)); err != nil {
		return err
	}
	rows := make([][]any, len(ticked))
	for i, t := range ticked {
		rows[i] = []any{scope.Organisation(), id, t.Person, launch, t.LastName + " " + t.FirstName, t.Metier}
	}
	return tx.InsertRows(ctx, "alerting_roll_people", []string{"organisation_id", "roll_id", "person_id", "launch_id", "name", "metier"}, rows)
}
