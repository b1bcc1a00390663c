package crash_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/bench/ground"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// node is one of several programs on one database.
type node struct {
	*process
	address string
}

// node starts one more program; change may put it elsewhere.
func (i *installation) node(listen string, change func(*exec.Cmd), more ...string) *node {
	i.t.Helper()
	p := start(i.t, change, append(append([]string{"serve", "--listen", listen}, i.flags()...), more...)...)
	listens(i.t, listen, p)
	return &node{p, listen}
}

func (i *installation) nodes(count int) (out []*node) {
	i.t.Helper()
	for range count {
		out = append(out, i.node(freePort(i.t), nil))
	}
	return out
}

// Any node serves any page to somebody who signed in on another, and a node
// that is killed in an alert is replaced by the others: nothing is lost, what
// may have left twice says so, the contract with the operator holds across the
// nodes: messages per second and connections.
func TestThreeNodesAndOneIsKilled(t *testing.T) {
	n, i := startNetwork(t, "--gateway-max-binds", "2"), installOn(t, storagetest.PostgresURL(t))
	i.gatewayBy(n.smpp, channels.Settings{"binds": "2"})
	i.people(crowd, "Camille")
	scenario := i.scenario()
	nodes := i.nodes(3)
	i.anyNode(nodes)
	i.launch(scenario).done()
	n.reached(crowd / 4)
	nodes[rand.IntN(3)].kill()
	if n.sms().Distinct == crowd {
		t.Fatal("the kill came after the end: the test shows nothing")
	}
	n.reached(crowd)
	i.settled()
	for _, node := range nodes {
		if node.cmd.ProcessState == nil {
			node.stop()
		}
	}
	i.called(n, inFlight)
	if c := n.sms(); c.Refused > 0 || c.Throttled > 0 {
		t.Errorf("the operator refused %d connections and %d messages", c.Refused, c.Throttled)
	}
	n.kept(rate)
}

// anyNode asks for pages through a load balancer that knows nothing, with a
// session that no node in particular opened.
func (i *installation) anyNode(nodes []*node) {
	i.t.Helper()
	targets := make([]string, len(nodes))
	for k, n := range nodes {
		targets[k] = n.address
	}
	road, err := ground.NewRoad("127.0.0.1:0", targets...)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() {
		if err := road.Close(); err != nil {
			i.t.Errorf("close the road: %v", err)
		}
	}()
	who := identitytest.Join(i.t, i.house.Accounts, clock.Real(), i.scope.Organisation(), "garde", access.Launcher)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/alertes", "/alertes/declencher", "/scenarios", "/alertes", "/alertes/declencher", "/scenarios"} {
		r, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, "http://"+road.Address()+path, http.NoBody)
		if err != nil {
			i.t.Fatal(err)
		}
		r.AddCookie(who.SecureCookie())
		answer, err := client.Do(r)
		if err != nil {
			i.t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			i.t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			i.t.Errorf("%s: status %d %v", path, answer.StatusCode, err)
		}
	}
}

// kept checks that no second saw clearly more messages than the contract: a
// busy machine may deliver together what left apart.
func (n *network) kept(rate int) {
	n.t.Helper()
	all := n.entries()
	for first, last := 0, 0; last < len(all); last++ {
		for all[last].At-all[first].At >= time.Second.Microseconds() {
			first++
		}
		if got := last - first + 1; got > rate*3/2 {
			n.t.Fatalf("%d messages in one second, the contract is %d", got, rate)
		}
	}
}

// The kill switch stops three nodes within a second.
func TestTheKillSwitchStopsEveryNode(t *testing.T) {
	n, i := startNetwork(t), installOn(t, storagetest.PostgresURL(t))
	i.gatewayBy(n.smpp, channels.Settings{"binds": "3"})
	i.people(crowd, "Camille")
	scenario := i.scenario()
	nodes := i.nodes(3)
	i.launch(scenario).done()
	n.reached(crowd / 4)
	if err := i.house.Alerting.Kill(t.Context(), i.scope, now(), i.launched(), "essai"); err != nil {
		t.Fatal(err)
	}
	killed := now()
	storagetest.Eventually(t, patience, "nothing waits any more", func() bool {
		return i.number(`SELECT COUNT(*) FROM dispatch_lots WHERE pending`) == 0
	})
	for _, node := range nodes {
		node.stop()
	}
	late := 0
	for _, e := range n.entries() {
		if e.At > killed.Add(time.Second).UnixMicro() {
			late++
		}
	}
	if c := n.sms(); late > 0 || c.Distinct >= crowd {
		t.Errorf("%d messages left more than a second after the kill switch, %d in all", late, c.Distinct)
	}
}

// launched is the only alert there is.
func (i *installation) launched() (id uuid.UUID) {
	i.t.Helper()
	if err := i.house.DB.Read(i.t.Context(), access.Instance("crash"), func(tx *storage.Tx) error {
		_, err := tx.Row(i.t.Context(), `SELECT id FROM alerting_launches`, nil, &id)
		return err
	}); err != nil {
		i.t.Fatal(err)
	}
	return id
}

// A node is cut off from everything in the middle of an alert, as by a switch
// that dies: no side is told. It stops by itself, the others finish its work,
// and it comes back as if nothing had been. Where the system gives no machine of
// its own, the node loses its database only.
func TestANodeCutOffAndBack(t *testing.T) {
	n, i := startNetwork(t), installOn(t, storagetest.PostgresURL(t))
	shore, host, change := "127.0.0.1", "127.0.0.1", (func(*exec.Cmd))(nil)
	island, err := ground.NewIsland()
	if err != nil {
		t.Logf("no network namespace (%v): a relay is cut instead", err)
	} else {
		t.Cleanup(func() {
			if err := island.Close(); err != nil {
				t.Errorf("remove the namespace: %v", err)
			}
		})
		shore, host = island.Shore, island.Host
		change = func(cmd *exec.Cmd) {
			if err := island.Run(cmd); err != nil {
				t.Fatal(err)
			}
		}
	}
	address, err := url.Parse(i.database)
	if err != nil {
		t.Fatal(err)
	}
	toData, toOperator := road(t, shore, address.Host), road(t, shore, n.smpp)
	address.Host = toData.Address()
	i.gatewayBy(toOperator.Address(), channels.Settings{"binds": "3"})
	i.people(crowd, "Camille")
	scenario := i.scenario()
	_, port, err := net.SplitHostPort(freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	nodes := append(i.nodes(2), i.node(net.JoinHostPort(host, port), change, "--database-url", address.String()))
	i.launch(scenario).done()
	n.reached(crowd / 4)
	cut, mend := func() error { toData.Cut(); return nil }, func() error { toData.Mend(); return nil }
	if island != nil {
		cut, mend = island.Cut, island.Mend
	}
	if err := cut(); err != nil {
		t.Fatal(err)
	}
	if n.sms().Distinct == crowd {
		t.Fatal("the cut came after the end: the test shows nothing")
	}
	n.reached(crowd) // without the node that is cut off
	if err := mend(); err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, patience, "the node is back", func() bool { return ready(nodes[2].address) })
	i.settled()
	for _, node := range nodes {
		node.stop()
	}
	i.called(n, inFlight)
}

func road(t *testing.T, shore, target string) *ground.Road {
	t.Helper()
	r, err := ground.NewRoad(net.JoinHostPort(shore, "0"), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close the road: %v", err)
		}
	})
	return r
}

// ready tells whether a node says so itself.
func ready(address string) bool {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(fmt.Sprintf("http://%s/readyz", address))
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}
