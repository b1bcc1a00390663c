package oncall

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Reading is what the store says at an instant, opened.
type Reading struct {
	Functions    []Function
	Replacements []Replacement
	People       map[uuid.UUID]Agent
	// Names are those of functions and groups.
	Names map[uuid.UUID]string
	Book  *Book
}

// open reads every function of the establishment and what counts from an
// instant on; others are people to be named besides.
func (s *Service) open(ctx context.Context, tx *storage.Tx, scope access.Scope, from time.Time, others ...uuid.UUID) (r *Reading, err error) {
	r = &Reading{Names: map[uuid.UUID]string{}}
	if r.Functions, err = functions(ctx, tx, scope); err != nil {
		return nil, err
	}
	if r.Replacements, err = replacements(ctx, tx, scope, `to_us > $2 AND (import_id IS NULL OR import_id IN
		(SELECT id FROM directory_oncall_imports WHERE organisation_id = $1 AND state = 'current'))`, storage.Micros(from)); err != nil {
		return nil, err
	}
	named := slices.Clone(others)
	for _, f := range r.Functions {
		named = append(named, f.people()...)
		r.Names[f.ID] = f.Name
	}
	for _, x := range r.Replacements {
		named = append(named, x.Person)
	}
	if r.People, err = agents(ctx, tx, scope, named); err != nil {
		return nil, err
	}
	if err := tx.Query(ctx, `SELECT id, name FROM directory_groups WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
		var id uuid.UUID
		var name string
		err := row(&id, &name)
		r.Names[id] = name
		return err
	}); err != nil {
		return nil, err
	}
	left := map[uuid.UUID]time.Time{}
	for _, id := range named {
		switch a, known := r.People[id]; {
		case !known:
			left[id] = time.Unix(0, 0) // erased: he holds nothing
		case !a.Left.IsZero():
			left[id] = a.Left
		}
	}
	r.Book, err = NewBook(r.Functions, r.Replacements, left)
	return r, err
}

const functionColumns = `id, name, site_id, zone, roster, revision, updated_us`

func functions(ctx context.Context, tx *storage.Tx, scope access.Scope) ([]Function, error) {
	return readFunctions(ctx, tx, ` WHERE organisation_id = $1 ORDER BY name_folded, id`, scope.Organisation())
}

func readFunctions(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Function, err error) {
	err = tx.Query(ctx, `SELECT `+functionColumns+` FROM directory_oncall_functions`+which, args, func(row func(...any) error) error {
		var f Function
		var site uuid.NullUUID
		var roster string
		var updated int64
		if err := row(&f.ID, &f.Name, &site, &f.Zone, &roster, &f.Revision, &updated); err != nil {
			return err
		}
		f.Site, f.Updated = site.UUID, storage.Time(updated)
		if err := json.Unmarshal([]byte(roster), &f.Roster); err != nil {
			return fmt.Errorf("roster of %s: %w", f.ID, err)
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

func function(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Function, error) {
	found, err := readFunctions(ctx, tx, ` WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "directory.oncall.not_found")
	}
	if err != nil {
		return Function{}, err
	}
	return found[0], nil
}

func write(ctx context.Context, tx *storage.Tx, scope access.Scope, f Function, now time.Time) error {
	roster, err := json.Marshal(f.Roster)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_oncall_functions (organisation_id, id, name, name_folded, site_id, zone, roster, revision, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (organisation_id, id) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, site_id = excluded.site_id,
		zone = excluded.zone, roster = excluded.roster, revision = excluded.revision, updated_us = excluded.updated_us`,
		scope.Organisation(), f.ID, f.Name, storage.Fold(f.Name), storage.NullID(f.Site), f.Zone, string(roster), f.Revision, storage.Micros(now), storage.Micros(now))
	return err
}

const replacementColumns = `id, function_id, person_id, from_us, to_us, import_id, swap_id, actor_name, created_us`

// replacements reads some; which begins with $1, the establishment.
func replacements(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Replacement, err error) {
	err = tx.Query(ctx, `SELECT `+replacementColumns+` FROM directory_oncall_replacements WHERE organisation_id = $1 AND `+which+` ORDER BY id`,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var r Replacement
			var imported, swap uuid.NullUUID
			var from, to, created int64
			err := row(&r.ID, &r.Function, &r.Person, &from, &to, &imported, &swap, &r.By, &created)
			r.From, r.To, r.Created = storage.Time(from), storage.Time(to), storage.Time(created)
			r.Import, r.Swap = imported.UUID, swap.UUID
			out = append(out, r)
			return err
		})
	return out, err
}

func insertReplacements(ctx context.Context, tx *storage.Tx, scope access.Scope, list []Replacement) error {
	var rows [][]any
	for _, r := range list {
		rows = append(rows, []any{
			scope.Organisation(), r.ID, r.Function, r.Person, storage.Micros(r.From), storage.Micros(r.To), storage.NullID(r.Import), storage.NullID(r.Swap),
			r.By, storage.Micros(r.Created),
		})
	}
	return tx.InsertRows(ctx, "directory_oncall_replacements", append([]string{"organisation_id"}, strings.Split(replacementColumns, ", ")...), rows)
}

// Agent is somebody whom a roster names, with what decides whether he can be counted on.
type Agent struct {
	ID              uuid.UUID
	Name, Matricule string
	// Left is from when he no longer works here; zero when he does.
	Left time.Time
	// Mobile tells that he has a number that may be tried, Proven that he answered from it lately.
	Mobile, Proven bool

	away []stretch
}

// Away tells whether he is on leave at some time of a stretch.
func (a Agent) Away(from, to time.Time) bool {
	return slices.ContainsFunc(a.away, func(s stretch) bool { return s.from.Before(to) && (s.to.IsZero() || s.to.After(from)) })
}

// agentChunk people are asked about in one question.
const agentChunk = 400

// visible selects the version of people that is shown.
const visible = `p.organisation_id = $1 AND p.since_gen <= COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0)
	AND p.until_gen > COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0)`

// agents reads people of the establishment by id; who is unknown is not in the answer.
func agents(ctx context.Context, tx *storage.Tx, scope access.Scope, ids []uuid.UUID) (map[uuid.UUID]Agent, error) {
	out := map[uuid.UUID]Agent{}
	wanted := slices.Clone(ids)
	slices.SortFunc(wanted, func(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) })
	wanted = slices.DeleteFunc(slices.Compact(wanted), func(id uuid.UUID) bool { return id == uuid.Nil })
	for chunk := range slices.Chunk(wanted, agentChunk) {
		if err := readAgents(ctx, tx, scope, chunk, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readAgents(ctx context.Context, tx *storage.Tx, scope access.Scope, chunk []uuid.UUID, out map[uuid.UUID]Agent) error {
	args := storage.Args(chunk, scope.Organisation())
	in := storage.In(len(chunk), 2)
	err := tx.Query(ctx, `SELECT p.id, p.last_name, p.first_name, p.matricule, p.departed_us, p.contract_end_us, p.absent_from_us, p.absent_to_us
		FROM directory_people p WHERE `+visible+` AND p.id IN (`+in+`)`, args, func(row func(...any) error) error {
		var a Agent
		var last, first string
		var departed, contract, from, to sql.NullInt64
		err := row(&a.ID, &last, &first, &a.Matricule, &departed, &contract, &from, &to)
		a.Name = strings.TrimSpace(last + " " + first)
		a.Left = earliest(storage.NullTime(departed), storage.NullTime(contract))
		if from.Valid {
			a.away = append(a.away, stretch{storage.NullTime(from), storage.NullTime(to)})
		}
		out[a.ID] = a
		return err
	})
	if err != nil {
		return err
	}
	err = tx.Query(ctx, `SELECT person_id, from_us, to_us FROM directory_absences WHERE organisation_id = $1 AND person_id IN (`+in+`)`, args, func(row func(...any) error) error {
		var id uuid.UUID
		var from, to sql.NullInt64
		err := row(&id, &from, &to)
		if a, known := out[id]; known {
			a.away = append(a.away, stretch{storage.NullTime(from), storage.NullTime(to)})
			out[id] = a
		}
		return err
	})
	if err != nil {
		return err
	}
	return tx.Query(ctx, `SELECT p.person_id, p.state, p.shared, p.answered_us FROM directory_contacts p WHERE `+visible+` AND p.kind = 'mobile' AND p.person_id IN (`+in+`)`, args,
		func(row func(...any) error) error {
			var id uuid.UUID
			var k directory.ContactPoint
			var answered sql.NullInt64
			err := row(&id, &k.State, &k.Shared, &answered)
			if a, known := out[id]; known && k.Usable() {
				a.Mobile, a.Proven = true, a.Proven || answered.Valid && !k.Shared
				out[id] = a
			}
			return err
		})
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
