package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	identitypages "tocsin/internal/identity/pages"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/exports"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/rules"
	"tocsin/internal/ui"
)

// drainTime is how long pages under way may take after a stop is asked.
const drainTime = 10 * time.Second

type serveCommand struct {
	config.Server
}

// Run serves until the process is asked to stop.
func (c *serveCommand) Run(s *session) error {
	log := logger(s.err, &c.Server)
	h, err := Build(s.ctx, Plan{Settings: &c.Server, Log: log, HasBase: s.openBase != nil})
	if err != nil {
		return err
	}
	// A new link makes the one before worthless: it is given once the address is
	// ours, and not by a second program that will only find it taken.
	ready := make(chan net.Addr, 1)
	group, ctx := errgroup.WithContext(s.ctx)
	group.Go(func() error { return h.Serve(ctx, ready) })
	group.Go(func() error {
		select {
		case <-ready:
			return h.welcome(s)
		case <-ctx.Done():
			return nil
		}
	})
	return errors.Join(group.Wait(), h.Close())
}

// welcome prints the one-time link while nobody can sign in yet.
func (h *House) welcome(s *session) error {
	code, created, err := h.Accounts.Bootstrap(s.ctx, h.Clock.Now())
	if err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	if created {
		s.printf("\n  First start. Open this link once, within 24 hours, to create the first administrator:\n\n    %s\n", h.firstLink(code))
	}
	return nil
}

func (h *House) firstLink(code string) string {
	return identitypages.FirstRunLink(h.origin().String(), code)
}

// Serve runs the house until ctx ends, then takes it down in order: no new
// page, no new send, outcomes written, data closed by the caller. ready, when
// not nil, receives the address once pages are served.
func (h *House) Serve(ctx context.Context, ready chan<- net.Addr) error {
	router, err := h.Router()
	if err != nil {
		return err
	}
	listening, err := listen(ctx, h.Settings.Listen)
	if err != nil {
		return err
	}
	// Somebody who stops a program that has just started finds no error.
	if err := h.Directory.ClearCut(context.WithoutCancel(ctx), access.Instance("start")); err != nil {
		return errors.Join(err, listening.Close())
	}
	tracing, err := h.openTraces()
	if err != nil {
		return errors.Join(err, listening.Close())
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	runner := jobs.NewRunner(h.Clock, h.Log, h.tasks()...)
	if err := errors.Join(h.Dispatch.Start(work), runner.Start(work)); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	h.serveHTTP(ctx, group, ui.NewServer(h.withHealth(router), h.Log), listening)
	if err := errors.Join(h.serveSides(ctx, group), h.listenTraces(ctx, group, tracing), h.hearNodes(ctx, group, tracing)); err != nil {
		return err
	}
	h.Log.Info("serving", "listen", listening.Addr().String(), "engine", string(h.DB.Engine()), "version", Version)
	if ready != nil {
		ready <- listening.Addr()
	}
	err = group.Wait()
	h.alerts.Close()
	h.Dispatch.Stop()
	runner.Stop()
	err = errors.Join(err, h.Traces.WriteDown(context.WithoutCancel(ctx), h.Clock.Now()), tracing.Close(), h.writeLearnt())
	h.Log.Info("stopped")
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fault.Wrap(err, fault.Conflict, "app.listen.taken", "address", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// serveHTTP serves until ctx ends, then lets the pages under way finish.
func (h *House) serveHTTP(ctx context.Context, group *errgroup.Group, server *http.Server, l net.Listener) {
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	group.Go(func() error {
		var err error
		if h.Settings.TLSCert != "" {
			pair := newCertificate(h.Settings.TLSCert, h.Settings.TLSKey, h.Clock)
			server.TLSConfig = pair.config()
			err = server.ServeTLS(l, "", "")
		} else {
			err = server.Serve(l)
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve pages: %w", err)
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return errors.Join(server.Close(), nil)
		}
		return nil
	})
}

// serveSides serves the figures on their own address and takes the mail in.
func (h *House) serveSides(ctx context.Context, group *errgroup.Group) error {
	if h.Settings.MetricsListen != "" {
		l, err := listen(ctx, h.Settings.MetricsListen)
		if err != nil {
			return err
		}
		h.serveHTTP(ctx, group, &http.Server{Handler: h.healthMux(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug)}, l)
	}
	if h.Settings.SMTPListen != "" {
		intake := &email.Listener{Addr: h.Settings.SMTPListen, LMTP: h.Settings.SMTPProto == "lmtp", Domain: h.Settings.ReplyDomain, Inbox: h.Dispatch.Inbox(channels.Email), Log: h.Log, Now: h.Clock.Now}
		group.Go(func() error { return intake.Run(ctx) })
	}
	return nil
}

// tasks are the rooms' work that is not sending.
func (h *House) tasks() []jobs.Task {
	return append(append(h.outside(), h.traceFileTasks()...), []jobs.Task{
		h.Alerting.Task(),
		h.alone(directoryWork, time.Second, func(ctx context.Context, _ time.Time) (bool, error) {
			return h.Directory.Work(ctx, access.Instance("directory"))
		}),
		h.alone("directory.humans", time.Minute, func(ctx context.Context, _ time.Time) (bool, error) {
			_, err := h.Directory.LinkHumans(ctx, access.Instance("directory"))
			return false, err
		}),
		h.alone("directory.quality", time.Minute, func(ctx context.Context, _ time.Time) (bool, error) {
			return false, h.Directory.RefreshQuality(ctx, access.Instance("directory"))
		}),
		h.alone("directory.sweep", 24*time.Hour, func(ctx context.Context, _ time.Time) (bool, error) {
			return false, h.Directory.Sweep(ctx, access.Instance("directory"))
		}),
		h.alone("journal.seal", 5*time.Second, func(ctx context.Context, now time.Time) (bool, error) {
			return journal.NewSealer(h.DB, h.Vault).Seal(ctx, access.Instance("journal"), now)
		}),
		{Name: "vault.refresh", Every: 30 * time.Second, Run: func(context.Context, time.Time) (bool, error) {
			return false, h.Vault.Refresh() // a rotation by another process, or a keyring copied here
		}},
		h.alone("alerting.purge", alerting.PurgeEvery, func(ctx context.Context, now time.Time) (bool, error) {
			return h.Alerting.Purge(ctx, access.Instance("alerting"), now)
		}),
		h.alone("alerting.learn", alerting.LearnEvery, func(ctx context.Context, now time.Time) (bool, error) {
			return h.Alerting.Learn(ctx, access.Instance("alerting"), now)
		}),
		h.Alerting.RehearsalTask(h.Clock),
		h.alone("alerting.schedules", alerting.SchedulesEvery, h.Alerting.RunSchedules),
		h.Hooks.Task(),
		h.alone("hooks.poll", 30*time.Second, h.Hooks.Poll),
		h.alone("hooks.renew", time.Minute, h.Hooks.Renew),
		h.alone("hooks.watch", 5*time.Second, h.Hooks.Watch),
		h.alone("hooks.sweep", time.Hour, func(ctx context.Context, now time.Time) (bool, error) { return false, h.Hooks.Sweep(ctx, now) }),
		h.alone("rest.sweep", time.Hour, func(ctx context.Context, now time.Time) (bool, error) { return false, h.Desk.Sweep(ctx, now) }),
		h.proving(),
		h.alone("directory.watch", 10*time.Minute, h.Proof.Watch),
		h.alone("directory.feeds", time.Minute, h.Feeds.Tick),
		{Name: "traces.write", Every: traces.WriteEvery, Run: func(ctx context.Context, now time.Time) (bool, error) { return false, h.Traces.WriteDown(ctx, now) }},
		h.alone("traces.watch", time.Minute, h.Traces.Watch),
		{Name: "traces.rules", Every: rules.RefreshEvery, Run: func(ctx context.Context, _ time.Time) (bool, error) { return false, h.Rules.Refresh(ctx) }},
		{Name: "traces.learnt", Every: learntEvery, Run: h.keepLearnt},
		h.alone("traces.cases.tell", cases.TellEvery, h.Cases.Tell),
		h.alone("traces.cases.alert", cases.AlertEvery, h.Cases.Alert),
		h.alone("traces.cases.sweep", time.Hour, h.Cases.Sweep),
		h.alone("traces.exports", exports.WorkEvery, h.Exports.Work),
		h.alone("traces.exports.sweep", exports.SweepEvery, h.Exports.Sweep),
		h.alone("traces.seal", traces.SealEvery, h.Traces.Seal),
		h.alone("traces.kept", kept.TickEvery, h.Kept.Tick),
		h.alone("traces.kept.sweep", time.Hour, h.Kept.Sweep),
		h.alone("traces.purge", 6*time.Hour, h.Traces.Purge),
		h.alone("traces.staff", staffEvery, h.refreshStaff),
		h.alone("traces.care", 6*time.Hour, h.CareDesk.Purge),
		h.alone("space.sweep", 10*time.Minute, h.Space.Sweep),
		{Name: "identity.sweep", Every: 10 * time.Minute, Run: func(ctx context.Context, now time.Time) (bool, error) {
			return false, h.Accounts.Sweep(ctx, now)
		}},
	}...)
}

// proving sends the messages of campaigns, on one node at a time.
func (h *House) proving() jobs.Task {
	t := h.alone("directory.proof", 30*time.Second, h.Proof.Tick)
	t.Wake = h.Proof.Wake()
	return t
}

// wakeDirectory starts the work on an import at once.
func (h *House) wakeDirectory() {
	select {
	case h.wakers[directoryWork] <- struct{}{}:
	default: // it is awake already
	}
}

// directoryWork is the task that carries imports on.
const directoryWork = "directory.work"

// leaseLife is how long a node that died keeps others from its tasks.
const leaseLife = 8 * time.Second

// alone is a task that one node among several does at a time. A portion that
// lasts longer than the lease renews it meanwhile.
func (h *House) alone(name string, every time.Duration, run func(context.Context, time.Time) (bool, error)) jobs.Task {
	return jobs.Task{Name: name, Every: every, Wake: h.wakers[name], Run: func(ctx context.Context, now time.Time) (bool, error) {
		return h.leases.While(ctx, h.Clock, name, leaseLife, func(ctx context.Context) (bool, error) { return run(ctx, now) })
	}}
}
