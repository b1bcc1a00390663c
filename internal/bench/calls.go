package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/voice"
)

// errNoSipp tells that the telephones of the bench cannot be started here.
var errNoSipp = errors.New("sipp is not installed (Debian: sip-tester)")

// sippKeys are the recordings of keys that come with sipp.
const sippKeys = "/usr/share/sip-tester/dtmf_2833_%s.pcap"

// telephones are a sipp that takes calls: each is picked up, pressed two keys
// after a while, and hung up by one side or the other.
type telephones struct {
	process *process
	port    int
	steps   string
}

// phoneScenario is a telephone that picks up, waits, answers « 2 » and confirms by
// « 1 »; with hangUp, its owner then hangs up.
func phoneScenario(wait, between, last time.Duration, hangUp bool) string {
	press := func(key string) string {
		return fmt.Sprintf("<nop><action><exec play_pcap_audio=\""+sippKeys+"\"/></action></nop>", key)
	}
	pause := func(d time.Duration) string { return fmt.Sprintf(`<pause milliseconds="%d"/>`, d.Milliseconds()) }
	end := `<recv request="BYE"><action><log message="bye [clock_tick]"/></action></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`
	if hangUp {
		end = `<send retrans="500"><![CDATA[
BYE [$where] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:poste@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: [$caller]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"><action><log message="bye [clock_tick]"/></action></recv>`
	}
	answer := func(status, body string) string {
		return `<send` + map[bool]string{true: ` retrans="500"`}[status[0] == '2'] + `><![CDATA[
SIP/2.0 ` + status + `
[last_Via:]
[last_From:]
[last_To:];tag=[pid]t[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
` + body + `]]></send>`
	}
	return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="telephone">
<recv request="INVITE"><action><log message="invite [clock_tick]"/>
<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="where"/></action></recv>
` + answer("180 Ringing", "Content-Length: 0\n\n") + answer("200 OK", `Content-Type: application/sdp
Content-Length: [len]

v=0
o=t 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000

`) + `<recv request="ACK"><action><log message="ack [clock_tick]"/></action></recv>
` + strings.Join([]string{pause(wait), press("2"), pause(between), press("1"), pause(last), end}, "\n") + "\n<Reference variables=\"caller,where\"/>\n</scenario>\n"
}

// startTelephones starts a sipp on the loopback.
func (b *bench) startTelephones(scenario string) (t *telephones, err error) {
	program, err := exec.LookPath("sipp")
	if err != nil {
		return nil, errNoSipp
	}
	folder, err := os.MkdirTemp(b.folder, "sipp-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "telephone.xml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return nil, err
	}
	t = &telephones{steps: filepath.Join(folder, "steps.log")}
	if t.port, err = freeUDP(); err != nil {
		return nil, err
	}
	// sipp takes four ports of sound a call, and listens on none: they must stay below
	// those that the system gives our own sockets, or we would hear ourselves.
	t.process, err = b.startProgram(program, "-sf", file, "-i", "127.0.0.1", "-p", strconv.Itoa(t.port), "-mi", "127.0.0.1", "-mp", "10000", "-nostdin", "-aa",
		"-trace_logs", "-log_file", t.steps, "-default_behaviors", "all,-bye", "-buff_size", "4194304", "-timer_resol", "1")
	return t, err
}

func freeUDP() (port int, err error) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	if a, ok := l.LocalAddr().(*net.UDPAddr); ok {
		port = a.Port
	}
	return port, l.Close()
}

// step is something that happened at the telephones, at a moment in milliseconds.
type phoneStep struct {
	what string
	at   float64
}

// read gives the steps so far, over all calls.
func (t *telephones) read() ([]phoneStep, error) {
	text, err := os.ReadFile(t.steps)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []phoneStep
	for line := range strings.Lines(string(text)) {
		what, at, ok := strings.Cut(strings.TrimSpace(line), " ")
		ms, bad := strconv.ParseFloat(at, 64)
		if ok && bad == nil {
			out = append(out, phoneStep{what, ms})
		}
	}
	return out, err
}

// callsRequest asks for calls to telephones on the loopback; Lines are those of the
// trunk, 0 for all at once.
type callsRequest struct{ Port, Calls, Lines int }

// called is what the calls gave.
type called struct {
	// Answered calls had their key counted; Most were under way at once.
	Answered, Most int
	TickP999Ms     float64
	Beats          int64
	// Refused are the calls without an answer, by reason.
	Refused map[string]int
	// IdleMB is the resident memory before the calls, PeakMB the largest since.
	IdleMB, PeakMB float64
	// Seconds are from the first call to the end of the last.
	Seconds float64
}

// counting is an inbox that counts the answers.
type counting struct {
	mu sync.Mutex
	by map[string]bool
}

func (c *counting) Receipts(context.Context, []channels.Receipt) error { return nil }

func (c *counting) Replies(_ context.Context, items []channels.Reply) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range items {
		c.by[r.From] = c.by[r.From] || r.Text == "2"
	}
	return nil
}

// calls makes all the calls at once by the channel, without the rest of the house.
func calls(ctx context.Context, r callsRequest) (out called, err error) {
	kind := voice.New()
	settings, err := kind.Describe().Validate(channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(r.Port), "caller": "0142000000", "channels": strconv.Itoa(cmp.Or(r.Lines, r.Calls)), "repeats": "5", "rate": "100",
	})
	if err != nil {
		return out, err
	}
	inbox := &counting{by: map[string]bool{}}
	trunk, err := kind.Open(channels.Opening{Settings: settings, Inbox: inbox, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return out, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- trunk.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	if err := until(ctx, "the trunk", 20*time.Millisecond, func() (bool, error) { return trunk.Health().Up, nil }); err != nil {
		return out, err
	}
	send := func(n int) channels.Outcome {
		return trunk.Send(ctx, channels.Message{
			ID: uuid.New(), To: fmt.Sprintf("+33639%06d", n), Text: "Plan blanc. Rejoignez votre service.", Language: "fr", ReplyToken: "abcdefghij",
			Answers: []channels.Answer{{Key: "1", Label: "je viens", Delays: []int{15, 30, 60, 90}}, {Key: "2", Label: "je ne peux pas"}},
		})
	}
	send(0) // the words are spoken once, and the memory is that of a program at work
	debug.FreeOSMemory()
	out.IdleMB = residentMB()
	kind.Clock.Lateness()
	var group sync.WaitGroup
	var mu sync.Mutex
	out.Refused = map[string]int{}
	began := time.Now()
	free := make(chan struct{}, cmp.Or(r.Lines, r.Calls))
	for n := range r.Calls {
		group.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if o := send(n + 1); o.State != channels.Accepted {
				mu.Lock()
				defer mu.Unlock()
				out.Refused[string(o.Reason)+" "+o.Detail]++
			}
		})
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		group.Wait()
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for under := true; under; {
		select {
		case <-watched:
			under = false
		case <-tick.C:
			out.PeakMB = max(out.PeakMB, residentMB())
			out.Most = max(out.Most, kind.Clock.Streams())
		}
	}
	out.Seconds = time.Since(began).Seconds()
	late := kind.Clock.Lateness()
	out.TickP999Ms, out.Beats = float64(late.Quantile(0.999).Microseconds())/1000, late.Beats
	inbox.mu.Lock()
	defer inbox.mu.Unlock()
	delete(inbox.by, fmt.Sprintf("+33639%06d", 0))
	for _, right := range inbox.by {
		if right {
			out.Answered++
		}
	}
	return out, nil
}

// voice500 makes simultaneous calls to sipp: each must be picked up, its keys
// counted, and closed.
func (b *bench) voice500(ctx context.Context) (out []Result, err error) {
	// All the calls are under way before the first key: they begin at a hundred a second.
	wait := min(25*time.Second, 3*time.Second+time.Duration(b.Sizes.Calls)*50*time.Millisecond)
	phones, err := b.startTelephones(phoneScenario(wait, 2*time.Second, time.Second, false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, phones.process.kill()) }()
	var ok, late, memory samples
	for i := range min(b.Runs, 3) {
		before, err := phones.count("bye")
		if err != nil {
			return nil, err
		}
		var c called
		if err := b.do(ctx, "calls", callsRequest{Port: phones.port, Calls: b.Sizes.Calls}, &c); err != nil {
			return nil, err
		}
		after, err := phones.count("bye")
		if err != nil {
			return nil, err
		}
		closed := after - before - 1 // and the first call, which only warms up
		b.note("voice500 %d/%d: %d answered, %d closed, %d at once, tick p999 %.2f ms over %d beats, %.1f MB idle, %.1f MB at most, refused %v",
			i+1, b.Runs, c.Answered, closed, c.Most, c.TickP999Ms, c.Beats, c.IdleMB, c.PeakMB, c.Refused)
		ok, late, memory = append(ok, float64(min(c.Answered, closed, c.Most))), append(late, c.TickP999Ms), append(memory, c.PeakMB-c.IdleMB)
	}
	wanted := samples{float64(b.Sizes.Calls)}
	least := ok.result("voice500.ok", "calls", wanted, "calls made at once")
	least.Value = least.Min
	return []Result{
		least, late.worst("voice500.tick_p999_ms", "ms", samples{20}, "the time between two packets, ms"),
		memory.worst("voice500.rss_delta_mb", "MB", wanted, "calls made at once"),
	}, nil
}

func (t *telephones) count(what string) (n int, err error) {
	steps, err := t.read()
	for _, s := range steps {
		if s.what == what {
			n++
		}
	}
	return n, err
}
