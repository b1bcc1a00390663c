package ui

import (
	"sync"
	"time"
)

// Gate slows down whoever tries codes. Only wrong codes count, and right ones
// give credit back: a hospital's four thousand agents may share one address.
type Gate struct {
	mu     sync.Mutex
	wrong  map[string]int
	since  time.Time
	credit map[string]int
}

// The limits of one address: wrong codes per window, and how many a right one allows more.
const (
	gateWindow   = 10 * time.Minute
	gateWrong    = 60
	gatePerRight = 5
	// gateAddresses bounds the memory: beyond, the window begins anew.
	gateAddresses = 50_000
)

// NewGate returns a gate that has seen nobody.
func NewGate() *Gate { return &Gate{wrong: map[string]int{}, credit: map[string]int{}} }

// Shut tells whether the address has tried too many wrong codes.
func (g *Gate) Shut(address string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	return g.wrong[address] >= gateWrong+g.credit[address]
}

// Tried notes a code that was tried.
func (g *Gate) Tried(address string, right bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	if right {
		g.credit[address] += gatePerRight
	} else {
		g.wrong[address]++
	}
}

// turn forgets everything at the end of a window.
func (g *Gate) turn(now time.Time) {
	if now.Sub(g.since) < gateWindow && len(g.wrong)+len(g.credit) < gateAddresses {
		return
	}
	clear(g.wrong)
	clear(g.credit)
	g.since = now
}
