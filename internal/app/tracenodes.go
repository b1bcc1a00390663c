package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/nodes"
)

// hold says, until ctx ends, that this node holds the base that all nodes ask.
// While another does, nothing is taken here. A database that does not answer
// changes nothing: the base goes on.
func (t *tracing) hold(ctx context.Context, h *House) {
	refused := false
	for ctx.Err() == nil {
		err := h.Traces.Hold(ctx, h.Clock.Now(), t.id, hostName())
		switch f := fault.As(err); {
		case err == nil && !h.Traces.Ready():
			h.Traces.Connect(t.spool, t.base)
			refused = false
			h.Log.Info("this node holds the base of traces", "base", t.id)
		case f != nil && f.Kind == fault.Conflict && !refused:
			h.Traces.Disconnect()
			refused = true
			h.Log.Error("another base holds the traces: this node takes none. If that one is lost: tocsin traces own", "err", err)
		case err != nil && f == nil && ctx.Err() == nil:
			h.Log.Warn("traces", "err", err)
		}
		pause(ctx, traces.HoldEvery)
	}
}

// hearNodes opens the door by which the other nodes bring and ask.
func (h *House) hearNodes(ctx context.Context, group *errgroup.Group, t *tracing) error {
	if h.Settings.TracesNodes == "" || t == nil {
		return nil
	}
	l, err := listen(ctx, h.Settings.TracesNodes)
	if err != nil {
		return err
	}
	door := &nodes.Door{Queue: t.spool, Base: t.base, Keys: h.Vault, Ready: h.Traces.Ready, Log: h.Log}
	group.Go(func() error { return door.Serve(ctx, l) })
	return nil
}

// baseID reads the id of the base in a folder; it is nil where there is none yet.
func baseID(root string) (uuid.UUID, error) {
	text, err := os.ReadFile(filepath.Join(root, "base-id"))
	if errors.Is(err, os.ErrNotExist) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("id of the base: %w", err)
	}
	id, err := uuid.Parse(strings.TrimSpace(string(text)))
	if err != nil {
		return uuid.Nil, fmt.Errorf("id of the base in %s: %w", root, err)
	}
	return id, nil
}

// nameBase gives the base in a folder its id the first time. It is on the disk
// before it is used: a base that came back under another would be refused.
func nameBase(root string) (id uuid.UUID, err error) {
	if id, err = baseID(root); err != nil || id != uuid.Nil {
		return id, err
	}
	return nameBaseAs(root, uuid.New())
}

// nameBaseAs writes an id.
func nameBaseAs(root string, id uuid.UUID) (uuid.UUID, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return id, fmt.Errorf("id of the base: %w", err)
	}
	fresh := filepath.Join(root, "base-id.new")
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return id, fmt.Errorf("id of the base: %w", err)
	}
	_, err = f.WriteString(id.String() + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return id, fmt.Errorf("id of the base: %w", err)
	}
	return id, os.Rename(fresh, filepath.Join(root, "base-id"))
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "?"
	}
	return name
}

type tracesOwn struct{ config.Server }

// Run has the base of this machine hold the traces.
func (c *tracesOwn) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		if h.DB.Engine() == storage.SQLite {
			return fault.New(fault.Invalid, "config.traces_alone", "name", "traces own").At("database-url")
		}
		id, err := nameBase(filepath.Join(c.Data, "traces"))
		if err != nil {
			return err
		}
		now := h.Clock.Now()
		before, err := h.Traces.Adopt(s.ctx, now, id, hostName())
		if err != nil {
			return err
		}
		s.printf("%s", s.words().T("app.traces.owned", "base", id.String(), "host", hostName()))
		return h.noteEverywhere(s.ctx, now, journal.Entry{
			Action: "traces.own", ObjectKind: "traces", ObjectID: id.String(), Before: map[string]string{"base": before.Base.String(), "host": before.Host}, After: map[string]string{"host": hostName()},
		})
	})
}

// checkTraces looks whether the base answers, what waits for it, and, where
// several nodes may serve, that one of them holds it.
func (h *House) checkTraces(ctx context.Context, _ access.Scope) administration.Finding {
	spoken, err := h.Traces.Spoken(ctx)
	if err != nil {
		return broken(err, "app.check.traces.unread", "")
	}
	if h.Settings.TracesURL != "" {
		return h.checkHouse(ctx)
	}
	if h.DB.Engine() != storage.SQLite {
		if f, wrong := h.checkHolder(ctx, spoken); wrong {
			return f
		}
	}
	switch {
	case h.Settings.TracesOwner != "" && spoken:
		return h.checkOwner(ctx)
	case !h.Traces.Ready():
		return finding(administration.Unused, "app.check.traces.none", "")
	case !spoken:
		return finding(administration.Unused, "app.check.traces.idle", "")
	}
	held, err := h.Traces.Alive(ctx)
	args := []any{"megabytes", held >> 20}
	if err != nil {
		return broken(err, "app.check.traces.down", "app.check.traces.todo", args...)
	}
	return finding(administration.Well, "app.check.traces.well", "", args...)
}

// checkOwner asks the node that holds the base a question that finds nothing.
func (h *House) checkOwner(ctx context.Context) administration.Finding {
	node := nodes.NewNode(h.Settings.TracesOwner, h.Vault)
	defer node.Close()
	if _, err := node.Ask(ctx, uuid.Nil, traces.Question{From: 0, To: 1, Zone: "UTC", Limit: 1}); err != nil {
		return broken(err, "app.check.traces.away", "app.check.traces.away.todo", "address", h.Settings.TracesOwner)
	}
	return finding(administration.Well, "app.check.traces.owner", "", "address", h.Settings.TracesOwner)
}

func broken(err error, what, todo string, args ...any) administration.Finding {
	f := finding(administration.Broken, what, todo, args...)
	f.Err = err
	return f
}

// checkHolder refuses, where several nodes may serve, whatever is not one node
// that holds the base and others that ask it.
func (h *House) checkHolder(ctx context.Context, spoken bool) (administration.Finding, bool) {
	set := h.Settings.TracesNodes != "" || h.Settings.TracesOwner != ""
	found, held, err := h.Traces.Holder(ctx)
	switch {
	case err != nil:
		return broken(err, "app.check.traces.unread", ""), true
	case !set && !spoken:
		return finding(administration.Unused, "app.check.traces.idle", ""), true
	case !set:
		return broken(nil, "app.check.traces.nowhere", "app.check.traces.nowhere.todo"), true
	}
	if h.Settings.TracesNodes != "" && found {
		id, err := baseID(filepath.Join(h.Settings.Data, "traces"))
		if err != nil {
			return broken(err, "app.check.traces.unread", ""), true
		}
		if id != held.Base || held.Host != hostName() && held.Alive(h.Clock.Now()) {
			return broken(nil, "app.check.traces.two", "app.check.traces.two.todo", "host", held.Host), true
		}
	}
	if spoken && (!found || !held.Alive(h.Clock.Now())) {
		return broken(nil, "app.check.traces.nobody", "app.check.traces.nobody.todo", "host", held.Host), true
	}
	return administration.Finding{}, false
}
