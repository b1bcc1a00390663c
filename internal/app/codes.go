package app

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/space"
)

// codes tells the outbox whether the person that an alert called gave his code, and
// « Alerte » who chose one. The room that knows them is built after both.
type codes struct{ house *House }

// HasCode implements dispatch.Codes.
func (c codes) HasCode(ctx context.Context, scope access.Scope, campaign, subject uuid.UUID) (bool, error) {
	person, err := c.house.Alerting.Addressee(ctx, scope, campaign, subject)
	if err != nil {
		return false, err
	}
	return c.house.Space.HasCode(ctx, scope, person)
}

// Coded implements alerting.Coded.
func (c codes) Coded(ctx context.Context, scope access.Scope) ([]uuid.UUID, error) {
	return c.house.Space.Coded(ctx, scope)
}

// JudgeCode implements dispatch.Codes.
func (c codes) JudgeCode(ctx context.Context, scope access.Scope, campaign, subject uuid.UUID, code string, ours bool) error {
	person, err := c.house.Alerting.Addressee(ctx, scope, campaign, subject)
	if err != nil {
		return err
	}
	way := space.ByCallback
	if ours {
		way = space.ByCall
	}
	return c.house.Space.JudgeCode(ctx, scope, person, code, way)
}
