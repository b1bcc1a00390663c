// Package api is « Qui suis-je ? » for programs: what a token may do.
//
// It promises to tell a program its rights, its establishment and when its
// token ends, so that it can warn before the night it stops working.
//
// It never makes or changes a token: people do, on the pages.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/identity"
	"tocsin/internal/rest"
)

// Me is what a token says of itself.
type Me struct {
	ID            uuid.UUID `json:"id" format:"uuid"`
	Name          string    `json:"name" doc:"The name its administrator gave it"`
	Establishment uuid.UUID `json:"establishment" format:"uuid"`
	Rights        []string  `json:"rights" nullable:"false" doc:"What it may do"`
	Expires       time.Time `json:"expires"`
}

// Register adds the operations of this room.
func Register(d *rest.Desk) {
	rest.Register(d, rest.Operation{
		ID: "me", Method: http.MethodGet, Path: "/me", Need: rest.Token, Tag: "token", Summary: "What this token may do",
	}, me)
}

func me(_ context.Context, c *rest.Call, _ *struct{}) (*rest.One[Me], error) {
	out := Me{ID: c.Bearer.ID, Name: c.Bearer.Name, Establishment: c.Scope.Organisation(), Rights: []string{}, Expires: c.Bearer.Expires}
	for _, a := range c.Scope.Only() {
		out.Rights = append(out.Rights, string(a))
	}
	return &rest.One[Me]{Body: out}, nil
}

// Bearers recognises tokens for the desk.
type Bearers struct{ Service *identity.Service }

// Bearer finds who holds a token. Errors: Unauthenticated.
func (b Bearers) Bearer(ctx context.Context, token, address string) (rest.Bearer, error) {
	p, err := b.Service.Program(ctx, token, identity.Client{Address: address})
	if err != nil {
		return rest.Bearer{}, err
	}
	return rest.Bearer{ID: p.Token.ID, Name: p.Token.Name, Scope: p.Scope, Expires: p.Token.Expires}, nil
}

// Note writes down that an operation was done or refused.
func (b Bearers) Note(ctx context.Context, who rest.Bearer, operation string, refused bool) error {
	return b.Service.NoteUse(ctx, identity.Program{Token: identity.Token{ID: who.ID, Name: who.Name}, Scope: who.Scope}, operation, refused)
}
