package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/config"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Checks are what `tocsin doctor` and the health page look at.
func (h *House) Checks() []administration.Check {
	return append(h.foundations(),
		administration.Check{ID: "journal", Title: "app.check.journal", Run: h.checkJournal},
		administration.Check{ID: "gateways", Title: "app.check.gateways", Run: h.checkGateways},
		administration.Check{ID: "dkim", Title: "app.check.dkim", Run: h.checkRecords},
		administration.Check{ID: "feeds", Title: "app.check.feeds", Run: h.checkFeeds},
		administration.Check{ID: "intake", Title: "app.check.intake", Run: h.checkIntake},
		administration.Check{ID: "traces", Title: "app.check.traces", Run: h.checkTraces},
		administration.Check{ID: "traces.watch", Title: "app.check.watch", Run: h.checkWatch},
		administration.Check{ID: "seal", Title: "app.check.seal", Run: h.checkSeal},
		administration.Check{ID: "purges", Title: "app.check.purges", Run: h.checkPurges},
		administration.Check{ID: "copy", Title: "app.check.copy", Run: h.checkCopy})
}

// foundations are what can be looked at before there is an establishment.
func (h *House) foundations() []administration.Check {
	return []administration.Check{
		{ID: "database", Title: "app.check.database", Run: h.checkDatabase},
		{ID: "disk", Title: "app.check.disk", Run: h.checkDisk},
		{ID: "address", Title: "app.check.address", Run: h.checkAddress},
		{ID: "certificate", Title: "app.check.certificate", Run: h.checkCertificate},
		{ID: "keyring", Title: "app.check.keyring", Run: h.checkKeyring},
	}
}

func finding(state administration.State, what, todo string, args ...any) administration.Finding {
	f := administration.Finding{State: state, What: administration.Say(what, args...)}
	if todo != "" {
		f.ToDo = administration.Say(todo, args...)
	}
	return f
}

func (h *House) checkDatabase(ctx context.Context, _ access.Scope) administration.Finding {
	if err := h.DB.Ping(ctx); err != nil {
		f := finding(administration.Broken, "app.check.database.silent", "app.check.database.todo")
		f.Err = err
		return f
	}
	super, err := h.DB.Superuser(ctx)
	if err != nil {
		f := finding(administration.Broken, "app.check.database.silent", "app.check.database.todo")
		f.Err = err
		return f
	}
	if super {
		return finding(administration.Weak, "app.check.database.superuser", "app.check.database.superuser.todo")
	}
	return finding(administration.Well, "app.check.database.well", "", "engine", string(h.DB.Engine()))
}

// The shortest free space: below the first a long alert may fill the disk,
// below the second it will.
const (
	littleDisk = 2 << 30
	noDisk     = 200 << 20
)

func (h *House) checkDisk(_ context.Context, _ access.Scope) administration.Finding {
	if h.DB.Engine() != storage.SQLite {
		return finding(administration.Unused, "app.check.disk.elsewhere", "")
	}
	free, err := freeSpace(h.Settings.Data)
	if err != nil {
		f := finding(administration.Broken, "app.check.disk.unreadable", "", "folder", h.Settings.Data)
		f.Err = err
		return f
	}
	args := []any{"megabytes", free >> 20, "folder", filepath.Clean(h.Settings.Data)}
	switch {
	case free < noDisk:
		return finding(administration.Broken, "app.check.disk.free", "app.check.disk.todo", args...)
	case free < littleDisk:
		return finding(administration.Weak, "app.check.disk.free", "app.check.disk.todo", args...)
	}
	return finding(administration.Well, "app.check.disk.free", "", args...)
}

func (h *House) checkAddress(_ context.Context, _ access.Scope) administration.Finding {
	origin := h.Settings.Origin()
	if origin == nil {
		return finding(administration.Weak, "app.check.address.none", "app.check.address.none.todo")
	}
	host, _, err := net.SplitHostPort(h.Settings.Listen)
	open := err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback()
	if origin.Scheme != "https" || (open && h.Settings.TLSCert == "" && len(h.Settings.Proxies()) == 0) {
		return finding(administration.Weak, "app.check.address.plain", "app.check.address.plain.todo", "url", origin.String())
	}
	return finding(administration.Well, "app.check.address.well", "", "url", origin.String())
}

// soon is when a certificate should have been renewed.
const soon = 14 * 24 * time.Hour

func (h *House) checkCertificate(_ context.Context, _ access.Scope) administration.Finding {
	if h.Settings.TLSCert == "" {
		return finding(administration.Unused, "app.check.certificate.none", "")
	}
	pair, err := tls.LoadX509KeyPair(h.Settings.TLSCert, h.Settings.TLSKey)
	if err == nil && pair.Leaf == nil {
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	if err != nil {
		f := finding(administration.Broken, "app.check.certificate.unreadable", "app.check.certificate.todo")
		f.Err = err
		return f
	}
	left := pair.Leaf.NotAfter.Sub(h.Clock.Now())
	args := []any{"days", int(left.Hours() / 24)}
	switch {
	case left <= 0:
		return finding(administration.Broken, "app.check.certificate.expired", "app.check.certificate.todo")
	case left < soon:
		return finding(administration.Weak, "app.check.certificate.left", "app.check.certificate.todo", args...)
	}
	return finding(administration.Well, "app.check.certificate.left", "", args...)
}

func (h *House) checkKeyring(_ context.Context, _ access.Scope) administration.Finding {
	data, err1 := filepath.Abs(h.Settings.Data)
	key, err2 := filepath.Abs(h.Settings.KeyFile)
	if err1 != nil || err2 != nil {
		return finding(administration.Weak, "app.check.keyring.where", "app.check.keyring.todo", "file", h.Settings.KeyFile)
	}
	if filepath.Dir(key) == filepath.Dir(data) {
		return finding(administration.Well, "app.check.keyring.near", "app.check.keyring.todo", "file", key)
	}
	return finding(administration.Well, "app.check.keyring.where", "app.check.keyring.todo", "file", key)
}

// checkGateways dials every enabled gateway of the establishment.
func (h *House) checkGateways(ctx context.Context, scope access.Scope) administration.Finding {
	gateways, err := h.Dispatch.Gateways(ctx, scope)
	if err != nil {
		f := finding(administration.Broken, "app.check.gateways.unreadable", "")
		f.Err = err
		return f
	}
	var list []trial
	for _, g := range gateways {
		if g.Enabled {
			list = append(list, trial{name: g.Name, try: func() error { return h.testGateway(ctx, scope, g) }})
		}
	}
	if len(list) == 0 {
		return finding(administration.Broken, "app.check.gateways.none", "app.check.gateways.none.todo")
	}
	if f, broken := tryAll(list, "app.check.gateways.broken", "app.check.gateways.several"); broken {
		return f
	}
	return finding(administration.Well, "app.check.gateways.well", "", "n", len(list))
}

// trial is one of several things of a kind: all are tried at once, since the first
// that does not answer would hide the others, and eat their time.
type trial struct {
	name string
	try  func() error
	err  error
}

// tryAll says what does not work: the one thing, with what to do about it, or how
// many of how many, each with its reason.
func tryAll(list []trial, one, several string) (f administration.Finding, broken bool) {
	var running sync.WaitGroup
	for i := range list {
		running.Go(func() { list[i].err = list[i].try() })
	}
	running.Wait()
	var reasons []administration.Sentence
	var wrong trial
	var errs []error
	for _, t := range list {
		if t.err == nil {
			continue
		}
		wrong, errs = t, append(errs, fmt.Errorf("%s: %w", t.name, t.err))
		why := []administration.Sentence{administration.Say("app.check.no_reason")}
		if said := fault.As(t.err); said != nil {
			why[0] = administration.Say(said.Key, said.Args...)
		}
		reasons = append(reasons, administration.Say("app.check.each", "name", t.name, "why", why))
	}
	switch len(errs) {
	case 0:
		return f, false
	case 1:
		f = finding(administration.Broken, one, "app.check.gateways.todo", "name", wrong.name)
		if said := fault.As(wrong.err); said != nil {
			f.ToDo = administration.Say(said.Key, said.Args...)
		}
	default:
		f = finding(administration.Broken, several, "", "n", len(errs), "of", len(list), "each", reasons)
	}
	f.Err = errors.Join(errs...)
	return f, true
}

func (h *House) testGateway(ctx context.Context, scope access.Scope, g dispatch.Gateway) error {
	// The health page may be read by people who may not try a gateway by hand;
	// the program does it for them.
	return h.Dispatch.TestGateway(ctx, access.System(scope.Organisation(), "doctor"), g.ID)
}

// checkFeeds dials every directory server of the establishment.
func (h *House) checkFeeds(ctx context.Context, scope access.Scope) administration.Finding {
	within := access.System(scope.Organisation(), "doctor")
	list, err := h.Feeds.Feeds(ctx, within)
	if err != nil {
		f := finding(administration.Broken, "app.check.feeds.unreadable", "")
		f.Err = err
		return f
	}
	trials := make([]trial, len(list))
	for i, server := range list {
		trials[i] = trial{name: server.Name, try: func() error { return h.Feeds.Check(ctx, within, server.ID) }}
	}
	if f, broken := tryAll(trials, "app.check.feeds.broken", "app.check.feeds.several"); broken {
		return f
	}
	if len(list) == 0 {
		return finding(administration.Unused, "app.check.feeds.none", "")
	}
	return finding(administration.Well, "app.check.feeds.well", "", "n", len(list))
}

func (h *House) checkIntake(ctx context.Context, _ access.Scope) administration.Finding {
	if h.Settings.SMTPListen == "" {
		return finding(administration.Weak, "app.check.intake.none", "app.check.intake.none.todo")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", h.Settings.SMTPListen)
	if err != nil {
		f := finding(administration.Broken, "app.check.intake.silent", "app.check.intake.todo", "address", h.Settings.SMTPListen)
		f.Err = err
		return f
	}
	if err := conn.Close(); err != nil {
		h.Log.Debug("doctor", "error", err)
	}
	return finding(administration.Well, "app.check.intake.well", "", "address", h.Settings.SMTPListen, "domain", h.Settings.ReplyDomain)
}

type doctorCommand struct {
	config.Server
	Verbose bool `help:"Also show what the machine said."`
}

// Run examines each establishment or, before the first one, the installation
// alone. The status is 1 when something does not work. It makes nothing: a folder
// without data is said, and stays as it is.
func (c *doctorCommand) Run(s *session) error {
	if _, err := os.Stat(filepath.Join(c.Data, storage.FileName)); c.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist) {
		folder, err := filepath.Abs(c.Data)
		return errors.Join(err, fault.New(fault.NotFound, "app.check.nothing_here", "folder", folder))
	}
	return withHouse(s, &c.Server, func(h *House) error {
		houses, err := h.Houses.List(s.ctx, console())
		if err != nil {
			return err
		}
		worst := administration.Well
		for _, e := range houses {
			s.printf("%s", e.Name)
			if worst, err = c.examine(s, administration.NewDoctor(h.Guard, h.Clock, h.Checks()...), console().Within(e.ID), worst); err != nil {
				return err
			}
		}
		if len(houses) == 0 {
			if _, err := c.examine(s, administration.NewDoctor(h.Guard, h.Clock, h.foundations()...), console(), worst); err != nil {
				return err
			}
			return fault.New(fault.NotFound, "app.no_establishment")
		}
		if worst == administration.Broken {
			return fault.New(fault.Unavailable, "app.check.found")
		}
		return nil
	})
}

// examine prints what a doctor finds, and gives the gravest of it and of before.
func (c *doctorCommand) examine(s *session, doctor *administration.Doctor, scope access.Scope, worst administration.State) (administration.State, error) {
	seen, err := doctor.Examine(s.ctx, scope)
	if err != nil {
		return worst, err
	}
	loc := s.words()
	for _, r := range seen.Reports {
		s.printf("  %-12s %s: %s %s", loc.T("administration.state."+string(r.State)), loc.T(r.Check.Title), r.What.In(loc), r.ToDo.In(loc))
		if c.Verbose && r.Err != nil {
			s.printf("          %v", r.Err)
		}
	}
	if seen.Worst() == administration.Broken {
		worst = administration.Broken
	}
	return worst, nil
}
