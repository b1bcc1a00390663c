package voice_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	peer "tocsin/test/peers/sip"
)

const pilotNumber = "0142000001"

// clerk is an operator who asks for four keys and lets go.
type clerk struct {
	answered atomic.Int64

	mu    sync.Mutex
	typed []string
}

func (c *clerk) Answer(ctx context.Context, _ []string, line channels.Line) (channels.Visit, error) {
	c.answered.Add(1)
	keys, err := line.Ask(ctx, "Bonjour.", "fr", 4)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typed = append(c.typed, keys)
	if err == nil {
		_, err = line.Ask(ctx, "Merci. Au revoir, et bonne nuit.", "fr", 0)
	}
	return channels.Visit{}, err
}

func (c *clerk) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.typed...)
}

// piloted opens a trunk with a number to pilot, and gives the port where it listens.
func piloted(t *testing.T, exchange *peer.Sipp, desk *clerk) (b *bench, lateness func(q float64) time.Duration, local int) {
	t.Helper()
	local = peer.FreePort(t)
	kind := newKind()
	b = openBy(t, kind, settings(exchange.Port, channels.Settings{"local_port": strconv.Itoa(local), "pilot": pilotNumber, "answer": "true", "channels": "8", "reserve": "4", "listen": "3"}),
		channels.Opening{Operator: desk, Switchboard: &missed{number: called, m: message(1)}})
	return b, func(q float64) time.Duration { return kind.Clock.Lateness().Quantile(q) }, local
}

func options(n int) string {
	return fmt.Sprintf("OPTIONS sip:tocsin@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKo%d;rport\r\nFrom: <sip:x@y>;tag=%d\r\nTo: <sip:tocsin@127.0.0.1>\r\n"+
		"Call-ID: options-%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", n, n, n)
}

// hail sends requests from a machine to our socket, hundreds each second, until the
// end, and returns how many.
func hail(t *testing.T, from string, port int, end <-chan struct{}) (sent int) {
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return sent
		case <-tick.C:
		}
		for range 20 {
			request := invite(1_000_000 + sent)
			if sent%2 == 1 {
				request = options(sent)
			}
			if _, err := conn.Write([]byte(request)); err != nil {
				t.Error(err)
				return sent
			}
			sent++
		}
	}
}

// Two machines send a thousand requests a second each, one of them from the trunk's
// own address, while we call and while somebody calls to pilot: the calls keep their
// keys, the pilot number answers, and nothing piles up. How late the beats were is
// printed: it is the machine's too, and judged by the bench.
func TestAFloodLeavesCallsTheirBeatAndPilotsTheirNumber(t *testing.T) {
	t.Parallel()
	exchange, desk := peer.Start(t, peer.Options{Scenario: peer.Answer(3*time.Second, time.Second, "2", "1")}), &clerk{}
	b, lateness, local := piloted(t, exchange, desk)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	outcomes := make(chan channels.Outcome, 3)
	for n := range 3 {
		go func() { outcomes <- b.send(message(n)) }()
	}
	channelstest.Eventually(t, "the calls are picked up", func() bool { return exchange.Count("ack") == 3 })
	lateness(1) // what was late before the flood is none of it
	end := make(chan struct{})
	var sent atomic.Int64
	var all sync.WaitGroup
	for _, from := range []string{"127.0.0.9", "127.0.0.1"} {
		all.Go(func() { sent.Add(int64(hail(t, from, local, end))) })
	}
	pilot := peer.Call(t, peer.Calling{Port: local, Service: pilotNumber, From: "0639980000", Wait: time.Second, Script: "4829"})
	if got := pilot.Ended(t); got != "answered bye" {
		t.Errorf("who calls to pilot during the flood: %s", got)
	}
	for range 3 {
		if out := <-outcomes; out.State != channels.Accepted || !out.Delivered {
			t.Errorf("a call of ours during the flood: %+v", out)
		}
	}
	close(end)
	all.Wait()
	late := lateness(0.99)
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d requests; 99 %% of the beats less than %s late; %d KiB more", sent.Load(), late, grown>>10)
	if heard := desk.heard(); len(heard) != 1 || heard[0] != "4829" {
		t.Errorf("the operator heard %q", heard)
	}
	if got := b.replies(); len(got) != 3 {
		t.Errorf("%d answers of three calls", len(got))
	}
	if grown > 48<<20 {
		t.Errorf("%d MiB more after %d requests", grown>>20, sent.Load())
	}
}

// What calls to pilot and never acknowledges, or describes a sound that is none, never
// comes to the operator, and gives its line back.
func TestHostileCallsNeverComeToTheOperator(t *testing.T) {
	t.Parallel()
	exchange, desk := peer.Start(t, peer.Options{Scenario: peer.Ring()}), &clerk{}
	_, _, local := piloted(t, exchange, desk)
	for what, lines := range map[string]string{
		"no sound":   "v=0\n      m=video 9 RTP/AVP 96\n\n",
		"everybody":  "v=0\n      o=x 1 1 IN IP4 127.0.0.1\n      s=-\n      c=IN IP4 239.1.1.1\n      t=0 0\n      m=audio 9 RTP/AVP 8\n\n",
		"other code": "v=0\n      o=x 1 1 IN IP4 127.0.0.1\n      s=-\n      c=IN IP4 127.0.0.1\n      t=0 0\n      m=audio 9 RTP/AVP 18\n\n",
		"noise":      "m=audio 99999999999 RTP/AVP 8 8 8\n      c=IN IP4 999.1.1.1\n      a=rtpmap:300 x\n\n",
	} {
		if got := peer.Call(t, peer.Calling{Port: local, Service: pilotNumber, From: "0639980000", Refused: "488", Lines: lines}).Ended(t); got != "refused" {
			t.Errorf("%s: %s", what, got)
		}
	}
	const sound = "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	recorded := fmt.Sprintf("INVITE sip:%[1]s@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKrecorded;rport\r\nFrom: <sip:0639980000@127.0.0.1>;tag=recorded\r\nTo: <sip:%[1]s@127.0.0.1>\r\n"+
		"Call-ID: recorded\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: %[2]d\r\n\r\n%[3]s", pilotNumber, len(sound), sound)
	flood(t, "127.0.0.1", local, 300, func(int) string { return recorded })
	if n := desk.answered.Load(); n != 0 {
		t.Errorf("the operator was asked %d times", n)
	}
	pilot := peer.Call(t, peer.Calling{Port: local, Service: pilotNumber, From: "0639980000", Wait: time.Second, Script: "4829"})
	if got := pilot.Ended(t); got != "answered bye" || desk.answered.Load() != 1 {
		t.Errorf("who calls to pilot afterwards: %s, the operator was asked %d times", got, desk.answered.Load())
	}
}
