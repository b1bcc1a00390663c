package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/rest"
)

// Draft is what is about to be launched.
type Draft struct {
	Scenario    uuid.UUID         `json:"scenario" format:"uuid"`
	Mode        string            `json:"mode" enum:"reel,exercice,test" doc:"Every message says so when it is not real"`
	Values      map[string]string `json:"values,omitempty" maxProperties:"50" doc:"The variables of the scenario, by name"`
	Sites       []uuid.UUID       `json:"sites,omitempty" maxItems:"200" doc:"Narrow the audience to these sites"`
	Services    []uuid.UUID       `json:"services,omitempty" maxItems:"500" doc:"Narrow the audience to these services"`
	OrderedBy   string            `json:"ordered_by,omitempty" maxLength:"120" doc:"Who gave the order: name, function"`
	Fingerprint string            `json:"fingerprint,omitempty" maxLength:"100" doc:"That of the preview"`
}

func (d Draft) draft(key string) alerting.Draft {
	return alerting.Draft{
		Scenario: d.Scenario, Mode: alerting.Mode(d.Mode), Values: d.Values, Sites: d.Sites, Services: d.Services, OrderedBy: d.OrderedBy,
		Fingerprint: d.Fingerprint, IdempotencyKey: key,
	}
}

// Alert is one alert.
type Alert struct {
	ID         uuid.UUID          `json:"id" format:"uuid"`
	Scenario   uuid.UUID          `json:"scenario" format:"uuid"`
	Version    int                `json:"version"`
	Title      alerting.Localized `json:"title"`
	Family     string             `json:"family"`
	Profile    string             `json:"profile" enum:"rappel,diffusion,discret"`
	Mode       string             `json:"mode" enum:"reel,exercice,test"`
	State      string             `json:"state" enum:"awaiting,running,ended,killed" doc:"awaiting: nothing left, a second person must confirm"`
	LaunchedAt time.Time          `json:"launched_at"`
	EndedAt    *time.Time         `json:"ended_at,omitempty"`
	LaunchedBy string             `json:"launched_by"`
	OrderedBy  string             `json:"ordered_by,omitempty"`
	EndedBy    string             `json:"ended_by,omitempty"`
	Values     map[string]string  `json:"values,omitempty"`
	People     int                `json:"people" doc:"Those of the waves"`
	LeftOut    int                `json:"left_out" doc:"Those of the audience who are not called"`
	QuotaMet   *time.Time         `json:"quota_met,omitempty" doc:"Since when every quota is reached"`
}

// Launched is the answer to a launch.
type Launched struct {
	Alert
	Already bool `json:"already" doc:"It had been launched before: nobody is called twice"`
}

func alert(l alerting.Launch) Alert {
	return Alert{
		ID: l.ID, Scenario: l.Scenario, Version: l.Version, Title: l.Title, Family: l.Family, Profile: string(l.Profile), Mode: string(l.Mode), State: string(l.State),
		LaunchedAt: l.LaunchedAt, EndedAt: instant(l.EndedAt), LaunchedBy: l.LaunchedBy, OrderedBy: l.OrderedBy, EndedBy: l.EndedBy, Values: l.Values,
		People: l.People, LeftOut: l.LeftOut, QuotaMet: instant(l.QuotaMet),
	}
}

func (a api) launch(ctx context.Context, c *rest.Call, in *struct{ Body Draft }) (*rest.One[Launched], error) {
	l, already, err := a.service.Launch(ctx, c.Scope, c.Now, in.Body.draft(c.Key))
	if err != nil {
		return nil, err
	}
	return &rest.One[Launched]{Body: Launched{alert(l), already}}, nil
}

// Sheet is the verification sheet of a draft.
type Sheet struct {
	Fingerprint string         `json:"fingerprint"`
	Version     int            `json:"version"`
	People      int            `json:"people" doc:"Whom the launch would call, now or in a later wave"`
	Messages    []Message      `json:"messages" nullable:"false" doc:"Exactly as each medium carries them"`
	Media       []MediumCount  `json:"media" nullable:"false"`
	Waves       []WaveCount    `json:"waves" nullable:"false"`
	LeftOut     map[string]int `json:"left_out" doc:"By reason: no_address, absent, resting, protected, refused, stopped, no_wave"`
	Seconds     float64        `json:"estimate_s" doc:"How long the first messages take; 0 when no rate is known"`
	Warnings    []string       `json:"warnings" nullable:"false" doc:"In the caller's language"`
}

// Message is one text as a medium carries it.
type Message struct {
	Use      string `json:"use"`
	Medium   string `json:"medium"`
	Language string `json:"language"`
	Subject  string `json:"subject,omitempty"`
	Body     string `json:"body"`
	Segments int    `json:"segments,omitempty" doc:"Of an SMS"`
}

// MediumCount is how many people a medium reaches.
type MediumCount struct {
	Medium    string `json:"medium"`
	Reachable int    `json:"reachable"`
	First     int    `json:"first" doc:"Who get it first"`
}

// WaveCount is how many people are in a wave.
type WaveCount struct {
	Wave   int                `json:"wave"`
	Name   alerting.Localized `json:"name"`
	After  float64            `json:"after_s"`
	When   string             `json:"when" enum:"always,quota_missing"`
	People int                `json:"people"`
}

func (a api) preview(ctx context.Context, c *rest.Call, in *struct{ Body Draft }) (*rest.One[Sheet], error) {
	s, err := a.service.Prepare(ctx, c.Scope, c.Now, in.Body.draft(""))
	if err != nil {
		return nil, err
	}
	out := Sheet{
		Fingerprint: s.Fingerprint, Version: s.Version, People: s.Messaged, Messages: []Message{}, Media: []MediumCount{}, Waves: []WaveCount{},
		LeftOut: map[string]int{}, Seconds: s.Estimate.Seconds(), Warnings: []string{},
	}
	for _, p := range s.Previews {
		out.Messages = append(out.Messages, Message{string(p.Use), string(p.Medium), p.Language, p.Subject, p.Body, p.Segments})
	}
	for _, m := range s.ByMedium {
		out.Media = append(out.Media, MediumCount{string(m.Medium), m.Reachable, m.First})
	}
	for _, w := range s.ByWave {
		out.Waves = append(out.Waves, WaveCount{w.Number, w.Name, w.After.Seconds(), string(w.When), w.People})
	}
	for why, n := range s.LeftOut {
		out.LeftOut[string(why)] = n
	}
	for _, w := range s.Warnings {
		out.Warnings = append(out.Warnings, c.Loc.T(w.Key, w.Args...))
	}
	return &rest.One[Sheet]{Body: out}, nil
}

// Request is a launch that waits for a second person.
type Request struct {
	ID        uuid.UUID          `json:"id" format:"uuid"`
	Scenario  uuid.UUID          `json:"scenario" format:"uuid"`
	Title     alerting.Localized `json:"title"`
	Mode      string             `json:"mode" enum:"reel,exercice,test"`
	People    int                `json:"people"`
	State     string             `json:"state" enum:"waiting,confirmed,overridden,refused,dropped,lapsed"`
	AskedBy   string             `json:"asked_by"`
	AskedAt   time.Time          `json:"asked_at"`
	Until     time.Time          `json:"until" doc:"When it lapses"`
	SettledAt *time.Time         `json:"settled_at,omitempty"`
	SettledBy string             `json:"settled_by,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Alert     *uuid.UUID         `json:"alert,omitempty" format:"uuid" doc:"The alert, if one left"`
}

func request(r alerting.Request) Request {
	out := Request{
		ID: r.ID, Scenario: r.Scenario, Title: r.Title, Mode: string(r.Mode), People: r.People, State: string(r.State), AskedBy: r.AskedName,
		AskedAt: r.AskedAt, Until: r.Until, SettledAt: instant(r.SettledAt), SettledBy: r.SettledBy, Reason: r.Reason,
	}
	if r.Launch != uuid.Nil {
		out.Alert = &r.Launch
	}
	return out
}

func (a api) requests(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.List[Request], error) {
	list, err := a.service.Requests(ctx, c.Scope, c.Now)
	if err != nil {
		return nil, err
	}
	var out []Request
	for _, r := range list {
		out = append(out, request(r))
	}
	return rest.Listed(c, out, ""), nil
}

func (a api) request(ctx context.Context, c *rest.Call, in *ByID) (*rest.One[Request], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := a.service.Request(ctx, c.Scope, c.Now, id)
	if err != nil {
		return nil, err
	}
	return &rest.One[Request]{Body: request(r)}, nil
}
