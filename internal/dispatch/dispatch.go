package dispatch

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

// Migrations holds the tables of the room.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Locales holds the sentences of the room.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Sealer keeps the secrets of gateways; *vault.Vault is one.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
	Stale(sealed []byte) bool
}

// Options are what the outbox rests on.
type Options struct {
	DB       *storage.DB
	Guard    *access.Guard
	Vault    Sealer
	Registry *channels.Registry
	Clock    clock.Clock
	Log      *slog.Logger
	// Metrics may be nil.
	Metrics *Metrics
	// Callback tells at which secret address the peer of a gateway may call back;
	// nil where nobody listens. round changes the secret; the secrets of before a
	// rotation of keys are still accepted.
	Callback func(gateway uuid.UUID, round string) (address string, secrets []string)
	// Devices knows the devices of people, for the media that notify them; nil where there are none.
	Devices channels.Devices
}

// Dispatch is the outbox of one node. Its methods may be called from any
// goroutine; it sends only between Start and Stop.
type Dispatch struct {
	db       *storage.DB
	guard    *access.Guard
	vault    Sealer
	registry *channels.Registry
	clock    clock.Clock
	log      *slog.Logger
	metrics  *Metrics
	callback func(uuid.UUID, string) (address string, secrets []string)
	devices  channels.Devices
	// node differs between nodes and between two starts of the same node.
	node string
	// elapsed is the time since New, by the machine's monotonic counter.
	elapsed func() time.Duration
	born    time.Time

	sink       Sink
	watchman   Watchman
	standing   Standing
	reception  Reception
	codes      Codes
	dictaphone Dictaphone
	office     *office
	watch      *watch
	leases     *leases
	shares     *shares
	halls      *halls
	relay      *relay
	// sweepBell rings when something was withdrawn.
	sweepBell chan struct{}
	runner    *jobs.Runner

	mu      sync.Mutex
	started bool
	unhook  func() bool
}

// New returns an outbox that does not send yet.
func New(o Options) *Dispatch {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Dispatch{
		db: o.DB, guard: o.Guard, vault: o.Vault, registry: o.Registry, clock: o.Clock,
		log: o.Log.With("room", "dispatch"), metrics: o.Metrics, callback: o.Callback, devices: o.Devices, node: uuid.NewString(),
	}
	d.elapsed, d.born = clock.Stopwatch(d.clock), d.clock.Now()
	d.sweepBell = make(chan struct{}, 1)
	d.watch = newWatch(d)
	d.leases = newLeases(d)
	d.shares = newShares(d)
	d.halls = newHalls(d)
	d.office = newOffice(d)
	d.relay = newRelay(d)
	return d
}

// Tell names who hears the facts and the replies; it is called once, before
// Start. Without a sink they are kept.
func (d *Dispatch) Tell(sink Sink) { d.sink = sink }

// Node is the name under which this outbox claims.
func (d *Dispatch) Node() string { return d.node }

// Start takes back what an earlier process left, opens the enabled gateways
// and begins to send. ctx bounds the life of everything started.
func (d *Dispatch) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started {
		return errors.New("dispatch: already started")
	}
	if err := d.recoverAtStart(ctx); err != nil {
		return err
	}
	if err := d.watch.refresh(ctx); err != nil {
		return err
	}
	// The end of ctx is a Stop, not a cut: outcomes of the sends under way are still written.
	work := context.WithoutCancel(ctx)
	d.runner = newRunner(d)
	if err := d.runner.Start(work); err != nil {
		return err
	}
	if err := d.office.open(work); err != nil {
		d.runner.Stop()
		return err
	}
	d.started = true
	d.unhook = context.AfterFunc(ctx, d.Stop)
	return nil
}

// Stop ends the sends under way, writes their outcomes, gives back what was
// claimed and not sent, and waits for all of it. A second call does nothing.
func (d *Dispatch) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.started {
		return
	}
	d.started = false
	d.unhook()
	d.office.close()
	d.runner.Stop()
}

// Wake is called after the commit of orders, of a withdrawal or of a kill: the
// node acts at once instead of at its next look.
func (d *Dispatch) Wake() {
	d.watch.wake()
	d.relay.wake()
	ring(d.sweepBell)
	d.office.wake()
}
