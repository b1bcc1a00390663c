package api

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/rest"
)

// PeopleList is a list of people as a staff file holds it.
type PeopleList struct {
	Source  string     `json:"source" minLength:"1" maxLength:"80" doc:"Whose list it is: HR, payroll. People of the same source whom a whole list no longer holds are marked departed"`
	Columns []string   `json:"columns" minItems:"1" maxItems:"100" doc:"Headings, as a staff file has them; the mapping a person corrected once is remembered"`
	Lines   [][]string `json:"lines" maxItems:"100000" doc:"One person a line, in the order of the columns"`
	Partial bool       `json:"partial,omitempty" doc:"Not the whole list: whom it does not hold stays"`
	// GoneMost is in per cent.
	GoneMost int `json:"gone_most,omitempty" minimum:"0" maximum:"100" doc:"Per cent of the source's people who may leave without a person's word; more waits for one"`
}

// ListReceived tells where a list stands: it is read and applied after the answer.
type ListReceived struct {
	ID    uuid.UUID `json:"id" format:"uuid"`
	State string    `json:"state" doc:"staged: a person must say once which column is which; otherwise it goes on by itself"`
}

// ListState is where a list stands, and what it changes or changed.
type ListState struct {
	ListReceived
	Source   string `json:"source"`
	Settled  bool   `json:"settled" doc:"Nothing more happens by itself: applied, abandoned, or (staged, ready) a person must look"`
	Rows     int    `json:"rows"`
	New      int    `json:"new"`
	Changed  int    `json:"changed"`
	Same     int    `json:"same"`
	Gone     int    `json:"gone"`
	Refused  int    `json:"refused" doc:"Lines that could not be read as a person"`
	Warnings int    `json:"warnings"`
}

func (a api) listState(ctx context.Context, c *rest.Call, in *struct {
	ID string `path:"id"`
},
) (*rest.One[ListState], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	i, err := a.directory.Received(ctx, c.Scope, id)
	if err != nil {
		return nil, err
	}
	settled := slices.Contains([]directory.ImportState{directory.Staged, directory.Ready, directory.Applied, directory.Abandoned, directory.Undone}, i.State)
	sum := i.Summary
	return &rest.One[ListState]{Body: ListState{
		ListReceived: ListReceived{i.ID, string(i.State)}, Source: i.Source, Settled: settled, Rows: sum.Rows, New: sum.New, Changed: sum.Changed, Same: sum.Same,
		Gone: sum.Gone, Refused: sum.Refused, Warnings: sum.Warnings,
	}}, nil
}

func (a api) giveList(ctx context.Context, c *rest.Call, in *struct{ Body PeopleList }) (*rest.One[ListReceived], error) {
	i, err := a.directory.Synchronise(ctx, c.Scope, &directory.Table{Columns: in.Body.Columns, Lines: in.Body.Lines}, in.Body.Source, c.Scope.Actor().Name,
		directory.Handling{Auto: true, GoneMost: in.Body.GoneMost, Partial: in.Body.Partial})
	if err != nil {
		return nil, err
	}
	return &rest.One[ListReceived]{Body: ListReceived{i.ID, string(i.State)}}, nil
}
