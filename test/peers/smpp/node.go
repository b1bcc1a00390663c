package smpp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"tocsin/test/peers"
)

// Options are how the gateway is born. Empty fields take the script's defaults.
type Options struct {
	SystemID string `json:"system_id,omitempty"`
	Password string `json:"password,omitempty"`
	// IDs is "decimal", "hex" (response in hexadecimal, receipt in decimal) or "both".
	IDs string `json:"ids,omitempty"`
	// Form of the receipts: "text", "tlv" or "both".
	Form string `json:"form,omitempty"`
	// Refuse lists the destinations refused with ESME_RINVDSTADR.
	Refuse []string `json:"refuse,omitempty"`
	// Key and Cert are PEM files; TLS when given.
	Key  string `json:"key,omitempty"`
	Cert string `json:"cert,omitempty"`
}

// Behaviour is how the gateway treats what comes; nil fields stay as they are.
type Behaviour struct {
	// Mode is accept, throttle, full, silent, cut, down or status.
	Mode          string `json:"mode,omitempty"`
	Status        *int   `json:"status,omitempty"`
	ThrottleAfter *int   `json:"throttleAfter,omitempty"`
	Early         *bool  `json:"early,omitempty"`
	Receipts      *bool  `json:"receipts,omitempty"`
}

// News is what the gateway sends: a receipt about a message by its index, a
// reply, or a reply in parts.
type News struct {
	About       int      `json:"about"`
	Undelivered bool     `json:"undelivered,omitempty"`
	Reply       string   `json:"reply,omitempty"`
	Parts       []string `json:"parts,omitempty"`
	// Sequential waits for the acknowledgement of a part before the next.
	Sequential bool `json:"sequential,omitempty"`
	Reverse    bool `json:"reverse,omitempty"`
}

// Message is one message as the gateway's library read it.
type Message struct {
	Index      int    `json:"index"`
	To         string `json:"to"`
	Source     string `json:"source"`
	Text       string `json:"text"`
	ID         string `json:"id"`
	ReceiptID  string `json:"receiptID"`
	Expires    string `json:"expires"`
	Coding     int    `json:"coding"`
	Registered int    `json:"registered"`
	// TON holds source TON, source NPI, destination TON, destination NPI.
	TON     []int `json:"ton"`
	Parts   int   `json:"parts"`
	Payload bool  `json:"payload"`
	Ref     int   `json:"ref"`
}

// ExpiresAt is the end of validity as the library understood it.
func (m Message) ExpiresAt() time.Time {
	t, err := time.Parse(time.RFC3339, m.Expires)
	if err != nil {
		return time.Time{}
	}
	return t
}

// State is what the gateway saw.
type State struct {
	Received       []Message `json:"received"`
	Unacknowledged int       `json:"unacknowledged"`
	Refusals       int       `json:"refusals"`
	Accepted       int       `json:"accepted"`
	// Parts counts the submit_sm received, whatever became of them.
	Parts        int `json:"parts"`
	Binds        int `json:"binds"`
	MostInFlight int `json:"mostInFlight"`
	Enquiries    int `json:"enquiries"`
	Sessions     int `json:"sessions"`
}

// Node is a running gateway of the npm library.
type Node struct {
	// Port is where it speaks SMPP, on 127.0.0.1.
	Port int

	t       testing.TB
	control string
	client  *http.Client
}

// ports are what a script prints once it listens.
type ports struct {
	SMPP    int `json:"smpp"`
	Control int `json:"control"`
}

// StartNode starts a gateway that ends with the test.
func StartNode(t testing.TB, o Options) *Node {
	t.Helper()
	peers.NeedNode(t, "smpp")
	script := filepath.Join(peers.Folder(t), "smpp", "smsc.js")
	options, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var p ports
	peers.Launch(t, &p, func([]byte) {}, "node", script, string(options))
	// No kept connection: the leak checks of the tests see none.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: peers.StartTimeout}
	return &Node{Port: p.SMPP, t: t, control: fmt.Sprintf("http://127.0.0.1:%d", p.Control), client: client}
}

func (n *Node) order(path string, body any) State {
	n.t.Helper()
	octets, err := json.Marshal(body)
	if err != nil {
		n.t.Fatal(err)
	}
	response, err := n.client.Post(n.control+path, "application/json", bytes.NewReader(octets))
	if err != nil {
		n.t.Fatalf("the gateway does not obey: %v", err)
	}
	var s State
	err = json.NewDecoder(response.Body).Decode(&s)
	if closing := response.Body.Close(); closing != nil {
		n.t.Error(closing)
	}
	if err != nil {
		n.t.Fatalf("the gateway's state: %v", err)
	}
	return s
}

// Behave changes the behaviour from now on.
func (n *Node) Behave(b Behaviour) { n.t.Helper(); n.order("/behave", b) }

// Configure changes the options of a running gateway.
func (n *Node) Configure(o Options) { n.t.Helper(); n.order("/options", o) }

// Tell has the gateway send news until they are acknowledged.
func (n *Node) Tell(news News) { n.t.Helper(); n.order("/tell", news) }

// Drop cuts every connection.
func (n *Node) Drop() { n.t.Helper(); n.order("/drop", nil) }

// Unbind has the gateway end every session in good order.
func (n *Node) Unbind() { n.t.Helper(); n.order("/unbind", nil) }

// State is what the gateway saw so far.
func (n *Node) State() State { n.t.Helper(); return n.order("/state", nil) }
