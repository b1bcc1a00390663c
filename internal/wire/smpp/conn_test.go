package smpp_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/wire/smpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns a connection and the other end, raw.
func pair(t *testing.T, limits smpp.Limits) (*smpp.Conn, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	c := smpp.NewConn(ours, limits)
	t.Cleanup(func() {
		if err := errors.Join(theirs.Close(), c.Abort()); err != nil {
			t.Error(err)
		}
	})
	return c, theirs
}

func TestConnCarriesBothWays(t *testing.T) {
	t.Parallel()
	c, theirs := pair(t, smpp.Limits{Read: 5 * time.Second, Write: 5 * time.Second})
	go func() {
		if _, err := theirs.Write(smpp.AppendEmpty(nil, smpp.EnquireLink, smpp.StatusOK, 3)); err != nil {
			t.Error(err)
		}
	}()
	f, err := c.Next()
	if err != nil || f.Command != smpp.EnquireLink || f.Sequence != 3 {
		t.Fatalf("read %+v, %v", f, err)
	}
	if err := c.Empty(smpp.EnquireLinkResp, smpp.StatusOK, 3); err != nil {
		t.Fatal(err)
	}
	f, err = smpp.NewReader(theirs, 0).Next()
	if err != nil || f.Command != smpp.EnquireLinkResp {
		t.Errorf("the peer read %+v, %v", f, err)
	}
}

func TestConnKeepsEveryPDUWhole(t *testing.T) {
	t.Parallel()
	const writers, each = 20, 100
	c, theirs := pair(t, smpp.Limits{Write: 10 * time.Second})
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				m := smpp.Message{ShortMessage: strings.Repeat("x", 1+(w+n)%200)}
				err := c.Write(func(dst []byte) ([]byte, error) {
					return smpp.AppendMessage(dst, smpp.SubmitSM, uint32(w*each+n+1), &m)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make(map[uint32]bool)
	reader := smpp.NewReader(theirs, 0)
	for range writers * each {
		f, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Message()
		n := int(f.Sequence) - 1
		if err != nil || seen[f.Sequence] || len(m.ShortMessage) != 1+(n/each+n%each)%200 {
			t.Fatalf("PDU %d: %d octets, %v", f.Sequence, len(m.ShortMessage), err)
		}
		seen[f.Sequence] = true
	}
	group.Wait()
}

func TestConnRefusesABrokenPDUAlone(t *testing.T) {
	t.Parallel()
	c, theirs := pair(t, smpp.Limits{Write: 5 * time.Second})
	wrong := errors.New("wrong")
	if err := c.Write(func(dst []byte) ([]byte, error) { return append(dst, 1, 2, 3), wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if err := c.Empty(smpp.Unbind, smpp.StatusOK, 1); err != nil {
		t.Fatal(err)
	}
	if f, err := smpp.NewReader(theirs, 0).Next(); err != nil || f.Command != smpp.Unbind {
		t.Errorf("the peer read %+v, %v", f, err)
	}
}

func TestConnDeadlines(t *testing.T) {
	t.Parallel()
	c, _ := pair(t, smpp.Limits{Read: 20 * time.Millisecond, Write: 20 * time.Millisecond})
	var timeout net.Error
	if _, err := c.Next(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a silent peer: %v", err)
	}
	// The peer does not read: the queue fills, then the deadline frees the writers.
	var err error
	for n := 0; err == nil && n < 100_000; n++ {
		err = c.Empty(smpp.EnquireLink, smpp.StatusOK, 1)
	}
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a peer that does not read: %v", err)
	}
}

func TestConnCloseWritesWhatIsQueued(t *testing.T) {
	t.Parallel()
	c, theirs := pair(t, smpp.Limits{Write: 5 * time.Second})
	for range 50 {
		if err := c.Empty(smpp.EnquireLink, smpp.StatusOK, 7); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan []byte, 1)
	go func() {
		octets, err := io.ReadAll(theirs)
		if err != nil {
			t.Error(err)
		}
		got <- octets
	}()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if octets := <-got; !bytes.Equal(octets, bytes.Repeat(smpp.AppendEmpty(nil, smpp.EnquireLink, smpp.StatusOK, 7), 50)) {
		t.Errorf("%d octets reached the peer", len(octets))
	}
	if err := c.Empty(smpp.EnquireLink, smpp.StatusOK, 8); !errors.Is(err, smpp.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if _, err := c.Next(); err == nil {
		t.Error("read after close")
	}
}
