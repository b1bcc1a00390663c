package care

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// The kinds of numbers. The values are stored.
const (
	byIPP = "ipp"
	byINS = "ins"
)

// known finds the patient of a number; Nil for none.
func known(ctx context.Context, tx *storage.Tx, scope access.Scope, kind, number string) (id uuid.UUID, err error) {
	if number == "" {
		return uuid.Nil, nil
	}
	_, err = tx.Row(ctx, `SELECT patient_id FROM traces_care_numbers WHERE organisation_id = $1 AND kind = $2 AND number = $3`, []any{scope.Organisation(), kind, number}, &id)
	return id, err
}

// identify finds the patient of an identity, or makes one, and writes what is
// newly said of him. The main number decides; the national identity finds who
// has none, and makes one of two records when the other has it alone.
func identify(ctx context.Context, tx *storage.Tx, scope access.Scope, i traces.Identity, said, now int64) (uuid.UUID, error) {
	numbers, ins := folded(i.IPP), cut(fold(i.INS))
	var id uuid.UUID
	var err error
	for _, n := range numbers {
		if id == uuid.Nil {
			if id, err = known(ctx, tx, scope, byIPP, n); err != nil {
				return id, err
			}
		}
	}
	byNation, err := known(ctx, tx, scope, byINS, ins)
	if err != nil {
		return id, err
	}
	alone, err := nameless(ctx, tx, scope, byNation)
	if err != nil {
		return id, err
	}
	switch {
	case id == uuid.Nil && byNation != uuid.Nil && (len(numbers) == 0 || alone):
		id = byNation
	case id == uuid.Nil:
		id, err = newPatient(ctx, tx, scope, now)
	case alone && byNation != id:
		err = absorb(ctx, tx, scope, id, byNation, now)
	}
	if err != nil {
		return id, err
	}
	if err := number(ctx, tx, scope, id, i); err != nil {
		return id, err
	}
	return id, describe(ctx, tx, scope, id, i, said, now)
}

// nameless tells a record without a number of the establishment: it is that of
// whoever has its national identity.
func nameless(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (bool, error) {
	if id == uuid.Nil {
		return false, nil
	}
	var ipp string
	found, err := tx.Row(ctx, `SELECT ipp FROM traces_care_patients WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id}, &ipp)
	return found && ipp == "", err
}

func newPatient(ctx context.Context, tx *storage.Tx, scope access.Scope, now int64) (uuid.UUID, error) {
	id := storage.NewID(storage.Time(now))
	_, err := tx.Exec(ctx, `INSERT INTO traces_care_patients (organisation_id, id, ipp, ins, surname, birth_name, given, address, postal, said_us, well_known, well_known_why, touched_us)
		VALUES ($1, $2, '', '', '', '', '', '', '', 0, FALSE, '', $3)`, scope.Organisation(), id, now)
	return id, err
}

// number gives numbers to a patient. A second number that another patient has
// stays his: only a merge says that two are one. A national identity goes with
// the last who said it.
func number(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, i traces.Identity) error {
	main := ""
	for _, shown := range i.IPP {
		n := cut(fold(shown))
		if n == "" {
			continue
		}
		if main == "" {
			main = n
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_care_numbers (organisation_id, kind, number, shown, patient_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organisation_id, kind, number) DO NOTHING`,
			scope.Organisation(), byIPP, n, cut(strings.TrimSpace(shown)), id); err != nil {
			return err
		}
	}
	if main != "" {
		if _, err := tx.Exec(ctx, `UPDATE traces_care_patients SET ipp = $3 WHERE organisation_id = $1 AND id = $2 AND ipp <> $3`, scope.Organisation(), id, main); err != nil {
			return err
		}
	}
	ins := cut(fold(i.INS))
	if ins == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO traces_care_numbers (organisation_id, kind, number, shown, patient_id) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organisation_id, kind, number) DO UPDATE SET patient_id = excluded.patient_id`, scope.Organisation(), byINS, ins, cut(strings.TrimSpace(i.INS)), id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE traces_care_patients SET ins = $3 WHERE organisation_id = $1 AND id = $2 AND ins <> $3`, scope.Organisation(), id, ins)
	return err
}

// describe keeps names and address, unless something newer said others. What the
// message leaves out stays.
func describe(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, i traces.Identity, said, now int64) error {
	if i.Surname == "" && i.BirthName == "" && i.Given == "" && i.Address == "" {
		_, err := tx.Exec(ctx, `UPDATE traces_care_patients SET touched_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, now)
		return err
	}
	keep := func(column, at string) string {
		return column + ` = CASE WHEN ` + at + ` = '' OR said_us > $8 THEN ` + column + ` ELSE ` + at + ` END`
	}
	_, err := tx.Exec(ctx, `UPDATE traces_care_patients SET `+keep("surname", "$3")+`, `+keep("birth_name", "$4")+`, `+keep("given", "$5")+`, `+keep("address", "$6")+`, `+keep("postal", "$7")+`,
		said_us = CASE WHEN said_us > $8 THEN said_us ELSE $8 END, touched_us = $9 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), id, cut(fold(i.Surname)), cut(fold(i.BirthName)), cut(fold(i.Given)), cut(fold(i.Address)), cut(fold(i.Postal)), said, now)
	return err
}

// absorb makes one patient of two: whatever was of one is of the other.
func absorb(ctx context.Context, tx *storage.Tx, scope access.Scope, into, from uuid.UUID, now int64) error {
	if into == from || from == uuid.Nil {
		return nil
	}
	visits, err := visitsOf(ctx, tx, scope, from)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE traces_care_numbers SET patient_id = $2 WHERE organisation_id = $1 AND patient_id = $3`,
		`DELETE FROM traces_care_moves WHERE organisation_id = $1 AND patient_id = $3 AND EXISTS (SELECT 1 FROM traces_care_moves o WHERE o.organisation_id = $1
			AND o.patient_id = $2 AND o.visit = traces_care_moves.visit AND o.move = traces_care_moves.move)`,
		`UPDATE traces_care_moves SET patient_id = $2 WHERE organisation_id = $1 AND patient_id = $3`,
		`DELETE FROM traces_care_relations WHERE organisation_id = $1 AND patient_id = $3 AND origin IN (SELECT origin FROM traces_care_relations o WHERE o.organisation_id = $1 AND o.patient_id = $2)`,
		`UPDATE traces_care_relations SET patient_id = $2 WHERE organisation_id = $1 AND patient_id = $3`,
	} {
		if _, err := tx.Exec(ctx, statement, scope.Organisation(), into, from); err != nil {
			return err
		}
	}
	if err := inherit(ctx, tx, scope, into, from); err != nil {
		return err
	}
	for _, visit := range visits {
		if err := derive(ctx, tx, scope, into, visit, now); err != nil {
			return err
		}
	}
	return nil
}

// inherit gives what was said of a record to the one that takes its place.
func inherit(ctx context.Context, tx *storage.Tx, scope access.Scope, into, from uuid.UUID) error {
	var known bool
	var why string
	found, err := tx.Row(ctx, `SELECT well_known, well_known_why FROM traces_care_patients WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), from}, &known, &why)
	if err != nil || !found {
		return err
	}
	if known {
		if _, err := tx.Exec(ctx, `UPDATE traces_care_patients SET well_known = TRUE, well_known_why = $3 WHERE organisation_id = $1 AND id = $2 AND well_known = FALSE`, scope.Organisation(), into, why); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `DELETE FROM traces_care_patients WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), from)
	return err
}

func visitsOf(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID) (out []string, err error) {
	err = tx.Query(ctx, `SELECT DISTINCT visit FROM traces_care_moves WHERE organisation_id = $1 AND patient_id = $2`, []any{scope.Organisation(), patient}, func(row func(...any) error) error {
		var visit string
		err := row(&visit)
		out = append(out, visit)
		return err
	})
	return out, err
}
