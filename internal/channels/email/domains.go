package email

import (
	"strings"
	"sync"
	"time"

	"tocsin/internal/channels"
)

// provider is a mailbox provider that slows down or blocks who writes to it too
// fast. perMinute is what an unknown sender may usually send; 0 is no limit.
type provider struct {
	domains   []string
	perMinute int
}

// providers are sensible beginnings, not contracts: the pace then follows what
// each provider answers.
func providers() []provider {
	return []provider{
		{[]string{"orange.fr", "wanadoo.fr"}, 120},
		{[]string{"free.fr", "aliceadsl.fr"}, 120},
		{[]string{"sfr.fr", "neuf.fr", "club-internet.fr", "numericable.fr"}, 120},
		{[]string{"laposte.net"}, 120},
		{[]string{"bbox.fr"}, 120},
		{[]string{"gmail.com", "googlemail.com"}, 1200},
		{[]string{"outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "live.com", "live.fr", "msn.com"}, 600},
		{[]string{"yahoo.com", "yahoo.fr", "ymail.com", "aol.com"}, 300},
		{[]string{"icloud.com", "me.com", "mac.com"}, 300},
	}
}

// The waits of a domain that defers our messages.
const (
	deferFirst = 5 * time.Second
	deferMost  = 10 * time.Minute
	// rowOfStrangers is how many deferrals in a row make a domain we know nothing of wait.
	rowOfStrangers = 3
	// burst is how much of a minute may leave at once.
	burst = 5 * time.Second
)

// domains paces the messages by the provider of their address, so that one that
// slows us down delays nobody else.
type domains struct {
	now     func() time.Time
	limits  map[string]int
	leaders map[string]string

	mu    sync.Mutex
	paces map[string]*domainPace
}

// domainPace is one provider: a leaky bucket by the time its next message may
// leave, and the wait while it defers.
type domainPace struct {
	perMinute int
	next      time.Time
	until     time.Time
	wait      time.Duration
	// row counts the deferrals since a message was taken.
	row int
}

func newDomains(now func() time.Time) *domains {
	d := &domains{now: now, limits: map[string]int{}, leaders: map[string]string{}, paces: map[string]*domainPace{}}
	for _, p := range providers() {
		for _, name := range p.domains {
			d.leaders[name] = p.domains[0]
		}
		d.limits[p.domains[0]] = p.perMinute
	}
	return d
}

// leader is the name under which the addresses of one provider are paced.
func (d *domains) leader(to string) string {
	name := strings.ToLower(to[strings.LastIndexByte(to, '@')+1:])
	if l, ok := d.leaders[name]; ok {
		return l
	}
	return name
}

// domainsMost bounds the memory; a domain with nothing to say is forgotten first.
const domainsMost = 4096

func (d *domains) pace(name string) *domainPace {
	p := d.paces[name]
	if p == nil {
		if len(d.paces) >= domainsMost {
			clear(d.paces)
		}
		p = &domainPace{perMinute: d.limits[name]}
		d.paces[name] = p
	}
	return p
}

// turn lets a message pass, or says how long it must wait; others need not.
func (d *domains) turn(to string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, p := d.now(), d.pace(d.leader(to))
	if now.Before(p.until) {
		return p.until.Sub(now)
	}
	if p.perMinute == 0 {
		return 0
	}
	if p.next.Before(now.Add(-burst)) {
		p.next = now.Add(-burst)
	}
	if p.next.After(now) {
		return p.next.Sub(now)
	}
	p.next = p.next.Add(time.Minute / time.Duration(p.perMinute))
	return 0
}

// heard follows what the provider answered: a deferral makes it wait, twice as
// long each time, and halves the pace; a message taken ends the wait, and the
// pace comes back by small steps.
func (d *domains) heard(to string, out channels.Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := d.leader(to)
	p := d.pace(name)
	switch {
	case out.State == channels.Accepted:
		p.wait, p.row = 0, 0
		if usual := d.limits[name]; usual > 0 && p.perMinute < usual {
			p.perMinute = min(usual, p.perMinute+max(1, usual/100))
		}
	case out.State == channels.Retry && out.Reason == channels.ReasonThrottled:
		now := d.now()
		if now.Before(p.until) {
			return // several messages under way tell the same thing
		}
		// One mailbox that defers says nothing of the whole domain of a hospital.
		if p.row++; p.row < rowOfStrangers && d.limits[name] == 0 {
			return
		}
		p.wait = min(max(2*p.wait, deferFirst), deferMost)
		p.until = now.Add(max(p.wait, out.RetryAfter))
		if p.perMinute > 0 {
			p.perMinute = max(1, p.perMinute/2)
		}
	}
}
