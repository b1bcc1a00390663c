package alerting

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// contentID is the same whenever it is computed, so that the engine finds the
// text of a message without looking it up.
func contentID(source uuid.UUID, k contentKey) uuid.UUID {
	name := strings.Join([]string{string(k.Use), string(k.Medium), k.Language, k.Site.String()}, "|")
	if k.Turn > 0 {
		name += "|" + k.Turn.String()
	}
	return uuid.NewSHA1(source, []byte(name))
}

// key names the text a recipient gets for a use; a use the scenario has no
// text for falls back to the alert's. ok is false when there is none either.
func (p *plan) key(use Use, medium channels.Medium, language string, site uuid.UUID, turn time.Duration) (contentKey, bool) {
	if _, ok := p.Definition.text(use, medium, language); !ok {
		if use != UseReminder && use != UseStayAway {
			return contentKey{}, false
		}
		use = UseAlert
		if _, ok := p.Definition.text(use, medium, language); !ok {
			return contentKey{}, false
		}
	}
	if !p.bySite(use, medium, language) {
		site = uuid.Nil
	}
	if !ofRelief(use) {
		turn = 0
	}
	return contentKey{use, medium, language, site, turn}, true
}

// composeAll renders every text of the plan, once per site where the site is
// named, or returns the first fault. sites maps ids to names.
func (p *plan) composeAll(sites map[uuid.UUID]string) (map[contentKey]composed, error) {
	out := map[contentKey]composed{}
	ordered := slices.SortedFunc(maps.Keys(sites), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, t := range p.Definition.texts() {
		for _, language := range languages() {
			places := []uuid.UUID{uuid.Nil}
			if p.bySite(t.Use, t.Medium, language) {
				places = append(places, ordered...)
			}
			for _, site := range places {
				name := sites[site]
				if site == uuid.Nil {
					name = p.Setting.Site
				}
				for _, turn := range p.Definition.turnsOf(t.Use) {
					c, ok, err := p.compose(t.Use, t.Medium, language, name, turn)
					if err != nil {
						return nil, err
					}
					if ok && c.Body != "" {
						out[contentKey{t.Use, t.Medium, language, site, turn}] = c
					}
				}
			}
		}
	}
	return out, nil
}

// content is a text as it is handed to dispatch: of a reserved one, what anybody may
// hear is the text, so that nothing which does not know of codes says more.
func (c composed) content(id uuid.UUID, k contentKey) dispatch.Content {
	out := dispatch.Content{
		ID: id, Medium: k.Medium, Language: k.Language, Subject: c.Subject, Text: c.Body, Linkless: c.Linkless, Answers: c.Answers, Recording: c.Recording,
	}
	if c.Cover != "" {
		out.Text, out.Linkless, out.Recording = c.Cover, "", channels.Recording{}
		out.Reserved = channels.Reserved{Text: c.Body, Recording: c.Recording}
	}
	return out
}

// writeContents keeps the texts and hands them to dispatch. source is the
// launch, or the mailing whose words they are.
func (s *Service) writeContents(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch, source uuid.UUID, texts map[contentKey]composed) error {
	var contents []dispatch.Content
	var rows [][]any
	for k, c := range texts {
		id := contentID(source, k)
		contents = append(contents, c.content(id, k))
		rows = append(rows, []any{
			scope.Organisation(), id, launch, storage.NullID(source), string(k.Use), string(k.Medium), k.Language,
			storage.NullID(k.Site), c.Subject, c.Body,
		})
	}
	if err := s.dispatch.AddContents(ctx, tx, scope, now, launch, contents); err != nil {
		return err
	}
	return tx.InsertNewRows(ctx, "alerting_contents", []string{
		"organisation_id", "id", "launch_id", "source_id", "purpose", "medium", "language",
		"site_id", "subject", "body",
	}, rows)
}

// ConferenceKey is what is pressed during a call to join the conference of its alert.
const ConferenceKey = "9"

// byKeys are the answers that a call, or a notification, proposes after a text: those of the scenario,
// where it asks for one.
func (d Definition) byKeys(t Text) []channels.Answer {
	if t.Medium != channels.Voice && t.Medium != channels.Push || t.Use != UseAlert && t.Use != UseReminder && !ofRelief(t.Use) {
		return nil
	}
	out := make([]channels.Answer, len(d.Answers))
	for i, o := range d.Answers {
		out[i] = channels.Answer{Key: o.Key, Label: o.Label.In(t.Language), Delays: o.Delays}
		if t.Medium == channels.Push {
			out[i].Action = string(o.Meaning)
		}
	}
	if d.Conference && t.Medium == channels.Voice {
		out = append(out, channels.Answer{Key: ConferenceKey, Conference: true})
	}
	return out
}

// priority says who leaves first at a gateway that carries several alerts.
func (p *plan) priority(use Use) int {
	n := 2
	switch {
	case p.Mode == Real && p.Definition.LifeSafety:
		n = 0
	case p.Mode == Real:
		n = 1
	}
	if use == UseAck || use == UseLate {
		n += 2
	}
	return n
}

// roundStep keeps the rounds of one wave apart in dispatch, which otherwise
// merges the same text to the same address.
const roundStep = 1000

// addressee is what an order needs of a recipient.
type addressee struct {
	ID       uuid.UUID
	Wave     int
	Language string
	Code     string
	Site     uuid.UUID
	// Round is how many messages he got before.
	Round int
}

// shelf finds the texts of an alert by key without rendering or hashing the
// same one again for each of a hundred thousand people.
type shelf struct {
	plan   *plan
	launch uuid.UUID
	found  map[contentKey]uuid.UUID
}

func newShelf(p *plan, launch uuid.UUID) *shelf {
	return &shelf{p, launch, map[contentKey]uuid.UUID{}}
}

// content is the text of a use; ok is false when the scenario has none for it.
func (sh *shelf) content(use Use, medium channels.Medium, language string, site uuid.UUID, turn time.Duration) (uuid.UUID, bool) {
	asked := contentKey{use, medium, language, site, turn}
	id, known := sh.found[asked]
	if !known {
		if k, ok := sh.plan.key(use, medium, language, site, turn); ok {
			id = contentID(sh.launch, k)
		}
		sh.found[asked] = id
	}
	return id, id != uuid.Nil
}

// order makes the message of a use to one address; ok is false when the
// scenario has no text for it.
func (s *Service) order(sh *shelf, id uuid.UUID, a addressee, r rung, use Use, now time.Time) (dispatch.Order, bool) {
	content, ok := sh.content(use, r.Medium, a.Language, a.Site, sh.plan.wave(a.Wave).turn())
	if !ok {
		return dispatch.Order{}, false
	}
	return s.orderOf(sh.plan, sh.launch, id, content, a, r, use, now), true
}

func (s *Service) orderOf(p *plan, launch, id, content uuid.UUID, a addressee, r rung, use Use, now time.Time) dispatch.Order {
	o := dispatch.Order{
		ID: id, Campaign: launch, Subject: a.ID, Content: content, Medium: r.Medium, Address: r.Address,
		Purpose: string(use), Wave: a.Wave + roundStep*a.Round, Priority: p.priority(use), ExpiresAt: now.Add(p.Definition.Limits.Validity.Std()), Quiet: p.quiet(),
	}
	if a.Code != "" {
		o.Link = s.linkBase + a.Code
		if r.Medium != channels.SMS {
			o.Token = a.Code
		}
	}
	return o
}
