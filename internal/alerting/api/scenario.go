package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/rest"
)

// Scenario is a scenario without its definition.
type Scenario struct {
	ID           uuid.UUID          `json:"id" format:"uuid"`
	Title        alerting.Localized `json:"title" doc:"By language: fr, en"`
	Family       string             `json:"family"`
	Profile      string             `json:"profile" enum:"rappel,diffusion,discret"`
	Version      int                `json:"version"`
	Updated      time.Time          `json:"updated"`
	LastLaunched *time.Time         `json:"last_launched,omitempty"`
}

// ScenarioWhole is a scenario with its definition.
type ScenarioWhole struct {
	Scenario
	Archived   bool                `json:"archived"`
	Definition alerting.Definition `json:"definition"`
	Faults     int                 `json:"faults" doc:"How many faults forbid its launch"`
}

func scenario(sc alerting.Scenario) Scenario {
	return Scenario{
		ID: sc.ID, Title: sc.Title, Family: sc.Family, Profile: string(sc.Profile), Version: sc.Version, Updated: sc.Updated, LastLaunched: instant(sc.LastLaunched),
	}
}

// instant is a time that may not have come.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a api) list(ctx context.Context, c *rest.Call, in *struct {
	Text string `query:"q" maxLength:"200" doc:"Looked for in titles"`
},
) (*rest.List[Scenario], error) {
	list, err := a.service.Scenarios(ctx, c.Scope, alerting.ScenarioFilter{Text: in.Text})
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, sc := range list {
		out = append(out, scenario(sc))
	}
	return rest.Listed(c, out, ""), nil
}

// ByID is the path of an operation about one thing.
type ByID struct {
	ID string `path:"id"`
}

func (a api) one(ctx context.Context, c *rest.Call, in *ByID) (*rest.One[ScenarioWhole], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	sc, def, err := a.service.Scenario(ctx, c.Scope, id)
	if err != nil {
		return nil, err
	}
	return &rest.One[ScenarioWhole]{Body: ScenarioWhole{Scenario: scenario(sc), Archived: sc.Archived, Definition: def, Faults: len(def.Check())}}, nil
}
