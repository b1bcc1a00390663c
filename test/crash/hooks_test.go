package crash_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/bench/ground"
	"tocsin/internal/hooks"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// told is what a receiver heard of one message.
type told struct{ id, double string }

// A node is killed while it tells another program: the message was heard, nobody
// wrote so. Another node takes it over once the lease is past, with the same id,
// and says that it may be the second time. The receiver is on an address of this
// machine that is not the loopback, which no subscription may reach.
func TestKillWhileAnotherProgramIsTold(t *testing.T) {
	t.Parallel()
	island, err := ground.NewIsland()
	if err != nil {
		t.Skipf("an address for the receiver needs a network namespace: %v", err)
	}
	t.Cleanup(func() {
		if err := island.Close(); err != nil {
			t.Errorf("remove the namespace: %v", err)
		}
	})
	var mu sync.Mutex
	var heard []told
	hold := make(chan struct{})
	there := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heard = append(heard, told{r.Header.Get("Webhook-Id"), r.Header.Get("Tocsin-Possible-Double")})
		first := len(heard) == 1
		mu.Unlock()
		if first {
			<-hold // the node dies before the answer
		}
	}))
	if err := there.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	if there.Listener, err = net.Listen("tcp", net.JoinHostPort(island.Shore, "0")); err != nil {
		t.Fatal(err)
	}
	there.Start()
	t.Cleanup(there.Close)
	release := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(release)
	count := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(heard) >= n
		}
	}

	i := installOn(t, storagetest.PostgresURL(t))
	sub, _, err := i.house.Hooks.Subscribe(t.Context(), i.scope, now(), hooks.SubscriptionInput{Name: "Tableau de bord", URL: there.URL, Events: hooks.Kinds(), Inside: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.house.Hooks.Try(t.Context(), i.scope, now(), sub.ID); err != nil {
		t.Fatal(err)
	}
	one := i.node(freePort(t), nil)
	storagetest.Eventually(t, patience, "the program is being told", count(1))
	other := i.node(freePort(t), nil)
	one.kill()
	i.leasesPass()
	storagetest.Eventually(t, patience, "another node tells it", count(2))
	storagetest.Eventually(t, patience, "the message is told", func() bool {
		return i.number(`SELECT COUNT(*) FROM hooks_deliveries WHERE state = 'told'`) == 1
	})
	other.stop()
	release()
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 2 || heard[0].id == "" || heard[1] != (told{heard[0].id, "true"}) || heard[0].double != "" {
		t.Errorf("heard %+v", heard)
	}
}

// leasesPass is the minute after which a node that is silent has lost what it held.
func (i *installation) leasesPass() {
	i.t.Helper()
	if err := i.house.DB.Write(i.t.Context(), access.Instance("crash"), func(tx *storage.Tx) error {
		_, err := tx.Exec(i.t.Context(), `UPDATE hooks_deliveries SET lease_us = $1 WHERE holder IS NOT NULL`, storage.Micros(now()))
		return err
	}); err != nil {
		i.t.Fatal(err)
	}
}
