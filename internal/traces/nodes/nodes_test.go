package nodes_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/nodes"
	"tocsin/internal/vault"
)

// base remembers what it was asked, and of whom.
type base struct {
	mu    sync.Mutex
	asked []string
}

func (b *base) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, fmt.Sprintf(format, args...))
}

func (b *base) Ask(_ context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	if err := q.Check(); err != nil {
		return traces.Answer{}, err
	}
	b.note("ask %s %s", organisation, q.Text)
	return traces.Answer{Total: 3, Events: []traces.Stored{{Event: traces.Event{Organisation: organisation, Account: "l'été"}, Ref: "r"}}}, nil
}

func (b *base) Get(_ context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	b.note("get %s %s", organisation, ref)
	return traces.Stored{}, fault.New(fault.NotFound, "traces.error.base").At("ref")
}

func (b *base) Purge(_ context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	b.note("purge %s %s %d held %d", organisation, p.Class, p.Before, len(p.Held))
	return traces.Purged{Events: 4, First: 1, Last: 2}, nil
}

// owner is the machine that holds the base: it may die and come back.
type owner struct {
	t       *testing.T
	dir     string
	address string
	keys    nodes.Keys
	base    *base
	ready   bool
	spool   *spool.Spool
	stop    context.CancelFunc
	done    chan error
}

func newOwner(t *testing.T, keys nodes.Keys) *owner {
	o := &owner{t: t, dir: t.TempDir(), address: "127.0.0.1:0", keys: keys, base: &base{}, ready: true}
	o.start()
	t.Cleanup(func() { o.kill() })
	return o
}

func (o *owner) start() {
	o.t.Helper()
	var err error
	if o.spool, err = spool.Open(o.dir, spool.Options{}); err != nil {
		o.t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", o.address)
	if err != nil {
		o.t.Fatal(err)
	}
	o.address = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	o.stop, o.done = stop, make(chan error, 1)
	door := &nodes.Door{Queue: o.spool, Base: o.base, Keys: o.keys, Ready: func() bool { return o.ready }, Log: slog.New(slog.DiscardHandler)}
	go func() { o.done <- door.Serve(ctx, l) }()
}

// kill closes the queue under the feet of those who bring, then the door.
func (o *owner) kill() {
	if o.stop == nil {
		return
	}
	if err := o.spool.Close(); err != nil {
		o.t.Error(err)
	}
	o.stop()
	if err := <-o.done; err != nil {
		o.t.Error(err)
	}
	o.stop = nil
}

// kept reads the accounts of what is on the disk, in order.
func (o *owner) kept() (out []string) {
	o.t.Helper()
	r := spool.NewReader(o.dir, spool.Position{})
	for {
		record, err := r.Next(o.spool.Durable())
		if errors.Is(err, io.EOF) {
			break
		}
		var e traces.Event
		if err == nil {
			err = traces.ReadRecord(record, &e)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		out = append(out, e.Account)
	}
	if err := r.Close(); err != nil {
		o.t.Fatal(err)
	}
	return out
}

func keyring(t *testing.T) (*vault.Vault, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tocsin.key")
	v, err := vault.Create(path, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return v, path
}

func node(t *testing.T, address string, keys nodes.Keys) *nodes.Node {
	n := nodes.NewNode(address, keys)
	t.Cleanup(n.Close)
	return n
}

func record(account string) []byte {
	return traces.AppendRecord(nil, &traces.Event{Account: account, Severity: -1, Raw: []byte("original de " + account)})
}

var (
	organisation = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")
	question     = traces.Question{From: 0, To: 10, Zone: "UTC", Limit: 5, Text: "mot"}
)

func TestANodeBringsAndAsks(t *testing.T) {
	keys, _ := keyring(t)
	o := newOwner(t, keys)
	n, ctx := node(t, o.address, keys), t.Context()
	var _ traces.Queue = n
	var _ traces.Base = n
	if _, err := n.Append(ctx, record("a"), record("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := node(t, o.address, keys).Append(ctx, record("c")); err != nil {
		t.Fatal(err)
	}
	if got := o.kept(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("on the disk: %q", got)
	}
	if n.Held() == 0 {
		t.Error("nothing is told of what waits")
	}
	a, err := n.Ask(ctx, organisation, question)
	if err != nil || a.Total != 3 || a.Events[0].Account != "l'été" || a.Events[0].Organisation != organisation {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := n.Ask(ctx, organisation, traces.Question{}); !is(err, fault.Invalid) {
		t.Errorf("a question that does not fit: %v", err)
	}
	if _, err := n.Get(ctx, organisation, "x"); !is(err, fault.NotFound) || fault.As(err).Field != "ref" {
		t.Errorf("what is not there: %v", err)
	}
	if p, err := n.Purge(ctx, organisation, traces.Purging{Class: traces.System, Before: 7, Held: []traces.Question{{}, {}}}); err != nil || p.Events != 4 {
		t.Errorf("%+v, %v", p, err)
	}
	want := []string{"ask " + organisation.String() + " mot", "get " + organisation.String() + " x", "purge " + organisation.String() + " system 7 held 2"}
	if !slices.Equal(o.base.asked, want) {
		t.Errorf("the base was asked %q, want %q", o.base.asked, want)
	}
}

func is(err error, kind fault.Kind) bool { return fault.As(err) != nil && fault.As(err).Kind == kind }

func TestWhoHasNotTheKeyringIsNotHeardNorBelieved(t *testing.T) {
	keys, _ := keyring(t)
	others, _ := keyring(t)
	o := newOwner(t, keys)
	stranger := node(t, o.address, others)
	if _, err := stranger.Append(t.Context(), record("forged")); !is(err, fault.Unavailable) {
		t.Errorf("a stranger brings: %v", err)
	}
	if _, err := stranger.Ask(t.Context(), organisation, question); !is(err, fault.Unavailable) {
		t.Errorf("a stranger asks: %v", err)
	}
	// Without any certificate, and without any care of who answers.
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	c, err := d.DialContext(t.Context(), "tcp", o.address)
	if err == nil {
		_, err = io.WriteString(c, "POST /ask HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		var answer []byte
		if err == nil {
			answer, err = io.ReadAll(c)
		}
		if err == nil || len(answer) > 0 {
			t.Errorf("without a certificate: %q, %v", answer, err)
		}
		_ = c.Close() // broken off by the other side
	}
	plain, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", o.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(plain, "POST /ask HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(plain); strings.Contains(string(answer), "200") {
		t.Errorf("in clear: %q", answer)
	}
	_ = plain.Close()
	if got := o.kept(); len(got) > 0 || len(o.base.asked) > 0 {
		t.Errorf("heard of strangers: %q, %q", got, o.base.asked)
	}
	// And a node believes nobody who stands where the owner should.
	false_ := newOwner(t, others)
	if _, err := node(t, false_.address, keys).Append(t.Context(), record("secret")); !is(err, fault.Unavailable) {
		t.Errorf("a false owner: %v", err)
	}
	if got := false_.kept(); len(got) > 0 {
		t.Errorf("a false owner learnt %q", got)
	}
}

func TestAKeyringRotatedOnOneSideFirst(t *testing.T) {
	older, path := keyring(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "tocsin.key")
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	newer, err := vault.Load(copied)
	if err != nil {
		t.Fatal(err)
	}
	if newer, err = newer.Rotate(time.Unix(60, 0)); err != nil {
		t.Fatal(err)
	}
	if len(newer.Keys()) != 2 || len(older.Keys()) != 1 {
		t.Fatal("the keyrings do not differ")
	}
	for name, pair := range map[string][2]*vault.Vault{"the owner first": {newer, older}, "the node first": {older, newer}, "both": {newer, newer}} {
		if _, err := node(t, newOwner(t, pair[0]).address, pair[1]).Append(t.Context(), record("a")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two nodes bring while the owner dies and comes back: what was acknowledged is
// there, in the order of each node, and only what was refused is ever twice.
func TestNothingAcknowledgedIsLostWhenTheOwnerDies(t *testing.T) {
	keys, _ := keyring(t)
	o := newOwner(t, keys)
	const each = 400
	type said struct{ taken, refused []string }
	results := make([]said, 2)
	var bringing sync.WaitGroup
	halfway := make(chan struct{}, 2*each)
	for i := range results {
		n := node(t, o.address, keys)
		bringing.Go(func() {
			for k := range each {
				key := fmt.Sprintf("%d-%03d", i, k)
				for {
					_, err := n.Append(t.Context(), record(key))
					if err == nil {
						break
					}
					if len(results[i].refused) == 0 || results[i].refused[len(results[i].refused)-1] != key {
						results[i].refused = append(results[i].refused, key)
					}
				}
				results[i].taken = append(results[i].taken, key)
				halfway <- struct{}{}
			}
		})
	}
	for range 3 {
		for range each / 4 {
			<-halfway
		}
		o.kill()
		o.start()
	}
	bringing.Wait()
	kept := o.kept()
	for i, r := range results {
		var mine []string
		for _, k := range kept {
			if strings.HasPrefix(k, fmt.Sprint(i)) && (len(mine) == 0 || mine[len(mine)-1] != k) {
				mine = append(mine, k)
			}
		}
		if !slices.Equal(mine, r.taken) {
			t.Errorf("node %d had %d acknowledged, and %d are there in order", i, len(r.taken), len(mine))
		}
	}
	if len(results[0].refused)+len(results[1].refused) == 0 {
		t.Error("the owner died and nobody noticed")
	}
	if twice := len(kept) - 2*each; twice > len(results[0].refused)+len(results[1].refused) {
		t.Errorf("%d are twice, and %d were refused", twice, len(results[0].refused)+len(results[1].refused))
	}
}

func TestWhatTheOwnerDoesNotTake(t *testing.T) {
	keys, _ := keyring(t)
	o := newOwner(t, keys)
	n := node(t, o.address, keys)
	newer := record("of a newer program")
	newer[0] = 99
	for name, bad := range map[string][]byte{"newer": newer, "cut": record("cut")[:20], "empty": {}} {
		if _, err := n.Append(t.Context(), record("sound"), bad); !is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := o.kept(); len(got) > 0 {
		t.Errorf("laid with what is refused: %q", got)
	}
	// Far more than one request brings goes in several, in order.
	var many [][]byte
	for i := range 40 {
		many = append(many, traces.AppendRecord(nil, &traces.Event{Account: fmt.Sprint(i), Raw: make([]byte, traces.MaxRaw)}))
	}
	if _, err := n.Append(t.Context(), many...); err != nil {
		t.Fatal(err)
	}
	if got := o.kept(); len(got) != 40 || got[39] != "39" {
		t.Errorf("%d of 40 laid", len(got))
	}
	o.kill()
	o.ready = false
	o.start()
	if _, err := n.Append(t.Context(), record("late")); !is(err, fault.Unavailable) {
		t.Errorf("a machine that does not hold the base takes: %v", err)
	}
	if _, err := n.Ask(t.Context(), organisation, question); !is(err, fault.Unavailable) {
		t.Errorf("a machine that does not hold the base answers: %v", err)
	}
}
