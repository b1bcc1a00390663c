package proof

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// Facts hears from dispatch what became of messages; those of other rooms are
// left to them. It may hear the same fact twice.
func (s *Service) Facts(ctx context.Context, scope access.Scope, now time.Time, facts []dispatch.Fact) error {
	ours, err := s.ours(ctx, scope, facts)
	if err != nil || len(ours) == 0 {
		return err
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		var events []directory.ContactEvent
		for _, f := range ours {
			if e, ok := directory.EventOf(f); ok {
				events = append(events, e)
			}
			if err := s.failed(ctx, tx, scope, now, f); err != nil {
				return err
			}
		}
		return s.people.Record(ctx, tx, scope, now, events)
	})
}

// ours keeps the facts of campaigns.
func (s *Service) ours(ctx context.Context, scope access.Scope, facts []dispatch.Fact) (out []dispatch.Fact, err error) {
	known := map[uuid.UUID]bool{}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		for _, f := range facts {
			mine, asked := known[f.Campaign]
			if !asked {
				if mine, err = tx.Row(ctx, `SELECT 1 FROM directory_campaigns WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), f.Campaign}, new(int)); err != nil {
					return err
				}
				known[f.Campaign] = mine
			}
			if mine {
				out = append(out, f)
			}
		}
		return nil
	})
	return out, err
}

// failed tries another way when a message did not arrive: another contact point
// when the address is at fault, the same one another day when the gateway is.
func (s *Service) failed(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, f dispatch.Fact) error {
	if f.Kind != dispatch.FactFailed && f.Kind != dispatch.FactExpired {
		return nil
	}
	list, err := readAsked(ctx, tx, scope, `a.id = $2 AND a.state = 'asked'`, f.Subject)
	if err != nil || len(list) == 0 {
		return err
	}
	c, err := campaign(ctx, tx, scope, list[0].campaign)
	if err != nil || !c.Open() {
		return err
	}
	a := list[0]
	switch mark := a.contact.String(); {
	case f.Verdict() == dispatch.VerdictNone:
		// Not the address's fault: the message does not count as one.
		mark := spared + strconv.Itoa(f.Wave)
		if slices.Contains(a.failed, mark) {
			return nil
		}
		a.failed = append(a.failed, mark)
		a.next = now.Add(retryAfter)
	case !slices.Contains(a.failed, mark) && a.contact != uuid.Nil:
		a.failed = append(a.failed, mark)
		a.next = now
	default:
		return nil
	}
	return a.save(ctx, tx, scope)
}

// spared marks, among what failed, a message that a gateway lost.
const spared = "gateway:"

// asks is how many messages count: those that a gateway lost do not.
func (a asked) asks() int {
	n := a.sent
	for _, mark := range a.failed {
		if strings.HasPrefix(mark, spared) {
			n--
		}
	}
	return n
}

// retryAfter is how long a campaign waits after a failure of the gateway.
const retryAfter = 4 * time.Hour

// Replies hears from dispatch what people sent back to a campaign; those to
// others are left to them.
func (s *Service) Replies(ctx context.Context, scope access.Scope, now time.Time, replies []dispatch.Reply) error {
	proven := false
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		for _, r := range replies {
			if r.Subject == uuid.Nil {
				continue
			}
			done, err := s.reply(ctx, tx, scope, now, r)
			if err != nil {
				return err
			}
			proven = proven || done
		}
		return nil
	})
	if proven {
		s.nudge()
	}
	return err
}

// reply takes one answer; proven tells that a correction waits to be applied.
func (s *Service) reply(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, r dispatch.Reply) (proven bool, err error) {
	at := r.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	said := understand(r.Text)
	list, err := readAsked(ctx, tx, scope, `a.id = $2`, r.Subject)
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		if said != saysYes {
			return false, nil
		}
		return s.prove(ctx, tx, scope, at, `id = $2`, r.Subject)
	}
	a := list[0]
	event := directory.ContactEvent{Address: r.From, Medium: string(r.Medium), At: at}
	switch said {
	case saysYes:
		event.Kind = directory.EventAnswered
		if a.standing != Corrected {
			a.settle(Confirmed, at)
		}
	case saysNotMe:
		a.settle(NotMe, at)
		if err := s.people.Disown(ctx, tx, scope, at, a.person, a.contact); err != nil {
			return false, err
		}
	case saysStop:
		event.Kind = directory.EventStopped
		a.failed, a.next = append(a.failed, a.contact.String()), now
		if a.standing.settled() {
			a.next = time.Time{}
		}
	default:
		if !a.standing.settled() {
			a.settle(Unclear, at)
		}
	}
	if event.Kind != "" {
		if err := s.people.Record(ctx, tx, scope, now, []directory.ContactEvent{event}); err != nil {
			return false, err
		}
	}
	return false, a.save(ctx, tx, scope)
}

type saying int

const (
	saysNothing saying = iota
	saysYes
	saysNotMe
	saysStop
)

// What people write back, folded. "Pas moi" holds no yes, and whoever asks who
// writes proves that somebody reads, not who.
var (
	wordsStop  = regexp.MustCompile(`^\W*(stop|unsubscribe|desabonn)`)
	wordsNotMe = regexp.MustCompile(`^\W*2\b|\b(pas moi|not me|trompe\w*|erreur|mauvais numero|wrong number|wrong person|connais pas|plus mon numero)\b`)
	wordsYes   = regexp.MustCompile(`^\W*1\b|\b(reponse|rep) 1\b|^\W*(oui|yes|ok|bien recu|recu|c'est moi|c'est bien moi|confirme|present)\b`)
)

func understand(text string) saying {
	if len(text) > 2_000 {
		text = strings.ToValidUTF8(text[:2_000], "")
	}
	s := strings.ReplaceAll(storage.Fold(text), "’", "'")
	switch {
	case wordsStop.MatchString(s):
		return saysStop
	case wordsNotMe.MatchString(s):
		return saysNotMe
	case wordsYes.MatchString(s):
		return saysYes
	}
	return saysNothing
}
