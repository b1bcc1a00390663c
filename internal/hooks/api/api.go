// Package api is « Liaisons » for programs: who is told of alerts, and the
// doors by which a monitor starts a scenario.
//
// It promises that what comes by a door is read whole before it is believed,
// and believed only when its proof holds.
//
// It never makes a door nor a subscription: a person does, on the pages.
package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/hooks"
	"tocsin/internal/rest"
)

type api struct {
	desk    *rest.Desk
	service *hooks.Service
}

// callLimit is the largest body by a door.
const callLimit = 256 << 10

// Register adds the operations of this room.
func Register(d *rest.Desk, s *hooks.Service) {
	a := api{d, s}
	rest.Register(d, rest.Operation{
		ID: "webhooks", Method: http.MethodGet, Path: "/webhooks", Need: access.HealthRead, Tag: "hooks", Summary: "The programs told of alerts, and whether they hear",
		Detail: "Subscriptions are made by an administrator, on the pages.",
	}, a.list)
	knock := rest.Operation{ID: "callDoor", Method: http.MethodPost, Path: "/hooks/{id}", Need: rest.Signed, Tag: "hooks", Summary: "Start what a door starts"}
	knock.Detail = "Proof: the secret of the door as a bearer token, or the three headers of Standard Webhooks. Our form is {\"key\": …, \"variables\": {…}}; " +
		"Alertmanager's is its webhook, version 4; a door of CAP takes a message of the Common Alerting Protocol 1.2, in XML. The same key acts once, and a door acts at most once in its interval."
	rest.Register(d, knock, a.knock)
}

// Webhook is a program that is told; its address may hold a secret, and is not said.
type Webhook struct {
	ID      uuid.UUID `json:"id" format:"uuid"`
	Name    string    `json:"name"`
	Events  []string  `json:"events" nullable:"false"`
	Paused  bool      `json:"paused"`
	Waiting int       `json:"waiting" doc:"Messages to be told"`
	Lost    int       `json:"lost" doc:"Messages nobody answered in three days: they can be sent again, on the pages"`
}

func (a api) list(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.List[Webhook], error) {
	list, err := a.service.Health(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	var out []Webhook
	for _, s := range list {
		w := Webhook{ID: s.ID, Name: s.Name, Events: []string{}, Paused: s.Paused, Waiting: s.Waiting, Lost: s.Lost}
		for _, k := range s.Events {
			w.Events = append(w.Events, string(k))
		}
		out = append(out, w)
	}
	return rest.Listed(c, out, ""), nil
}

// Knocked is the answer of a door.
type Knocked struct {
	Outcome string     `json:"outcome" enum:"launched,proposed,duplicate,updated,held_back,resolved,ignored"`
	Alert   *uuid.UUID `json:"alert,omitempty" format:"uuid" doc:"The alert, or the request that waits for a person"`
}

func (a api) knock(ctx context.Context, c *rest.Call, in *struct {
	ID      string `path:"id"`
	RawBody []byte `contentType:"application/json"`
},
) (*rest.One[Knocked], error) {
	if len(in.RawBody) > callLimit {
		return nil, fault.New(fault.Invalid, "rest.too_big")
	}
	id, err := uuid.Parse(in.ID)
	if err != nil {
		id = uuid.Nil // refused as a door that never was
	}
	r, err := a.service.Knock(ctx, c.Now, id, proofOf(c.Header), in.RawBody, c.Address)
	if fault.Is(err, fault.Unauthenticated) {
		a.desk.Wrong(c.Address)
	}
	if err != nil {
		return nil, err
	}
	out := Knocked{Outcome: string(r.Outcome)}
	if r.Launch != uuid.Nil {
		out.Alert = &r.Launch
	}
	return &rest.One[Knocked]{Body: out}, nil
}

func proofOf(h http.Header) hooks.Proof {
	p := hooks.Proof{ID: h.Get("Webhook-Id"), Timestamp: h.Get("Webhook-Timestamp"), Signature: h.Get("Webhook-Signature")}
	if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		p.Bearer = strings.TrimSpace(token)
	}
	return p
}
