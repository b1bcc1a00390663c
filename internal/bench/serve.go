package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// serveRequest asks for the product on prepared data.
type serveRequest struct {
	Folder, Listen, URL     string
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
}

// launched is one launch: the instants of its confirmation and of its return,
// in microseconds.
type launched struct {
	Launch uuid.UUID
	Asked  int64
	Done   int64
	People int
}

// order is what the bench asks of a product that serves.
type order struct{ Launch bool }

// serve runs the product until its input ends, and launches when told.
func serve(ctx context.Context, l *line, build Builder) error {
	var r serveRequest
	if more, err := l.read(&r); err != nil || !more {
		return fmt.Errorf("no request: %w", err)
	}
	s, err := settings(r.Folder, r.Listen, r.URL)
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
	var o opened
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
	for {
		var o order
		more, err := l.read(&o)
		if err != nil || !more {
			return errors.Join(err, l.tell("bye", ownPeakMB()))
		}
		stop, err := profile(r.Profile)
		if err != nil {
			return err
		}
		defer stop()
		told, err := h.launch(ctx, r)
		if err != nil {
			return err
		}
		if err := l.tell("launched", told); err != nil {
			return err
		}
	}
}

func (h House) launch(ctx context.Context, r serveRequest) (launched, error) {
	asked := time.Now()
	launch, _, err := h.Alerting.Launch(ctx, access.Instance("bench").Within(r.Establishment), asked, alerting.Draft{
		Scenario: r.Scenario, Mode: alerting.Exercise, OrderedBy: "Banc d'essai", IdempotencyKey: storage.NewID(asked).String(),
	})
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
	r.Folder, r.Establishment, r.Scenario = h.folder, h.Establishment, h.Scenario
	if r.Listen == "" {
		r.Listen, r.URL = "127.0.0.1:0", publicURL
	}
	if b.Profile != "" {
		r.Profile = filepath.Join(b.Profile, filepath.Base(h.folder))
	}
	p, err := b.step("serve", r)
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
func (p *product) launch(ctx context.Context) (l launched, err error) {
	if err := p.say(order{Launch: true}); err != nil {
		return l, err
	}
	if err := p.wait(ctx, "launched", &l); err != nil {
		return l, fmt.Errorf("launch: %w", err)
	}
	if l.People != p.house.Rows {
		return l, fmt.Errorf("the alert calls %d people of %d", l.People, p.house.Rows)
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
