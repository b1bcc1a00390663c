package care

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Kind is whose an account is.
type Kind string

// The kinds of accounts. The values are stored.
const (
	OfPerson  Kind = "person"
	OfSeveral Kind = "shared"
	OfMachine Kind = "machine"
)

// Kinds lists them in the order they are shown.
func Kinds() []Kind { return []Kind{OfPerson, OfSeveral, OfMachine} }

// variants are the forms in which one account is written: "CHU\u70001" and
// "u70001@ch.example" are "u70001", when nothing is known of them as a whole.
func variants(account string) []string {
	whole := cut(fold(account))
	if whole == "" {
		return nil
	}
	out := []string{whole}
	if _, name, ok := strings.Cut(whole, `\`); ok && name != "" {
		out = append(out, name)
	}
	if name, _, ok := strings.Cut(whole, "@"); ok && name != "" {
		out = append(out, name)
	}
	return out
}

// tie is who an account is of, and by what that is known.
type tie struct {
	kind   Kind
	person uuid.UUID
	how    string
	// several tells that more than one person may be meant: nobody is.
	several bool
}

// ties recognises accounts, as they were written. What somebody said of an
// account comes first; then what the directory knows people by.
func ties(ctx context.Context, tx *storage.Tx, scope access.Scope, accounts []string) (map[string]tie, error) {
	var words []string
	for _, a := range accounts {
		words = append(words, variants(a)...)
	}
	slices.Sort(words)
	words = slices.Compact(words)
	said, guessed := map[string]tie{}, map[string]tie{}
	for part := range slices.Chunk(words, 500) {
		if err := saidOf(ctx, tx, scope, part, said); err != nil {
			return nil, err
		}
		if err := guess(ctx, tx, scope, part, guessed); err != nil {
			return nil, err
		}
	}
	out := map[string]tie{}
	for _, a := range accounts {
		for _, from := range []map[string]tie{said, guessed} {
			for _, w := range variants(a) {
				if t, known := from[w]; known && out[a] == (tie{}) {
					out[a] = t
				}
			}
		}
		if t := out[a]; t == (tie{}) || t.several {
			delete(out, a)
		}
	}
	return out, nil
}

func saidOf(ctx context.Context, tx *storage.Tx, scope access.Scope, words []string, into map[string]tie) error {
	return tx.Query(ctx, `SELECT account, kind, person_id, tied_by FROM traces_care_accounts WHERE organisation_id = $1 AND account IN (`+storage.In(len(words), 2)+`)`, storage.Args(words, scope.Organisation()),
		func(row func(...any) error) error {
			var word string
			var t tie
			var person uuid.NullUUID
			err := row(&word, &t.kind, &person, &t.how)
			if t.person = person.UUID; t.person != uuid.Nil || t.kind != OfPerson {
				into[word] = t
			}
			return err
		})
}

func guess(ctx context.Context, tx *storage.Tx, scope access.Scope, words []string, into map[string]tie) error {
	return tx.Query(ctx, `SELECT word, person_id, how FROM traces_care_keys WHERE organisation_id = $1 AND word IN (`+storage.In(len(words), 2)+`)`, storage.Args(words, scope.Organisation()),
		func(row func(...any) error) error {
			var word string
			t := tie{kind: OfPerson}
			err := row(&word, &t.person, &t.how)
			if other, twice := into[word]; twice && other.person != t.person {
				t = tie{kind: OfPerson, several: true}
			}
			into[word] = t
			return err
		})
}

// Member implements traces.Staff.
func (s *Service) Member(ctx context.Context, organisation uuid.UUID, account string) (m traces.Member, found bool, err error) {
	scope := system(organisation)
	if len(variants(account)) == 0 {
		return m, false, nil
	}
	err = s.read(ctx, organisation, func(tx *storage.Tx) error {
		all, err := ties(ctx, tx, scope, []string{account})
		if err != nil {
			return err
		}
		var t tie
		if t, found = all[account]; !found {
			return nil
		}
		m = traces.Member{Account: fold(account), Person: t.person, Shared: t.kind == OfSeveral, Machine: t.kind == OfMachine}
		if t.person != uuid.Nil {
			if err := fillMember(ctx, tx, scope, &m); err != nil {
				return err
			}
		}
		return fillPrivate(ctx, tx, scope, &m, variants(account), storage.Micros(s.opt.Clock.Now()))
	})
	return m, found, err
}

// fillMember writes what the directory says.
func fillMember(ctx context.Context, tx *storage.Tx, scope access.Scope, m *traces.Member) error {
	var services string
	var left sql.NullInt64
	_, err := tx.Row(ctx, `SELECT name, surname, given, function, services, left_us FROM traces_care_members WHERE organisation_id = $1 AND person_id = $2`, []any{scope.Organisation(), m.Person},
		&m.Name, &m.Surname, &m.Given, &m.Function, &services, &left)
	m.Services, m.Left = unlines(services), left.Int64
	return err
}

// fillPrivate writes what the establishment said of the accounts of somebody, and
// the services of his teams.
func fillPrivate(ctx context.Context, tx *storage.Tx, scope access.Scope, m *traces.Member, words []string, now int64) error {
	err := tx.Query(ctx, `SELECT ipp, address, postal FROM traces_care_accounts WHERE organisation_id = $1 AND (person_id = $2 OR account IN (`+storage.In(len(words), 3)+`)) ORDER BY account`,
		storage.Args(words, scope.Organisation(), m.Person), func(row func(...any) error) error {
			var ipp, address, postal string
			err := row(&ipp, &address, &postal)
			if m.IPP == "" {
				m.IPP = ipp
			}
			if m.Address == "" {
				m.Address, m.Postal = address, postal
			}
			return err
		})
	if err != nil {
		return err
	}
	return tx.Query(ctx, `SELECT DISTINCT service FROM traces_care_teams WHERE organisation_id = $1 AND from_us <= $3 AND (to_us IS NULL OR to_us >= $3)
		AND (account IN (`+storage.In(len(words), 4)+`) OR account IN (SELECT word FROM traces_care_keys WHERE organisation_id = $1 AND person_id = $2)
			OR account IN (SELECT account FROM traces_care_accounts WHERE organisation_id = $1 AND person_id = $2)) ORDER BY service`,
		storage.Args(words, scope.Organisation(), m.Person, now), func(row func(...any) error) error {
			var service string
			err := row(&service)
			if !slices.Contains(m.Services, service) {
				m.Services = append(m.Services, service)
			}
			return err
		})
}
