package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/rest"
)

// OnCall is who holds a function now. A program is told no number.
type OnCall struct {
	Function uuid.UUID  `json:"function" format:"uuid"`
	Name     string     `json:"name" doc:"Of the function"`
	Via      string     `json:"via" enum:"rotation,replacement,fallback,gap,idle" doc:"gap: somebody is needed and nobody holds it; idle: nobody is needed now"`
	Person   *Holder    `json:"person,omitempty"`
	Until    *time.Time `json:"until,omitempty" doc:"When that changes; absent when it does not within four weeks"`
}

// Holder is a person by name.
type Holder struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name"`
}

func (a api) now(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.List[OnCall], error) {
	list, err := a.onCall.Now(ctx, c.Scope, a.onCall.Clock.Now())
	if err != nil {
		return nil, err
	}
	var out []OnCall
	for _, s := range list {
		o := OnCall{Function: s.Function.ID, Name: s.Function.Name, Via: string(s.Via)}
		if s.Held() {
			o.Person = &Holder{s.Person, s.Agent.Name}
		}
		if !s.Endless {
			o.Until = &s.Until
		}
		out = append(out, o)
	}
	return rest.Listed(c, out, ""), nil
}
