package dispatch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// office is the set of desks: it opens those of the enabled gateways and
// follows changes of their settings, whichever node made them.
type office struct {
	d    *Dispatch
	bell chan struct{}
	// ctx is the life of the desks, from open to close.
	ctx context.Context

	mu     sync.Mutex
	closed bool
	desks  map[uuid.UUID]*desk
	// failed remembers settings that could not be opened, not to try them at every look.
	failed map[uuid.UUID]failure
	// list is desks as the senders read it, without the lock.
	list atomic.Pointer[[]*desk]
}

type failure struct {
	updated time.Time
	at      time.Time
}

const openAgain = 30 * time.Second

func newOffice(d *Dispatch) *office {
	// Closed until open: the task that follows the gateways may run first, and a
	// desk begun without a life of its own would never send.
	o := &office{d: d, closed: true, bell: make(chan struct{}, 1), desks: make(map[uuid.UUID]*desk), failed: make(map[uuid.UUID]failure)}
	o.list.Store(&[]*desk{})
	return o
}

// open starts the desks of the enabled gateways.
func (o *office) open(ctx context.Context) error {
	o.mu.Lock()
	o.ctx, o.closed = ctx, false
	o.mu.Unlock()
	_, err := o.reload(ctx)
	return err
}

// reload makes the desks those of the enabled gateways, with their settings of now.
func (o *office) reload(ctx context.Context) (more bool, err error) {
	var gateways []Gateway
	err = o.d.db.Read(ctx, access.Instance("dispatch.gateways"), func(tx *storage.Tx) (err error) {
		gateways, err = readGateways(ctx, tx, `enabled AND deleted_us IS NULL`)
		return err
	})
	if err != nil {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false, nil
	}
	wanted := make(map[uuid.UUID]Gateway, len(gateways))
	for _, g := range gateways {
		wanted[g.ID] = g
	}
	changed := o.closeUnwanted(wanted)
	for _, g := range gateways {
		if o.desks[g.ID] == nil && o.openDesk(g) {
			changed = true
		}
	}
	if changed {
		o.publish()
		ring(o.d.shares.bell)
		o.wake()
	}
	return false, nil
}

// closeUnwanted ends the desks of gateways that are gone or changed, at the same time.
func (o *office) closeUnwanted(wanted map[uuid.UUID]Gateway) bool {
	var ending sync.WaitGroup
	changed := false
	for id, k := range o.desks {
		if g, ok := wanted[id]; ok && g.UpdatedAt.Equal(k.gateway.UpdatedAt) {
			continue
		}
		delete(o.desks, id)
		changed = true
		ending.Go(func() {
			k.close()
			o.d.shares.leave(o.ctx, k)
		})
	}
	ending.Wait()
	return changed
}

func (o *office) openDesk(g Gateway) bool {
	now := o.d.clock.Now()
	if f, ok := o.failed[g.ID]; ok && f.updated.Equal(g.UpdatedAt) && now.Sub(f.at) < openAgain {
		return false
	}
	k, err := o.d.newDeskOf(g)
	if err != nil {
		o.d.log.Error("gateway cannot be opened", "gateway", g.Name, "error", err)
		o.failed[g.ID] = failure{g.UpdatedAt, now}
		return false
	}
	delete(o.failed, g.ID)
	o.desks[g.ID] = k
	k.start(o.ctx)
	return true
}

func (o *office) publish() {
	list := make([]*desk, 0, len(o.desks))
	for _, id := range sortedIDs(o.desks) {
		list = append(list, o.desks[id])
	}
	o.list.Store(&list)
}

func (o *office) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.closeUnwanted(nil)
	o.publish()
}

func (o *office) wake() {
	for _, k := range *o.list.Load() {
		k.wake()
	}
}

// busy tells whether messages wait for a sender on this node.
func (o *office) busy() bool {
	for _, k := range *o.list.Load() {
		if len(k.work) > 0 {
			return true
		}
	}
	return false
}

// wakeOthers tells the gateways of the same medium that something came back to the queue.
func (o *office) wakeOthers(k *desk) {
	for _, other := range *o.list.Load() {
		if other != k && other.gateway.Organisation == k.gateway.Organisation && other.gateway.Medium == k.gateway.Medium {
			other.wake()
		}
	}
}

// carries tells whether a gateway takes messages now, to some destination at least.
func (o *office) carries(k *desk) bool { return len(o.routesOf(k)) > 0 }
