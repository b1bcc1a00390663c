package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// serveRequest asks for the product on prepared data.
type serveRequest struct {
	Folder, Listen, URL     string
	Database                string
	Establishment, Scenario uuid.UUID
	// Doors asks for accounts and the paths that sign them in.
	Doors bool
	// Profile is a folder and the beginning of a name; empty profiles nothing.
	Profile string
}

// opened is what the product says once it serves.
type opened struct {
	Address string
	Doors   []string
	// Node is the name under which its outbox claims.
	Node string
}

// launched is one launch: the instants of its confirmation and of its return,
// in microseconds.
type launched struct {
	Launch uuid.UUID
	Asked  int64
	Done   int64
	People int
}

// order is what the bench asks of a product that serves: to launch a scenario,
// to stop an alert, to tell how many lots a node holds, or to import a file and
// make backups meanwhile.
type order struct {
	Launch, Kill uuid.UUID
	Held, Load   string
}

// serve runs the product until its input ends, and launches when told.
func serve(ctx context.Context, l *line, build Builder) error {
	var r serveRequest
	if more, err := l.read(&r); err != nil || !more {
		return fmt.Errorf("no request: %w", err)
	}
	s, err := settings(r.Folder, r.Listen, r.URL, r.Database)
	if err != nil {
		return err
	}
	h, err := build(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(h.follow(ctx, l, r), h.Close())
}

func (h House) follow(ctx context.Context, l *line, r serveRequest) error {
	o := opened{Node: h.Dispatch.Node()}
	if r.Doors {
		var err error
		if o.Doors, err = h.Doors(ctx, organisation.Establishment{ID: r.Establishment}); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, served := make(chan net.Addr, 1), make(chan error, 1)
	go func() { served <- h.Serve(ctx, ready) }()
	select {
	case at := <-ready:
		o.Address = at.String()
	case err := <-served:
		return err
	}
	err := l.tell("ready", o)
	if err == nil {
		err = h.obey(ctx, l, r)
	}
	stop()
	return errors.Join(err, <-served)
}

// obey launches each time it is told to, until the input ends.
func (h House) obey(ctx context.Context, l *line, r serveRequest) error {
	ctx, rest := context.WithCancel(ctx)
	defer rest()
	var working sync.WaitGroup
	burdens := make(chan error, 1)
	if r.Doors { // the pages are what is measured, from the first on
		seen, err := profile(r.Profile)
		if err != nil {
			return err
		}
		defer seen()
	}
	for {
		var o order
		more, err := l.read(&o)
		if err != nil || !more {
			rest()
			working.Wait()
			close(burdens)
			return errors.Join(err, <-burdens, l.tell("bye", ownPeakMB()))
		}
		scope := access.Instance("bench").Within(r.Establishment)
		switch {
		case o.Kill != uuid.Nil:
			if err = h.Alerting.Kill(ctx, scope, time.Now(), o.Kill, "banc"); err == nil {
				err = l.tell("killed", time.Now().UnixMicro())
			}
		case o.Load != "":
			working.Go(func() { burdens <- h.labour(ctx, scope, o.Load) })
			err = l.tell("loading", nil)
		case o.Held != "":
			var n int
			if n, err = h.Dispatch.Held(ctx, scope, o.Held); err == nil {
				err = l.tell("held", n)
			}
		default:
			if !r.Doors { // else it is being profiled since the beginning
				stop, err := profile(r.Profile)
				if err != nil {
					return err
				}
				defer stop()
			}
			var told launched
			if told, err = h.launch(ctx, r, o.Launch); err == nil {
				err = l.tell("launched", told)
			}
		}
		if err != nil {
			return err
		}
	}
}

// labour imports a file as a person does, then makes backups until ctx ends: the
// first begins with the import.
func (h House) labour(ctx context.Context, scope access.Scope, file string) error {
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		i, err := h.stage(gctx, scope, file)
		if err == nil {
			i, err = h.Directory.Preview(gctx, scope, i.ID)
		}
		if err == nil {
			_, err = h.Directory.Confirm(gctx, scope, i.ID)
		}
		return err
	})
	group.Go(func() error {
		for {
			if err := h.Backup(gctx, io.Discard); err != nil {
				return err
			}
		}
	})
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil // cut short by the end of the measurement
}

// launch does what a person does: reads the verification sheet, then confirms
// what it showed. The clock starts at the confirmation.
func (h House) launch(ctx context.Context, r serveRequest, scenario uuid.UUID) (launched, error) {
	scope := access.Instance("bench").Within(r.Establishment)
	draft := alerting.Draft{Scenario: scenario, Mode: alerting.Exercise, OrderedBy: "Banc d'essai", IdempotencyKey: storage.NewID(time.Now()).String()}
	sheet, err := h.Alerting.Prepare(ctx, scope, time.Now(), draft)
	if err != nil {
		return launched{}, err
	}
	draft.Fingerprint = sheet.Fingerprint
	asked := time.Now()
	launch, _, err := h.Alerting.Launch(ctx, scope, asked, draft)
	return launched{Launch: launch.ID, Asked: asked.UnixMicro(), Done: time.Now().UnixMicro(), People: launch.People}, err
}

// profile notes where the processor and the memory go, until stop.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	cpu, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(err, cpu.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		heap, err := os.Create(path + ".heap")
		if err == nil {
			err = errors.Join(pprof.WriteHeapProfile(heap), heap.Close())
		}
		if err = errors.Join(err, cpu.Close()); err != nil {
			_, err = fmt.Fprintln(os.Stderr, "profile:", err)
		}
		if err != nil {
			return // nobody reads
		}
	}, nil
}

// product is the product serving prepared data, in its own process.
type product struct {
	*process
	house *house
	opened
}

// open starts the product and waits until it serves.
func (b *bench) open(ctx context.Context, h *house, r serveRequest) (*product, error) {
	return b.openBy(ctx, h, r, nil)
}

// openBy is open with a change of the process, to put it elsewhere.
func (b *bench) openBy(ctx context.Context, h *house, r serveRequest, elsewhere func(*exec.Cmd) error) (*product, error) {
	r.Folder, r.Establishment, r.Scenario = h.folder, h.Establishment, h.Scenario
	if r.Database == "" {
		r.Database = h.database
	}
	if r.Listen == "" {
		r.Listen, r.URL = "127.0.0.1:0", publicURL
	}
	if b.Profile != "" {
		r.Profile = filepath.Join(b.Profile, filepath.Base(h.folder))
	}
	p, err := b.stepBy(elsewhere, "serve", r)
	if err != nil {
		return nil, err
	}
	out := &product{process: p, house: h}
	if err := p.wait(ctx, "ready", &out.opened); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return out, nil
}

// publicURL is the beginning of the links in messages.
const publicURL = "https://tocsin.banc.example"

// launch starts the alert and waits until it is durable.
func (p *product) launch(ctx context.Context) (launched, error) {
	return p.launchOf(ctx, p.house.Scenario)
}

// launchOf starts the alert of a scenario.
func (p *product) launchOf(ctx context.Context, scenario uuid.UUID) (l launched, err error) {
	if err := p.say(order{Launch: scenario}); err != nil {
		return l, err
	}
	if err := p.wait(ctx, "launched", &l); err != nil {
		return l, fmt.Errorf("launch: %w", err)
	}
	if l.People != p.house.Called {
		return l, fmt.Errorf("the alert calls %d people of %d", l.People, p.house.Called)
	}
	return l, nil
}

// close ends the product in good order and returns its largest memory, in MB.
func (p *product) close(ctx context.Context) (mb float64, err error) {
	if err := p.in.Close(); err != nil {
		return 0, err
	}
	if err := p.wait(ctx, "bye", &mb); err != nil {
		return 0, errors.Join(err, p.kill())
	}
	return mb, p.await(ctx)
}
