package traces

import (
	"context"

	"tocsin/internal/access"
)

// seenMost bounds the accounts that are listed, the busiest first.
const seenMost = 2000

// SeenAccounts lists the accounts that opened or changed something of patients
// over a period, the busiest first: how many times, never what. It is a look, and
// traced as one. An account is no patient: whoever keeps the sources sees it, to
// say whose it is. Needs access.TracesSource. Errors: Unavailable.
func (s *Service) SeenAccounts(ctx context.Context, scope access.Scope, when Period) (Answer, error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return Answer{}, err
	}
	q := Question{
		From: when.From.UnixMicro(), To: when.To.UnixMicro(), Zone: when.Zone, Where: []Condition{onPatients, {FieldAccount, NotEmpty, nil}, notOurs},
		Group: []Field{FieldAccount}, Limit: seenMost,
	}
	if err := q.Check(); err != nil {
		return Answer{}, err
	}
	_, base, err := s.connected()
	if err != nil {
		return Answer{}, err
	}
	if err := s.noteLook(ctx, scope, Look{Phrase: "accounts"}, q); err != nil {
		return Answer{}, err
	}
	return base.Ask(ctx, scope.Organisation(), q)
}
