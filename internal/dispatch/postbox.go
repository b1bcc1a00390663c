package dispatch

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// postbox is the Inbox of a listener that serves every establishment: mail
// comes in at one address, and each piece goes to the gateway of whom it concerns.
type postbox struct {
	d      *Dispatch
	medium channels.Medium
}

// Inbox takes what comes back by a road that is not a gateway's own: the mail
// listener. It is durable when its methods return nil. A piece that concerns no
// message of ours goes to the first gateway of the medium: kept, unmatched.
// Errors: Unavailable while this node has no gateway of the medium.
func (d *Dispatch) Inbox(medium channels.Medium) channels.Inbox { return &postbox{d, medium} }

// Receipts implements channels.Inbox.
func (p *postbox) Receipts(ctx context.Context, items []channels.Receipt) error {
	byDesk := make(map[*desk][]channels.Receipt)
	for _, r := range items {
		k, err := p.deskOf(ctx, `id = $2 AND medium = $3`, r.MessageID, string(p.medium))
		if err != nil {
			return err
		}
		byDesk[k] = append(byDesk[k], r)
	}
	for k, part := range byDesk {
		if err := k.tray.Receipts(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// Replies implements channels.Inbox. The token tells whom a reply comes from;
// without one, the address it was sent from.
func (p *postbox) Replies(ctx context.Context, items []channels.Reply) error {
	byDesk := make(map[*desk][]channels.Reply)
	for _, r := range items {
		where, key := `token = $2 AND token <> '' AND medium <> 'sms' AND medium = $3`, any(r.Token)
		if r.Token == "" {
			where, key = `lower(address) = $2 AND medium = $3`, addressKey(r.From)
		}
		k, err := p.deskOf(ctx, where, key, string(p.medium))
		if err != nil {
			return err
		}
		byDesk[k] = append(byDesk[k], r)
	}
	for k, part := range byDesk {
		if err := k.tray.Replies(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// deskOf finds the establishment that sent such a delivery, among those whose
// gateways this node holds.
func (p *postbox) deskOf(ctx context.Context, where string, key, medium any) (*desk, error) {
	var first *desk
	seen := make(map[uuid.UUID]bool)
	for _, k := range *p.d.office.list.Load() {
		if k.gateway.Medium != p.medium || seen[k.gateway.Organisation] {
			continue
		}
		seen[k.gateway.Organisation] = true
		if first == nil {
			first = k
		}
		mine := false
		err := p.d.db.Read(ctx, k.scope, func(tx *storage.Tx) (err error) {
			var one int
			mine, err = tx.Row(ctx, `SELECT 1 FROM dispatch_deliveries WHERE organisation_id = $1 AND `+where+` LIMIT 1`,
				[]any{k.scope.Organisation(), key, medium}, &one)
			return err
		})
		if err != nil || mine {
			return k, err
		}
	}
	if first == nil {
		return nil, fault.New(fault.Unavailable, "dispatch.no_gateway")
	}
	return first, nil
}
