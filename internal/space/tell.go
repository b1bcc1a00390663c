package space

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// noticeLife is how long what became of a swap is worth reading.
const noticeLife = 24 * time.Hour

// The news of a swap. The values are in keys of sentences.
const (
	swapAsked     = "asked"
	swapAccepted  = "accepted"
	swapRefused   = "refused"
	swapWithdrawn = "withdrawn"
)

// news is what happened to a swap, for the one of the two who did not do it.
type news struct {
	kind string
	// by did it.
	by string
	// function is the name of what they swap.
	function string
	to       directory.Person
	way      way
	house    organisation.Establishment
}

// news prepares what another is told. Its way is empty for who cannot be written
// to: he finds it in his space.
func (s *Service) news(ctx context.Context, h Holder, kind, by, function string, to uuid.UUID) (n news, err error) {
	n = news{kind: kind, by: by, function: function}
	if n.to, err = s.opt.Directory.Person(ctx, h.scope, to); err != nil {
		return n, err
	}
	if n.house, err = s.opt.Organisation.Get(ctx, h.scope); err != nil {
		return n, err
	}
	n.way, err = s.wayOf(ctx, h, n.to)
	return n, err
}

// wayOf is a notification on his devices, or else his e-mail, or else an SMS: news of
// a swap can wait, and an SMS is paid for.
func (s *Service) wayOf(ctx context.Context, h Holder, p directory.Person) (way, error) {
	_, notifies, err := s.notifier(ctx, h)
	if err != nil {
		return way{}, err
	}
	if notifies {
		devices, err := s.DevicesOf(ctx, p.ID.String())
		if err != nil {
			return way{}, err
		}
		if len(devices) > 0 {
			return way{channels.Push, p.ID.String()}, nil
		}
	}
	for _, k := range p.Contacts {
		if k.Kind == directory.Email && k.Usable() && !k.Shared {
			return way{channels.Email, k.Address}, nil
		}
	}
	to, _ := wayTo(p)
	return to, nil
}

// tell has the news leave, in the transaction of what they tell: once a day,
// however often the same swap is proposed and withdrawn.
func (s *Service) tell(ctx context.Context, tx *storage.Tx, h Holder, n news, x oncall.Swap, now time.Time) error {
	if n.way.medium == "" {
		return nil
	}
	id := uuid.NewSHA1(x.Function, []byte(strings.Join([]string{
		n.kind, x.Person.String(), x.From.UTC().Format(time.RFC3339), x.Other.String(), x.OtherFrom.UTC().Format(time.RFC3339), now.UTC().Format(time.DateOnly),
	}, "|")))
	content := s.notice(id, n, x)
	order := dispatch.Order{
		ID: uuid.NewSHA1(id, []byte("order")), Campaign: id, Subject: n.to.ID, Content: content.ID, Medium: n.way.medium, Address: n.way.address,
		Purpose: "swap", Priority: lowPriority, ExpiresAt: now.Add(noticeLife),
	}
	if n.way.medium != channels.Push { // a press on a notification opens the space
		order.Link = s.opt.DutiesLink
	}
	return s.post(ctx, tx, h.scope, now, order, content)
}

// notice writes the news in the language of who reads them.
func (s *Service) notice(id uuid.UUID, n news, x oncall.Swap) dispatch.Content {
	loc := s.speaks(n.to)
	zone, err := time.LoadLocation(n.house.Zone)
	if err != nil {
		zone = time.UTC
	}
	// What the reader gives and takes: the asked one gives his own turn.
	gives, takes := x.OtherFrom, x.From
	if n.to.ID == x.Person {
		gives, takes = takes, gives
	}
	args := []any{"name", n.by, "function", n.function, "gives", loc.DateTime(gives, zone), "takes", loc.DateTime(takes, zone), "establishment", n.house.Name}
	content := dispatch.Content{ID: uuid.NewSHA1(id, []byte("text")), Medium: n.way.medium, Language: string(loc.Language()), Text: loc.T("space.notice."+n.kind, args...)}
	switch n.way.medium {
	case channels.SMS:
		content.Text = plainSMS(content.Text + " {lien}")
	case channels.Email:
		content.Text = loc.T("space.notice.letter", "text", content.Text, "link", "{lien}", "establishment", n.house.Name)
		content.Subject = loc.T("space.notice.subject", "function", n.function)
	default:
		content.Subject = loc.T("space.notice.subject", "function", n.function)
	}
	return content
}

// speaks is the language of a person of the establishment.
func (s *Service) speaks(p directory.Person) *i18n.Localizer {
	if i18n.Language(p.Language) == i18n.English {
		return s.opt.Catalog.For(i18n.English)
	}
	return s.opt.Catalog.For(i18n.French)
}

// plainSMS writes what the GSM alphabet has: a no-break space would cost an SMS half
// its length.
func plainSMS(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(text)
}
