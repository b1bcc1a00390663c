package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// watchCommand is the dead-man signal: on another machine, it tells a chosen
// person that Tocsin has stopped, through a gateway of its own.
type watchCommand struct {
	URL      string        `name:"url" required:"" placeholder:"URL" help:"Address asked for, such as https://tocsin.hospital.example/readyz."`
	Tell     []string      `name:"tell" required:"" placeholder:"NUMBER" help:"Whom to tell: numbers (+33…) and mail addresses. Several are told all."`
	Gateways string        `name:"gateways" required:"" placeholder:"FILE" help:"YAML file of the gateways to tell by: a list of kind and settings, as docs/guides/exploitation.md shows. Readable by this account only."`
	After    time.Duration `name:"after" default:"3m" help:"Silence after which to tell."`
	Every    time.Duration `name:"every" default:"20s" help:"How often to ask."`
	CA       string        `name:"ca" placeholder:"FILE" help:"Certificate authority (PEM) of the address, when it is not a public one."`
	Language string        `name:"language" default:"fr" help:"Language of the messages: fr or en."`
}

// Run watches until it is stopped.
func (c *watchCommand) Run(s *session) error {
	catalog, err := Catalog()
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, nil))
	ways, err := openWays(s.ctx, c.Gateways, Kinds(), log)
	if err != nil {
		return err
	}
	w := &watcher{
		vigil: vigil{after: c.After}, clock: clock.Real(), log: log, ways: ways, tell: c.Tell, words: catalog.For(i18n.Language(c.Language)), language: c.Language, host: hostOf(c.URL),
		ask: func(ctx context.Context) error { return ready(ctx, client, c.URL) },
	}
	log.Info("watching", "every", c.Every, "after", c.After, "tell", len(c.Tell))
	for {
		w.step(s.ctx)
		select {
		case <-s.ctx.Done():
			return nil
		case <-clock.Real().After(c.Every):
		}
	}
}

func (c *watchCommand) client() (*http.Client, error) {
	client := outsideClient(nil)
	if c.CA == "" {
		return client, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "app.watch.unreadable", "path", c.CA)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "app.watch.unreadable", "path", c.CA)
	}
	if t, ok := client.Transport.(*http.Transport); ok {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	return client, nil
}

// ready asks once; only 200 is a yes.
func ready(ctx context.Context, client *http.Client, address string) error {
	status, _, err := get(ctx, client, address)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("HTTP %d", status)
	}
	return err
}

// hostOf is the name of the machine in an address, for the message.
func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// way is a gateway the watcher tells by.
type way struct {
	medium  channels.Medium
	channel channels.Channel
}

// openWays opens the gateways of a file; they live until ctx ends.
func openWays(ctx context.Context, path string, kinds []channels.Kind, log *slog.Logger) ([]way, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "app.watch.unreadable", "path", path)
	}
	var file struct {
		Gateways []struct {
			Kind     string            `yaml:"kind"`
			Settings map[string]string `yaml:"settings"`
		} `yaml:"gateways"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil || len(file.Gateways) == 0 {
		return nil, fault.Wrap(err, fault.Invalid, "app.watch.no_gateway", "path", path)
	}
	registry := channels.NewRegistry(kinds...)
	var out []way
	for _, g := range file.Gateways {
		kind, err := registry.Kind(g.Kind)
		if err != nil {
			return nil, err
		}
		settings, err := kind.Describe().Validate(g.Settings)
		if err != nil {
			return nil, err
		}
		channel, err := kind.Open(channels.Opening{Settings: settings, Inbox: nobody{}, Log: log, Now: clock.Real().Now})
		if err != nil {
			return nil, err
		}
		go func() {
			if err := channel.Run(ctx); err != nil {
				log.Error("gateway stopped", "error", err)
			}
		}()
		out = append(out, way{kind.Describe().Medium, channel})
	}
	return out, nil
}

// nobody takes receipts and replies, and keeps none.
type nobody struct{}

func (nobody) Receipts(context.Context, []channels.Receipt) error { return nil }
func (nobody) Replies(context.Context, []channels.Reply) error    { return nil }

// vigil decides what to tell: that nothing answers, once, and that it does again.
type vigil struct {
	after       time.Duration
	silentSince time.Time
	told        bool
}

// news is what a look brings.
type news string

const (
	noNews     news = ""
	fellSilent news = "silent"
	isBack     news = "back"
)

func (v *vigil) see(now time.Time, answers bool) news {
	switch {
	case answers && v.told:
		v.silentSince, v.told = time.Time{}, false
		return isBack
	case answers:
		v.silentSince = time.Time{}
	case v.silentSince.IsZero():
		v.silentSince = now
	case !v.told && now.Sub(v.silentSince) >= v.after:
		v.told = true
		return fellSilent
	}
	return noNews
}

// watcher tells what the vigil decides, until a gateway has taken it.
type watcher struct {
	vigil
	clock    clock.Clock
	log      *slog.Logger
	ways     []way
	tell     []string
	words    *i18n.Localizer
	language string
	host     string
	ask      func(context.Context) error
	// owed are the messages no gateway has taken yet.
	owed []channels.Message
}

// messageLife is how long the news is worth telling.
const messageLife = 2 * time.Hour

func (w *watcher) step(ctx context.Context) {
	err := w.ask(ctx)
	if ctx.Err() != nil {
		return
	}
	now, since := w.clock.Now(), w.silentSince
	if n := w.see(now, err == nil); n != noNews {
		w.log.Warn("news", "news", string(n), "error", err)
		w.owe(n, now, since)
	}
	kept := w.owed[:0]
	for _, m := range w.owed {
		if !w.deliver(ctx, m) {
			kept = append(kept, m)
		}
	}
	w.owed = kept
}

// owe writes to everybody. What was owed and is no longer true is dropped.
func (w *watcher) owe(n news, now, since time.Time) {
	text := w.words.T("app.watch.back", "host", w.host)
	if n == fellSilent {
		text = w.words.T("app.watch.silent", "host", w.host, "minutes", max(1, int(now.Sub(since).Minutes())))
	}
	w.owed = nil
	for _, to := range w.tell {
		w.owed = append(w.owed, channels.Message{
			ID: uuid.New(), To: to, Subject: w.words.T("app.watch.subject"), Text: text, Language: w.language, ExpiresAt: now.Add(messageLife),
		})
	}
}

// deliver tries every gateway of the medium in order; true when nothing remains to do.
func (w *watcher) deliver(ctx context.Context, m channels.Message) bool {
	medium := channels.SMS
	if strings.Contains(m.To, "@") {
		medium = channels.Email
	}
	err := errors.New("no gateway of this medium")
	for _, g := range w.ways {
		if g.medium != medium {
			continue
		}
		out := g.channel.Send(ctx, m)
		if out.State == channels.Accepted || out.Reason == channels.ReasonExpired {
			return true
		}
		err = errors.New(string(out.Reason))
	}
	w.log.Error("nobody could be told; trying again", "medium", string(medium), "error", err)
	return false
}
