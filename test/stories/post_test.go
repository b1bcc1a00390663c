package stories_test

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch/dispatchtest"
)

// letter is a message as a telephone or a mailbox received it.
type letter struct {
	channels.Message
	At time.Time
}

// post is every telephone, or every mailbox, of the town.
type post struct {
	*dispatchtest.Air
	h *hospital

	mu      sync.Mutex
	letters []letter
	// rung are the letters whose receipt was given.
	rung map[uuid.UUID]bool
	// off are the addresses that give no receipt: the telephone is switched off.
	off map[string]bool
	// dead are the addresses the operator refuses.
	dead map[string]bool
}

func newPost(h *hospital, m channels.Medium) *post {
	p := &post{Air: dispatchtest.NewAir(m), h: h, rung: map[uuid.UUID]bool{}, off: map[string]bool{}, dead: map[string]bool{}}
	p.Answer(p.take)
	return p
}

func (p *post) take(m channels.Message) channels.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead[m.To] {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress}
	}
	p.letters = append(p.letters, letter{m, p.h.clock.Now()})
	return dispatchtest.Accept(m)
}

// ring gives the receipts that are missing and returns how many.
func (p *post) ring() (given int) {
	p.h.t.Helper()
	p.mu.Lock()
	var fresh []letter
	for _, l := range p.letters {
		if !p.rung[l.ID] && !p.off[l.To] {
			p.rung[l.ID] = true
			fresh = append(fresh, l)
		}
	}
	p.mu.Unlock()
	for _, l := range fresh {
		if err := p.Receipt(p.h.t.Context(), l.ID, true, channels.ReasonNone); err != nil {
			p.h.t.Fatalf("receipt: %v", err)
		}
	}
	return len(fresh)
}

// turnOff makes a telephone silent: what reaches it gives no receipt.
func (p *post) turnOff(address string) { p.mark(p.off, address) }

// turnOn lets a telephone give its receipts again.
func (p *post) turnOn(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.off, address)
}

// kill makes an address one the operator refuses.
func (p *post) kill(address string) { p.mark(p.dead, address) }

func (p *post) mark(where map[string]bool, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	where[address] = true
}

// received are the letters of an address, the oldest first.
func (p *post) received(address string) []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.letters), func(l letter) bool { return l.To != address })
}

// all are the letters that contain a text.
func (p *post) all(text string) []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.letters), func(l letter) bool { return !strings.Contains(l.Text, text) })
}

// answer writes back from an address.
func (p *post) answer(from, text string) {
	p.h.t.Helper()
	if err := p.Reply(p.h.t.Context(), from, text); err != nil {
		p.h.t.Fatalf("answer: %v", err)
	}
	p.h.settle()
}
