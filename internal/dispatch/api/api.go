// Package api is « Expédition » for programs: how the channels are.
//
// It promises what a supervision needs to wake somebody: which gateway is down,
// since when, why.
//
// It never shows a setting of a gateway.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/rest"
)

type api struct{ dispatch *dispatch.Dispatch }

// Register adds the operations of this room.
func Register(d *rest.Desk, outbox *dispatch.Dispatch) {
	rest.Register(d, rest.Operation{
		ID: "channels", Method: http.MethodGet, Path: "/channels", Need: access.HealthRead, Tag: "health",
		Summary: "The gateways and how they are",
		Detail:  "As the node that answers sees them.",
	}, api{outbox}.channels)
}

// Gateway is one way out.
type Gateway struct {
	ID     uuid.UUID `json:"id" format:"uuid"`
	Name   string    `json:"name"`
	Medium string    `json:"medium" doc:"sms, email, voice…"`
	// State joins running, carrying and health in one word.
	State string `json:"state" enum:"up,standby,down,off" doc:"off: not driven by this node"`
	// Since is absent when the gateway is off.
	Since  *time.Time `json:"since,omitempty" doc:"Since when it is up or down"`
	Reason string     `json:"reason,omitempty" doc:"Why it is down: a short code"`
	Detail string     `json:"detail,omitempty" doc:"What the other side said"`
}

func (a api) channels(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.List[Gateway], error) {
	views, err := a.dispatch.Health(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	var out []Gateway
	for _, v := range views {
		out = append(out, gateway(v))
	}
	return rest.Listed(c, out, ""), nil
}

func gateway(v dispatch.GatewayView) Gateway {
	g := Gateway{ID: v.ID, Name: v.Name, Medium: string(v.Medium), State: "off"}
	if !v.Running {
		return g
	}
	if !v.Health.Since.IsZero() {
		g.Since = &v.Health.Since
	}
	switch {
	case !v.Health.Up:
		g.State, g.Reason, g.Detail = "down", string(v.Health.Reason), v.Health.Detail
	case v.Carrying:
		g.State = "up"
	default:
		g.State = "standby"
	}
	return g
}
