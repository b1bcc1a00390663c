package email

import (
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
)

func TestAProviderThatDefersDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC))
	d := newDomains(c.Now)
	passed := func(to string, within time.Duration) (n int) {
		for end := c.Now().Add(within); c.Now().Before(end); c.Advance(100 * time.Millisecond) {
			for d.turn(to) == 0 && n < 100_000 {
				n++
				if d.limits[d.leader(to)] == 0 {
					break
				}
			}
		}
		return n
	}
	// 120 a minute, and five seconds' worth at once at the beginning.
	if n := passed("a@orange.fr", time.Minute); n < 120 || n > 132 {
		t.Errorf("%d messages to orange.fr in a minute", n)
	}
	if n := passed("a@chu.example", time.Second); n != 10 {
		t.Errorf("a domain without limit took %d", n)
	}
	deferred := channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled}
	d.heard("b@wanadoo.fr", deferred)
	d.heard("c@ORANGE.fr", deferred) // the same news
	if w := d.turn("a@orange.fr"); w != deferFirst {
		t.Errorf("after a deferral orange.fr waits %s", w)
	}
	if w := d.turn("a@gmail.com"); w != 0 {
		t.Errorf("gmail.com waits %s for orange.fr", w)
	}
	c.Advance(deferFirst)
	d.heard("b@orange.fr", deferred)
	if w := d.turn("a@orange.fr"); w != 2*deferFirst {
		t.Errorf("after a second deferral it waits %s", w)
	}
	c.Advance(2 * deferFirst)
	if n := passed("a@orange.fr", time.Minute); n > 40 {
		t.Errorf("its pace is still %d a minute", n)
	}
	for range 200 {
		d.heard("a@orange.fr", channels.Outcome{State: channels.Accepted})
	}
	c.Advance(time.Minute)
	if n := passed("a@orange.fr", time.Minute); n < 120 {
		t.Errorf("its pace did not come back: %d", n)
	}
	for range 20 {
		c.Advance(deferMost)
		d.heard("a@chu.example", deferred)
	}
	if w := d.turn("a@chu.example"); w != deferMost {
		t.Errorf("it waits %s, want %s at most", w, deferMost)
	}
}
