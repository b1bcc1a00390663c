package api

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/rest"
)

// done is the answer of what has nothing to say.
type done struct{}

func (a api) progress(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Body struct {
		To   string             `json:"to,omitempty" enum:"all,coming,unanswered" default:"all"`
		Text alerting.Localized `json:"text" doc:"By language, French required"`
	}
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	return &done{}, a.service.Progress(ctx, c.Scope, c.Now, id, alerting.To(in.Body.To), in.Body.Text)
}

func (a api) stopWave(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Wave string `path:"wave" doc:"From 1"`
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	wave, err := strconv.Atoi(in.Wave)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "rest.no_such_thing")
	}
	return &done{}, a.service.StopWave(ctx, c.Scope, c.Now, id, wave)
}

func (a api) end(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Body struct {
		Text alerting.Localized `json:"text,omitempty" doc:"By language; absent sends the scenario's words, an empty French text nothing"`
	}
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	return &done{}, a.service.End(ctx, c.Scope, c.Now, id, in.Body.Text)
}

func (a api) kill(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"300" doc:"For the journal"`
	}
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	return &done{}, a.service.Kill(ctx, c.Scope, c.Now, id, in.Body.Why)
}

func (a api) liftBudget(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"300" doc:"For the journal and the report"`
	}
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	return &done{}, a.service.LiftCeiling(ctx, c.Scope, c.Now, id, in.Body.Why)
}

// Arrival is one person at the door.
type Arrival struct {
	Recipient uuid.UUID `json:"recipient" format:"uuid" doc:"The id of the person in this alert"`
	Arrived   bool      `json:"arrived"`
}

func (a api) arrivals(ctx context.Context, c *rest.Call, in *struct {
	ByID
	Body struct {
		Arrivals []Arrival `json:"arrivals" minItems:"1" maxItems:"200"`
	}
},
) (*done, error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range in.Body.Arrivals {
		if err := a.service.Arrive(ctx, c.Scope, c.Now, id, one.Recipient, one.Arrived); err != nil {
			return nil, err
		}
	}
	return &done{}, nil
}
