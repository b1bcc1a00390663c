// Package api is « Annuaire » for programs: people, groups and the quality of
// the ways to reach them.
//
// It promises what a person with the same right reads on the pages, private
// numbers masked whatever the token.
//
// It never reveals a number and never says why somebody is away.
package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/rest"
)

type api struct {
	directory *directory.Directory
	onCall    *oncall.Service
}

// Register adds the operations of this room.
func Register(d *rest.Desk, dir *directory.Directory, desk *oncall.Service) {
	a := api{dir, desk}
	read := func(id, path, summary string) rest.Operation {
		return rest.Operation{ID: id, Method: http.MethodGet, Path: path, Need: access.DirectoryRead, Tag: "directory", Summary: summary}
	}
	rest.Register(d, read("people", "/people", "People, by name"), a.people)
	rest.Register(d, read("person", "/people/{id}", "One person"), a.person)
	rest.Register(d, read("groups", "/groups", "Groups: fixed lists and rules"), a.groups)
	rest.Register(d, rest.Operation{
		ID: "givePeople", Method: http.MethodPost, Path: "/people/lists", Need: access.DirectorySync, Keying: rest.Keyed, Status: http.StatusAccepted, Tag: "directory",
		Summary: "Give the directory a list of people, whole or in part",
		Detail:  "It is read, compared and applied like a staff file, and can be undone on the pages. A list while an earlier one of its source is not settled is refused.",
	}, a.giveList)
	rest.Register(d, rest.Operation{
		ID: "peopleList", Method: http.MethodGet, Path: "/people/lists/{id}", Need: access.DirectorySync, Tag: "directory",
		Summary: "Where a list that was given stands", Detail: "Figures only. It is compared within seconds; while `settled` is false, ask again.",
	}, a.listState)
	rest.Register(d, read("quality", "/directory/quality", "How many people can be reached, by service"), a.quality)
	rest.Register(d, read("onCall", "/oncall", "Who holds each on-call function now"), a.now)
}

type wanted struct {
	rest.Paging
	Text     string    `query:"q" maxLength:"200" doc:"Looked for in names, matricule, métier and services, word by word"`
	Service  uuid.UUID `query:"service" format:"uuid"`
	Site     uuid.UUID `query:"site" format:"uuid"`
	Group    uuid.UUID `query:"group" format:"uuid"`
	Metier   string    `query:"metier" maxLength:"80" doc:"Folded code: iade"`
	Cause    string    `query:"cause" enum:"no_contact,no_mobile,stopped,bounced,failed,shared,foreign,never_tried,unproven" doc:"Only those whom nothing may reach, for that cause"`
	Departed bool      `query:"departed" doc:"Those who left instead"`
}

func (a api) people(ctx context.Context, c *rest.Call, in *wanted) (*rest.List[Person], error) {
	after, err := in.Cursor()
	if err != nil {
		return nil, err
	}
	if err := directory.CheckAfter(after); err != nil {
		return nil, in.Foreign(err)
	}
	page, err := a.directory.People(ctx, c.Scope, directory.Filter{
		Text: in.Text, Service: in.Service, Site: in.Site, Group: in.Group, Metier: in.Metier, Cause: directory.Cause(in.Cause), Departed: in.Departed,
		After: after, Limit: in.Limit, Uncounted: true,
	})
	if err != nil {
		return nil, err
	}
	var out []Person
	for _, p := range page.People {
		out = append(out, shown(p))
	}
	return rest.Listed(c, out, page.Next), nil
}

func (a api) person(ctx context.Context, c *rest.Call, in *struct {
	ID string `path:"id"`
},
) (*rest.One[Person], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := a.directory.Person(ctx, c.Scope, id)
	if err != nil {
		return nil, err
	}
	return &rest.One[Person]{Body: shown(p)}, nil
}

// Group gathers people.
type Group struct {
	ID      uuid.UUID       `json:"id" format:"uuid"`
	Name    string          `json:"name"`
	Purpose string          `json:"purpose,omitempty"`
	Size    *int            `json:"size,omitempty" doc:"Members of a fixed list; absent for a rule, which chooses at the instant"`
	Rule    *directory.Rule `json:"rule,omitempty" doc:"Fields are joined by and, the values of one field by or"`
}

func (a api) groups(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.List[Group], error) {
	list, err := a.directory.Groups(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	var out []Group
	for _, g := range list {
		group := Group{ID: g.ID, Name: g.Name, Purpose: g.Purpose, Rule: g.Rule}
		if g.Rule == nil {
			group.Size = &g.Size
		}
		out = append(out, group)
	}
	return rest.Listed(c, out, ""), nil
}
