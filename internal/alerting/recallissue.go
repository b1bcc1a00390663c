package alerting

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// recalls tells whether an answer that counts gives a recall order. A test asks
// nobody to move, and a house without keys signs nothing.
func (in *intake) recalls(d *desk, g given) bool {
	return in.s.keys != nil && g.Meaning == Coming && !g.Stop && d.plan.Mode != Test && d.launch.State == Running
}

// issue signs the orders of those who said in this transaction that they come.
// Who keeps the same hour keeps his order; another hour gives another text under
// the same code, so that a QR already shown leads to the truth.
func (in *intake) issue(ctx context.Context, d *desk) error {
	people := in.recalled(d)
	if len(people) == 0 {
		return nil
	}
	last, err := lastRecalls(ctx, in.tx, in.scope, d.launch.ID, people)
	if err != nil {
		return err
	}
	fresh := 0
	people = slices.DeleteFunc(people, func(p *person) bool {
		was, known := last[p.ID]
		if !known {
			fresh++
		}
		return known && was.eta.Sub(p.ETA).Abs() < sameArrival && in.now.Before(was.until)
	})
	if len(people) == 0 {
		return nil
	}
	rows, err := in.signed(ctx, d, people, last)
	if err != nil {
		return err
	}
	d.tally.add("orders", fresh)
	return in.tx.InsertRows(ctx, "alerting_recalls", []string{
		"organisation_id", "id", "launch_id", "recipient_id", "code", "issued_us", "eta_us", "until_us", "body", "key_id", "signature",
	}, rows)
}

// recalled are the people of a desk who come, once each, in one order.
func (in *intake) recalled(d *desk) []*person {
	out := map[uuid.UUID]*person{}
	for _, id := range d.comers {
		if p := in.people[id]; p.Meaning == Coming && p.Marks&markStoodDown == 0 {
			out[id] = p
		}
	}
	return slices.SortedFunc(maps.Values(out), func(a, b *person) int { return compareIDs(a.ID, b.ID) })
}

// signed writes the rows of new orders.
func (in *intake) signed(ctx context.Context, d *desk, people []*person, last map[uuid.UUID]issued) ([][]any, error) {
	org := in.scope.Organisation()
	keys, err := keysOf(in.s.keys, org)
	if err != nil {
		return nil, err
	}
	rules, err := readGovernance(ctx, in.tx, in.scope)
	if err != nil {
		return nil, err
	}
	persons := make([]uuid.UUID, len(people))
	for i, p := range people {
		persons[i] = p.Person
	}
	matricules, err := in.s.people.Matricules(ctx, in.tx, inside(in.scope), persons)
	if err != nil {
		return nil, err
	}
	ids, codes := newIDs(in.now), vault.NewLinkCodes(len(people))
	rows := make([][]any, len(people))
	for i, p := range people {
		code := codes[i]
		if was, known := last[p.ID]; known {
			code = was.code
		}
		o := in.s.recallOf(d, p, rules.Recall, in.now)
		o.Code, o.Matricule, o.Key = code, shortMatricule(matricules[p.Person]), keys[0].id
		o.compose(d.plan.zone)
		signature := base64.StdEncoding.EncodeToString(ed25519.Sign(keys[0].private, []byte(o.Text)))
		rows[i] = []any{org, ids.take(), d.launch.ID, p.ID, code, storage.Micros(in.now), storage.Micros(o.ETA), storage.Micros(o.Until), o.Text, o.Key, signature}
	}
	return rows, nil
}

// recallOf is what an order says of a person, but for what the directory and the keys give.
func (s *Service) recallOf(d *desk, p *person, way Recall, now time.Time) RecallOrder {
	l := d.launch
	ordered := l.OrderedBy
	if ordered == "" {
		ordered = l.LaunchedBy
	}
	metier, _, _ := strings.Cut(strings.TrimSpace(p.Skills), " ")
	if metier != "" {
		metier = s.people.Reference().Label(metier, "fr")
	}
	eta := p.ETA.Truncate(time.Second)
	return RecallOrder{
		Mode: l.Mode, Establishment: d.plan.Setting.Establishment, Number: l.Number(d.plan.zone), Title: l.Title.In("fr"),
		Name: strings.ToUpper(p.Last) + " " + p.First, Metier: metier, OrderedBy: ordered,
		IssuedAt: now.Truncate(time.Second), ETA: eta, Until: later(eta, now).Add(RecallSlack).Truncate(time.Second),
		Entrance: way.Entrance.In("fr"), Roads: way.Roads.In("fr"), Parking: way.Parking.In("fr"),
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// issued is the newest order of a person.
type issued struct {
	code       string
	eta, until time.Time
}

func lastRecalls(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, people []*person) (map[uuid.UUID]issued, error) {
	list := make([]uuid.UUID, len(people))
	for i, p := range people {
		list[i] = p.ID
	}
	out := map[uuid.UUID]issued{}
	err := tx.Query(ctx, `SELECT recipient_id, code, eta_us, until_us FROM alerting_recalls WHERE organisation_id = $1 AND launch_id = $2 AND recipient_id IN (`+
		storage.In(len(list), 3)+`) ORDER BY issued_us, id`, storage.Args(list, scope.Organisation(), launch), func(row func(...any) error) error {
		var id uuid.UUID
		var i issued
		var eta, until int64
		err := row(&id, &i.code, &eta, &until)
		i.eta, i.until = storage.Time(eta), storage.Time(until)
		out[id] = i
		return err
	})
	return out, err
}

// orderUnder is where somebody's own order is, under his answer page.
const orderUnder = "/ordre"

// recallSentence is added to the acknowledgement of who comes. It is a sentence
// of its own: a medium that must not carry links drops it whole.
func recallSentence(language string) string {
	if language == "en" {
		return "Your recall order, or to change your answer: " + linkPlaceholder
	}
	return "Votre ordre de rappel, ou pour changer : " + linkPlaceholder
}

// withRecall gives an acknowledgement the link to the order. Its text is made
// now and kept under an id that follows from the alert, so that every node and
// every version finds the same.
func (in *intake) withRecall(ctx context.Context, d *desk, o *dispatch.Order, a addressee, medium channels.Medium) error {
	k, ok := d.plan.key(UseAck, medium, a.Language, a.Site, 0)
	if !ok || a.Code == "" {
		return nil
	}
	source := uuid.NewSHA1(d.launch.ID, []byte("recall"))
	if _, known := d.words[k]; !known {
		site := d.plan.Setting.Site
		if k.Site != uuid.Nil {
			units, err := unitsOf(ctx, in.tx, in.scope, d.launch.ID)
			if err != nil {
				return err
			}
			site = nameOfSite(units, k.Site)
		}
		c, ok, err := d.plan.compose(UseAck, medium, a.Language, site, 0)
		if err != nil || !ok {
			return err
		}
		space := " "
		if medium == channels.Email {
			space = "\n\n"
		}
		c.Body = strings.TrimSpace(withoutLink(c.Body) + space + recallSentence(a.Language))
		if d.words == nil {
			d.words = map[contentKey]composed{}
		}
		d.words[k] = c
	}
	o.Content, o.Link = contentID(source, k), o.Link+orderUnder
	return nil
}

func nameOfSite(units []unitKey, site uuid.UUID) string {
	for _, u := range units {
		if u.site == site {
			return u.siteName
		}
	}
	return ""
}

// writeWords keeps the texts that withRecall made.
func (in *intake) writeWords(ctx context.Context, d *desk) error {
	if len(d.words) == 0 {
		return nil
	}
	return in.s.writeContents(ctx, in.tx, in.scope, in.now, d.launch.ID, uuid.NewSHA1(d.launch.ID, []byte("recall")), d.words)
}
