package sms

import (
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// How long parts wait for their sisters. A part is acknowledged only with a
// reply that holds it: after partPatience the beginning is kept as a reply of
// its own, because a gateway that sends one message at a time keeps the second
// part until we answer for the first. The whole follows once it is there.
const (
	partPatience = 3 * time.Second
	partMemory   = 10 * time.Minute
	// maxGroups bounds the long messages in memory.
	maxGroups = 1000
)

// groupKey names a long message being received.
type groupKey struct {
	from, to string
	part     gsm.Part // with Number 0
}

type group struct {
	parts    []string
	have     []bool
	count    int
	first    arrival
	unkept   []arrival
	since    time.Time
	deadline time.Time // zero when nothing waits for an acknowledgement
}

// assembled is a reply and the deliveries it answers for.
type assembled struct {
	reply    channels.Reply
	arrivals []arrival
	key      groupKey
	complete bool
}

// reassembly joins the parts of long messages. One goroutine uses it.
type reassembly struct {
	now    func() time.Time
	groups map[groupKey]*group
}

func newReassembly(now func() time.Time) *reassembly {
	return &reassembly{now: now, groups: make(map[groupKey]*group)}
}

// add takes a delivery and returns what is ready to be kept.
func (r *reassembly) add(a arrival) []assembled {
	m := &a.delivery.Message
	part, octets, isPart := partOf(m)
	if !isPart || part.Total == 1 {
		return []assembled{{reply: replyOf(a, octets), arrivals: []arrival{a}}}
	}
	number := int(part.Number) - 1
	part.Number = 0
	key := groupKey{fromPeer(m.Source), fromPeer(m.Destination), part}
	g := r.groups[key]
	var evicted []assembled
	if g == nil {
		evicted = r.makeRoom()
		g = &group{parts: make([]string, part.Total), have: make([]bool, part.Total), first: a, since: r.now()}
		r.groups[key] = g
	}
	if !g.have[number] {
		g.have[number] = true
		g.count++
	}
	g.parts[number] = octets
	g.unkept = append(g.unkept, a)
	if g.count == len(g.parts) {
		return append(evicted, g.assemble(key))
	}
	if g.deadline.IsZero() {
		g.deadline = r.now().Add(partPatience)
	}
	return evicted
}

// partOf finds the place of a message among its parts: in its header or in its
// optional parameters.
func partOf(m *smpp.Message) (gsm.Part, string, bool) {
	octets := m.Octets()
	if m.ESMClass&smpp.ESMHeader != 0 {
		return gsm.SplitHeader(octets)
	}
	ref, ok := m.TLVs.Uint(smpp.TagSarMsgRefNum)
	total, hasTotal := m.TLVs.Uint(smpp.TagSarTotalSegments)
	number, hasNumber := m.TLVs.Uint(smpp.TagSarSegmentSeqnum)
	if !ok || !hasTotal || !hasNumber || ref > 0xFFFF || total > 0xFF || number > 0xFF {
		return gsm.Part{}, octets, false
	}
	p := gsm.Part{Reference: uint16(ref), Width: gsm.Reference16, Total: byte(total), Number: byte(number)}
	return p, octets, p.Valid()
}

// assemble joins the parts there are. Octets are joined before they are read:
// some telephones cut inside a character.
func (g *group) assemble(key groupKey) assembled {
	complete := g.count == len(g.parts)
	out := assembled{arrivals: g.unkept, key: key, complete: complete}
	g.unkept, g.deadline = nil, time.Time{}
	if complete {
		out.reply = replyOf(g.first, strings.Join(g.parts, ""))
		return out
	}
	out.reply = replyOf(g.first, "")
	var texts []string
	coding, gap := g.first.delivery.Message.DataCoding, false
	for n, have := range g.have {
		if have {
			texts = append(texts, decode(coding, g.parts[n]))
			gap = false
		} else if !gap {
			texts = append(texts, "…")
			gap = true
		}
	}
	out.reply.Text = strings.Join(texts, " ")
	return out
}

// late returns the beginnings whose sisters do not come.
func (r *reassembly) late() []assembled {
	var out []assembled
	now := r.now()
	for key, g := range r.groups {
		switch {
		case !g.deadline.IsZero() && !now.Before(g.deadline):
			out = append(out, g.assemble(key))
		case g.deadline.IsZero() && now.Sub(g.since) > partMemory:
			delete(r.groups, key)
		}
	}
	return out
}

// settle forgets a whole message once kept. After a failure the parts that were
// refused will come again; those acknowledged before stay.
func (r *reassembly) settle(a assembled, kept bool) {
	g := r.groups[a.key]
	switch {
	case g == nil:
	case kept && a.complete:
		delete(r.groups, a.key)
	case !kept:
		for _, refused := range a.arrivals {
			part, _, _ := partOf(&refused.delivery.Message)
			if n := int(part.Number) - 1; g.have[n] {
				g.have[n] = false
				g.count--
			}
		}
	}
}

// makeRoom lets the oldest message go when there are too many.
func (r *reassembly) makeRoom() []assembled {
	if len(r.groups) < maxGroups {
		return nil
	}
	var oldest groupKey
	var since time.Time
	for key, g := range r.groups {
		if since.IsZero() || g.since.Before(since) {
			oldest, since = key, g.since
		}
	}
	g := r.groups[oldest]
	delete(r.groups, oldest)
	if len(g.unkept) == 0 {
		return nil
	}
	return []assembled{g.assemble(oldest)}
}
