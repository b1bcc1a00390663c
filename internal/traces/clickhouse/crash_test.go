//go:build linux

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

var (
	hospital = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")
	dpi      = uuid.MustParse("0190bbbb-0000-7000-8000-000000000001")
)

// toldEvents makes events of several classes and months; every third bears an id.
func toldEvents(from, n int) (out []traces.Placed, end spool.Position) {
	at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	for i := from; i < from+n; i++ {
		e := traces.Event{
			Organisation: hospital, Source: dpi, Collector: "json", Severity: -1, Received: at.UnixMicro() + int64(i), Class: traces.Classes()[i%5], Message: fmt.Sprintf("%06d", i),
			At: at.AddDate(0, -(i % 3), 0).UnixMicro(), IPP: fmt.Sprint(i % 7), Raw: []byte("original"),
		}
		if i%3 == 0 {
			e.Key = fmt.Sprint("k", i)
		}
		end = spool.Position{Segment: 1, Offset: int64(i + 1)}
		out = append(out, traces.Placed{Event: e, At: end})
	}
	return out, end
}

// once wants each of n events in the base, and only once.
func once(t *testing.T, e *Engine, n int) {
	t.Helper()
	q := traces.Question{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), Zone: "UTC", Limit: 1}
	a, err := e.Ask(t.Context(), hospital, q)
	if err != nil {
		t.Fatal(err)
	}
	q.Distinct = traces.FieldMessage
	d, err := e.Ask(t.Context(), hospital, q)
	if err != nil {
		t.Fatal(err)
	}
	if a.Total != int64(n) || len(d.Groups) != 1 || d.Groups[0].Count != int64(n) {
		t.Errorf("%d events, %+v different, want %d of both", a.Total, d.Groups, n)
	}
}

// failing breaks the nth insert: before the server has it, or after, when only
// the answer is lost.
type failing struct {
	left  int
	after bool
}

var errCut = errors.New("cut")

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.RawQuery, "INSERT") {
		return http.DefaultTransport.RoundTrip(r)
	}
	f.left--
	if f.left != 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	if f.after {
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
	}
	return nil, errCut
}

// The program dies at each of its writes, before and after the server has it,
// and another begins again from the place that the base tells.
func TestADeathAtEveryWriteLosesAndDoublesNothing(t *testing.T) {
	s := running(t)
	for _, after := range []bool{false, true} {
		for broken := 1; broken <= 4; broken++ { // identities, events, ids, place
			t.Run(fmt.Sprintf("write %d, after %v", broken, after), func(t *testing.T) {
				a := addressFor(t, s, t.Name())
				first, end := toldEvents(0, 40)
				e := openAt(t, a, spoolID)
				e.at.http.Transport = &failing{left: broken, after: after}
				if err := e.Take(t.Context(), first, end); err == nil && broken < 4 {
					t.Fatal("nothing broke")
				}
				// No Close: it is dead.
				e = openAt(t, a, spoolID)
				from, err := e.Applied(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if from != (spool.Position{}) && (broken < 4 || !after) {
					t.Errorf("the place is %v, and not all before it is stored", from)
				}
				again, end := toldEvents(int(from.Offset), 60-int(from.Offset))
				if err := e.Take(t.Context(), again, end); err != nil {
					t.Fatal(err)
				}
				once(t, e, 60)
				// The ids are known, also of what was stored by the one that died.
				repeated, _ := toldEvents(0, 40)
				var keyed []traces.Placed
				for _, p := range repeated {
					if p.Key != "" {
						end.Offset++
						p.At = end
						keyed = append(keyed, p)
					}
				}
				if err := e.Take(t.Context(), keyed, end); err != nil {
					t.Fatal(err)
				}
				once(t, e, 60)
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The server is killed again and again while batches come.
func TestAServerKilledLosesAndDoublesNothing(t *testing.T) {
	s := running(t)
	a := addressFor(t, s, t.Name())
	e := openAt(t, a, spoolID)
	const batch, batches = 2000, 12
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		for range 3 {
			select {
			case <-stop:
				done <- nil
				return
			case <-time.After(350 * time.Millisecond):
			}
			s.kill()
			if err := s.start(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	failures := 0
	for i := range batches {
		for {
			events, end := toldEvents(i*batch, batch)
			err := e.Take(context.Background(), events, end)
			if err == nil {
				break
			}
			if failures++; failures > 3000 {
				t.Fatal(err)
			}
			pause(t.Context(), 20*time.Millisecond)
		}
		pause(t.Context(), 60*time.Millisecond)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	once(t, e, batch*batches)
	if failures == 0 {
		t.Error("the server was killed and nobody noticed")
	}
	t.Logf("%d writes failed", failures)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// Two nodes feed one base, each from a spool of its own.
func TestTwoSpoolsFeedOneBase(t *testing.T) {
	s := running(t)
	a := addressFor(t, s, t.Name())
	one, two := openAt(t, a, spoolID), openAt(t, a, uuid.MustParse("0190cccc-0000-7000-8000-00000000000b"))
	first, end := toldEvents(0, 30)
	if err := one.Take(t.Context(), first, end); err != nil {
		t.Fatal(err)
	}
	// The same places, in the other spool, are other events; an id that the first
	// stored is a repetition, whoever it comes by.
	second, end := toldEvents(0, 30)
	fresh := 0
	for i := range second {
		if second[i].Key == "" {
			second[i].Message = "other " + second[i].Message
			fresh++
		}
	}
	if err := two.Take(t.Context(), second, end); err != nil {
		t.Fatal(err)
	}
	once(t, one, 30+fresh)
	if err := errors.Join(one.Close(), two.Close()); err != nil {
		t.Error(err)
	}
}

// hostileTexts are those that somebody thought of, and three thousand that nobody
// did: whatever bytes, and whatever of the alphabet that statements are made of.
func hostileTexts() []string {
	out := []string{"", "'", `\'`, "') OR (1=1) --", "\x00\x01", "é🏥", "\xff\xfe", "unhex('41')", "{x:String}", "${x}", "\u202e", strings.Repeat("long ", 5000)}
	r := rand.New(rand.NewPCG(1, 2))
	const alphabet = "'\"`\\()unhex; -/*\n\x00\xff{}é"
	for i := range 3000 {
		b := make([]byte, r.IntN(40))
		for k := range b {
			b[k] = byte(r.IntN(256))
			if i%2 == 0 {
				b[k] = alphabet[r.IntN(len(alphabet))]
			}
		}
		out = append(out, string(b))
	}
	return out
}

func TestATextIsDigitsInAStatement(t *testing.T) {
	for _, text := range hostileTexts() {
		got := literal(text)
		inner := strings.TrimSuffix(strings.TrimPrefix(got, "unhex('"), "')")
		if len(inner) != 2*len(text) || strings.Trim(inner, "0123456789abcdef") != "" {
			t.Fatalf("%q is written %s", text, got)
		}
	}
}

func TestTheServerGivesBackWhatWasWritten(t *testing.T) {
	s := running(t)
	at := newServer(addressFor(t, s, t.Name()))
	for some := range slices.Chunk(hostileTexts(), 500) {
		var written []string
		for _, text := range some {
			written = append(written, literal(text))
		}
		r, err := at.query(t.Context(), "SELECT "+listed(written))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range some {
			if got := r.text(); got != text {
				t.Errorf("%q came back as %q", text, got)
			}
		}
		if r.more() || r.err() != nil {
			t.Errorf("more came back than was written: %v", r.err())
		}
	}
}
