package alerting

import (
	"context"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting/reply"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// answersAcknowledged bounds what two machines that answer each other can send.
const answersAcknowledged = 8

// intake records the answers of one transaction. What many answers share is
// read once, and what each one changes is written together by flush.
type intake struct {
	s     *Service
	tx    *storage.Tx
	scope access.Scope
	now   time.Time

	desks    map[uuid.UUID]*desk
	people   map[uuid.UUID]*person
	orders   []dispatch.Order
	contacts []directory.ContactEvent
}

// desk is one alert as the intake sees it.
type desk struct {
	launch Launch
	plan   *plan
	shelf  *shelf
	sites  map[int]uuid.UUID
	tally  tally
	// served are those whose answer counts now: what still waits for them is taken back.
	served []uuid.UUID
	// comers said now that they come: they get a recall order, and words that lead to it.
	comers []uuid.UUID
	words  map[contentKey]composed
}

func (s *Service) intake(tx *storage.Tx, scope access.Scope, now time.Time) *intake {
	return &intake{s: s, tx: tx, scope: scope, now: now, desks: map[uuid.UUID]*desk{}, people: map[uuid.UUID]*person{}}
}

func (in *intake) desk(ctx context.Context, launch uuid.UUID) (*desk, error) {
	if d := in.desks[launch]; d != nil {
		return d, nil
	}
	l, err := readLaunch(ctx, in.tx, in.scope, launch)
	if err != nil {
		return nil, err
	}
	p, err := in.s.planOf(ctx, in.tx, in.scope, l)
	if err != nil {
		return nil, err
	}
	sites, err := sitesOf(ctx, in.tx, in.scope, launch)
	in.desks[launch] = &desk{launch: l, plan: p, shelf: newShelf(p, launch), sites: sites, tally: tally{}}
	return in.desks[launch], err
}

// lock reads and locks recipients, in the order in which every transaction
// locks them: two that meet wait, and never for each other.
func (in *intake) lock(ctx context.Context, list []uuid.UUID) (err error) {
	in.people, err = peopleByID(ctx, in.tx, in.scope, list, lockInOrder)
	return err
}

// person reads and locks one recipient; nil when no alert of ours has him.
func (in *intake) person(ctx context.Context, id uuid.UUID) (*person, error) {
	if err := in.lock(ctx, []uuid.UUID{id}); err != nil {
		return nil, err
	}
	return in.people[id], nil
}

// flush writes what the answers changed.
func (in *intake) flush(ctx context.Context) error {
	people := slices.SortedFunc(maps.Values(in.people), func(a, b *person) int { return compareIDs(a.ID, b.ID) })
	if err := savePeople(ctx, in.tx, in.scope, people); err != nil {
		return err
	}
	alerts := slices.SortedFunc(maps.Keys(in.desks), compareIDs)
	for _, id := range alerts {
		if err := in.s.spare(ctx, in.tx, in.scope, in.now, id, in.desks[id].served); err != nil {
			return err
		}
	}
	for _, id := range alerts {
		if err := in.issue(ctx, in.desks[id]); err != nil {
			return err
		}
		if err := in.writeWords(ctx, in.desks[id]); err != nil {
			return err
		}
	}
	// Orders before figures, as everywhere: see batch.write.
	if len(in.orders) > 0 {
		slices.SortStableFunc(in.orders, func(a, b dispatch.Order) int { return compareIDs(a.Campaign, b.Campaign) })
		if _, err := in.s.dispatch.Enqueue(ctx, in.tx, in.scope, in.now, in.orders); err != nil {
			return err
		}
	}
	for _, id := range alerts {
		if err := in.desks[id].tally.write(ctx, in.tx, in.scope, id); err != nil {
			return err
		}
	}
	if len(in.contacts) == 0 {
		return nil
	}
	// What an answer teaches about an address is the program's own knowledge, whoever wrote or attached it.
	return in.s.people.Record(ctx, in.tx, inside(in.scope), in.now, in.contacts)
}

// spare takes back at once the calls that still wait to leave for people who
// need none any more. What a gateway holds already goes its way.
func (s *Service) spare(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, people []uuid.UUID) error {
	if len(people) == 0 {
		return nil
	}
	_, err := s.dispatch.Withdraw(ctx, tx, scope, now, launch, dispatch.Selection{Subjects: people, Purposes: callPurposes()})
	return err
}

// take records an answer and writes it.
func (in *intake) take(ctx context.Context, p *person, g given) error {
	d, err := in.desk(ctx, p.Launch)
	if err != nil {
		return err
	}
	if err := in.answer(ctx, d, p, g); err != nil {
		return err
	}
	return in.flush(ctx)
}

// answer records an answer, lets it count if it is the last that says
// something, and acknowledges it.
func (in *intake) answer(ctx context.Context, d *desk, p *person, g given) error {
	g.Late = d.launch.State != Running
	before, err := in.count(ctx, p.ID)
	if err != nil {
		return err
	}
	if err := in.insert(ctx, d.launch.ID, p.ID, g); err != nil {
		return err
	}
	if r := p.answeredFrom(g); r.Address != "" && !g.Stop {
		in.contacts = append(in.contacts, directory.ContactEvent{Address: r.Address, Medium: string(r.Medium), Kind: directory.EventAnswered, At: g.At})
	}
	use := UseAck
	switch {
	case g.Stop:
		return in.stopped(ctx, d, p, g)
	case g.Late:
		use = UseLate
		d.tally.add("late", 1)
	case g.Meaning == "":
		use = d.unread(p, g)
	case g.At.Before(p.AnsweredAt):
		// An older answer that travelled longer: kept, it does not undo the newer one.
	default:
		if err := in.counts(ctx, d, p, g); err != nil {
			return err
		}
	}
	if use != "" && d.launch.State != Killed && before < answersAcknowledged {
		return in.acknowledge(ctx, d, p, g, use)
	}
	return nil
}

// answeredFrom is the address an answer proves. That of a link proves one only
// when the link went to no other.
func (p *person) answeredFrom(g given) rung {
	if g.Source == ByLink && bits.OnesCount64(p.Tried) == 1 && p.Rung < len(p.Rungs) {
		return p.Rungs[p.Rung]
	}
	return rung{g.Medium, g.Address}
}

// counts makes an answer the one that counts.
func (in *intake) counts(ctx context.Context, d *desk, p *person, g given) error {
	t, launched := d.tally, d.launch.LaunchedAt
	t.meaning(p.Meaning, g.Meaning)
	if p.Meaning == "" {
		t.add("answered", 1)
		t.curve("answered", launched, g.At, 1)
	}
	if was, is := p.Meaning.comes(), g.Meaning.comes(); was != is {
		change := 1
		if was {
			change = -1
		}
		t.curve("coming", launched, g.At, change)
	}
	p.Meaning, p.Minutes, p.AnsweredAt, p.Due, p.ETA = g.Meaning, g.Minutes, g.At, time.Time{}, time.Time{}
	switch {
	case g.Meaning == OnSite:
		p.ETA = g.At
	case g.Meaning == Coming && g.Minutes >= 0:
		p.ETA = g.At.Add(time.Duration(g.Minutes) * time.Minute)
	case g.Meaning == Coming:
		p.ETA = g.At.Add(assumedDelay)
	}
	if g.Meaning == Coming {
		p.ETA = d.plan.countsAt(p.Wave, p.ETA, true)
	}
	after := p.standing()
	t.state(p.State, after)
	p.State = after
	d.served = append(d.served, p.ID)
	if in.recalls(d, g) {
		d.comers = append(d.comers, p.ID)
	}
	return in.s.placeInQuota(ctx, in.tx, in.scope, d.launch, d.plan, p, d.sites[p.Unit], in.now)
}

// comes tells a meaning that fills a post.
func (m Meaning) comes() bool { return m == Coming || m == OnSite }

// unread marks an answer nobody could read; its sender is told once how to answer.
func (d *desk) unread(p *person, g given) Use {
	if p.Marks&markUnread == 0 {
		p.Marks |= markUnread
		d.tally.add("unread", 1)
	}
	if g.Source == ByHand || p.Marks&markHelped != 0 {
		return ""
	}
	p.Marks |= markHelped
	return UseReminder
}

// stopped handles a STOP: the operator may block the number from now on, so
// that the person must be reached another way, at once if he said nothing yet.
func (in *intake) stopped(ctx context.Context, d *desk, p *person, g given) error {
	in.contacts = append(in.contacts, directory.ContactEvent{Address: g.Address, Medium: string(g.Medium), Kind: directory.EventStopped, At: g.At})
	if p.Marks&markStopped == 0 {
		p.Marks |= markStopped
		d.tally.add("stopped", 1)
		if err := in.s.event(ctx, in.tx, in.scope, in.now, d.launch.ID, Event{Kind: EventStop, Text: p.First + " " + p.Last, People: 1}); err != nil {
			return err
		}
	}
	if d.launch.State != Running || !p.silent() || p.Rung >= len(p.Rungs) || p.Rungs[p.Rung].Medium != g.Medium {
		return nil
	}
	p.Due = in.now
	return in.loseCurrent(ctx, d.launch.ID, p, g)
}

// loseCurrent treats the current message as failed: it went to the address that stopped.
func (in *intake) loseCurrent(ctx context.Context, launch uuid.UUID, p *person, g given) error {
	all, err := currentAttempts(ctx, in.tx, in.scope, []person{*p})
	if err != nil {
		return err
	}
	a := all[p.Current]
	if a == nil {
		a = &attempt{ID: p.Current, Recipient: p.ID, Medium: g.Medium, Purpose: UseAlert, Address: g.Address}
	} else {
		a.known = true
	}
	a.State, a.Reason, a.Failed, a.changed = AttemptFailed, channels.ReasonBlocked, g.At, true
	return saveAttempts(ctx, in.tx, in.scope, launch, map[uuid.UUID]*attempt{a.ID: a})
}

// ackWave sets acknowledgements apart from the waves; see acknowledge.
const ackWave = 100 * roundStep

// acknowledge answers an answer on the medium it came by, or by a quieter one when
// it came by a call. The id of the order
// follows from the answer's: one answer is acknowledged once. So does its wave,
// because dispatch merges the same words to the same address within a wave.
func (in *intake) acknowledge(ctx context.Context, d *desk, p *person, g given, use Use) error {
	to := p.quiet(rung{g.Medium, g.Address})
	if to.Address == "" || to.Medium == channels.Voice { // the call itself said that it was noted
		return nil
	}
	id := uuid.NewSHA1(g.ID, []byte("ack"))
	a := addressee{ID: p.ID, Wave: ackWave + int(id.ID()%1_000_000), Language: p.Language, Code: p.Code, Site: d.sites[p.Unit]}
	o, ok := in.s.order(d.shelf, id, a, to, use, in.now)
	if !ok {
		return nil
	}
	o.Purpose = string(UseAck)
	if use == UseAck && p.Meaning == Coming && in.recalls(d, g) {
		if err := in.withRecall(ctx, d, &o, a, to.Medium); err != nil {
			return err
		}
	}
	in.orders = append(in.orders, o)
	return nil
}

func (in *intake) count(ctx context.Context, recipient uuid.UUID) (n int, err error) {
	_, err = in.tx.Row(ctx, `SELECT COUNT(*) FROM alerting_answers WHERE organisation_id = $1 AND recipient_id = $2`, []any{in.scope.Organisation(), recipient}, &n)
	return n, err
}

func (in *intake) insert(ctx context.Context, launch, recipient uuid.UUID, g given) error {
	if g.Stop {
		g.Meaning = meaningStop
	}
	_, err := in.tx.Exec(ctx, `INSERT INTO alerting_answers (organisation_id, id, launch_id, recipient_id, at_us, source, meaning, minutes, body, noted_by, late, received_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, in.scope.Organisation(), g.ID, launch, recipient, storage.Micros(g.At), string(g.Source),
		string(g.Meaning), g.Minutes, g.Text, g.By, g.Late, storage.NullMicros(g.Received))
	return err
}

func (in *intake) keepUnmatched(ctx context.Context, r dispatch.Reply) error {
	at := r.At
	if at.IsZero() || at.After(in.now) {
		at = in.now
	}
	parsed := reply.Parse(r.Text)
	meaning := meaningOf(parsed.Kind)
	if parsed.Kind == reply.Stop {
		meaning = meaningStop
	}
	return in.tx.InsertNewRows(ctx, "alerting_unmatched", []string{"organisation_id", "id", "at_us", "medium", "sender", "body", "meaning", "minutes"},
		[][]any{{in.scope.Organisation(), r.ID, storage.Micros(at), string(r.Medium), r.From, shortened(r.Text), string(meaning), parsed.Minutes}})
}
