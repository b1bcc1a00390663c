package sip

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/test/peers"
)

// Sounds is where sipp's own recordings of keys are.
const Sounds = "/usr/share/sip-tester"

// Sipp is a sipp that takes calls.
type Sipp struct {
	// Port is where it listens, over UDP unless Options.TCP.
	Port int
	dir  string
	// Stop ends it before the test does.
	Stop func()
}

// Options are how a sipp takes calls.
type Options struct {
	// Scenario is its XML: see Answer, Refuse, Ring.
	Scenario string
	// TCP listens over TCP.
	TCP bool
	// Realm has -au and -ap for a digest; empty asks none.
	User, Password string
	// Host is 127.0.0.1 when empty.
	Host string
	// Port is where it listens; 0 chooses.
	Port int
	// MediaPort is where sound is announced; 0 chooses.
	MediaPort int
}

// Start starts a sipp and waits until it listens. It ends with the test.
func Start(t testing.TB, o Options) *Sipp {
	t.Helper()
	program, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("the program sipp is missing: run make test-deps")
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	s := &Sipp{Port: o.Port, dir: t.TempDir()}
	if s.Port == 0 {
		s.Port = freePort(t, o.Host)
	}
	if o.MediaPort == 0 {
		o.MediaPort = mediaPort(t, o.Host)
	}
	file := filepath.Join(s.dir, "scenario.xml")
	if err := os.WriteFile(file, []byte(o.Scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-sf", file, "-i", o.Host, "-p", strconv.Itoa(s.Port), "-mi", o.Host, "-mp", strconv.Itoa(o.MediaPort), "-nostdin", "-aa",
		"-trace_logs", "-log_file", filepath.Join(s.dir, "steps.log"), "-trace_err", "-error_file", filepath.Join(s.dir, "errors.log"),
		"-default_behaviors", "all,-bye",
	}
	if o.TCP {
		args = append(args, "-t", "t1")
	}
	if o.User != "" {
		args = append(args, "-au", o.User, "-ap", o.Password)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	out := &peers.Said{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start sipp: %v", err)
	}
	ended := make(chan struct{})
	var end error
	go func() {
		defer close(ended)
		end = cmd.Wait()
	}()
	s.Stop = sync.OnceFunc(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("end sipp: %v", err)
		}
		<-ended
	})
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("sipp said:\n%s\n%s", tail(out.String()), s.Errors())
		}
	})
	s.waitFor(t, o, ended)
	select {
	case <-ended:
		t.Fatalf("sipp ended at once: %v\n%s", end, tail(out.String()))
	default:
	}
	return s
}

// waitFor waits until the port is taken, or sipp has ended.
func (s *Sipp) waitFor(t testing.TB, o Options, ended <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		if listens(t, s.Port, o.TCP) {
			return
		}
	}
	t.Fatal("sipp does not listen")
}

// Errors is what sipp complained about.
func (s *Sipp) Errors() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "errors.log"))
	if err != nil {
		return ""
	}
	return tail(string(text))
}

// Steps are what happened, in order, over all calls: "invite", "ack", "cancel", "bye".
func (s *Sipp) Steps() []string {
	text, err := os.ReadFile(filepath.Join(s.dir, "steps.log"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// Calls are the identifiers of the calls picked up.
func (s *Sipp) Calls() []string {
	var out []string
	for _, one := range s.Steps() {
		if id, ok := strings.CutPrefix(one, "id="); ok {
			out = append(out, id)
		}
	}
	return out
}

// Count is how often a step happened.
func (s *Sipp) Count(step string) int {
	n := 0
	for _, one := range s.Steps() {
		if one == step {
			n++
		}
	}
	return n
}

// listens tells whether a port is taken. The kernel is asked: trying to take it
// ourselves would now and then be in the way of whom we wait for.
func listens(t testing.TB, port int, tcp bool) bool {
	t.Helper()
	table := "/proc/net/udp"
	if tcp {
		table = "/proc/net/tcp"
	}
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	taken := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(text)) {
		// Over TCP a connection that has ended holds the port for a while without listening.
		if fields := strings.Fields(line); len(fields) > 3 && strings.HasSuffix(fields[1], taken) && (!tcp || fields[3] == "0A") {
			return true
		}
	}
	return false
}

// FreePort is a port of this machine that nobody listens on over UDP.
func FreePort(t testing.TB) int { return freePort(t, "127.0.0.1") }

func freePort(t testing.TB, host string) int { return freePorts(t, host, 1) }

// freePorts is the first of n ports in a row that nobody listens on, over UDP nor
// over TCP: one program's signalling is on both, its keyboard on the second.
func freePorts(t testing.TB, host string, n int) int {
	t.Helper()
	for range 100 {
		first := 0
		var held []io.Closer
		for i := range n {
			port := 0
			if i > 0 {
				port = first + i
			}
			u, err := net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port)))
			if err != nil {
				break
			}
			held = append(held, u)
			a, ok := u.LocalAddr().(*net.UDPAddr)
			if !ok {
				t.Fatal("not a UDP address")
			}
			if i == 0 {
				first = a.Port
			}
			l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(a.Port)))
			if err != nil {
				break
			}
			held = append(held, l)
		}
		for _, c := range held {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if len(held) == 2*n {
			return first
		}
	}
	t.Fatalf("no %d free ports in a row on %s", n, host)
	return 0
}

// mediaPort finds the first of some ports for sound, below those that the system
// gives to whoever asks for any.
func mediaPort(t testing.TB, host string) int {
	t.Helper()
	free := func(first int) bool {
		for port := first; port < first+6; port++ {
			l, err := net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port)))
			if err != nil {
				return false
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		return true
	}
	for range 100 {
		if port := 20000 + 8*rand.IntN(1500); free(port) {
			return port
		}
	}
	t.Fatal("no free ports for sound")
	return 0
}

func tail(s string) string {
	if len(s) > 4000 {
		return "…" + s[len(s)-4000:]
	}
	return s
}

// scenario wraps the steps of a telephone.
func scenario(steps ...string) string {
	return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="telephone">
` + strings.Join(steps, "\n") + "\n</scenario>\n"
}

// reply is a response to the last request.
func reply(status string, more string, body string) string {
	length := "Content-Length: 0"
	if body != "" {
		length = "Content-Type: application/sdp\n      Content-Length: [len]"
	}
	return fmt.Sprintf(`  <send%s><![CDATA[
      SIP/2.0 %s
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]sipp[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      [last_Record-Route:]
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      %s%s

%s  ]]></send>`, retrans(status), status, more, length, body)
}

func retrans(status string) string {
	if strings.HasPrefix(status, "1") {
		return ""
	}
	return ` retrans="500"`
}

// description is the sound sipp takes; keys come from the same port.
const description = `      v=0
      o=sipp 53655765 2353687637 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [auto_media_port] RTP/AVP 8 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-15

`

const (
	invited = `  <recv request="INVITE" crlf="true"><action><log message="invite"/></action></recv>`
	acked   = `  <recv request="ACK" crlf="true"><action><log message="id=[call_id]"/><log message="ack"/></action></recv>`
)

func pause(d time.Duration) string {
	return fmt.Sprintf(`  <pause milliseconds="%d"/>`, d.Milliseconds())
}

func press(key string) string {
	name := map[string]string{"*": "star", "#": "pound"}[key]
	if name == "" {
		name = key
	}
	return fmt.Sprintf(`  <nop><action><exec play_pcap_audio="%s/dtmf_2833_%s.pcap"/></action></nop>`, Sounds, name)
}

// ended takes the BYE of the caller.
func ended() string {
	return `  <recv request="BYE" crlf="true"><action><log message="bye"/></action></recv>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      Content-Length: 0

  ]]></send>`
}

// Answer picks up, waits, and presses keys at intervals; the caller hangs up, once
// the step "quiet" tells that sipp expects it.
func Answer(wait, between time.Duration, keys ...string) string {
	steps := []string{invited, reply("180 Ringing", "", ""), reply("200 OK", "", description), acked, pause(wait)}
	for _, k := range keys {
		steps = append(steps, press(k), pause(between))
	}
	return scenario(append(steps, `  <nop><action><log message="quiet"/></action></nop>`, ended())...)
}

// Refuse answers with a final status: "486 Busy Here".
func Refuse(status string) string {
	return scenario(invited, reply(status, "", ""), acked)
}

// Ring rings until the caller gives up.
func Ring() string {
	return scenario(invited, reply("180 Ringing", "", ""), `  <recv request="CANCEL" crlf="true"><action><log message="cancel"/></action></recv>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[
      SIP/2.0 487 Request Terminated
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]sipp[call_number]
      [last_Call-ID:]
      CSeq: [last_cseq_number] INVITE
      Content-Length: 0

  ]]></send>`, acked)
}

// Challenge asks for a digest before it picks up and presses keys.
func Challenge(status, header string, keys ...string) string {
	check := `<verifyauth assign_to="good" username="tocsin" password="secret"/>`
	if header == "Proxy-Authenticate" { // sipp verifies only the other header
		check = `<ereg regexp="response=" search_in="hdr" header="Proxy-Authorization:" assign_to="good"/>`
	}
	steps := []string{
		invited,
		reply(status, header+`: Digest realm="hopital.test", nonce="47ebe028cda119c35d4877b383027d28da013815", algorithm=MD5, qop="auth"`+"\n      ", ""), acked,
		`  <recv request="INVITE" crlf="true"><action>` + check + `</action></recv>`,
		`  <nop hide="true" test="good" next="in"/>`,
		reply("403 Forbidden", "", ""), acked, `  <nop next="end"/>`,
		`  <label id="in"/>`,
		reply("200 OK", "", description), acked, pause(500 * time.Millisecond),
	}
	for _, k := range keys {
		steps = append(steps, press(k), pause(time.Second))
	}
	return scenario(append(steps, ended(), `  <label id="end"/>`)...)
}

// HangUp picks up and hangs up by itself.
func HangUp(after time.Duration) string {
	return scenario(`  <recv request="INVITE" crlf="true"><action>
      <ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
      <ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="where"/>
    </action></recv>`, reply("200 OK", "", description), acked, pause(after), goodbye[0], goodbye[1])
}

// goodbye ends a call from the side that picked up, whose scenario kept the caller
// and where it is.
var goodbye = []string{`  <send retrans="500"><![CDATA[
      BYE [$where] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:poste@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
      To: [$caller]
      [last_Call-ID:]
      CSeq: 1 BYE
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>`, `  <recv response="200" crlf="true"><action><log message="bye"/></action></recv>`}

// Speak picks up like a person who is asked to say something: the script has the keys
// pressed, v for seven seconds of voice and a comma for one second: the voice and the
// keys are two sources, and a second is what we let pass from one to the other; it hangs up at
// the end when it says so, else the caller does.
func Speak(script string, hangsUp bool) string {
	steps := []string{`  <recv request="INVITE" crlf="true"><action>
      <ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
      <ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="where"/>
    </action></recv>`, reply("180 Ringing", "", ""), pause(300 * time.Millisecond), reply("200 OK", "", description), acked}
	for _, one := range script {
		switch one {
		case ',':
			steps = append(steps, pause(time.Second))
		case 'v':
			steps = append(steps, `  <nop><action><exec play_pcap_audio="`+Sounds+`/g711a.pcap"/></action></nop>`, pause(8200*time.Millisecond))
		default:
			steps = append(steps, press(string(one)), pause(900*time.Millisecond))
		}
	}
	if !hangsUp {
		return scenario(append(steps, `  <nop hide="true" test="caller" next="end"/>`, `  <nop hide="true" test="where" next="end"/>`, `  <label id="end"/>`, ended())...)
	}
	return scenario(append(steps, goodbye...)...)
}

// Describe picks up with a description of its own, each line ended as SIP wants.
func Describe(lines string) string {
	return scenario(invited, reply("200 OK", "", lines+"\n\n"), acked, ended())
}

// Exchange picks up and presses keys as Answer does, and notes whom each call was
// for; a number that ends so does not exist.
func Exchange(unknown string, wait, between time.Duration, keys ...string) string {
	steps := []string{
		`  <recv request="INVITE" crlf="true"><action>
      <ereg regexp="` + unknown + `@" search_in="hdr" header="To:" assign_to="bad"/>
      <ereg regexp="[+0-9]+@" search_in="hdr" header="To:" assign_to="whom"/>
    </action></recv>`,
		`  <nop hide="true" test="bad" next="unknown"/>`,
		reply("180 Ringing", "", ""), reply("200 OK", "", description),
		`  <recv request="ACK" crlf="true"><action><log message="to=[$whom]"/></action></recv>`, pause(wait),
	}
	for _, k := range keys {
		steps = append(steps, press(k), pause(between))
	}
	return scenario(append(steps, ended(), `  <nop next="end"/>`, `  <label id="unknown"/>`, reply("404 Not Found", "", ""), `  <recv request="ACK" crlf="true"/>`, `  <label id="end"/>`)...)
}

// Mute takes calls and answers nothing.
func Mute() string {
	return scenario(`  <recv request="INVITE" crlf="true"><action><log message="invite"/></action></recv>`, pause(time.Minute))
}
