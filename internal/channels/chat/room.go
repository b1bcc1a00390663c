package chat

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/wire/web"
)

// Locales holds the sentences of these channels.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Room is the kind "chathook": the room of a team, told by a webhook. Such a room
// hears the alert; its members answer by the link of the message, or by the
// medium that called them.
type Room struct {
	// Loopback lets the channel call this machine: tests and demonstrations only.
	Loopback bool
}

// roomConnections are the calls at once to one webhook: a room is told little.
const roomConnections = 2

// Describe lists the settings: the address first, then what a preset already knows.
func (Room) Describe() channels.Description {
	return channels.Description{
		Kind:   "chathook",
		Medium: channels.Room,
		Fields: []channels.Field{
			{Name: "preset", Type: channels.Choice, Default: "mattermost", Choices: presetNames()},
			{Name: "url", Type: channels.Secret, Required: true},
			{Name: "body", Type: channels.Area},
			{Name: "headers", Type: channels.Area},
			{Name: "secret", Type: channels.Secret},
			{Name: "answers", Type: channels.Area},
			{Name: "clear", Type: channels.Bool, Default: "false"},
			{Name: "proxy", Type: channels.Text},
			{Name: "tls_ca", Type: channels.Text},
			{Name: "rate", Type: channels.Number, Required: true, Default: "60", Min: 0, Max: 6000},
			{Name: "connect_timeout", Type: channels.Number, Default: "10", Min: 1, Max: 120},
			{Name: "response_timeout", Type: channels.Number, Default: "15", Min: 1, Max: 120},
		},
		Concurrency: func(channels.Settings) int { return roomConnections },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60}
		},
	}
}

// placeholders are the names a template may use.
func placeholders() []string {
	return []string{"texte", "texte_carte", "titre", "lien", "id", "langue", "destinataire", "secret"}
}

// Open returns a channel to the webhook; nothing is connected yet.
func (k Room) Open(o channels.Opening) (channels.Channel, error) {
	s, p := o.Settings, presetOf(o.Settings.Get("preset"))
	c := &room{url: strings.TrimSpace(s.Get("url")), secret: s.Get("secret"), log: o.Log, now: o.Now, pulse: channels.NewPulse(o.Now), limiter: limiter(float64(s.Int("rate")) / 60)}
	if err := web.CheckURL(c.url, "url", nil, nil, s.Bool("clear")); err != nil {
		return nil, err
	}
	var err error
	if c.target, err = url.Parse(c.url); err != nil {
		return nil, err // checked just above
	}
	if c.headers, err = web.ParseHeaders(s.Get("headers"), placeholders()); err != nil {
		return nil, err
	}
	if c.body, err = web.ParseBody(web.JSON, or(s.Get("body"), p.body), placeholders()); err != nil {
		return nil, err
	}
	if c.rules, err = web.ParseRules(or(s.Get("answers"), p.answers)); err != nil {
		return nil, err
	}
	if c.client, err = client(s, roomConnections, k.Loopback); err != nil {
		return nil, err
	}
	return c, nil
}

func or(setting, preset string) string {
	if strings.TrimSpace(setting) == "" {
		return preset
	}
	return setting
}

// limiter lets that many messages a second leave, and a twentieth of a second's at once.
func limiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(roomConnections, int(perSecond/20)))
}

// client is the way out that the settings of both kinds describe.
func client(s channels.Settings, connections int, loopback bool) (*web.Client, error) {
	tls, err := channels.ClientTLS(s)
	if err != nil {
		return nil, err
	}
	proxy, err := web.ParseProxy(s.Get("proxy"))
	return web.New(web.Options{
		TLS: tls, Proxy: proxy, Connections: connections, Loopback: loopback,
		Connect: time.Duration(s.Int("connect_timeout")) * time.Second, Response: time.Duration(s.Int("response_timeout")) * time.Second,
	}), err
}

// room is one webhook.
type room struct {
	url, secret string
	target      *url.URL
	headers     []web.Pair
	body        web.Body
	rules       []web.Rule
	client      *web.Client
	limiter     *rate.Limiter
	log         *slog.Logger
	now         func() time.Time
	pulse       *channels.Pulse
}

// lookEvery is how often a webhook that carries nothing is looked at.
const lookEvery = 30 * time.Second

// Run looks whether the server can be reached until ctx ends.
func (c *room) Run(ctx context.Context) error {
	end := c.pulse.Begin()
	defer func() {
		end()
		c.client.Close()
	}()
	for {
		err := c.client.Reach(ctx, c.target)
		if ctx.Err() != nil {
			return nil
		}
		saw(c.pulse, err)
		select {
		case <-ctx.Done():
			return nil
		case <-clock.Real().After(lookEvery):
		}
	}
}

// saw notes whether a server could be reached.
func saw(p *channels.Pulse, err error) {
	if err != nil {
		p.Seen(channels.ReasonUnreachable, web.WithoutAddress(err))
		return
	}
	p.Seen(channels.ReasonNone, "")
}

// Health is what the last call or the last look showed.
func (c *room) Health() channels.Health { return c.pulse.Health() }

// Send posts once.
func (c *room) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: web.ThrottleWait}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	v := web.Values{
		"texte": m.Text, "texte_carte": paragraphs(m.Text), "titre": m.Subject, "lien": m.Link, "id": m.ID.String(), "langue": m.Language,
		"destinataire": m.To, "secret": c.secret,
	}
	text, err := c.body.Encode(v)
	if err != nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: err.Error()}
	}
	head := make([]web.Pair, len(c.headers))
	for i, h := range c.headers {
		head[i] = web.Pair{Name: h.Name, Value: v.Fill(h.Value)}
	}
	a := c.client.Ask(ctx, web.Request{Method: http.MethodPost, URL: c.url, Body: text, ContentType: c.body.ContentType(), Header: head})
	if a.Err != nil {
		out := channels.Unanswered(a)
		if out.GatewayDown {
			saw(c.pulse, a.Err)
		}
		return out
	}
	saw(c.pulse, nil)
	l := web.Leaves{}
	l.AddJSON([]byte(a.Text))
	return channels.Judged(web.Judge(c.rules, a.Status, a.Text, l), a, c.now())
}

// paragraphs makes each line a paragraph: an adaptive card joins single lines.
func paragraphs(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n\n", "\n"), "\n", "\n\n")
}

// Check connects to the server: a webhook has nothing that could be asked
// without writing in the room.
func (c *room) Check(ctx context.Context) error {
	if err := c.client.Reach(ctx, c.target); err != nil {
		return web.Unreachable(err, c.target.Host)
	}
	return nil
}
