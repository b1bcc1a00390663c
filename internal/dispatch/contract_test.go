package dispatch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
)

// Whatever order nodes come, go, fail and renew in, what they hold together
// never exceeds the contract, and all of it is used once they have renewed.
func TestTheContractIsDividedAndNeverExceeded(t *testing.T) {
	t.Parallel()
	contract := grant{rate: 100_000, links: 4, lots: 8}
	all := []claimant{}
	renew := func(i int) {
		me := &all[i]
		me.held = contract.within(contract.fair(me.node, all), me.node, all)
		var sum grant
		for _, c := range all {
			sum.rate, sum.links, sum.lots = sum.rate+c.held.rate, sum.links+c.held.links, sum.lots+c.held.lots
		}
		if sum.atMost(contract) != sum {
			t.Fatalf("together %+v of %+v", sum, contract)
		}
	}
	round := func() {
		for range 2 { // one lowers, then another takes
			for i := range all {
				renew(i)
			}
		}
	}
	want := func(when string, held ...grant) {
		t.Helper()
		for i, c := range all {
			if c.held != held[i] {
				t.Errorf("%s: node %s holds %+v, want %+v", when, c.node, c.held, held[i])
			}
		}
	}
	all = append(all, claimant{node: "a", able: true, busy: true})
	round()
	want("alone", contract)
	all = append(all, claimant{node: "b", able: true, busy: true}, claimant{node: "c", able: true})
	round()
	want("two send, one is idle", grant{50_000, 2, 3}, grant{50_000, 1, 3}, grant{0, 1, 2})
	all[2].busy = true
	round()
	want("three send", grant{33_333, 2, 3}, grant{33_333, 1, 3}, grant{33_333, 1, 2})
	all[0].able = false
	round()
	want("the operator does not answer one: it keeps a connection to try", grant{0, 1, 1}, grant{50_000, 2, 4}, grant{50_000, 1, 3})
	all = all[:2]
	round()
	want("one has died", grant{0, 1, 1}, grant{100_000, 3, 7})
}

// One connection among several nodes goes to who can use it.
func TestTheOnlyConnectionIsNotKeptByWhoCannotUseIt(t *testing.T) {
	t.Parallel()
	contract := grant{links: 1, lots: 1}
	all := []claimant{{node: "a", held: grant{links: 1, lots: 1}}, {node: "b", able: true}}
	if g := contract.within(contract.fair("a", all), "a", all); g != (grant{}) {
		t.Errorf("who cannot use it keeps %+v", g)
	}
	all[0].held = grant{}
	if g := contract.within(contract.fair("b", all), "b", all); g.links != 1 {
		t.Errorf("the other has %+v", g)
	}
	all[0].able, all[1].held = true, grant{links: 1, lots: 1}
	if g := contract.fair("a", all); g.links != 0 {
		t.Errorf("who comes back takes %+v from who works", g)
	}
}

// A share ends by itself, and its connections with it.
func TestAShareThatIsNotRenewedEnds(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Unix(1_800_000_000, 0))
	s := newShare(grant{rate: 10_000, links: 2, lots: 4}, clock.Stopwatch(c), false)
	if s.canSend() {
		t.Error("a share before any grant")
	}
	s.grant(grant{rate: 10_000, links: 2, lots: 4}, time.Second)
	first, _, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, giveBack, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.grant(grant{rate: 5_000, links: 1, lots: 2}, time.Second)
	if first.Err() != nil || !errors.Is(context.Cause(second), channels.ErrLinkLost) {
		t.Errorf("after one of two was taken back: %v, %v", first.Err(), context.Cause(second))
	}
	if held, used := s.links(); held != 1 || used != 2 {
		t.Errorf("%d held, %d used until it is closed", held, used)
	}
	giveBack()
	c.Advance(time.Second)
	s.look()
	if s.canSend() || s.lots() != 0 || first.Err() == nil {
		t.Errorf("after its end: can send %v, %d lots, connection %v", s.canSend(), s.lots(), first.Err())
	}
}

// A node never sends faster than its share, and a long message counts for its segments.
func TestTurnsKeepThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShare(grant{rate: 100_000}, clock.Stopwatch(clock.Real()), true)
		began, sent := time.Now(), 0
		for i := range 200 {
			weight := 1 + i%3
			for wait, _ := s.turn(weight); wait > 0; wait, _ = s.turn(weight) {
				time.Sleep(wait) // moved by synctest, not slept
			}
			sent += weight
		}
		if took := time.Since(began).Seconds(); float64(sent) > 100*took+8 || float64(sent) < 99*took {
			t.Errorf("%d segments in %.2f s at 100 a second", sent, took)
		}
		s = newShare(grant{rate: 1000}, clock.Stopwatch(clock.Real()), false)
		if wait, _ := s.turn(1); wait != 0 {
			t.Error("without a share there is nothing to wait for")
		}
	})
}

// Renewals that stand still tell a death, whatever the clocks say.
func TestSightings(t *testing.T) {
	t.Parallel()
	s := newSightings[string](5 * time.Second)
	look := func(at time.Duration, numbers map[string]int64) int { return len(s.still(at, numbers)) }
	if look(0, map[string]int64{"a": 7, "b": 1}) != 0 || look(4*time.Second, map[string]int64{"a": 7, "b": 2}) != 0 {
		t.Error("dead too soon")
	}
	if dead := s.still(5*time.Second, map[string]int64{"a": 7, "b": 2}); len(dead) != 1 || dead[0] != "a" {
		t.Errorf("dead: %v", dead)
	}
	if look(6*time.Second, map[string]int64{"b": 2}) != 0 || look(7*time.Second, map[string]int64{"a": 7, "b": 3}) != 0 {
		t.Error("who was forgotten is seen anew")
	}
}

// A call is not cut because another node should have its channel: it ends, and only
// then is the channel the other's. A right that lapses cuts it, for the other may
// begin one.
func TestACallKeepsItsChannelUntilItEnds(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Unix(1_800_000_000, 0))
	s := newShare(grant{links: 2, lots: 4}, clock.Stopwatch(c), false)
	s.calls = true
	s.grant(grant{links: 2, lots: 4}, 2*time.Second)
	first, _, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, giveBack, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.grant(grant{links: 1, lots: 2}, 2*time.Second)
	if first.Err() != nil || second.Err() != nil {
		t.Errorf("a call was cut: %v, %v", context.Cause(first), context.Cause(second))
	}
	if held, used := s.links(); held != 1 || used != 2 {
		t.Errorf("%d held, %d used: the other nodes must see both", held, used)
	}
	giveBack()
	waiting, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := s.Take(waiting); err == nil {
		t.Error("a third call began beyond the share")
	}
	c.Advance(2 * time.Second)
	s.look()
	if !errors.Is(context.Cause(first), channels.ErrLinkLost) {
		t.Errorf("the right has lapsed, and the call goes on: %v", context.Cause(first))
	}
}
