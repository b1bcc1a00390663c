package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

// The relay's rhythm, and the lease by which one node among several relays.
const (
	relayEvery = 250 * time.Millisecond
	relayLease = "dispatch.relay"
	relayKeep  = 6 * time.Second
	relayRenew = 2 * time.Second
)

// relay passes facts and replies on to the Sink until it takes them. It works
// apart from the senders: a sink that fails delays nobody.
type relay struct {
	d      *Dispatch
	bell   chan struct{}
	leases *jobs.Leases
	// leasedAt is when the lease was last renewed, worked how long the last round
	// took; only the task uses them.
	leasedAt time.Time
	worked   time.Duration
	// heard tells that the last round brought replies of people.
	heard bool
}

func newRelay(d *Dispatch) *relay {
	return &relay{d: d, bell: make(chan struct{}, 1), leases: jobs.NewLeases(d.db, d.node)}
}

func (r *relay) wake() { ring(r.bell) }

// run passes one batch per establishment.
func (r *relay) run(ctx context.Context) (more bool, err error) {
	if r.d.sink == nil {
		return false, nil
	}
	r.rest(ctx)
	began := clock.Real().Now()
	heard := false
	defer func() { r.worked, r.heard = clock.Real().Now().Sub(began), heard }()
	orgs, err := r.d.organisations(ctx, `SELECT organisation_id FROM dispatch_facts UNION SELECT organisation_id FROM dispatch_replies WHERE NOT relayed`)
	if err != nil || len(orgs) == 0 {
		return false, err
	}
	if mine, err := r.lease(ctx); err != nil || !mine {
		return false, err
	}
	for _, org := range orgs {
		scope := access.System(org, "dispatch")
		facts, ferr := r.facts(ctx, scope)
		replies, rerr := r.replies(ctx, scope)
		for _, e := range []error{ferr, rerr} {
			if e != nil && ctx.Err() == nil {
				// One establishment's trouble must not hold the others' news.
				r.d.log.Error("news could not be told; they will be told again", "organisation", org, "error", e)
			}
		}
		more, heard = more || facts || replies, heard || replies
	}
	return more, nil
}

// rest lets messages leave first: while a gateway is at work, the relay waits
// twice as long as its last round took, because on SQLite its writes are in the
// way of those that send. News is then at most a moment late. Replies do not
// wait: who says that he comes is what the follow-up is watched for, and the
// messages that leave then are mostly their acknowledgements.
func (r *relay) rest(ctx context.Context) {
	if r.worked == 0 || r.heard || !r.d.office.busy() {
		return
	}
	select {
	case <-ctx.Done():
	case <-clock.Real().After(min(2*r.worked, relayEvery)):
	}
}

func (r *relay) lease(ctx context.Context) (bool, error) {
	if r.d.leases.alone {
		return true, nil
	}
	now := r.d.clock.Now()
	if now.Sub(r.leasedAt) < relayRenew && !r.leasedAt.IsZero() {
		return true, nil
	}
	mine, _, err := r.leases.Acquire(ctx, relayLease, now, relayKeep)
	if err != nil || !mine {
		r.leasedAt = time.Time{}
		return false, err
	}
	r.leasedAt = now
	return true, nil
}

// facts passes the oldest rows, together at most factsPerRow facts, then removes them.
func (r *relay) facts(ctx context.Context, scope access.Scope) (bool, error) {
	var ids []uuid.UUID
	var facts []Fact
	full := false
	err := r.d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, facts FROM dispatch_facts WHERE organisation_id = $1 ORDER BY id LIMIT 16`, []any{scope.Organisation()}, func(row func(...any) error) error {
			var id uuid.UUID
			var stored string
			if err := row(&id, &stored); err != nil || full {
				return err
			}
			list, err := readFacts(stored)
			if err != nil {
				return err
			}
			if full = len(facts)+len(list) > factsPerRow; full {
				return nil
			}
			ids, facts = append(ids, id), append(facts, list...)
			return nil
		})
	})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	if err := r.d.sink.Facts(ctx, scope, r.d.clock.Now(), facts); err != nil {
		return false, err
	}
	return true, r.d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		return eachChunk(ids, func(part []uuid.UUID) error {
			_, err := tx.Exec(ctx, `DELETE FROM dispatch_facts WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 2)+`)`, storage.Args(part, scope.Organisation())...)
			return err
		})
	})
}

func (r *relay) replies(ctx context.Context, scope access.Scope) (bool, error) {
	var replies []Reply
	err := r.d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		replies, err = readReplies(ctx, tx, `organisation_id = $1 AND NOT relayed ORDER BY id LIMIT $2`, scope.Organisation(), factsPerRow)
		return err
	})
	if err != nil || len(replies) == 0 {
		return false, err
	}
	if err := r.d.sink.Replies(ctx, scope, r.d.clock.Now(), replies); err != nil {
		return false, err
	}
	ids := make([]uuid.UUID, len(replies))
	for i, reply := range replies {
		ids[i] = reply.ID
	}
	return true, r.d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		return eachChunk(ids, func(part []uuid.UUID) error {
			_, err := tx.Exec(ctx, `UPDATE dispatch_replies SET relayed = TRUE WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 2)+`)`, storage.Args(part, scope.Organisation())...)
			return err
		})
	})
}

func readReplies(ctx context.Context, tx *storage.Tx, where string, args ...any) ([]Reply, error) {
	var out []Reply
	err := tx.Query(ctx, `SELECT id, medium, sender, body, token, at_us, campaign_id, subject_id FROM dispatch_replies WHERE `+where, args, func(row func(...any) error) error {
		var r Reply
		var m string
		var at int64
		var campaign, subject uuid.NullUUID
		if err := row(&r.ID, &m, &r.From, &r.Text, &r.Token, &at, &campaign, &subject); err != nil {
			return err
		}
		r.Medium, r.At, r.Campaign, r.Subject = channels.Medium(m), storage.Time(at), campaign.UUID, subject.UUID
		out = append(out, r)
		return nil
	})
	return out, err
}
