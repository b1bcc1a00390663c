package voice_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/wire/rtp"
	peer "tocsin/test/peers/sip"
)

// register is a register of conferences in memory.
type register struct {
	mu     sync.Mutex
	inside map[int]context.CancelCauseFunc
	joins  int
	over   bool
}

func (r *register) Enter(ctx context.Context, id uuid.UUID) (context.Context, func(), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == uuid.Nil || r.over {
		return nil, nil, channels.ErrConferenceOver
	}
	inside, end := context.WithCancelCause(ctx)
	if r.inside == nil {
		r.inside = make(map[int]context.CancelCauseFunc)
	}
	r.joins++
	n := r.joins
	r.inside[n] = end
	return inside, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.inside, n)
	}, nil
}

func (r *register) present() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.inside)
}

func (r *register) end(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, end := range r.inside {
		end(why)
	}
}

// ear is the sound of a telephone whose signalling is sipp's: it says one tone and
// keeps what it hears.
type ear struct {
	conn  *net.UDPConn
	tone  float64
	speak atomic.Bool

	mu    sync.Mutex
	heard []int16
}

// window is how much of what is heard is looked at: half a second, in which every
// tone of the test turns a whole number of times.
const window = rtp.Rate / 2

func (e *ear) listen() {
	b := make([]byte, 2048)
	packet := rtp.Packet{Type: byte(rtp.PCMA), SSRC: rand.Uint32()}
	for at := 0; ; at += rtp.Frame {
		n, from, err := e.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		got, err := rtp.Parse(b[:n])
		if err != nil || got.Type != byte(rtp.PCMA) {
			continue
		}
		e.mu.Lock()
		if e.heard = append(e.heard, rtp.PCMA.Decode(got.Payload)...); len(e.heard) > window {
			e.heard = e.heard[len(e.heard)-window:]
		}
		e.mu.Unlock()
		if !e.speak.Load() {
			continue
		}
		packet.Payload = rtp.PCMA.Encode(tone(e.tone, at, rtp.Frame))
		packet.Sequence++
		packet.Timestamp += rtp.Frame
		if _, err := e.conn.WriteToUDPAddrPort(packet.Append(nil), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); err != nil {
			return
		}
	}
}

// strength is how loud each voice of a test is.
const strength = 900

func tone(frequency float64, from, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(strength * math.Sin(2*math.Pi*frequency*float64(from+i)/rtp.Rate))
	}
	return out
}

// called tells that this telephone is in a call.
func (e *ear) called() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.heard) > 0
}

// loud is the strength of a tone in what was heard last (Goertzel).
func (e *ear) loud(frequency float64) float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) < window {
		return 0
	}
	turn := 2 * math.Cos(2*math.Pi*frequency/rtp.Rate)
	var one, two float64
	for _, v := range e.heard {
		one, two = float64(v)+turn*one-two, one
	}
	return 2 * math.Sqrt(max(one*one+two*two-turn*one*two, 0)) / window
}

// ears are the telephones of the calls of one sipp, from its second call on: the
// sound of the first, a question whether it lives, is on sipp's own socket. A later
// question takes the turn of a call, and leaves an ear without one.
func ears(t *testing.T, n int) (base int, out []*ear) {
	t.Helper()
	for range 50 {
		base, out = 22000+8*rand.IntN(900), nil
		for i := range n {
			conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: base + 4*(i+1)})
			if err != nil {
				break
			}
			out = append(out, &ear{conn: conn, tone: float64(300 + 80*i)})
		}
		if len(out) == n {
			break
		}
		for _, e := range out {
			_ = e.conn.Close()
		}
	}
	if len(out) != n {
		t.Fatal("no free ports for sound")
	}
	var listening sync.WaitGroup
	for _, e := range out {
		listening.Go(e.listen)
	}
	t.Cleanup(func() {
		for _, e := range out {
			if err := e.conn.Close(); err != nil {
				t.Error(err)
			}
		}
		listening.Wait()
	})
	return base, out
}

func bridged(n int) channels.Message {
	m := message(n)
	m.Answers = append(m.Answers, channels.Answer{Key: "9", Conference: true})
	m.Conference = uuid.MustParse("0192f000-0000-7000-8000-000000000001")
	return m
}

// recording writes a WAV file of a tone for a telephone to say.
func recording(t *testing.T, frequency float64) string {
	t.Helper()
	samples := tone(frequency, 0, 60*rtp.Rate)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(36+2*len(samples)))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, rtp.Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*rtp.Rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(samples)))
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	path := filepath.Join(t.TempDir(), "voix.wav")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Twenty-one telephones in clear, and one more over TLS whose sound is encrypted, by
// two trunks: each hears every other one and not itself. They are settled while they
// talk, and told when it is over.
func TestAConferenceOfTwentyTwo(t *testing.T) {
	t.Parallel()
	const people, foreign = 20, 2300
	base, all := ears(t, people+4)
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(1200*time.Millisecond, 200*time.Millisecond, "9"), MediaPort: base})
	kind, known := newKind(), &register{}
	lines := openBy(t, kind, settings(sipp.Port, channels.Settings{"channels": "40", "rate": "20", "listen": "20"}), channels.Opening{Conferences: known})
	ca, certificate := authority(t)
	phone := peer.StartBaresip(t, peer.BaresipOptions{Number: "0639981001", Certificate: certificate, Encryption: "srtp-mand", Speaks: recording(t, foreign)})
	apart := openBy(t, kind, settings(phone.Port, channels.Settings{"transport": "tls", "tls_ca": ca, "format": "{national}", "srtp": "true"}), channels.Opening{Conferences: known})

	var calls sync.WaitGroup
	call := func(b *bench, n int) {
		calls.Go(func() {
			if out := b.channel.Send(t.Context(), bridged(n)); out.State != channels.Accepted || !out.Delivered {
				t.Errorf("call %d: %+v", n, out)
			}
		})
	}
	for n := range people + 1 {
		call(lines, n)
	}
	call(apart, 1)
	phone.Wait(t, "CALL_ESTABLISHED")
	pause := time.NewTimer(1200 * time.Millisecond)
	<-pause.C
	phone.Press(t, "9")
	calls.Wait() // every message is settled, and everybody is still there
	channelstest.Eventually(t, "all are in", func() bool { return known.present() == people+2 })
	all = slices.DeleteFunc(slices.Clone(all), func(e *ear) bool { return !e.called() })
	if len(all) < people {
		t.Fatalf("%d telephones have an ear", len(all))
	}
	for _, e := range all {
		e.speak.Store(true)
	}
	for i, e := range all {
		channelstest.Eventually(t, "telephone "+strconv.Itoa(i)+" hears the others and not itself", func() bool {
			for _, other := range all {
				if is := e.loud(other.tone); (other == e) != (is < strength/4) || is > 1.3*strength {
					return false
				}
			}
			return e.loud(foreign) > strength/2
		})
	}
	if got := sipp.Count("bye"); got != 0 {
		t.Errorf("%d calls have ended", got)
	}
	channelstest.Eventually(t, "nobody presses keys any more", func() bool { return sipp.Count("quiet") == people+1 })
	known.end(channels.ErrConferenceOver)
	channelstest.Eventually(t, "all are told and out", func() bool { return sipp.Count("bye") == people+1 && known.present() == 0 })
	phone.Wait(t, "CALL_CLOSED")
}

// Who leaves the conference by * is back at the menu and answers; a stopped alert
// hangs up on the others without a word.
func TestBackFromTheConferenceOnePersonAnswers(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(1200*time.Millisecond, 900*time.Millisecond, "9", "*", "2", "1")})
	known := &register{}
	b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Conferences: known})
	if out := b.channel.Send(t.Context(), bridged(1)); out.State != channels.Accepted || !out.Delivered {
		t.Errorf("outcome %+v", out)
	}
	channelstest.Eventually(t, "the answer is kept", func() bool { return len(b.replies()) == 1 })
	if got := b.replies(); got[0].Text != "2" {
		t.Errorf("replies %+v", got)
	}
	channelstest.Eventually(t, "the call ends", func() bool { return sipp.Count("bye") == 1 && known.present() == 0 })
	if known.joins != 1 {
		t.Errorf("joined %d times", known.joins)
	}
}

func TestAStoppedAlertHangsUpTheConference(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(1200*time.Millisecond, 100*time.Millisecond, "9")})
	known := &register{}
	free := &counted{most: 1}
	b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Conferences: known, Links: free})
	if out := b.channel.Send(t.Context(), bridged(1)); out.State != channels.Accepted {
		t.Errorf("outcome %+v", out)
	}
	channelstest.Eventually(t, "somebody is in", func() bool { return known.present() == 1 && sipp.Count("quiet") == 1 })
	if n := free.taken(); n != 1 {
		t.Errorf("%d channels are taken by one in a conference", n)
	}
	known.end(errors.New("stopped"))
	channelstest.Eventually(t, "the call is ended and the channel given back", func() bool { return sipp.Count("bye") == 1 && free.taken() == 0 })
}

// Where no conference is kept, the key is not proposed and does nothing.
func TestNoRegisterNoConference(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(1200*time.Millisecond, 2*time.Second, "9", "2", "1")})
	b := open(t, settings(sipp.Port, nil), nil)
	if out := b.send(bridged(1)); out.State != channels.Accepted || len(b.replies()) != 1 {
		t.Errorf("outcome %+v, replies %+v", out, b.replies())
	}
}

// Who calls back and wants to join is called: the number he presents proves nothing.
func TestWhoCallsBackIsCalledIntoTheConference(t *testing.T) {
	t.Parallel()
	phone := peer.Start(t, peer.Options{Scenario: peer.Answer(1200*time.Millisecond, 100*time.Millisecond, "9")})
	local, register := peer.FreePort(t), &register{}
	who := &missed{number: called, m: bridged(1)}
	b := openBy(t, newKind(), settings(phone.Port, channels.Settings{"local_port": strconv.Itoa(local), "answer": "true", "reserve": "2"}),
		channels.Opening{Switchboard: who, Conferences: register})
	caller := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"9"}})
	if got := caller.Ended(t); got != "answered bye" {
		t.Errorf("the call back: %s", got)
	}
	channelstest.Eventually(t, "his own telephone is called and joins", func() bool { return register.present() == 1 && phone.Count("quiet") == 1 })
	receipts, _ := b.inbox.Kept()
	if len(receipts) != 1 || receipts[0].MessageID != who.m.ID {
		t.Errorf("receipts %+v", receipts)
	}
	second := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"9"}})
	if got := second.Ended(t); got != "answered bye" {
		t.Errorf("a second call back: %s", got)
	}
	channelstest.Eventually(t, "a line is left to those who call: nobody else is in", func() bool { return phone.Count("bye") == 1 && register.present() == 1 })
	register.end(channels.ErrConferenceOver)
	channelstest.Eventually(t, "it is over", func() bool { return phone.Count("bye") == 2 && who.holds() == 0 })
}

// counted gives the right to a few calls.
type counted struct {
	mu         sync.Mutex
	most, busy int
}

func (c *counted) Take(ctx context.Context) (context.Context, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy == c.most {
		return nil, nil, errors.New("no channel is left")
	}
	c.busy++
	return ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.busy--
	}, nil
}

func (c *counted) taken() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}
