package dispatch

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// judge decides what becomes of each new order: sent, merged with another, or
// held back by a runaway limit.
type judge struct {
	perSubject map[uuid.UUID]int
	carried    map[carriage]bool
}

// carriage is what makes two deliveries the same message on the same road.
type carriage struct {
	address string
	content uuid.UUID
	purpose string
	wave    int
}

func carriageOf(o *Order) carriage {
	return carriage{strings.ToLower(o.Address), o.Content, o.Purpose, o.Wave}
}

func newJudge() *judge {
	return &judge{perSubject: make(map[uuid.UUID]int), carried: make(map[carriage]bool)}
}

func (in *intake) judge(ctx context.Context, orders []*Order) (*judge, error) {
	j := newJudge()
	if in.total == 0 || len(orders) == 0 {
		return j, nil // a first wave has nothing to be compared with
	}
	if err := in.countSubjects(ctx, j, orders); err != nil {
		return nil, err
	}
	return j, in.readCarried(ctx, j, orders)
}

func (in *intake) countSubjects(ctx context.Context, j *judge, orders []*Order) error {
	if in.limits.MaxPerSubject <= 0 {
		return nil
	}
	subjects := make([]uuid.UUID, len(orders))
	for i, o := range orders {
		subjects[i] = o.Subject
	}
	return eachChunk(subjects, func(part []uuid.UUID) error {
		return in.tx.Query(ctx, `SELECT subject_id, COUNT(*) FROM dispatch_deliveries WHERE campaign_id = $1 AND subject_id IN (`+storage.In(len(part), 3)+`)
			AND organisation_id = $2 AND state IN ('queued', 'accepted', 'delivered', 'failed') GROUP BY subject_id`,
			storage.Args(part, in.limits.ID, in.scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				var n int
				if err := row(&id, &n); err != nil {
					return err
				}
				j.perSubject[id] = n
				return nil
			})
	})
}

func (in *intake) readCarried(ctx context.Context, j *judge, orders []*Order) error {
	addresses := make([]string, len(orders))
	for i, o := range orders {
		addresses[i] = strings.ToLower(o.Address)
	}
	return eachChunk(addresses, func(part []string) error {
		return in.tx.Query(ctx, `SELECT lower(d.address), l.content_id, l.purpose, l.wave FROM dispatch_deliveries d
			JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
			WHERE lower(d.address) IN (`+storage.In(len(part), 3)+`) AND d.organisation_id = $1 AND d.campaign_id = $2
			AND d.state IN ('queued', 'accepted', 'delivered')`,
			storage.Args(part, in.scope.Organisation(), in.limits.ID), func(row func(...any) error) error {
				var c carriage
				if err := row(&c.address, &c.content, &c.purpose, &c.wave); err != nil {
					return err
				}
				j.carried[c] = true
				return nil
			})
	})
}

// state gives the fate of the next order and remembers it.
func (in *intake) state(j *judge, o *Order, accepted int) State {
	c := carriageOf(o)
	switch {
	case in.stopped:
		return Withdrawn
	case j.carried[c]:
		return Merged
	case in.limits.MaxTotal > 0 && in.total+accepted >= in.limits.MaxTotal:
		return Guarded
	case in.limits.MaxPerSubject > 0 && j.perSubject[o.Subject] >= in.limits.MaxPerSubject:
		return Guarded
	}
	j.carried[c] = true
	if in.limits.MaxPerSubject > 0 {
		j.perSubject[o.Subject]++
	}
	return Queued
}

// lotSize is how many deliveries are claimed by one row. A larger lot makes
// fewer rows, a smaller one fewer possible doubles after a crash.
const lotSize = 64

// lotSizeOf is lotSize, or less for a medium of which few leave at once: all that a
// node claims waits for that node's own lines.
func lotSizeOf(m channels.Medium) int {
	if m == channels.Voice || m == channels.Pager {
		return 4
	}
	return lotSize
}

// description is what the deliveries of a lot share.
type description struct {
	content             uuid.UUID
	medium              channels.Medium
	purpose, route      string
	wave, priority      int
	dueUs, expiresUs    int64
	expires, quiet, due bool
}

func (in *intake) describe(o *Order, s State) description {
	d := description{
		content: o.Content, medium: o.Medium, purpose: o.Purpose, route: routeOf(o.Medium, o.Address), wave: o.Wave, priority: o.Priority, quiet: o.Quiet,
		dueUs: storage.Micros(in.now), due: s == Queued,
	}
	if o.NotBefore.After(in.now) {
		d.dueUs = storage.Micros(o.NotBefore)
	}
	if !o.ExpiresAt.IsZero() {
		d.expires, d.expiresUs = true, storage.Micros(o.ExpiresAt)
	}
	return d
}

// openLot is the lot being filled for a description.
type openLot struct {
	id  uuid.UUID
	n   int
	row []any
}

// rowsAtOnce bounds what is copied at once for the driver: the rows of a
// hundred thousand orders would weigh as much as the orders.
const rowsAtOnce = 512

// lotWriter puts every order in a lot and writes the rows.
type lotWriter struct {
	in       *intake
	judge    *judge
	open     map[description]*openLot
	values   []any
	rows     [][]any
	lots     [][]any
	accepted int
}

func (in *intake) writer(j *judge) *lotWriter {
	return &lotWriter{in: in, judge: j, open: make(map[description]*openLot)}
}

func (w *lotWriter) add(ctx context.Context, o *Order) error {
	s := w.in.state(w.judge, o, w.accepted)
	if s == Queued {
		w.accepted++
	}
	d := w.in.describe(o, s)
	lot := w.open[d]
	if lot == nil || lot.n == lotSizeOf(o.Medium) {
		lot = &openLot{id: storage.NewID(w.in.now)}
		lot.row = w.in.lotRow(d, lot.id)
		w.open[d] = lot
		w.lots = append(w.lots, lot.row)
	}
	lot.n++
	if d.due {
		lot.row[lotRemaining] = lot.n
	}
	w.in.said.count(w.in.limits.ID, o.Medium, string(s), 1)
	w.in.tellFate(o, s)
	at := len(w.values)
	w.values = append(w.values, w.in.scope.Organisation(), o.ID, lot.id, w.in.limits.ID, o.Subject, string(o.Medium), o.Address, o.Link, o.Token, string(s))
	w.rows = append(w.rows, w.values[at:len(w.values):len(w.values)])
	if len(w.rows) < rowsAtOnce {
		return nil
	}
	return w.flush(ctx)
}

func (w *lotWriter) flush(ctx context.Context) error {
	err := w.in.tx.InsertRows(ctx, "dispatch_deliveries", deliveryColumns(), w.rows)
	w.rows, w.values = w.rows[:0], w.values[:0]
	return err
}

// end writes what is left, the lots and the campaign's total.
func (w *lotWriter) end(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.in.tx.InsertRows(ctx, "dispatch_lots", lotColumns(), w.lots); err != nil {
		return err
	}
	_, err := w.in.tx.Exec(ctx, `UPDATE dispatch_campaigns SET total = total + $3 WHERE organisation_id = $1 AND id = $2`,
		w.in.scope.Organisation(), w.in.limits.ID, w.accepted)
	return err
}

func (in *intake) tellFate(o *Order, s State) {
	kind := map[State]FactKind{Guarded: FactGuarded, Merged: FactMerged, Withdrawn: FactWithdrawn}[s]
	if kind == "" {
		return
	}
	in.said.tell(Fact{
		Campaign: in.limits.ID, Subject: o.Subject, Delivery: o.ID, Medium: o.Medium, Address: o.Address,
		Kind: kind, Purpose: o.Purpose, Wave: o.Wave, At: in.now,
	})
}

func deliveryColumns() []string {
	return []string{"organisation_id", "id", "lot_id", "campaign_id", "subject_id", "medium", "address", "link", "token", "state"}
}

// lotRemaining is the place of "remaining" in lotColumns.
const lotRemaining = 12

func lotColumns() []string {
	return []string{
		"organisation_id", "id", "campaign_id", "content_id", "medium", "purpose", "wave", "priority", "quiet",
		"queued_us", "due_us", "expires_us", "remaining", "pending", "withdrawn", "route",
	}
}

func (in *intake) lotRow(d description, id uuid.UUID) []any {
	var expires any
	if d.expires {
		expires = d.expiresUs
	}
	return []any{
		in.scope.Organisation(), id, in.limits.ID, d.content, string(d.medium), d.purpose, d.wave, d.priority, d.quiet,
		storage.Micros(in.now), d.dueUs, expires, 0, d.due, false, d.route,
	}
}
