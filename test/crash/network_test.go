package crash_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"tocsin/internal/lab"
)

// network is the simulated operator, in a process of its own.
type network struct {
	*process
	smpp, control string
}

func startNetwork(t *testing.T, more ...string) *network {
	t.Helper()
	n := &network{smpp: freePort(t), control: freePort(t)}
	n.process = start(t, nil, append([]string{"lab", "--fast", "--smpp", n.smpp, "--smtp", "", "--sip", "", "--control", n.control}, more...)...)
	listens(t, n.smpp, n.process)
	listens(t, n.control, n.process)
	return n
}

func (n *network) ask(method, path string, into any) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), method, "http://"+n.control+path, http.NoBody)
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatalf("ask the network: %v", err)
	}
	defer answer.Body.Close()
	if into == nil {
		return
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		n.t.Fatalf("%s: %v", path, err)
	}
}

// sms is what the operator has counted.
func (n *network) sms() lab.SMSCounts {
	n.t.Helper()
	var c lab.Counts
	n.ask(http.MethodGet, "/counts", &c)
	return c.SMS
}

// times counts how often each number was called.
func (n *network) times() map[string]int {
	n.t.Helper()
	out := map[string]int{}
	for _, e := range n.entries() {
		out[e.To]++
	}
	return out
}

// entries are all the messages taken, in order.
func (n *network) entries() (out []lab.Entry) {
	n.t.Helper()
	for since := 0; ; {
		var page []lab.Entry
		n.ask(http.MethodGet, "/messages?since="+strconv.Itoa(since), &page)
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		since += len(page)
	}
}

// cut breaks every session, as a network does.
func (n *network) cut() { n.ask(http.MethodPost, "/cut", nil) }
