package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/rest"
)

// Recipient is a person of an alert.
type Recipient struct {
	ID         uuid.UUID  `json:"id" format:"uuid" doc:"In this alert"`
	Person     uuid.UUID  `json:"person" format:"uuid" doc:"In the directory"`
	LastName   string     `json:"last_name"`
	FirstName  string     `json:"first_name"`
	Metier     string     `json:"metier,omitempty"`
	Site       string     `json:"site,omitempty"`
	Service    string     `json:"service,omitempty"`
	Wave       int        `json:"wave" doc:"0 for who is not called"`
	State      string     `json:"state" enum:"waiting,called,reached,answered,arrived,unconfirmed,exhausted,left_aside"`
	LeftOut    string     `json:"left_out,omitempty" doc:"Why not called"`
	Meaning    string     `json:"meaning,omitempty" doc:"The last answer that counts: coming, on_site, unavailable, call_me"`
	Minutes    *int       `json:"minutes,omitempty" doc:"The delay announced"`
	ETA        *time.Time `json:"eta,omitempty"`
	CalledAt   *time.Time `json:"called_at,omitempty"`
	ReachedAt  *time.Time `json:"reached_at,omitempty"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	ArrivedAt  *time.Time `json:"arrived_at,omitempty"`
	Messages   []Sent     `json:"messages" nullable:"false"`
}

// Sent is one message to a person.
type Sent struct {
	Medium  string    `json:"medium"`
	Use     string    `json:"use"`
	Address string    `json:"address" doc:"Masked"`
	State   string    `json:"state" enum:"queued,submitted,delivered,failed,expired,withdrawn,guarded"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Doubled bool      `json:"doubled,omitempty" doc:"May have left twice"`
}

type chosen struct {
	rest.Paging
	ByID
	State   string    `query:"state" enum:"waiting,called,reached,answered,arrived,unconfirmed,exhausted,left_aside"`
	Meaning string    `query:"meaning" enum:"coming,on_site,unavailable,call_me"`
	Wave    int       `query:"wave" minimum:"0" maximum:"100"`
	Site    uuid.UUID `query:"site" format:"uuid"`
	Service uuid.UUID `query:"service" format:"uuid"`
	Skill   string    `query:"skill" maxLength:"80"`
	Text    string    `query:"q" maxLength:"200" doc:"Looked for in names"`
}

func (a api) people(ctx context.Context, c *rest.Call, in *chosen) (*rest.List[Recipient], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	after, err := in.CursorID()
	if err != nil {
		return nil, err
	}
	if _, err := a.service.LaunchByID(ctx, c.Scope, id); err != nil {
		return nil, err
	}
	list, err := a.service.Recipients(ctx, c.Scope, id, alerting.RecipientFilter{
		State: alerting.State(in.State), Meaning: alerting.Meaning(in.Meaning), Wave: in.Wave, Site: in.Site, Service: in.Service, Skill: in.Skill, Text: in.Text,
	}, alerting.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	var out []Recipient
	for _, r := range list {
		out = append(out, recipient(r))
	}
	return rest.Listed(c, out, rest.Full(list, in.Limit, func(r alerting.Recipient) uuid.UUID { return r.ID })), nil
}

func recipient(r alerting.Recipient) Recipient {
	out := Recipient{
		ID: r.ID, Person: r.Person, LastName: r.LastName, FirstName: r.FirstName, Metier: r.Metier, Site: r.SiteName, Service: r.ServiceName, Wave: r.Wave,
		State: string(r.State), LeftOut: string(r.LeftOut), Meaning: string(r.Meaning), ETA: instant(r.ETA), CalledAt: instant(r.CalledAt),
		ReachedAt: instant(r.ReachedAt), AnsweredAt: instant(r.AnsweredAt), ArrivedAt: instant(r.Came), Messages: []Sent{},
	}
	if r.Minutes >= 0 && r.Meaning != "" {
		out.Minutes = &r.Minutes
	}
	for _, m := range r.Attempts {
		out.Messages = append(out.Messages, Sent{string(m.Medium), string(m.Purpose), m.Address, string(m.State), string(m.Reason), m.At, m.Doubled})
	}
	return out
}
