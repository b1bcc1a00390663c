package app

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
)

// calls tells « Annuaire » which scenarios address an on-call function. Alerting is
// built after the directory: the house knows it when it is asked.
type calls struct{ house *House }

// Calls implements oncall.Calls. Who keeps the rosters need not read scenarios: a
// title is all that is told.
func (c calls) Calls(ctx context.Context, scope access.Scope, function uuid.UUID, language string) ([]string, error) {
	list, err := c.house.Alerting.Calling(ctx, access.System(scope.Organisation(), "directory"), function)
	out := make([]string, len(list))
	for i, title := range list {
		out[i] = title.In(language)
	}
	return out, err
}
