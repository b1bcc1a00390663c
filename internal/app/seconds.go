package app

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/identity"
)

// seconds tells « Alerte » how to reach those whose accounts may launch.
type seconds struct{ accounts *identity.Service }

// Seconds lists their addresses.
func (s seconds) Seconds(ctx context.Context, scope access.Scope) ([]alerting.Second, error) {
	list, err := s.accounts.Addresses(ctx, scope, access.Launcher)
	if err != nil {
		return nil, err
	}
	out := make([]alerting.Second, len(list))
	for i, a := range list {
		out[i] = alerting.Second{Account: a.Account, Language: a.Language, Medium: channels.Medium(a.Medium), Address: a.Address}
	}
	return out, nil
}
