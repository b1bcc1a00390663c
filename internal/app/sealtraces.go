package app

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
	"tocsin/internal/traces/clickhouse"
	tracestamp "tocsin/internal/traces/stamp"
)

// instant is how a time is written to whoever compares it with other evidence.
const instant = "2006-01-02 15:04:05 MST"

// stamper is the time-stamping authority of the settings; nil without one.
func (h *House) stamper() (traces.Stamper, error) {
	if h.Settings.TimestampURL == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	a := tracestamp.Authority{URL: h.Settings.TimestampURL, HTTP: &http.Client{}}
	if h.Settings.TimestampCA == "" {
		return a, nil
	}
	text, err := os.ReadFile(h.Settings.TimestampCA)
	a.Roots = x509.NewCertPool()
	if err != nil || !a.Roots.AppendCertsFromPEM(text) {
		return nil, errors.Join(fault.New(fault.Invalid, "app.traces.timestamp_ca", "file", h.Settings.TimestampCA).At("timestamp-ca"), err)
	}
	return a, nil
}

// checkSeal looks whether the traces are sealed every hour, and copied and stamped
// where the settings say so.
func (h *House) checkSeal(ctx context.Context, scope access.Scope) administration.Finding {
	s, err := h.Traces.Sealing(ctx, access.System(scope.Organisation(), "doctor"))
	if err != nil {
		f := finding(administration.Broken, "app.check.seal.unread", "")
		f.Err = err
		return f
	}
	args := []any{"entries", s.Last.Size, "key", s.Last.Key}
	switch {
	case s.Lost > 0:
		return finding(administration.Broken, "app.check.seal.lost", "app.check.seal.lost.todo", "times", s.Lost)
	case s.Checkpoints == 0:
		return finding(administration.Unused, "app.check.seal.none", "")
	case s.Late(h.Clock.Now()) && s.Able:
		return finding(administration.Broken, "app.check.seal.late", "app.check.seal.late.todo", args...)
	case s.Last.Problem != "":
		return finding(administration.Weak, s.Last.Problem, "app.check.seal.problem.todo", args...)
	case !s.Copies:
		return finding(administration.Weak, "app.check.seal.alone", "app.check.seal.alone.todo", args...)
	}
	return finding(administration.Well, "app.check.seal.well", "", args...)
}

type tracesVerify struct {
	config.Server
	Establishment string `help:"Name of the establishment; all of them when it is not said." placeholder:"NAME"`
	Month         string `help:"Month to verify; every month when it is not said." placeholder:"2026-11"`
	PublicKey     string `help:"Public keys noted elsewhere (PEM): then no other is believed." placeholder:"FILE"`
	Checkpoints   string `help:"Folder of copies kept elsewhere: the log must hold each of them too." placeholder:"FOLDER"`
	Export        string `help:"Also write what docs/verifier-traces.py needs to verify without Tocsin. The files hold the traces themselves." placeholder:"FOLDER"`
	JSON          bool   `name:"json" help:"Write what was found as JSON, one line for each establishment."`
}

// Run verifies. The status is 1 when something is not as it was sealed.
func (c *tracesVerify) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) (err error) {
		done, err := h.consultTraces(s)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		houses, err := h.Houses.List(s.ctx, console())
		if err != nil {
			return err
		}
		if c.Establishment != "" {
			one, err := h.establishment(s, c.Establishment)
			if err != nil {
				return err
			}
			houses = houses[:0:0]
			houses = append(houses, one)
		}
		var broken error
		for _, e := range houses {
			broken = errors.Join(broken, c.verify(s, h, console().Within(e.ID), e.Name, len(houses) > 1))
		}
		return broken
	})
}

// consultTraces opens the base or, when a program that runs holds it, asks that.
func (h *House) consultTraces(s *session) (done func() error, err error) {
	if h.Settings.TracesURL != "" {
		address, err := clickhouse.ParseAddress(h.Settings.TracesURL)
		if err != nil {
			return nil, err
		}
		engine := clickhouse.Consult(clickhouse.Options{Address: address, Log: h.Log, Now: h.Clock.Now, Pause: pause, Alone: h.onlyNode})
		h.Traces.ReadFrom(engine)
		return engine.Close, nil
	}
	root := filepath.Join(h.Settings.Data, "traces")
	if _, err := os.Stat(filepath.Join(root, "base")); err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "app.traces.nothing", "folder", root)
	}
	if s.openBase != nil {
		engine, err := s.openBase(s.ctx, filepath.Join(root, "base"), h.Log)
		if err == nil {
			h.Traces.ReadFrom(engine)
			return engine.Close, nil
		}
		if f := fault.As(err); f == nil || f.Key != "traces.base.taken" {
			return nil, err
		}
	}
	socket, err := os.ReadFile(filepath.Join(root, socketFile))
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "traces.error.none")
	}
	client := child.NewClient(string(socket))
	h.Traces.ReadFrom(client)
	return func() error { client.Close(); return nil }, nil
}

func (c *tracesVerify) verify(s *session, h *House, scope access.Scope, name string, several bool) error {
	check := traces.Check{Month: c.Month, Checkpoints: c.Checkpoints}
	if c.PublicKey != "" {
		text, err := os.ReadFile(c.PublicKey)
		if err == nil {
			check.Keys, err = traces.ReadPublicKeys(scope.Organisation(), text)
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "app.traces.public_key", "file", c.PublicKey)
		}
	}
	v, err := h.Traces.Verify(s.ctx, scope, h.Clock.Now(), check)
	if err != nil {
		return err
	}
	if err := c.tell(s, name, v); err != nil {
		return err
	}
	if c.Export != "" {
		dir := c.Export
		if several {
			dir = filepath.Join(dir, scope.Organisation().String())
		}
		if err := h.Traces.Export(s.ctx, scope, c.Month, dir); err != nil {
			return err
		}
	}
	if !v.Holds() {
		return fault.New(fault.Conflict, "app.traces.altered", "house", name, "n", len(v.Flaws))
	}
	return nil
}

// tell writes a verdict, in sentences or as JSON.
func (c *tracesVerify) tell(s *session, name string, v traces.Verdict) error {
	if c.JSON {
		line, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("write what was found: %w", err)
		}
		s.printf("%s", line)
		return nil
	}
	loc := s.words()
	s.printf("%s", name)
	say := func(key string, args ...any) { s.printf("  %s", loc.T(key, args...)) }
	if v.Last == nil {
		say("app.traces.verify.none")
	} else {
		say("app.traces.verify.log", "entries", v.Entries, "checkpoints", v.Checkpoints, "last", v.Last.Format(instant), "stamps", v.Stamps, "copies", v.Outside)
	}
	say("app.traces.verify.events", "events", v.Events, "blocks", v.Blocks, "megabytes", v.Bytes/1e6)
	for _, p := range v.Purges {
		say("app.traces.verify.purge", "class", loc.T("traces.class."+p.Class), "before", p.Before.Format(instant), "at", p.At.Format(instant))
	}
	if v.PurgedEvents > 0 {
		say("app.traces.verify.purged", "events", v.PurgedEvents)
	}
	if v.Open > 0 {
		say("app.traces.verify.open", "events", v.Open)
	}
	for _, f := range v.Flaws {
		s.printf("  %s", flawSentence(loc, f))
	}
	return nil
}

// flawSentence names what is not as it was sealed.
func flawSentence(loc *i18n.Localizer, f traces.Flaw) string {
	class, from, to := "", "", ""
	if f.Class != "" {
		class = loc.T("traces.class." + f.Class)
	}
	if f.From != nil && f.To != nil {
		from, to = f.From.Format(instant), f.To.Format(instant)
	}
	return loc.T("app.traces.flaw."+f.Kind, "month", f.Month, "first", f.First, "last", f.Last, "entry", f.Entry, "rows", f.Rows, "what", f.What, "class", class, "from", from, "to", to)
}
