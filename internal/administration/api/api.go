// Package api is « Le registre » for programs: who did what, when, from where.
//
// It promises the journal as the pages show it, the newest first, for an
// archive or a SIEM to take away.
//
// It never writes in it.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/rest"
)

type api struct{ journal *journal.Reader }

// Register adds the operations of this room.
func Register(d *rest.Desk, j *journal.Reader) {
	rest.Register(d, rest.Operation{
		ID: "journal", Method: http.MethodGet, Path: "/journal", Need: access.JournalRead, Tag: "journal",
		Summary: "The journal, the newest first",
	}, api{j}.search)
}

// Line is an entry of the journal.
type Line struct {
	ID      uuid.UUID       `json:"id" format:"uuid"`
	At      time.Time       `json:"at"`
	Actor   Actor           `json:"actor"`
	Action  string          `json:"action" doc:"A stable code: directory.person.update"`
	Kind    string          `json:"object_kind,omitempty"`
	Object  string          `json:"object_id,omitempty"`
	Name    string          `json:"object_name,omitempty"`
	Before  json.RawMessage `json:"before,omitempty" doc:"What was, when something changed"`
	Becomes json.RawMessage `json:"after,omitempty" doc:"What is"`
}

// Actor is who acted.
type Actor struct {
	Kind string     `json:"kind" enum:"person,machine,agent,nobody,program"`
	ID   *uuid.UUID `json:"id,omitempty" format:"uuid"`
	Name string     `json:"name,omitempty"`
	From string     `json:"from,omitempty" doc:"Network address, cli or worker"`
}

type question struct {
	rest.Paging
	Text   string    `query:"q" maxLength:"200" doc:"Looked for in names, actions, before and after"`
	Action string    `query:"action" maxLength:"80" doc:"Beginning of the action: directory."`
	Actor  uuid.UUID `query:"actor" format:"uuid"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
}

func (a api) search(ctx context.Context, c *rest.Call, in *question) (*rest.List[Line], error) {
	before, err := in.CursorID()
	if err != nil {
		return nil, err
	}
	records, err := a.journal.Search(ctx, c.Scope, journal.Filter{
		Text: in.Text, Action: in.Action, Actor: in.Actor, From: in.From, To: in.To, Before: before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	var out []Line
	for _, r := range records {
		out = append(out, line(r))
	}
	return rest.Listed(c, out, rest.Full(records, in.Limit, func(r journal.Record) uuid.UUID { return r.ID })), nil
}

func line(r journal.Record) Line {
	l := Line{
		ID: r.ID, At: r.At, Action: r.Action, Kind: r.ObjectKind, Object: r.ObjectID, Name: r.ObjectName,
		Actor: Actor{Kind: string(r.Actor.Kind), Name: r.Actor.Name, From: r.Actor.From}, Before: written(r.Before), Becomes: written(r.After),
	}
	if r.Actor.ID != uuid.Nil {
		l.Actor.ID = &r.Actor.ID
	}
	return l
}

// written is a text that was written as JSON, as itself.
func written(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}
