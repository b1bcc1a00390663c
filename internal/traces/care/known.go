package care

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Known is a well-known patient.
type Known struct {
	ID                       uuid.UUID
	IPP, INS, Surname, Given string
	// Why is what the data protection officer wrote.
	Why string
}

// WellKnown lists the well-known patients, by the order in which they became known
// to us. Needs access.TracesAsk.
func (s *Service) WellKnown(ctx context.Context, scope access.Scope) (out []Known, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, ipp, ins, surname, given, well_known_why FROM traces_care_patients WHERE organisation_id = $1 AND well_known = TRUE ORDER BY id LIMIT $2`, []any{scope.Organisation(), accountsMost},
			func(row func(...any) error) error {
				var k Known
				err := row(&k.ID, &k.IPP, &k.INS, &k.Surname, &k.Given, &k.Why)
				out = append(out, k)
				return err
			})
	})
	return out, err
}

// Name says that a patient is well known. The journal keeps that it was done, not
// who the patient is. Needs access.TracesAsk. Errors: Invalid with its field.
func (s *Service) Name(ctx context.Context, scope access.Scope, i traces.Identity, why string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		id, err := name(ctx, tx, scope, i, why, storage.Micros(now))
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.known.add", ObjectKind: "trace_patient", ObjectID: id.String()})
	})
}

func name(ctx context.Context, tx *storage.Tx, scope access.Scope, i traces.Identity, why string, now int64) (id uuid.UUID, err error) {
	if len(folded(i.IPP)) == 0 && fold(i.INS) == "" {
		return id, fault.New(fault.Invalid, "traces.care.nobody").At("ipp")
	}
	if i.INS != "" && !traces.NationalIdentity(i.INS) {
		return id, fault.New(fault.Invalid, "traces.care.ins").At("ins")
	}
	if id, err = identify(ctx, tx, scope, i, now, now); err != nil {
		return id, err
	}
	_, err = tx.Exec(ctx, `UPDATE traces_care_patients SET well_known = TRUE, well_known_why = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, cut(why))
	return id, err
}

// Unname takes that back. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Unname(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE traces_care_patients SET well_known = FALSE, well_known_why = '' WHERE organisation_id = $1 AND id = $2 AND well_known = TRUE`, scope.Organisation(), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "traces.care.known.none")
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.known.remove", ObjectKind: "trace_patient", ObjectID: id.String()})
	})
}
