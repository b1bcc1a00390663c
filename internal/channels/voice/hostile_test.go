package voice_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	peer "tocsin/test/peers/sip"
)

// flood sends requests to our socket from a machine, and counts what comes back.
func flood(t *testing.T, from string, port, n int, request func(n int) string) (answers int) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i := range n {
		if _, err := conn.WriteToUDP([]byte(request(i)), &net.UDPAddr{IP: net.ParseIP("127.0.0.1"), Port: port}); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	b := make([]byte, 4096)
	for {
		size, err := conn.Read(b)
		if err != nil {
			return len(seen)
		}
		seen[string(b[:size])] = true
	}
}

func invite(n int) string {
	return fmt.Sprintf("INVITE sip:0142000000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK%d;rport\r\nFrom: <sip:x@y>;tag=%d\r\nTo: <sip:0142000000@127.0.0.1>\r\n"+
		"Call-ID: flood-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", n, n, n)
}

func noise(n int) string {
	return []string{
		"\x00\xff\x00\xff", "INVITE\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a SIP/2.0\r\nVia: \r\n\r\n", "BYE sip:x@y SIP/2.0\r\nContent-Length: 999999999\r\n\r\n",
		"SIP/2.0 999 \r\nVia: SIP/2.0/UDP a;branch=\r\nCSeq: x y\r\n\r\n", "OPTIONS sip:x@y SIP/2.0\r\nCSeq: 99999999999999999999 OPTIONS\r\n\r\n",
	}[n%7]
}

// Thousands of calls and of noise come in, from a stranger and from the trunk's own
// address: the stranger is not answered at all, the trunk a few dozen times, and a
// call of ours goes as if nothing happened.
func TestAFloodChangesNothing(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(500*time.Millisecond, 900*time.Millisecond, "2", "1")})
	local := peer.FreePort(t)
	b := open(t, settings(sipp.Port, channels.Settings{"local_port": strconv.Itoa(local)}), nil)
	outcome := make(chan channels.Outcome, 1)
	go func() { outcome <- b.send(message(1)) }()
	if n := flood(t, "127.0.0.9", local, 3000, invite); n != 0 {
		t.Errorf("a stranger got %d answers", n)
	}
	flood(t, "127.0.0.1", local, 700, noise)
	if n := flood(t, "127.0.0.1", local, 3000, invite); n > 100 {
		t.Errorf("a flood from the trunk's address got %d answers", n)
	}
	if out := <-outcome; out.State != channels.Accepted || len(b.replies()) != 1 {
		t.Errorf("outcome %+v, replies %+v", out, b.replies())
	}
}

// A description that names no sound of ours, or an address where nothing may be sent,
// ends the call; the trunk is told, and the person is called again.
func TestAHostileDescriptionEndsTheCall(t *testing.T) {
	t.Parallel()
	for what, lines := range map[string]string{
		"no sound":   "v=0\no=x 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96",
		"everybody":  "v=0\no=x 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 239.1.1.1\nt=0 0\nm=audio 9 RTP/AVP 8",
		"other code": "v=0\no=x 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 18",
		"noise":      "m=audio 99999999999 RTP/AVP 8 8 8\nc=IN IP4 999.1.1.1\na=rtpmap:\na=rtpmap:300 x",
	} {
		t.Run(what, func(t *testing.T) {
			sipp := peer.Start(t, peer.Options{Scenario: peer.Describe(lines)})
			b := open(t, settings(sipp.Port, nil), nil)
			if out := b.send(message(1)); out.State != channels.Retry || out.Reason != channels.ReasonPeerError || out.Delivered {
				t.Errorf("outcome %+v", out)
			}
			channelstest.Eventually(t, "the call is ended", func() bool { return sipp.Count("bye") == 1 })
		})
	}
}

// Who knows the identifier of a call and not its tags cannot end it.
func TestAForgedByeEndsNothing(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(1500*time.Millisecond, 900*time.Millisecond, "2", "1")})
	local := peer.FreePort(t)
	b := open(t, settings(sipp.Port, channels.Settings{"local_port": strconv.Itoa(local)}), nil)
	outcome := make(chan channels.Outcome, 1)
	go func() { outcome <- b.send(message(1)) }()
	channelstest.Eventually(t, "the call is picked up", func() bool { return sipp.Count("ack") == 1 })
	flood(t, "127.0.0.1", local, 50, func(n int) string {
		return fmt.Sprintf("BYE sip:0142000000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKb%d;rport\r\nFrom: <sip:x@y>;tag=%d\r\nTo: <sip:z@w>;tag=%d\r\n"+
			"Call-ID: %s\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", n, n, n, sipp.Calls()[0])
	})
	if out := <-outcome; out.State != channels.Accepted {
		t.Errorf("outcome %+v", out)
	}
}
