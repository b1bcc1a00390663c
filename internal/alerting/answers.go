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
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// meaningStop is kept in the list of answers when somebody wrote STOP. It is no
// Option: nobody proposes it.
const meaningStop Meaning = "stop"

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
			in := s.intake(tx, scope, now)
			subjects := make([]uuid.UUID, len(part))
			for i, r := range part {
				subjects[i] = r.Subject
			}
			if err := in.lock(ctx, subjects); err != nil {
				return err
			}
			for _, r := range part {
				if err := in.reply(ctx, r); err != nil {
					return err
				}
			}
			for id := range in.desks {
				touched[id] = true
			}
			return in.flush(ctx)
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

// reply takes one reply, unless it is known already or another room's.
func (in *intake) reply(ctx context.Context, r dispatch.Reply) error {
	known, err := in.tx.Row(ctx, `SELECT 1 FROM alerting_answers WHERE organisation_id = $1 AND id = $2
		UNION ALL SELECT 1 FROM alerting_unmatched WHERE organisation_id = $1 AND id = $2`, []any{in.scope.Organisation(), r.ID}, new(int))
	if err != nil || known {
		return err
	}
	if r.Subject == uuid.Nil {
		return in.keepUnmatched(ctx, r)
	}
	p := in.people[r.Subject]
	if p == nil {
		return nil
	}
	d, err := in.desk(ctx, p.Launch)
	if err != nil {
		return err
	}
	return in.answer(ctx, d, p, d.plan.read(r, in.now))
}

// read gives the meaning of a reply in the words of the scenario: a digit means
// what its option says, whatever the parser would guess.
func (p *plan) read(r dispatch.Reply, now time.Time) given {
	at := r.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	parsed := reply.ParseAt(r.Text, at, p.zone)
	g := given{
		Answer: Answer{ID: r.ID, At: at, Source: sourceOf(r.Medium), Meaning: meaningOf(parsed.Kind), Minutes: parsed.Minutes, Text: shortened(r.Text)},
		Medium: r.Medium, Address: r.From, Stop: parsed.Kind == reply.Stop,
	}
	for _, o := range p.Definition.Answers {
		if parsed.Key == "" || o.Key != parsed.Key {
			continue
		}
		g.Meaning = o.Meaning
		if g.Minutes < 0 && len(o.Delays) == 1 {
			g.Minutes = o.Delays[0]
		}
	}
	if g.Meaning == Coming && !p.proposes(Coming) {
		g.Meaning, g.Minutes = p.yes(), -1
	}
	return g
}

// yes is what « oui » says where nobody is asked to come: the option that says
// yes there ("received", "I am safe"). Without one it says nothing, and its
// sender is told how to answer.
func (p *plan) yes() Meaning {
	if p.proposes(OnSite) {
		return OnSite
	}
	return ""
}

func (p *plan) proposes(m Meaning) bool {
	return slices.ContainsFunc(p.Definition.Answers, func(o Option) bool { return o.Meaning == m })
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
	switch m {
	case channels.Email:
		return ByEmail
	case channels.Chat:
		return ByChat
	case channels.Voice:
		return ByVoice
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

// checkAnswer refuses what a form could not have sent.
func checkAnswer(pl *plan, meaning Meaning, minutes int) error {
	if !pl.proposes(meaning) {
		return fault.New(fault.Invalid, "alerting.answer.meaning").At("meaning")
	}
	if minutes < -1 || minutes > 24*60 {
		return fault.New(fault.Invalid, "alerting.answer.minutes").At("minutes")
	}
	return nil
}
