package smpp

import (
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"tocsin/test/peers"
)

// Heard is one thing the Perl gateway tells: a message taken, or an acknowledgement.
type Heard struct {
	To         string `json:"to"`
	From       string `json:"from"`
	Text       string `json:"text"` // octets
	Coding     int    `json:"coding"`
	Validity   string `json:"validity"`
	Registered int    `json:"registered"`
	ID         string `json:"id"`
	// Acknowledged is the sequence of a deliver_sm_resp, Status what it says.
	Acknowledged int `json:"acknowledged"`
	Status       int `json:"status"`
}

// Perl is a running gateway of Net::SMPP. It knows "hopital" and "secret", one
// session at a time; for each message it sends a receipt (hexadecimal id in the
// response, decimal in the receipt, receipt first) and the reply "OUI j'arrive".
type Perl struct {
	// Port is where it speaks SMPP, on 127.0.0.1.
	Port int

	mu    sync.Mutex
	heard []Heard
}

// StartPerl starts a gateway that ends with the test.
func StartPerl(t testing.TB) *Perl {
	t.Helper()
	peers.Need(t, "perl")
	p := new(Perl)
	var at ports
	peers.Launch(t, &at, func(line []byte) { p.keep(t, line) }, "perl", filepath.Join(peers.Folder(t), "smpp", "smsc.pl"))
	p.Port = at.SMPP
	return p
}

func (p *Perl) keep(t testing.TB, line []byte) {
	var h Heard
	if err := json.Unmarshal(line, &h); err != nil {
		t.Errorf("the gateway said %q: %v", line, err)
		return
	}
	octets, err := hex.DecodeString(h.Text)
	if err != nil {
		t.Errorf("the gateway said %q: %v", line, err)
		return
	}
	h.Text = string(octets)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, h)
}

// Messages are those taken so far.
func (p *Perl) Messages() []Heard {
	return p.matching(func(h Heard) bool { return h.ID != "" })
}

// Acknowledgements are those received so far.
func (p *Perl) Acknowledgements() []Heard {
	return p.matching(func(h Heard) bool { return h.ID == "" })
}

func (p *Perl) matching(wanted func(Heard) bool) []Heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.heard), func(h Heard) bool { return !wanted(h) })
}
