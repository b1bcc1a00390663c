package directory

import (
	"context"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Group gathers people: a fixed list, or whoever a rule chooses at the instant.
type Group struct {
	ID      uuid.UUID
	Name    string
	Purpose string
	// Rule is nil for a fixed list.
	Rule *Rule
	// Size is the number of members of a fixed list; see Count for a rule.
	Size int
}

// Groups lists them by name.
func (d *Directory) Groups(ctx context.Context, scope access.Scope) (out []Group, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = groups(ctx, tx, scope)
		return err
	})
	return out, err
}

func groups(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []Group, err error) {
	err = tx.Query(ctx, `SELECT g.id, g.name, g.purpose, g.rule,
		(SELECT COUNT(*) FROM directory_members m WHERE m.organisation_id = g.organisation_id AND m.group_id = g.id)
		FROM directory_groups g WHERE g.organisation_id = $1 ORDER BY g.name_folded`, []any{scope.Organisation()}, func(row func(...any) error) error {
		var g Group
		var rule string
		if err := row(&g.ID, &g.Name, &g.Purpose, &rule, &g.Size); err != nil {
			return err
		}
		if rule != "" {
			g.Rule = new(Rule)
			if err := json.Unmarshal([]byte(rule), g.Rule); err != nil {
				return err
			}
		}
		out = append(out, g)
		return nil
	})
	return out, err
}

// Group gives one group. Errors: NotFound.
func (d *Directory) Group(ctx context.Context, scope access.Scope, id uuid.UUID) (Group, error) {
	all, err := d.Groups(ctx, scope)
	if err != nil {
		return Group{}, err
	}
	for _, g := range all {
		if g.ID == id {
			return g, nil
		}
	}
	return Group{}, fault.New(fault.NotFound, "directory.group_not_found")
}

// SaveGroup creates a group (ID Nil) or changes its name, purpose and rule.
// Errors: Invalid, NotFound, Conflict for a name taken or a group inside itself.
func (d *Directory) SaveGroup(ctx context.Context, scope access.Scope, g Group) (Group, error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return g, err
	}
	g.Name, g.Purpose = oneLine(g.Name), oneLine(g.Purpose)
	switch {
	case g.Name == "":
		return g, fault.New(fault.Invalid, "directory.group_name_required").At("name")
	case utf8.RuneCountInString(g.Name) > nameLimit:
		return g, fault.New(fault.Invalid, "directory.too_long", "limit", nameLimit).At("name")
	case g.Rule != nil && g.Rule.Empty():
		return g, fault.New(fault.Invalid, "directory.group_rule_empty").At("rule")
	}
	now := d.clock.Now()
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		all, err := groups(ctx, tx, scope)
		if err != nil {
			return err
		}
		action := "directory.group.update"
		if g.ID == uuid.Nil {
			g.ID, action = storage.NewID(now), "directory.group.create"
		} else if !slices.ContainsFunc(all, func(o Group) bool { return o.ID == g.ID }) {
			return fault.New(fault.NotFound, "directory.group_not_found")
		}
		if insideItself(g, all) {
			return fault.New(fault.Conflict, "directory.group_cycle").At("rule")
		}
		if err := writeGroup(ctx, tx, scope, g, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "group", ObjectID: g.ID.String(), ObjectName: g.Name, After: g.Rule})
	})
	return g, err
}

func writeGroup(ctx context.Context, tx *storage.Tx, scope access.Scope, g Group, now time.Time) error {
	rule := ""
	if g.Rule != nil {
		text, err := json.Marshal(g.Rule)
		if err != nil {
			return err
		}
		rule = string(text)
	}
	_, err := tx.Exec(ctx, `INSERT INTO directory_groups (organisation_id, id, name, name_folded, purpose, rule, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (organisation_id, id) DO UPDATE SET name = excluded.name,
		name_folded = excluded.name_folded, purpose = excluded.purpose, rule = excluded.rule, updated_us = excluded.updated_us`,
		scope.Organisation(), g.ID, g.Name, storage.Fold(g.Name), g.Purpose, rule, storage.Micros(now))
	if storage.IsDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "directory.group_exists", "name", g.Name).At("name")
	}
	return err
}

// insideItself follows the groups that a group's rule names.
func insideItself(g Group, all []Group) bool {
	byID := map[uuid.UUID]*Rule{g.ID: g.Rule}
	for _, o := range all {
		if o.ID != g.ID {
			byID[o.ID] = o.Rule
		}
	}
	seen := map[uuid.UUID]bool{}
	var reaches func(r *Rule) bool
	reaches = func(r *Rule) bool {
		if r == nil {
			return false
		}
		for _, id := range r.Groups {
			if id == g.ID {
				return true
			}
			if !seen[id] {
				seen[id] = true
				if reaches(byID[id]) {
					return true
				}
			}
		}
		return false
	}
	return reaches(g.Rule)
}

// DeleteGroup removes a group; a rule that names it then chooses nobody by it.
func (d *Directory) DeleteGroup(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	g, err := d.Group(ctx, scope, id)
	if err != nil {
		return err
	}
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		for _, query := range []string{
			`DELETE FROM directory_members WHERE organisation_id = $1 AND group_id = $2`,
			`DELETE FROM directory_groups WHERE organisation_id = $1 AND id = $2`,
		} {
			if _, err := tx.Exec(ctx, query, scope.Organisation(), id); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{
			Action: "directory.group.delete", ObjectKind: "group",
			ObjectID: id.String(), ObjectName: g.Name,
		})
	})
}

// memberLimit is how many people one call may add or remove.
const memberLimit = 2_000

// AddMembers adds people to a fixed list; those already there stay once.
func (d *Directory) AddMembers(ctx context.Context, scope access.Scope, group uuid.UUID, people []uuid.UUID) error {
	return d.members(ctx, scope, group, people, "directory.group.add", func(tx *storage.Tx) error {
		rows := make([][]any, 0, len(people))
		err := tx.Query(ctx, `SELECT DISTINCT id FROM directory_people WHERE organisation_id = $1 AND id IN (`+storage.In(len(people), 2)+`)`,
			storage.Args(people, scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				err := row(&id)
				rows = append(rows, []any{scope.Organisation(), group, id})
				return err
			})
		if err != nil {
			return err
		}
		return tx.InsertNewRows(ctx, "directory_members", []string{"organisation_id", "group_id", "person_id"}, rows)
	})
}

// RemoveMembers takes people off a fixed list.
func (d *Directory) RemoveMembers(ctx context.Context, scope access.Scope, group uuid.UUID, people []uuid.UUID) error {
	return d.members(ctx, scope, group, people, "directory.group.remove", func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM directory_members WHERE organisation_id = $1 AND group_id = $2 AND person_id IN (`+
			storage.In(len(people), 3)+`)`, storage.Args(people, scope.Organisation(), group)...)
		return err
	})
}

func (d *Directory) members(ctx context.Context, scope access.Scope, group uuid.UUID, people []uuid.UUID, action string, change func(*storage.Tx) error) error {
	g, err := d.Group(ctx, scope, group)
	if err != nil {
		return err
	}
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	switch {
	case g.Rule != nil:
		return fault.New(fault.Conflict, "directory.group_by_rule")
	case len(people) == 0:
		return nil
	case len(people) > memberLimit:
		return fault.New(fault.Invalid, "directory.too_many_members", "limit", memberLimit)
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{
			Action: action, ObjectKind: "group", ObjectID: group.String(),
			ObjectName: g.Name, After: map[string]int{"people": len(people)},
		})
	})
}
