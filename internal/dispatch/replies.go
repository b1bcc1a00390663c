package dispatch

import (
	"context"
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// What is kept of a reply at most: a person's answer is short, and what a
// stranger sends must not fill the disk.
const (
	bodyMost    = 4096
	addressMost = 320
	tokenMost   = 64
)

// author is who a reply is taken for.
type author struct {
	campaign, subject uuid.UUID
	sentUs            int64
}

// replies keeps every reply, once per peer id, with whom it is taken for.
func (p *pen) replies(ctx context.Context, calls []*brought) error {
	var all []channels.Reply
	for _, b := range calls {
		for _, r := range b.replies {
			r.PeerID, r.From = clean(r.PeerID, idMost), strings.TrimSpace(clean(r.From, addressMost))
			r.Text, r.Token = clean(r.Text, bodyMost), clean(r.Token, tokenMost)
			if r.At.IsZero() || r.At.After(p.now) {
				r.At = p.now
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil
	}
	tokens, addresses, err := p.authors(ctx, all)
	if err != nil {
		return err
	}
	rows := make([][]any, len(all))
	for i, r := range all {
		who, ok := tokens[r.Token]
		if !ok || r.Token == "" {
			who = addresses[addressKey(r.From)]
		}
		rows[i] = []any{
			p.k.scope.Organisation(), storage.NewID(p.now), string(p.k.gateway.Medium), p.k.gateway.ID, nullText(r.PeerID), r.From, r.Text, r.Token,
			storage.Micros(r.At), storage.Micros(p.now), storage.NullID(who.campaign), storage.NullID(who.subject), false,
		}
	}
	return p.tx.InsertNewRows(ctx, "dispatch_replies", []string{
		"organisation_id", "id", "medium", "gateway_id", "peer_id", "sender", "body", "token",
		"at_us", "received_us", "campaign_id", "subject_id", "relayed",
	}, rows)
}

// addressKey makes "+33612345678" and "33612345678" the same sender, and a mailbox the
// same whatever its capitals.
func addressKey(from string) string {
	key := strings.ToLower(from)
	if key != "" && strings.Trim(key, "0123456789") == "" {
		return "+" + key
	}
	return key
}

// authors looks the replies up by their tokens, and by the newest delivery
// sent to their addresses.
func (p *pen) authors(ctx context.Context, all []channels.Reply) (tokens, addresses map[string]author, err error) {
	var askTokens, askAddresses []string
	for _, r := range all {
		if r.Token != "" {
			askTokens = append(askTokens, r.Token)
		}
		if r.From != "" {
			askAddresses = append(askAddresses, addressKey(r.From))
		}
	}
	tokens, err = p.lookUp(ctx, `token`, `token <> '' AND medium <> 'sms'`, askTokens)
	if err != nil {
		return nil, nil, err
	}
	addresses, err = p.lookUp(ctx, `lower(address)`, `accepted_us IS NOT NULL`, askAddresses)
	return tokens, addresses, err
}

func (p *pen) lookUp(ctx context.Context, key, where string, values []string) (map[string]author, error) {
	found := make(map[string]author)
	err := eachChunk(values, func(part []string) error {
		return p.tx.Query(ctx, `SELECT `+key+`, campaign_id, subject_id, accepted_us FROM dispatch_deliveries
			WHERE `+key+` IN (`+storage.In(len(part), 2)+`) AND organisation_id = $1 AND `+where,
			storage.Args(part, p.k.scope.Organisation()), func(row func(...any) error) error {
				var k string
				var a author
				var sent sql.NullInt64
				if err := row(&k, &a.campaign, &a.subject, &sent); err != nil {
					return err
				}
				a.sentUs = sent.Int64
				if old, ok := found[k]; !ok || a.sentUs >= old.sentUs {
					found[k] = a
				}
				return nil
			})
	})
	return found, err
}
