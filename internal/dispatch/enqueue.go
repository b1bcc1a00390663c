package dispatch

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// OpenCampaign declares a campaign; opening it again changes nothing. The
// ordering room has checked that the actor may.
func (d *Dispatch) OpenCampaign(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, c Campaign) error {
	if c.ID == uuid.Nil {
		return fault.New(fault.Invalid, "dispatch.campaign.unknown")
	}
	return tx.InsertNewRows(ctx, "dispatch_campaigns",
		[]string{"organisation_id", "id", "mode", "max_per_subject", "max_total", "total", "opened_us", "ceiling_micros", "ceiling_stops"},
		[][]any{{scope.Organisation(), c.ID, c.Mode, c.MaxPerSubject, c.MaxTotal, 0, storage.Micros(now), c.Ceiling, c.CeilingStops && c.Ceiling > 0}})
}

// AddContents adds texts to a campaign; a content whose id exists is left as it is.
func (d *Dispatch) AddContents(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID, contents []Content) error {
	rows := make([][]any, 0, len(contents))
	for _, c := range contents {
		if c.ID == uuid.Nil || c.Text == "" || c.Medium == "" {
			return fault.New(fault.Invalid, "dispatch.content.empty")
		}
		answers, err := encodeAnswers(c.Answers)
		if err != nil {
			return err
		}
		recording, err := encodeRecording(c.Recording)
		if err != nil {
			return err
		}
		reserved, err := encodeReserved(c.Reserved)
		if err != nil {
			return err
		}
		rows = append(rows, []any{scope.Organisation(), c.ID, campaign, string(c.Medium), c.Language, c.Subject, c.Text, c.Linkless, answers, recording, reserved})
	}
	return tx.InsertNewRows(ctx, "dispatch_contents",
		[]string{"organisation_id", "id", "campaign_id", "medium", "language", "subject", "body", "linkless", "answers", "recording", "reserved"}, rows)
}

// encodeAnswers writes the answers of a content; no text for none.
func encodeAnswers(list []channels.Answer) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode answers: %w", err)
	}
	return string(b), nil
}

func decodeAnswers(text string) (list []channels.Answer, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return list, nil
}

// Enqueue accepts orders in the caller's transaction: they leave once it is
// committed and Wake is called (or at the next look). accepted counts what
// will be sent. An id known already is left as it is; an order over a limit or
// twice for the same address is kept, not sent, and told as a fact. Errors:
// NotFound for an unknown campaign, Invalid for an order that cannot be sent.
func (d *Dispatch) Enqueue(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, orders []Order) (accepted int, err error) {
	said := newScribe()
	for _, group := range byCampaign(orders) {
		in := intake{tx: tx, scope: scope, now: now, said: said}
		n, err := in.take(ctx, group)
		if err != nil {
			return 0, err
		}
		accepted += n
	}
	return accepted, said.write(ctx, tx, scope, now, d.node)
}

func byCampaign(orders []Order) [][]Order {
	var out [][]Order
	for start := 0; start < len(orders); {
		end := start + 1
		for end < len(orders) && orders[end].Campaign == orders[start].Campaign {
			end++
		}
		out = append(out, orders[start:end])
		start = end
	}
	return out
}

// EnqueueFirst is Enqueue for the first orders of a campaign opened in this
// transaction, as many as an establishment has people: they are read one by
// one, in the order of their ids, and compared with each other only.
func (d *Dispatch) EnqueueFirst(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID, orders iter.Seq[Order]) (accepted int, err error) {
	in := intake{tx: tx, scope: scope, now: now, said: newScribe()}
	if err := in.lockCampaign(ctx, campaign); err != nil {
		return 0, err
	}
	media, err := in.media(ctx)
	if err != nil {
		return 0, err
	}
	w := in.writer(newJudge())
	last := uuid.Nil
	for o := range orders {
		if err := check(&o); err != nil {
			return 0, err
		}
		if o.Campaign != campaign || media[o.Content] != o.Medium {
			return 0, fault.New(fault.Invalid, "dispatch.content.unknown")
		}
		if bytes.Compare(o.ID[:], last[:]) <= 0 {
			return 0, fmt.Errorf("dispatch: order %s does not follow %s", o.ID, last)
		}
		last = o.ID
		if err := w.add(ctx, &o); err != nil {
			return 0, err
		}
	}
	if err := w.end(ctx); err != nil {
		return 0, err
	}
	return w.accepted, in.said.write(ctx, tx, scope, now, d.node)
}

// media are those of the campaign's contents.
func (in *intake) media(ctx context.Context) (map[uuid.UUID]channels.Medium, error) {
	out := make(map[uuid.UUID]channels.Medium)
	err := in.tx.Query(ctx, `SELECT id, medium FROM dispatch_contents WHERE organisation_id = $1 AND campaign_id = $2`,
		[]any{in.scope.Organisation(), in.limits.ID}, func(row func(...any) error) error {
			var id uuid.UUID
			var m channels.Medium
			err := row(&id, &m)
			out[id] = m
			return err
		})
	return out, err
}

// intake is one Enqueue for one campaign.
type intake struct {
	tx    *storage.Tx
	scope access.Scope
	now   time.Time
	said  *scribe

	limits  Campaign
	total   int
	stopped bool
}

func (in *intake) take(ctx context.Context, orders []Order) (int, error) {
	if err := in.lockCampaign(ctx, orders[0].Campaign); err != nil {
		return 0, err
	}
	for i := range orders {
		if err := check(&orders[i]); err != nil {
			return 0, err
		}
	}
	if err := in.checkContents(ctx, orders); err != nil {
		return 0, err
	}
	fresh, err := in.unknown(ctx, orders)
	if err != nil {
		return 0, err
	}
	j, err := in.judge(ctx, fresh)
	if err != nil {
		return 0, err
	}
	w := in.writer(j)
	for _, o := range fresh {
		if err := w.add(ctx, o); err != nil {
			return 0, err
		}
	}
	return w.accepted, w.end(ctx)
}

// lockCampaign reads the limits and makes other intakes of the campaign wait,
// so that two of them cannot both take the last place.
func (in *intake) lockCampaign(ctx context.Context, id uuid.UUID) error {
	var stopped sql.NullInt64
	in.limits.ID = id
	found, err := in.tx.Row(ctx, `UPDATE dispatch_campaigns SET total = total WHERE organisation_id = $1 AND id = $2
		RETURNING max_per_subject, max_total, total, stopped_us`, []any{in.scope.Organisation(), id},
		&in.limits.MaxPerSubject, &in.limits.MaxTotal, &in.total, &stopped)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "dispatch.campaign.unknown")
	}
	in.stopped = stopped.Valid
	return nil
}

func check(o *Order) error {
	switch {
	case o.ID == uuid.Nil, o.Subject == uuid.Nil, o.Medium == "":
		return fault.New(fault.Invalid, "dispatch.order.incomplete")
	case o.Address == "", len(o.Address) > 320, !utf8.ValidString(o.Address), strings.ContainsRune(o.Address, 0):
		return fault.New(fault.Invalid, "dispatch.order.address")
	}
	return nil
}

func (in *intake) checkContents(ctx context.Context, orders []Order) error {
	media := make(map[uuid.UUID]channels.Medium)
	var ids []uuid.UUID
	for _, o := range orders {
		if _, seen := media[o.Content]; !seen {
			media[o.Content] = ""
			ids = append(ids, o.Content)
		}
	}
	err := eachChunk(ids, func(part []uuid.UUID) error {
		return in.tx.Query(ctx, `SELECT id, medium FROM dispatch_contents WHERE organisation_id = $1 AND campaign_id = $2 AND id IN (`+storage.In(len(part), 3)+`)`,
			storage.Args(part, in.scope.Organisation(), in.limits.ID), func(row func(...any) error) error {
				var id uuid.UUID
				var m channels.Medium
				if err := row(&id, &m); err != nil {
					return err
				}
				media[id] = m
				return nil
			})
	})
	if err != nil {
		return err
	}
	for _, o := range orders {
		if media[o.Content] != o.Medium {
			return fault.New(fault.Invalid, "dispatch.content.unknown")
		}
	}
	return nil
}

// unknown drops the orders whose id exists, here or in the list.
func (in *intake) unknown(ctx context.Context, orders []Order) ([]*Order, error) {
	seen := make(map[uuid.UUID]bool, len(orders))
	ids := make([]uuid.UUID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	err := eachChunk(ids, func(part []uuid.UUID) error {
		return in.tx.Query(ctx, `SELECT id FROM dispatch_deliveries WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 2)+`)`,
			storage.Args(part, in.scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				if err := row(&id); err != nil {
					return err
				}
				seen[id] = true
				return nil
			})
	})
	if err != nil {
		return nil, err
	}
	out := make([]*Order, 0, len(orders))
	for i := range orders {
		if !seen[orders[i].ID] {
			seen[orders[i].ID] = true
			out = append(out, &orders[i])
		}
	}
	return out, nil
}
