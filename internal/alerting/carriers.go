package alerting

import (
	"context"

	"tocsin/internal/access"
)

// Carriers names the gateways by which the establishment's messages leave: who
// receives the numbers of the staff. Needs access.AlertGovern.
func (s *Service) Carriers(ctx context.Context, scope access.Scope) ([]string, error) {
	if err := s.guard.Check(scope, access.AlertGovern); err != nil {
		return nil, err
	}
	list, err := s.dispatch.Gateways(ctx, inside(scope))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, g := range list {
		if g.Enabled {
			out = append(out, g.Name)
		}
	}
	return out, nil
}
