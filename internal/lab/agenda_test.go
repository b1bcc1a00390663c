package lab

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/clock"
)

func TestAgendaDoesThingsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgenda(clock.Real())
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { a.run(ctx) })
		began := time.Now()
		var done []int
		var when []time.Duration
		note := func(n int) func() {
			return func() { done, when = append(done, n), append(when, time.Since(began)) }
		}
		a.after(3*time.Second, note(4))
		a.after(time.Second, note(1))
		a.after(2*time.Second, func() { note(2)(); a.after(0, note(3)) })
		synctest.Wait()
		time.Sleep(1500 * time.Millisecond)
		a.after(2*time.Second, note(5))
		if n := a.waiting(); n != 3 {
			t.Errorf("%d things to do, want 3", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		want := []time.Duration{1 * time.Second, 2 * time.Second, 2 * time.Second, 3 * time.Second, 3500 * time.Millisecond}
		if !slices.Equal(done, []int{1, 2, 3, 4, 5}) || !slices.Equal(when, want) || a.waiting() != 0 {
			t.Errorf("done %v at %v, %d left", done, when, a.waiting())
		}
		cancel()
		group.Wait()
	})
}

func TestCrewWorksAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { c.run(ctx, 2) })
		var mu sync.Mutex
		busy, most, finished := 0, 0, 0
		for range 5 {
			c.give(func(context.Context) {
				mu.Lock()
				busy++
				most = max(most, busy)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				busy--
				finished++
				mu.Unlock()
			})
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		mu.Lock()
		if finished != 2 || c.waiting() != 3 {
			t.Errorf("%d finished, %d waiting; want 2 and 3", finished, c.waiting())
		}
		mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if finished != 5 || most != 2 || c.waiting() != 0 {
			t.Errorf("%d finished, %d at once, %d waiting", finished, most, c.waiting())
		}
		cancel()
		group.Wait()
	})
}
