package lab

import (
	"strings"
	"sync"
	"time"

	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// town is the people with a telephone.
type town struct {
	options Options
	agenda  *agenda
	crew    *crew
	walker  *walker

	mu     sync.Mutex
	phones map[uint64]*phone
	// links tells whose telephone received a personal link.
	links map[string]uint64
}

// phone is what a telephone remembers.
type phone struct {
	parts map[uint16][]string
	talks map[string]*talk
	// stopped is set by STOP: the operator lets nothing more through.
	stopped bool
}

// talk is one alert as a person lives it.
type talk struct {
	messages int
	began    time.Time
}

func newTown(o Options, a *agenda, c *crew, w *walker) *town {
	return &town{options: o, agenda: a, crew: c, walker: w, phones: map[uint64]*phone{}, links: map[string]uint64{}}
}

// refuses tells the numbers the gateway knows it cannot reach.
func (t *town) refuses(number uint64) bool {
	return t.options.People.Telephone(number).Line == LineUnknown
}

// sms brings a message to a telephone, and its receipt back.
func (t *town) sms(a *account, m *smpp.Message, part gsm.Part, octets string, d delivery) {
	who := t.options.People.Telephone(d.from)
	wait := who.Receipt + t.options.Gateway.ReceiptDelay + t.options.Gateway.ResponseDelay
	expires, err := smpp.ParseTime(m.ValidityPeriod, d.sent)
	registered := m.RegisteredDelivery
	coding := m.DataCoding
	octets = strings.Clone(octets)
	switch {
	case t.stopped(d.from):
		d.state, d.cause = smpp.StateRejected, 13 // call barred
	case who.Line == LineDead:
		d.state, d.cause = smpp.StateUndeliverable, 1 // unknown subscriber
	case err == nil && !expires.IsZero() && d.sent.Add(wait).After(expires):
		d.state = smpp.StateExpired
		wait = max(expires.Sub(d.sent), 0)
	}
	t.agenda.after(wait, func() {
		if wantsReceipt(&smpp.Message{RegisteredDelivery: registered}, d.state) && !t.options.Gateway.NoReceipts {
			a.push(d)
		}
		if d.state == smpp.StateDelivered {
			t.read(a, who, d, part, decode(coding, octets))
		}
	})
}

func (t *town) stopped(number uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.phones[number]
	return p != nil && p.stopped
}

// holder tells which telephone received a personal link.
func (t *town) holder(link string) (number uint64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number, known = t.links[link]
	return number, known && link != ""
}

func (t *town) phone(number uint64) *phone {
	p := t.phones[number]
	if p == nil {
		p = &phone{parts: map[uint16][]string{}, talks: map[string]*talk{}}
		t.phones[number] = p
	}
	return p
}

// read is a person who looks at the screen once the message is whole.
func (t *town) read(a *account, who Person, d delivery, part gsm.Part, text string) {
	now := t.options.Clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.phone(d.from)
	whole, complete := p.assemble(part, text)
	if !complete {
		return
	}
	n := readNotice(whole)
	if !n.asks {
		return
	}
	if n.link != "" {
		t.links[n.link] = d.from
	}
	heard := p.listen(n, now, t.options.People.scaled(time.Hour))
	for _, s := range who.steps(n, heard) {
		t.agenda.after(s.after, func() { t.act(a, who, d, n, s) })
	}
}

// assemble puts the parts of a long message in order.
func (p *phone) assemble(part gsm.Part, text string) (string, bool) {
	if !part.Valid() || part.Total == 1 {
		return text, true
	}
	parts := p.parts[part.Reference]
	if len(parts) != int(part.Total) {
		parts = make([]string, part.Total)
		p.parts[part.Reference] = parts
	}
	parts[part.Number-1] = text
	for _, piece := range parts {
		if piece == "" {
			return "", false
		}
	}
	delete(p.parts, part.Reference)
	return strings.Join(parts, ""), true
}

// listen returns how the message finds its reader: the first of its alert, a
// second one, or one of an alert answered already.
func (p *phone) listen(n notice, now time.Time, forgets time.Duration) hearing {
	for key, k := range p.talks {
		if now.Sub(k.began) > forgets {
			delete(p.talks, key)
		}
	}
	k := p.talks[n.link]
	if k == nil {
		k = &talk{began: now}
		p.talks[n.link] = k
	}
	k.messages++
	switch {
	case k.messages == 1:
		return heardFirst
	case k.messages == 2:
		return heardAgain
	}
	return heardEnough
}

// act is what a person does with the thumb.
func (t *town) act(a *account, who Person, d delivery, n notice, s step) {
	if s.link {
		t.crew.give(t.walker.visit(n.link, s.intent, s.minutes, t.options.Log))
		return
	}
	if s.intent == Stop {
		t.mu.Lock()
		t.phone(d.from).stopped = true
		t.mu.Unlock()
	}
	octets, coding := written(who.words(n, s))
	a.push(delivery{from: d.from, to: d.to, state: smpp.StateNone, text: octets, coding: coding})
}

// decode reads a text as a telephone shows it. Clients that say ASCII and write
// the GSM alphabet exist (node-smpp does): its accents lie below the space.
func decode(coding byte, octets string) string {
	switch coding {
	case smpp.CodingUCS2:
		return gsm.DecodeUCS2(octets)
	case smpp.CodingLatin1:
		return gsm.DecodeLatin1(octets)
	case smpp.CodingASCII:
		if !strings.ContainsFunc(octets, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' }) {
			return gsm.DecodeLatin1(octets)
		}
	}
	return gsm.DecodeGSM7(octets)
}
