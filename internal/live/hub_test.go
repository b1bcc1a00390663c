package live_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"tocsin/internal/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waiting counts the news in a channel without blocking.
func waiting(ch <-chan struct{}) int {
	n := 0
	for {
		select {
		case _, open := <-ch:
			if !open {
				return n
			}
			n++
		default:
			return n
		}
	}
}

func TestHubMergesNews(t *testing.T) {
	t.Parallel()
	hub := live.NewHub()
	a, b := hub.Subscribe(t.Context(), "alert:1"), hub.Subscribe(t.Context(), "alert:2")
	hub.Notify("alert:3") // nobody listens
	for range 100 {
		hub.Notify("alert:1")
	}
	if got := waiting(a); got != 1 {
		t.Errorf("100 moves not taken give %d news, want 1", got)
	}
	if got := waiting(b); got != 0 {
		t.Errorf("the news of another topic came: %d", got)
	}
	hub.Notify("alert:1")
	if got := waiting(a); got != 1 {
		t.Errorf("a move after the news were taken gives %d news, want 1", got)
	}
}

func TestHubForgetsWhoLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub()
		ctx, leave := context.WithCancel(t.Context())
		ch := hub.Subscribe(ctx, "x")
		if got := hub.Listeners("x"); got != 1 {
			t.Errorf("%d listeners, want 1", got)
		}
		leave()
		synctest.Wait()
		if _, open := <-ch; open {
			t.Error("the channel of who left is open")
		}
		if got := hub.Listeners("x"); got != 0 {
			t.Errorf("%d listeners, want 0", got)
		}
		hub.Notify("x")
	})
}

func TestHubUnderCrowd(t *testing.T) {
	t.Parallel()
	hub := live.NewHub()
	ctx, leave := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for range 100 {
		crowd.Go(func() {
			for range hub.Subscribe(ctx, "x") {
			}
		})
		crowd.Go(func() {
			for range 100 {
				hub.Notify("x")
			}
		})
	}
	leave()
	crowd.Wait()
	if got := hub.Listeners("x"); got != 0 {
		t.Errorf("%d listeners left", got)
	}
}
