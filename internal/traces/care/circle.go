package care

import (
	"context"
	"slices"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// circleMost bounds the accounts or the numbers that a question is about.
const circleMost = 20_000

// LeftAccounts implements traces.Circle: the accounts of those who left, with
// when. An account is every word by which the person may sign in. Needs
// access.TracesAsk.
func (s *Service) LeftAccounts(ctx context.Context, scope access.Scope) ([]traces.Named, error) {
	return s.circle(ctx, scope, `SELECT k.shown, m.left_us FROM traces_care_members m JOIN traces_care_keys k ON k.organisation_id = m.organisation_id AND k.person_id = m.person_id
			WHERE m.organisation_id = $1 AND m.left_us IS NOT NULL
		UNION SELECT a.shown, m.left_us FROM traces_care_members m JOIN traces_care_accounts a ON a.organisation_id = m.organisation_id AND a.person_id = m.person_id
			WHERE m.organisation_id = $1 AND m.left_us IS NOT NULL AND a.kind = 'person' ORDER BY 2 DESC, 1 LIMIT $2`)
}

// SharedAccounts implements traces.Circle: the accounts of several people, as
// they were said. Needs access.TracesAsk.
func (s *Service) SharedAccounts(ctx context.Context, scope access.Scope) ([]traces.Named, error) {
	return s.circle(ctx, scope, `SELECT shown, 0 FROM traces_care_accounts WHERE organisation_id = $1 AND kind = 'shared' ORDER BY 1 LIMIT $2`)
}

// KnownPatients implements traces.Circle: the numbers of well-known patients.
// Needs access.TracesAsk.
func (s *Service) KnownPatients(ctx context.Context, scope access.Scope) ([]traces.Named, error) {
	return s.circle(ctx, scope, `SELECT n.shown, 0 FROM traces_care_patients p JOIN traces_care_numbers n ON n.organisation_id = p.organisation_id AND n.patient_id = p.id
		WHERE p.organisation_id = $1 AND p.well_known = TRUE ORDER BY 1 LIMIT $2`)
}

// StaffPatients implements traces.Circle: the numbers as patients of those who
// work here. Needs access.TracesAsk.
func (s *Service) StaffPatients(ctx context.Context, scope access.Scope) ([]traces.Named, error) {
	return s.circle(ctx, scope, `SELECT a.ipp, 0 FROM traces_care_accounts a WHERE a.organisation_id = $1 AND a.ipp <> ''
		UNION SELECT n.shown, 0 FROM traces_care_accounts a JOIN traces_care_numbers o ON o.organisation_id = a.organisation_id AND o.kind = 'ipp' AND o.number = a.ipp
			JOIN traces_care_numbers n ON n.organisation_id = o.organisation_id AND n.patient_id = o.patient_id WHERE a.organisation_id = $1 AND a.ipp <> '' ORDER BY 1 LIMIT $2`)
}

func (s *Service) circle(ctx context.Context, scope access.Scope, query string) (out []traces.Named, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, query, []any{scope.Organisation(), circleMost}, func(row func(...any) error) error {
			var n traces.Named
			err := row(&n.Word, &n.Since)
			out = append(out, n)
			return err
		})
	})
	slices.SortStableFunc(out, func(a, b traces.Named) int { return int(min(1, max(-1, a.Since-b.Since))) })
	return out, err
}

var _ traces.Circle = (*Service)(nil)
