package alerting

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting/reply"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// meaningStop is kept in the list of answers when somebody wrote STOP. It is no
// Option: nobody proposes it.
const meaningStop Meaning = "stop"

// answersAcknowledged bounds what two machines that answer each other can send.
const answersAcknowledged = 8

// given is one answer on its way in.
type given struct {
	Answer
	// Medium and Address are where it came from and where its acknowledgement goes; empty for a link or a call.
	Medium  channels.Medium
	Address string
	Stop    bool
}

// repliesPerWrite keeps the transactions short: an answer touches several rows.
const repliesPerWrite = 50

// Replies hears from dispatch what people sent back. Like Facts it is repeated
// until it succeeds: a reply is known by its id and counts once.
func (s *Service) Replies(ctx context.Context, scope access.Scope, now time.Time, replies []dispatch.Reply) error {
	touched := map[uuid.UUID]bool{}
	for part := range slices.Chunk(replies, repliesPerWrite) {
		err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
			for _, r := range part {
				launch, err := s.takeReply(ctx, tx, scope, now, r)
				if err != nil {
					return err
				}
				touched[launch] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for id := range touched {
		s.announced(Topic(id))
	}
	s.nudge()
	s.dispatch.Wake()
	return nil
}

func (s *Service) takeReply(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, r dispatch.Reply) (uuid.UUID, error) {
	known, err := tx.Row(ctx, `SELECT 1 FROM alerting_answers WHERE organisation_id = $1 AND id = $2
		UNION ALL SELECT 1 FROM alerting_unmatched WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), r.ID}, new(int))
	if err != nil || known {
		return r.Campaign, err
	}
	if r.Subject == uuid.Nil {
		return uuid.Nil, s.keepUnmatched(ctx, tx, scope, now, r)
	}
	people, err := peopleByID(ctx, tx, scope, []uuid.UUID{r.Subject}, "{{for_update}}")
	if err != nil || len(people) == 0 {
		return uuid.Nil, err // another room's
	}
	p := people[r.Subject]
	l, err := readLaunch(ctx, tx, scope, p.Launch)
	if err != nil {
		return uuid.Nil, err
	}
	pl, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return uuid.Nil, err
	}
	return l.ID, s.answered(ctx, tx, scope, now, l, pl, p, pl.read(r, now))
}

// read gives the meaning of a reply in the words of the scenario: a digit means
// what its option says, whatever the parser would guess.
func (p *plan) read(r dispatch.Reply, now time.Time) given {
	at := r.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	parsed := reply.ParseAt(r.Text, at, p.Setting.location())
	g := given{Answer: Answer{ID: r.ID, At: at, Source: sourceOf(r.Medium), Meaning: meaningOf(parsed.Kind), Minutes: parsed.Minutes, Text: shortened(r.Text)},
		Medium: r.Medium, Address: r.From, Stop: parsed.Kind == reply.Stop}
	for _, o := range p.Definition.Answers {
		if parsed.Key == "" || o.Key != parsed.Key {
			continue
		}
		g.Meaning = o.Meaning
		if g.Minutes < 0 && len(o.Delays) == 1 {
			g.Minutes = o.Delays[0]
		}
	}
	return g
}

func meaningOf(k reply.Kind) Meaning {
	switch k {
	case reply.Coming:
		return Coming
	case reply.OnSite:
		return OnSite
	case reply.Unavailable:
		return Unavailable
	case reply.CallMe:
		return CallMe
	}
	return ""
}

func sourceOf(m channels.Medium) Source {
	if m == channels.Email {
		return ByEmail
	}
	return BySMS
}

// shortened keeps the first 500 characters of what was written: enough to understand it.
func shortened(text string) string {
	text = strings.ToValidUTF8(strings.TrimSpace(strings.ReplaceAll(text, "\x00", "")), "")
	if runes := []rune(text); len(runes) > 500 {
		return string(runes[:500]) + "…"
	}
	return text
}

// answered records an answer, lets it count if it is the last that says
// something, and acknowledges it. p is locked by the caller.
func (s *Service) answered(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, pl *plan, p *person, g given) error {
	g.Late = l.State != Running
	before, err := countAnswers(ctx, tx, scope, p.ID)
	if err != nil {
		return err
	}
	if err := insertAnswer(ctx, tx, scope, l.ID, p.ID, g); err != nil {
		return err
	}
	t := tally{}
	use := UseAck
	switch {
	case g.Stop:
		use = ""
		err = s.stopped(ctx, tx, scope, now, l, p, g, t)
	case g.Late:
		use = UseLate
		t.add("late", 1)
	case g.Meaning == "":
		use = s.unread(p, g, t)
	case g.At.Before(p.AnsweredAt):
		// An older answer that travelled longer: kept, it does not undo the newer one.
	default:
		err = s.counts(ctx, tx, scope, now, l, pl, p, g, t)
	}
	if err != nil {
		return err
	}
	if err := savePeople(ctx, tx, scope, []*person{p}); err != nil {
		return err
	}
	if err := t.write(ctx, tx, scope, l.ID); err != nil {
		return err
	}
	if g.Address != "" && !g.Stop {
		if err := s.people.Record(ctx, tx, scope, now, []directory.ContactEvent{{Address: g.Address, Medium: string(g.Medium), Kind: directory.EventAnswered, At: g.At}}); err != nil {
			return err
		}
	}
	if use == "" || l.State == Killed || before >= answersAcknowledged {
		return nil
	}
	return s.acknowledge(ctx, tx, scope, now, l, pl, p, g, use)
}

// counts makes an answer the one that counts.
func (s *Service) counts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, pl *plan, p *person, g given, t tally) error {
	t.meaning(p.Meaning, g.Meaning)
	if p.Meaning == "" {
		t.add("answered", 1)
		t.curve("answered", l.LaunchedAt, g.At, 1)
	}
	if was, is := p.Meaning == Coming || p.Meaning == OnSite, g.Meaning == Coming || g.Meaning == OnSite; was != is {
		change := 1
		if was {
			change = -1
		}
		t.curve("coming", l.LaunchedAt, g.At, change)
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
	if after := p.standing(); after != p.State {
		t.state(p.State, after)
		p.State = after
	}
	sites, err := sitesOf(ctx, tx, scope, l.ID)
	if err != nil {
		return err
	}
	return s.placeInQuota(ctx, tx, scope, l, pl, p, sites[p.Unit], now)
}

// unread marks an answer nobody could read; its sender is told once how to answer.
func (s *Service) unread(p *person, g given, t tally) Use {
	if p.Marks&markUnread == 0 {
		p.Marks |= markUnread
		t.add("unread", 1)
	}
	if g.Source == ByHand || p.Marks&markHelped != 0 {
		return ""
	}
	p.Marks |= markHelped
	return UseReminder
}

// stopped handles a STOP: the operator may block the number from now on, so
// that the person must be reached another way, at once if he said nothing yet.
func (s *Service) stopped(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, p *person, g given, t tally) error {
	if p.Marks&markStopped == 0 {
		p.Marks |= markStopped
		t.add("stopped", 1)
		if err := s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventStop, Text: p.First + " " + p.Last, People: 1}); err != nil {
			return err
		}
	}
	if l.State == Running && p.silent() {
		if err := s.loseCurrent(ctx, tx, scope, now, l.ID, p, g); err != nil {
			return err
		}
	}
	return s.people.Record(ctx, tx, scope, now, []directory.ContactEvent{{Address: g.Address, Medium: string(g.Medium), Kind: directory.EventStopped, At: g.At}})
}

// loseCurrent treats the current message as failed when it went to the address that stopped.
func (s *Service) loseCurrent(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, p *person, g given) error {
	if p.Rung >= len(p.Rungs) || p.Rungs[p.Rung].Medium != g.Medium {
		return nil
	}
	all, err := currentAttempts(ctx, tx, scope, []person{*p})
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
	p.Due = now
	return saveAttempts(ctx, tx, scope, launch, map[uuid.UUID]*attempt{a.ID: a})
}

// acknowledge answers an answer on the medium it came by. The id of the order
// follows from the answer's: one answer is acknowledged once.
func (s *Service) acknowledge(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, pl *plan, p *person, g given, use Use) error {
	if g.Address == "" {
		return nil
	}
	sites, err := sitesOf(ctx, tx, scope, l.ID)
	if err != nil {
		return err
	}
	a := addressee{ID: p.ID, Wave: p.Wave, Language: p.Language, Code: p.Code, Site: sites[p.Unit]}
	o, ok := s.order(newShelf(pl, l.ID), uuid.NewSHA1(g.ID, []byte("ack")), a, rung{g.Medium, g.Address}, use, now)
	if !ok {
		return nil
	}
	o.Purpose = string(UseAck)
	// Each answer is acknowledged, also when the words are the same: see dispatch's merging.
	o.Wave = roundStep*100 + int(uuid.NewSHA1(g.ID, []byte("round")).ID()%1_000_000)
	_, err = s.dispatch.Enqueue(ctx, tx, scope, now, []dispatch.Order{o})
	return err
}

func countAnswers(ctx context.Context, tx *storage.Tx, scope access.Scope, recipient uuid.UUID) (n int, err error) {
	_, err = tx.Row(ctx, `SELECT COUNT(*) FROM alerting_answers WHERE organisation_id = $1 AND recipient_id = $2`, []any{scope.Organisation(), recipient}, &n)
	return n, err
}

func insertAnswer(ctx context.Context, tx *storage.Tx, scope access.Scope, launch, recipient uuid.UUID, g given) error {
	if g.Stop {
		g.Meaning = meaningStop
	}
	_, err := tx.Exec(ctx, `INSERT INTO alerting_answers (organisation_id, id, launch_id, recipient_id, at_us, source, meaning, minutes, body, noted_by, late)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, scope.Organisation(), g.ID, launch, recipient, storage.Micros(g.At), string(g.Source),
		string(g.Meaning), g.Minutes, g.Text, g.By, g.Late)
	return err
}

func (s *Service) keepUnmatched(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, r dispatch.Reply) error {
	at := r.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	parsed := reply.Parse(r.Text)
	meaning := meaningOf(parsed.Kind)
	if parsed.Kind == reply.Stop {
		meaning = meaningStop
	}
	return tx.InsertNewRows(ctx, "alerting_unmatched", []string{"organisation_id", "id", "at_us", "medium", "sender", "body", "meaning", "minutes"},
		[][]any{{scope.Organisation(), r.ID, storage.Micros(at), string(r.Medium), r.From, shortened(r.Text), string(meaning), parsed.Minutes}})
}

// checkAnswer refuses what a form could not have sent.
func checkAnswer(pl *plan, meaning Meaning, minutes int) error {
	if !slices.ContainsFunc(pl.Definition.Answers, func(o Option) bool { return o.Meaning == meaning }) {
		return fault.New(fault.Invalid, "alerting.answer.meaning").At("meaning")
	}
	if minutes < -1 || minutes > 24*60 {
		return fault.New(fault.Invalid, "alerting.answer.minutes").At("minutes")
	}
	return nil
}
