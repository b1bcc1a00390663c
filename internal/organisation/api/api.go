// Package api is « Établissements » for programs: the establishment and its
// dated graph.
//
// It promises the graph as it is now or was at an instant, flat, so that a
// program joins it by id.
//
// It never changes the graph: that is done on the pages.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/rest"
)

type api struct{ service *organisation.Service }

// Register adds the operations of this room.
func Register(d *rest.Desk, s *organisation.Service) {
	a := api{s}
	rest.Register(d, rest.Operation{
		ID: "establishment", Method: http.MethodGet, Path: "/establishment", Need: access.OrganisationRead, Tag: "establishment", Tagged: true,
		Summary: "The establishment of this token, with its sites and services",
		Detail:  "The graph is flat: each node names its parent. Give `at` to read it as it was.",
	}, a.establishment)
}

// Establishment is the tenant with its graph.
type Establishment struct {
	ID       uuid.UUID `json:"id" format:"uuid"`
	Name     string    `json:"name"`
	FINESS   string    `json:"finess,omitempty" doc:"Number of the legal entity"`
	Zone     string    `json:"zone" doc:"IANA time zone"`
	Language string    `json:"language" enum:"fr,en"`
	Nodes    []Node    `json:"nodes" nullable:"false" doc:"Parents before children"`
}

// Node is a body, a site or a care service.
type Node struct {
	ID       uuid.UUID  `json:"id" format:"uuid"`
	Parent   *uuid.UUID `json:"parent,omitempty" format:"uuid" doc:"The node above; absent for a root"`
	Relation string     `json:"relation,omitempty" enum:"member,subscribes" doc:"How it stands to its parent"`
	Kind     string     `json:"kind" enum:"region,ght,ej,et,site,service"`
	Name     string     `json:"name"`
	Code     string     `json:"code,omitempty"`
	FINESS   string     `json:"finess,omitempty"`
}

func (a api) establishment(ctx context.Context, c *rest.Call, in *struct {
	At time.Time `query:"at" doc:"Instant of the graph; now when absent"`
},
) (*rest.One[Establishment], error) {
	e, err := a.service.Get(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	at := in.At
	if at.IsZero() {
		at = c.Now
	}
	tree, err := a.service.Tree(ctx, c.Scope, at)
	if err != nil {
		return nil, err
	}
	out := Establishment{ID: e.ID, Name: e.Name, FINESS: e.FINESS.String(), Zone: e.Zone, Language: e.Language, Nodes: []Node{}}
	for _, b := range tree {
		out.Nodes = flat(out.Nodes, b, nil)
	}
	return &rest.One[Establishment]{Body: out}, nil
}

func flat(list []Node, b organisation.Branch, parent *uuid.UUID) []Node {
	list = append(list, Node{
		ID: b.ID, Parent: parent, Relation: string(b.Relation), Kind: string(b.Kind), Name: b.Name, Code: b.Code, FINESS: b.FINESS.String(),
	})
	for _, child := range b.Children {
		id := b.ID
		list = flat(list, child, &id)
	}
	return list
}
