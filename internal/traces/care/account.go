package care

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Account is what somebody said of an account, or what is recognised.
type Account struct {
	// Name is the account as written in the traces.
	Name string
	Kind Kind
	// Person and PersonName are whose it is; Nil for nobody.
	Person     uuid.UUID
	PersonName string
	// How tells by what it is known: TiedByHand, TiedByFile, or a key of the directory.
	How string
	// Left is when the person left; zero for those who work.
	Left time.Time
	// IPP is the person's own number as a patient, Address and Postal where he
	// lives: only when the establishment gives them.
	IPP, Address, Postal string
	// By and At are who said so and when; empty for what is recognised.
	By string
	At time.Time
}

// accountsMost bounds a list of accounts.
const accountsMost = 1000

// Accounts lists those of which something was said, by name; a text keeps those
// whose name, or whose person's, holds it. Needs access.TracesRead.
func (s *Service) Accounts(ctx context.Context, scope access.Scope, text string) (out []Account, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	like := "%" + storage.Like(fold(text)) + "%"
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT `+accountColumns+` FROM traces_care_accounts a LEFT JOIN traces_care_members m ON m.organisation_id = a.organisation_id AND m.person_id = a.person_id
			WHERE a.organisation_id = $1 AND (a.account LIKE $2 ESCAPE '\' OR m.name_folded LIKE $2 ESCAPE '\') ORDER BY a.account LIMIT $3`, []any{scope.Organisation(), like, accountsMost},
			func(row func(...any) error) error {
				a, err := scanAccount(row)
				out = append(out, a)
				return err
			})
	})
	return out, err
}

const accountColumns = `a.shown, a.kind, a.person_id, COALESCE(m.name, ''), a.tied_by, m.left_us, a.ipp, a.address, a.postal, a.said_by, a.touched_us`

func scanAccount(row func(...any) error) (a Account, err error) {
	var person uuid.NullUUID
	var left sql.NullInt64
	var at int64
	err = row(&a.Name, &a.Kind, &person, &a.PersonName, &a.How, &left, &a.IPP, &a.Address, &a.Postal, &a.By, &at)
	a.Person, a.Left, a.At = person.UUID, storage.NullTime(left), storage.Time(at)
	return a, err
}

// Account gives what is known of one account, as written in the traces: what was
// said of it, else what is recognised. Needs access.TracesRead.
func (s *Service) Account(ctx context.Context, scope access.Scope, name string) (a Account, err error) {
	list, err := s.Recognise(ctx, scope, []string{name})
	if err != nil {
		return a, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		a = list[name]
		a.Name = name
		return tx.Query(ctx, `SELECT `+accountColumns+` FROM traces_care_accounts a LEFT JOIN traces_care_members m ON m.organisation_id = a.organisation_id AND m.person_id = a.person_id
			WHERE a.organisation_id = $1 AND a.account = $2`, []any{scope.Organisation(), cut(fold(name))}, func(row func(...any) error) error {
			a, err = scanAccount(row)
			return err
		})
	})
	return a, err
}

// Recognise tells whose accounts are; one that is tied to nobody is not in the
// answer. Needs access.TracesRead.
func (s *Service) Recognise(ctx context.Context, scope access.Scope, names []string) (map[string]Account, error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	out := map[string]Account{}
	if len(names) == 0 {
		return out, nil
	}
	return out, s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		found, err := ties(ctx, tx, scope, names)
		if err != nil {
			return err
		}
		var people []uuid.UUID
		for name, t := range found {
			out[name] = Account{Name: name, Kind: t.kind, Person: t.person, How: t.how}
			if t.person != uuid.Nil && !slices.Contains(people, t.person) {
				people = append(people, t.person)
			}
		}
		return nameAll(ctx, tx, scope, people, out)
	})
}

// nameAll writes who the people of accounts are.
func nameAll(ctx context.Context, tx *storage.Tx, scope access.Scope, people []uuid.UUID, into map[string]Account) error {
	type named struct {
		name string
		left time.Time
	}
	known := map[uuid.UUID]named{}
	for part := range slices.Chunk(people, 500) {
		err := tx.Query(ctx, `SELECT person_id, name, left_us FROM traces_care_members WHERE organisation_id = $1 AND person_id IN (`+storage.In(len(part), 2)+`)`, storage.Args(part, scope.Organisation()),
			func(row func(...any) error) error {
				var id uuid.UUID
				var n named
				var left sql.NullInt64
				err := row(&id, &n.name, &left)
				n.left = storage.NullTime(left)
				known[id] = n
				return err
			})
		if err != nil {
			return err
		}
	}
	for name, a := range into {
		a.PersonName, a.Left = known[a.Person].name, known[a.Person].left
		into[name] = a
	}
	return nil
}

// Said is what a person says of an account.
type Said struct {
	Account string
	Kind    Kind
	// Matricule finds the person in the directory; Person names him by his id.
	Matricule            string
	Person               uuid.UUID
	IPP, Address, Postal string
}

// check refuses what cannot be said of an account. Errors: Invalid with its field.
func (a Said) check() error {
	switch {
	case fold(a.Account) == "" || len(a.Account) > wordMost:
		return fault.New(fault.Invalid, "traces.care.account.name", "most", wordMost).At("compte")
	case !slices.Contains(Kinds(), a.Kind):
		return fault.New(fault.Invalid, "traces.care.account.kind").At("nature")
	case a.Kind != OfPerson && (a.Matricule != "" || a.Person != uuid.Nil || a.IPP != ""):
		return fault.New(fault.Invalid, "traces.care.account.several").At("matricule")
	case a.Kind == OfPerson && a.Matricule == "" && a.Person == uuid.Nil && a.IPP == "" && a.Address == "":
		return fault.New(fault.Invalid, "traces.care.account.nobody").At("matricule")
	case len(a.IPP) > wordMost || len(a.Address) > wordMost || len(a.Postal) > 20:
		return fault.New(fault.Invalid, "traces.care.long", "most", wordMost).At("ipp")
	}
	return nil
}

// Say ties an account to somebody, or says that it is of several or of a program.
// Needs access.TracesSource. Errors: Invalid with its field, NotFound.
func (s *Service) Say(ctx context.Context, scope access.Scope, a Said) error {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		person, err := say(ctx, tx, scope, a, TiedByHand, storage.Micros(now))
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.account.say", ObjectKind: "trace_account", ObjectID: cut(fold(a.Account)), ObjectName: cut(strings.TrimSpace(a.Account)),
			After: map[string]any{"kind": string(a.Kind), "person": person},
		})
	})
}

// say writes what is said of one account, and gives the id of whose it is, for
// the journal. Errors: Invalid with its field.
func say(ctx context.Context, tx *storage.Tx, scope access.Scope, a Said, how string, now int64) (person string, err error) {
	if err := a.check(); err != nil {
		return "", err
	}
	if a.Matricule != "" {
		if a.Person, err = byMatricule(ctx, tx, scope, a.Matricule); err != nil {
			return "", err
		}
	}
	if a.Person != uuid.Nil {
		person = a.Person.String()
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_care_accounts (organisation_id, account, shown, kind, person_id, tied_by, ipp, address, postal, said_by, touched_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (organisation_id, account) DO UPDATE SET shown = excluded.shown, kind = excluded.kind, person_id = excluded.person_id, tied_by = excluded.tied_by, ipp = excluded.ipp,
		address = excluded.address, postal = excluded.postal, said_by = excluded.said_by, touched_us = excluded.touched_us`,
		scope.Organisation(), cut(fold(a.Account)), cut(strings.TrimSpace(a.Account)), string(a.Kind), storage.NullID(a.Person), how, fold(a.IPP), fold(a.Address), fold(a.Postal), scope.Actor().Name, now)
	return person, err
}

// byMatricule finds the person of a number of the staff. Errors: Invalid.
func byMatricule(ctx context.Context, tx *storage.Tx, scope access.Scope, matricule string) (id uuid.UUID, err error) {
	n := 0
	err = tx.Query(ctx, `SELECT DISTINCT person_id FROM traces_care_keys WHERE organisation_id = $1 AND word = $2 AND how IN ('matricule', 'rpps')`, []any{scope.Organisation(), cut(fold(matricule))},
		func(row func(...any) error) error {
			n++
			return row(&id)
		})
	if err != nil {
		return id, err
	}
	return id, recognised(matricule, n)
}

// recognised refuses a number of nobody, or of several.
func recognised(matricule string, n int) error {
	switch n {
	case 1:
		return nil
	case 0:
		return fault.New(fault.Invalid, "traces.care.account.unknown", "matricule", cut(matricule)).At("matricule")
	}
	return fault.New(fault.Invalid, "traces.care.account.twice", "matricule", cut(matricule)).At("matricule")
}

// matricules counts the people of each number of the staff.
func (s *Service) matricules(ctx context.Context, scope access.Scope) (map[string]int, error) {
	out := map[string]int{}
	return out, s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT word, COUNT(DISTINCT person_id) FROM traces_care_keys WHERE organisation_id = $1 AND how IN ('matricule', 'rpps') GROUP BY word`, []any{scope.Organisation()}, func(row func(...any) error) error {
			var word string
			var n int
			err := row(&word, &n)
			out[word] = n
			return err
		})
	})
}

// Forget takes back what was said of an account: it is recognised by itself
// again, or of nobody. Needs access.TracesSource. Errors: NotFound.
func (s *Service) Forget(ctx context.Context, scope access.Scope, account string) error {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return err
	}
	now, word := s.opt.Clock.Now(), cut(fold(account))
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM traces_care_accounts WHERE organisation_id = $1 AND account = $2`, scope.Organisation(), word)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "traces.care.account.untold")
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.account.forget", ObjectKind: "trace_account", ObjectID: word, ObjectName: word})
	})
}
