package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Precedence says which source of a field wins where two disagree: Usual, ByHand,
// or the name of a list after listFirst. The values are stored.
type Precedence string

// The precedences that name no list.
const (
	// Usual is the rule of the house: see RuleOwner, RuleSource, RuleHand, RuleChanged.
	Usual Precedence = ""
	// ByHand keeps what a person entered, whatever the lists say after.
	ByHand Precedence = "hand"
)

// listFirst begins the precedence of one list.
const listFirst = "list:"

// OfList is the precedence of one list, by its name.
func OfList(source string) Precedence { return Precedence(listFirst + source) }

// List is the list that wins; empty when none does.
func (p Precedence) List() string {
	name, found := strings.CutPrefix(string(p), listFirst)
	if !found {
		return ""
	}
	return name
}

// sourceMost bounds the name of a list in a rule.
const sourceMost = 100

// RuledFields are the fields for which an establishment may set a rule: all but those
// by which a person is recognised.
func RuledFields() []string {
	known := slices.DeleteFunc(ruled(), func(f string) bool { return f == "matricule" || f == "rpps" })
	return append(known, Mobile, Landline, Extension, Email)
}

// FieldRules gives the rules that are not the usual one, by field, and the lists
// that people came from. Needs access.DirectoryWrite.
func (d *Directory) FieldRules(ctx context.Context, scope access.Scope) (rules map[string]Precedence, lists []string, err error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return nil, nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if rules, err = readFieldRules(ctx, tx, scope); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT source FROM directory_imports WHERE organisation_id = $1 AND source <> '' GROUP BY source ORDER BY source`,
			[]any{scope.Organisation()}, func(row func(...any) error) error {
				var name string
				err := row(&name)
				lists = append(lists, name)
				return err
			})
	})
	for _, p := range rules {
		if name := p.List(); name != "" && !slices.Contains(lists, name) {
			lists = append(lists, name)
		}
	}
	return rules, lists, err
}

func readFieldRules(ctx context.Context, tx *storage.Tx, scope access.Scope) (map[string]Precedence, error) {
	out := map[string]Precedence{}
	err := tx.Query(ctx, `SELECT field, precedence FROM directory_field_rules WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
		var field string
		var p Precedence
		err := row(&field, &p)
		out[field] = p
		return err
	})
	return out, err
}

// SetFieldRules replaces the rules: a field that is not named follows the usual one.
// The next comparison of a list follows them. Needs access.DirectoryImport. Errors:
// Invalid for a field or a rule that is unknown.
func (d *Directory) SetFieldRules(ctx context.Context, scope access.Scope, rules map[string]Precedence) error {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	for field, p := range rules {
		name := p.List()
		if !slices.Contains(RuledFields(), field) || p != Usual && p != ByHand && (name == "" || len(name) > sourceMost) {
			return fault.New(fault.Invalid, "directory.conflict.rule_unknown").At(field)
		}
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readFieldRules(ctx, tx, scope)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM directory_field_rules WHERE organisation_id = $1`, scope.Organisation()); err != nil {
			return err
		}
		for field, p := range rules {
			if p == Usual {
				continue
			}
			if _, err := tx.Exec(ctx, `INSERT INTO directory_field_rules (organisation_id, field, precedence) VALUES ($1, $2, $3)`, scope.Organisation(), field, string(p)); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{Action: "directory.conflict.rules", ObjectKind: "organisation", ObjectID: scope.Organisation().String(), Before: before, After: rules})
	})
}

// first tells whether the list that is read wins in a field, whoever owns the person.
func (r *reading) first(field string) bool {
	return r.source != "" && r.rules[field].List() == r.source
}

// second tells whether another list wins in a field.
func (r *reading) second(field string) bool {
	name := r.rules[field].List()
	return name != "" && name != r.source
}

// outranked gives what a list says of contact points, less the new ones of a kind in
// which another list wins and has spoken.
func (r *reading) outranked(given []entryContact, old *record) []entryContact {
	return slices.DeleteFunc(slices.Clone(given), func(k entryContact) bool {
		return r.second(k.Kind) && !slices.ContainsFunc(old.Contacts, func(c ContactPoint) bool { return c.Address == k.Address }) &&
			slices.ContainsFunc(old.Contacts, func(c ContactPoint) bool { return c.Kind == k.Kind && c.Source == r.rules[k.Kind].List() })
	})
}

// ranked puts those of the list that wins before the others of their kind.
func (r *reading) ranked(contacts []ContactPoint) {
	if len(r.rules) == 0 {
		return
	}
	behind := func(k ContactPoint) int {
		if list := r.rules[k.Kind].List(); list == "" || k.Source == list {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(contacts, func(a, b ContactPoint) int {
		return cmp.Or(cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), cmp.Compare(behind(a), behind(b)))
	})
}
