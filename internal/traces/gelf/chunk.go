package gelf

import (
	"time"

	"tocsin/internal/traces"
)

// Patience is how long a chunk may come after the first, by the format.
const Patience = 5 * time.Second

// Bounds of what waits.
const (
	maxChunks  = 128      // of one message, by the format
	maxWaiting = 1000     // messages
	maxHeld    = 32 << 20 // bytes of chunks that wait
	patience   = int64(Patience / time.Microsecond)
	headLength = 12
)

// Partial is a message that was given up.
type Partial struct {
	From      string // who sent it
	Received  []byte // the chunks that came, in their order
	Got, Want int
}

// Assembler puts chunks together, of many senders at once. It is for one
// goroutine.
type Assembler struct {
	waiting map[name]*pieces
	order   []name // by the time of the first chunk
	held    int
	givenUp []Partial
}

type name struct {
	from string
	id   [8]byte
}

type pieces struct {
	chunks [][]byte
	got    int
	size   int
	since  int64
}

// NewAssembler begins with nothing that waits.
func NewAssembler() *Assembler { return &Assembler{waiting: map[name]*pieces{}} }

// Add takes a datagram of a sender. It answers a whole message, the datagram
// itself when it is no chunk, or false when chunks are still to come. now is in
// microseconds.
func (a *Assembler) Add(from string, datagram []byte, now int64) (message []byte, ok bool) {
	a.expire(now)
	if len(datagram) < 2 || datagram[0] != 0x1e || datagram[1] != 0x0f {
		return datagram, true
	}
	if len(datagram) <= headLength {
		return datagram, true // no chunk either: the format says so
	}
	n := name{from: from, id: [8]byte(datagram[2:10])}
	seq, count := int(datagram[10]), int(datagram[11])
	if count == 0 || count > maxChunks || seq >= count {
		return datagram, true
	}
	p := a.waiting[n]
	if p == nil {
		p = &pieces{chunks: make([][]byte, count), since: now}
		a.waiting[n] = p
		a.order = append(a.order, n)
	}
	if len(p.chunks) != count || p.chunks[seq] != nil {
		return nil, false // a double, or another count under the same id
	}
	p.chunks[seq] = append([]byte{}, datagram[headLength:]...)
	p.got++
	p.size += len(datagram) - headLength
	a.held += len(datagram) - headLength
	if p.got == count {
		a.forget(n, p)
		return p.joined(), true
	}
	for len(a.waiting) > maxWaiting || a.held > maxHeld || p.size > traces.MaxRaw && a.waiting[n] != nil {
		oldest := a.order[0]
		if p.size > traces.MaxRaw {
			oldest = n
		}
		a.giveUp(oldest)
	}
	return nil, false
}

func (p *pieces) joined() []byte {
	out := make([]byte, 0, p.size)
	for _, c := range p.chunks {
		out = append(out, c...)
	}
	return out
}

func (a *Assembler) forget(n name, p *pieces) {
	delete(a.waiting, n)
	a.held -= p.size
	for i, o := range a.order {
		if o == n {
			a.order = append(a.order[:i], a.order[i+1:]...)
			return
		}
	}
}

func (a *Assembler) giveUp(n name) {
	p := a.waiting[n]
	a.forget(n, p)
	a.givenUp = append(a.givenUp, Partial{From: n.from, Received: p.joined(), Got: p.got, Want: len(p.chunks)})
}

func (a *Assembler) expire(now int64) {
	for len(a.order) > 0 && now-a.waiting[a.order[0]].since >= patience {
		a.giveUp(a.order[0])
	}
}

// GivenUp gives the messages that will not be whole any more, once: their
// chunks waited five seconds, or there was no more room. Call it after each Add
// and from time to time.
func (a *Assembler) GivenUp(now int64) []Partial {
	a.expire(now)
	out := a.givenUp
	a.givenUp = nil
	return out
}
