package dispatch

import (
	"context"
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Standing tells whether what a campaign said still stands: the room that ordered
// it knows. It must be quick: somebody is on the line.
type Standing interface {
	Stands(ctx context.Context, scope access.Scope, campaign uuid.UUID, purpose string) (bool, error)
}

// Consult names who tells what still stands; it is called once, before Start.
// Without one, who calls back is a stranger.
func (d *Dispatch) Consult(s Standing) { d.standing = s }

// Reception gives the operator of an establishment's telephones; a room above has one.
type Reception interface {
	Operator(establishment uuid.UUID) channels.Operator
}

// Receive names who answers those who pilot by telephone; it is called once, before
// Start. Without one nobody does.
func (d *Dispatch) Receive(r Reception) { d.reception = r }

func (d *Dispatch) operatorOf(establishment uuid.UUID) channels.Operator {
	if d.reception == nil {
		return nil
	}
	return d.reception.Operator(establishment)
}

// switchboard implements channels.Switchboard for one gateway's establishment.
type switchboard struct{ k *desk }

// missedMost is how many calls to one person are looked through, the newest first.
const missedMost = 20

// Missed finds the call that somebody calls back for. Only calls count: a number
// that was never called is a stranger's.
func (s switchboard) Missed(ctx context.Context, addresses []string) (channels.Message, bool, error) {
	d, scope := s.k.d, s.k.scope
	if d.standing == nil || len(addresses) == 0 {
		return channels.Message{}, false, nil
	}
	var found []*item
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		if found, err = s.read(ctx, tx, addresses); err != nil {
			return err
		}
		shelf := newTexts()
		for _, it := range found {
			if it.lot.content, err = shelf.get(ctx, tx, scope, it.lot.contentID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return channels.Message{}, false, err
	}
	for _, it := range found {
		stands, err := d.standing.Stands(ctx, scope, it.lot.campaign, it.lot.purpose)
		if err != nil {
			return channels.Message{}, false, err
		}
		if stands {
			it.lot.flag = d.watch.hold(it.lot.campaign)
			context.AfterFunc(ctx, func() { d.watch.release(it.lot.campaign) })
			return it.message(d.watch.isolated(scope.Organisation())), true, nil
		}
	}
	return channels.Message{}, false, nil
}

func (s switchboard) read(ctx context.Context, tx *storage.Tx, addresses []string) ([]*item, error) {
	keys := make([]string, len(addresses))
	for i, a := range addresses {
		keys[i] = strings.ToLower(a)
	}
	var out []*item
	err := tx.Query(ctx, `SELECT d.id, d.subject_id, d.address, d.link, d.token, l.id, l.campaign_id, l.content_id, l.medium, l.purpose, l.wave, l.quiet, l.expires_us
		FROM dispatch_deliveries d JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
		JOIN dispatch_campaigns c ON c.organisation_id = d.organisation_id AND c.id = d.campaign_id
		WHERE lower(d.address) IN (`+storage.In(len(keys), 4)+`) AND d.organisation_id = $1 AND d.medium = $2
		AND d.state IN ('queued', 'accepted', 'delivered', 'failed') AND NOT l.withdrawn AND c.stopped_us IS NULL
		AND (l.due_us <= $3 OR d.attempts > 0) AND (l.expires_us IS NULL OR l.expires_us > $3)
		ORDER BY l.queued_us DESC, d.id DESC LIMIT `+dollar(4+len(keys)),
		append(storage.Args(keys, s.k.scope.Organisation(), string(channels.Voice), storage.Micros(s.k.d.clock.Now())), missedMost), func(row func(...any) error) error {
			it := &item{lot: &lot{d: s.k.d}}
			l := it.lot
			var expires sql.NullInt64
			err := row(&it.id, &it.subject, &it.address, &it.link, &it.token, &l.id, &l.campaign, &l.contentID, &l.medium, &l.purpose, &l.wave, &l.quiet, &expires)
			l.expiresUs = expires.Int64
			out = append(out, it)
			return err
		})
	return out, err
}
