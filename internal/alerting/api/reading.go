package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/dispatch"
	"tocsin/internal/rest"
)

func (a api) launches(ctx context.Context, c *rest.Call, in *rest.Paging) (*rest.List[Alert], error) {
	after, err := in.CursorID()
	if err != nil {
		return nil, err
	}
	list, err := a.service.Launches(ctx, c.Scope, alerting.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	var out []Alert
	for _, l := range list {
		out = append(out, alert(l))
	}
	return rest.Listed(c, out, rest.Full(list, in.Limit, func(l alerting.Launch) uuid.UUID { return l.ID })), nil
}

// Figures are people, not messages.
type Figures struct {
	People      int `json:"people"`
	Waiting     int `json:"waiting"`
	Called      int `json:"called"`
	Reached     int `json:"reached"`
	Answered    int `json:"answered"`
	Coming      int `json:"coming"`
	OnSite      int `json:"on_site"`
	Unavailable int `json:"unavailable"`
	CallMe      int `json:"call_me"`
	Arrived     int `json:"arrived"`
	Unconfirmed int `json:"unconfirmed" doc:"May have read a message, and may still answer"`
	Exhausted   int `json:"exhausted" doc:"Every message to every address is lost"`
	LeftOut     int `json:"left_out"`
}

// QuotaFigures is what is needed, announced and there for one line.
type QuotaFigures struct {
	Skill   string     `json:"skill,omitempty"`
	Site    *uuid.UUID `json:"site,omitempty" format:"uuid"`
	Name    string     `json:"site_name,omitempty"`
	Needed  int        `json:"needed"`
	Coming  int        `json:"coming"`
	Arrived int        `json:"arrived"`
	Overdue int        `json:"overdue"`
}

// WaveFigures is a wave as it stands.
type WaveFigures struct {
	Wave     int                `json:"wave"`
	Name     alerting.Localized `json:"name"`
	State    string             `json:"state" enum:"pending,open,held,stopped"`
	People   int                `json:"people"`
	DueAt    *time.Time         `json:"due_at,omitempty"`
	OpenedAt *time.Time         `json:"opened_at,omitempty"`
}

// Carried is what a medium did, in messages.
type Carried struct {
	Medium    string `json:"medium"`
	Queued    int64  `json:"queued"`
	Accepted  int64  `json:"accepted"`
	Delivered int64  `json:"delivered"`
	Failed    int64  `json:"failed"`
}

// Budget is what an alert has cost, at the prices that are known, and what it may.
type Budget struct {
	Spent    float64    `json:"spent_euros" doc:"What gateways accepted at a known price"`
	Ceiling  float64    `json:"ceiling_euros,omitempty" doc:"Absent when there is none"`
	Stops    bool       `json:"stops" doc:"Messages that have a price wait once the ceiling is reached; otherwise it is only told"`
	Held     bool       `json:"held" doc:"Such messages wait now"`
	LiftedAt *time.Time `json:"lifted_at,omitempty"`
}

func budget(s dispatch.Spending) Budget {
	return Budget{float64(s.Micros) / 1e6, float64(s.Ceiling) / 1e6, s.Stops, s.Held(), instant(s.LiftedAt)}
}

// Board is an alert as it stands.
type Board struct {
	Alert
	At       time.Time      `json:"at"`
	Figures  Figures        `json:"figures"`
	Quotas   []QuotaFigures `json:"quotas" nullable:"false"`
	Waves    []WaveFigures  `json:"waves" nullable:"false"`
	Media    []Carried      `json:"media" nullable:"false"`
	Budget   Budget         `json:"budget"`
	NextWave *time.Time     `json:"next_wave,omitempty"`
}

func (a api) board(ctx context.Context, c *rest.Call, in *ByID) (*rest.One[Board], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	b, err := a.service.Board(ctx, c.Scope, id, c.Now)
	if err != nil {
		return nil, err
	}
	out := Board{Alert: alert(b.Launch), At: b.At, Figures: figures(b.Counters), Quotas: []QuotaFigures{}, Waves: []WaveFigures{}, Media: []Carried{}, Budget: budget(b.Media.Spending), NextWave: instant(b.NextWave)}
	for _, q := range b.Quotas {
		line := QuotaFigures{Skill: q.Skill, Name: q.SiteName, Needed: q.Needed, Coming: q.Coming, Arrived: q.Arrived, Overdue: q.Overdue}
		if q.Site != uuid.Nil {
			line.Site = &q.Site
		}
		out.Quotas = append(out.Quotas, line)
	}
	for _, w := range b.Waves {
		out.Waves = append(out.Waves, WaveFigures{w.Number, w.Name, string(w.State), w.People, instant(w.DueAt), instant(w.OpenedAt)})
	}
	for _, m := range b.Media.Media {
		out.Media = append(out.Media, Carried{string(m.Medium), m.Queued + m.Sending, m.Accepted, m.Delivered, m.Failed})
	}
	return &rest.One[Board]{Body: out}, nil
}

func figures(n alerting.Counters) Figures {
	return Figures{
		People: n.People, Waiting: n.Waiting, Called: n.Called, Reached: n.Reached, Answered: n.Answered, Coming: n.Coming, OnSite: n.OnSite,
		Unavailable: n.Unavailable, CallMe: n.CallMe, Arrived: n.Arrived, Unconfirmed: n.Unconfirmed, Exhausted: n.Exhausted, LeftOut: n.LeftOut,
	}
}

// AlertEvent is one line of the timeline.
type AlertEvent struct {
	ID     uuid.UUID `json:"id" format:"uuid"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" doc:"launched, wave_opened, quota_met, progress, ended, killed…"`
	By     string    `json:"by,omitempty"`
	Wave   int       `json:"wave,omitempty"`
	People int       `json:"people,omitempty"`
	Text   string    `json:"text,omitempty"`
}

func (a api) events(ctx context.Context, c *rest.Call, in *ByID) (*rest.List[AlertEvent], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.service.LaunchByID(ctx, c.Scope, id); err != nil {
		return nil, err
	}
	list, err := a.service.Timeline(ctx, c.Scope, id)
	if err != nil {
		return nil, err
	}
	var out []AlertEvent
	for _, e := range list {
		out = append(out, AlertEvent{e.ID, e.At, string(e.Kind), e.By, e.Wave, e.People, e.Text})
	}
	return rest.Listed(c, out, ""), nil
}

func (a api) report(ctx context.Context, c *rest.Call, in *ByID) (*rest.One[alerting.Report], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := a.service.ReportData(ctx, c.Scope, id, c.Now)
	if err != nil {
		return nil, err
	}
	return &rest.One[alerting.Report]{Body: r}, nil
}
