package care

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

const (
	// around is how far from the time of an access relations are given.
	around = 30 * day
	// relationsMost bounds the relations of one answer, the latest first.
	relationsMost = 500
)

// Patient implements traces.Carer: reads of two indexes, and a third when a
// professional is named.
func (s *Service) Patient(ctx context.Context, organisation uuid.UUID, ipp, ins string, at int64) (p traces.Patient, found bool, err error) {
	scope := system(organisation)
	err = s.read(ctx, organisation, func(tx *storage.Tx) error {
		id, err := known(ctx, tx, scope, byIPP, cut(fold(ipp)))
		if err == nil && id == uuid.Nil {
			id, err = known(ctx, tx, scope, byINS, cut(fold(ins)))
		}
		if err != nil || id == uuid.Nil {
			return err
		}
		if p, found, err = readPatient(ctx, tx, scope, id); err != nil || !found {
			return err
		}
		p.Relations, err = relations(ctx, tx, scope, id, at-around, at+around)
		return err
	})
	return p, found, err
}

func readPatient(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (p traces.Patient, found bool, err error) {
	found, err = tx.Row(ctx, `SELECT p.ipp, p.ins, p.surname, p.birth_name, p.given, p.address, p.postal, p.well_known, COALESCE(
			(SELECT MIN(a.account) FROM traces_care_accounts a WHERE a.organisation_id = p.organisation_id AND a.ipp <> '' AND a.ipp IN
				(SELECT n.number FROM traces_care_numbers n WHERE n.organisation_id = p.organisation_id AND n.patient_id = p.id AND n.kind = 'ipp')), '')
		FROM traces_care_patients p WHERE p.organisation_id = $1 AND p.id = $2`, []any{scope.Organisation(), id},
		&p.IPP, &p.INS, &p.Surname, &p.BirthName, &p.Given, &p.Address, &p.Postal, &p.WellKnown, &p.StaffAccount)
	return p, found, err
}

// relations are those that touch a time; whoever is named by a number of the
// staff or of the nation is given under each account he may use.
func relations(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, from, to int64) (out []traces.Relation, err error) {
	var named []traces.Relation
	var words []string
	err = tx.Query(ctx, `SELECT kind, service, who, from_us, to_us FROM traces_care_relations WHERE organisation_id = $1 AND patient_id = $2 AND kind <> '' AND from_us <= $4 AND (to_us IS NULL OR to_us >= $3)
		ORDER BY from_us DESC, origin, seq LIMIT $5`, []any{scope.Organisation(), patient, from, to, relationsMost}, func(row func(...any) error) error {
		var r traces.Relation
		var until sql.NullInt64
		err := row(&r.Kind, &r.Service, &r.Account, &r.From, &until)
		if r.To = until.Int64; r.Account == "" {
			out = append(out, r)
			return err
		}
		named, words = append(named, r), append(words, r.Account)
		return err
	})
	if err != nil || len(named) == 0 {
		return out, err
	}
	aliases, err := aliases(ctx, tx, scope, folded(words))
	for _, r := range named {
		accounts := aliases[r.Account]
		if len(accounts) == 0 {
			accounts = []string{r.Account}
		}
		for _, account := range accounts {
			r.Account = account
			out = append(out, r)
		}
	}
	return out, err
}

// aliases are all the accounts that somebody may use who is known by a word: the
// words the directory knows him by, and the accounts tied to him.
func aliases(ctx context.Context, tx *storage.Tx, scope access.Scope, words []string) (map[string][]string, error) {
	out := map[string][]string{}
	add := func(row func(...any) error) error {
		var word, account string
		err := row(&word, &account)
		out[word] = append(out[word], account)
		return err
	}
	in := storage.In(len(words), 2)
	return out, tx.Query(ctx, `SELECT k.word, o.word FROM traces_care_keys k JOIN traces_care_keys o ON o.organisation_id = k.organisation_id AND o.person_id = k.person_id
			WHERE k.organisation_id = $1 AND k.word IN (`+in+`)
		UNION SELECT k.word, a.account FROM traces_care_keys k JOIN traces_care_accounts a ON a.organisation_id = k.organisation_id AND a.person_id = k.person_id
			WHERE k.organisation_id = $1 AND k.word IN (`+in+`)
		UNION SELECT b.account, k.word FROM traces_care_accounts b JOIN traces_care_keys k ON k.organisation_id = b.organisation_id AND k.person_id = b.person_id
			WHERE b.organisation_id = $1 AND b.account IN (`+in+`)
		UNION SELECT b.account, a.account FROM traces_care_accounts b JOIN traces_care_accounts a ON a.organisation_id = b.organisation_id AND a.person_id = b.person_id
			WHERE b.organisation_id = $1 AND b.account IN (`+in+`) ORDER BY 1, 2`, storage.Args(words, scope.Organisation()), add)
}

// Covered implements traces.Carer.
func (s *Service) Covered(ctx context.Context, organisation uuid.UUID) (covered bool, err error) {
	err = s.read(ctx, organisation, func(tx *storage.Tx) error {
		var one int
		covered, err = tx.Row(ctx, `SELECT 1 FROM traces_care_relations WHERE organisation_id = $1 LIMIT 1`, []any{organisation}, &one)
		return err
	})
	return covered, err
}
