package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"tocsin/internal/channels"
)

// This file measures Tocsin beside programs that other people wrote for one thing
// only, and that remember nothing: what they reach is the limit.

// errNoSource tells that the other mail client cannot be started here.
var errNoSource = errors.New("smtp-source is not installed (Debian: postfix)")

// besidePeers are the measurements of `tocsin bench peers`.
func besidePeers() []measurement {
	return []measurement{
		{"peers", []string{"email_ratio"}, (*bench).peersEmail},
		{"peers", []string{"voice_ratio"}, (*bench).peersVoice},
	}
}

// PeerIDs lists every figure beside peers.
func PeerIDs() []string { return idsOf(besidePeers()) }

// RunPeers is Run beside peers.
func RunPeers(ctx context.Context, o Options) ([]Result, error) {
	return measure(ctx, o, besidePeers())
}

// headersOf is what the headers of a message weigh, about.
const headersOf = 800

// peersEmail sends an alert by e-mail, durable, and as many messages of the same
// size by the smtp-source of Postfix, which keeps no state, to the same sink over as
// many kept connections, in turns.
func (b *bench) peersEmail(ctx context.Context) (out []Result, err error) {
	program, err := installed("smtp-source", "/usr/sbin/smtp-source")
	if err != nil {
		return nil, errNoSource
	}
	var ratio, theirs samples
	err = b.stage(ctx, "peers", b.Sizes.Mail, channels.Email, func(h *house, p *peer) error {
		for i := range b.Runs {
			source, err := b.smtpSource(ctx, program, h, p)
			if err != nil {
				return fmt.Errorf("smtp-source: %w", err)
			}
			product, err := b.alert(ctx, h, p, channels.Email, fmt.Sprintf("peers-%d", i+1))
			if err != nil {
				return err
			}
			b.note("peers.email_ratio %d/%d: smtp-source %s; product %s; ratio %.2f", i+1, b.Runs, source, product, product.rate/source.rate)
			ratio, theirs = append(ratio, product.rate/source.rate), append(theirs, source.rate)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []Result{ratio.result("peers.email_ratio", "ratio", theirs, "smtp-source of Postfix, messages/s from first to last accepted")}, nil
}

// installed finds a program of the system, also where only root looks for it.
func installed(name, usual string) (string, error) {
	if program, err := exec.LookPath(name); err == nil {
		return program, nil
	}
	_, err := os.Stat(usual)
	return usual, err
}

// smtpSource sends as many messages as the house has people.
func (b *bench) smtpSource(ctx context.Context, program string, h *house, p *peer) (r run, err error) {
	if err := p.reset(ctx); err != nil {
		return r, err
	}
	began := time.Now()
	// -d keeps the connections, -N gives each message a recipient of its own.
	if err := b.runPeer(ctx, program, "-d", "-N", "-s", strconv.Itoa(pool), "-m", strconv.Itoa(h.Rows), "-l", strconv.Itoa(len(h.Text)+headersOf),
		"-f", "source@banc.example", "-t", "agent@banc.example", p.smtp); err != nil {
		return r, err
	}
	c, _, err := p.took(ctx, channels.Email, h.Rows)
	if err != nil {
		return r, err
	}
	return newRun(tally(c, channels.Email), began.UnixMicro(), h.Rows), nil
}

// runPeer runs a program to its end, without the settings of the person who measures.
func (b *bench) runPeer(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = b.folder, []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + b.folder, "HOME=" + b.folder, "TERM=dumb"}
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, text[max(0, len(text)-400):])
	}
	return nil
}

// The calls beside sipp: as many lines, the same telephones, which take this long.
const (
	peerLines  = 50
	peerWait   = time.Second
	peerKeys   = 500 * time.Millisecond
	peerHangUp = 500 * time.Millisecond
)

// callerScenario is a sipp that calls, and waits to be hung up: it speaks no word,
// hears no key and keeps nothing.
const callerScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:banc@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:banc@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=b 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000

]]></send>
<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="200"></recv>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`

// peersVoice makes the same calls over as many lines by the product's own channel,
// which speaks, hears the keys and confirms them, and by sipp, which only signals: the
// calls a second, in turns, to the same telephones.
func (b *bench) peersVoice(ctx context.Context) (out []Result, err error) {
	phones, err := b.startTelephones(phoneScenario(peerWait, peerKeys, peerHangUp, true))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, phones.process.kill()) }()
	file := filepath.Join(b.folder, "caller.xml")
	if err := os.WriteFile(file, []byte(callerScenario), 0o600); err != nil {
		return nil, err
	}
	calls, lines := b.Sizes.Calls, min(peerLines, b.Sizes.Calls)
	var ratio, theirs samples
	for i := range b.Runs {
		sipp, err := b.sippCalls(ctx, phones, file, calls, lines)
		if err != nil {
			return nil, err
		}
		var c called
		if err := b.do(ctx, "calls", callsRequest{Port: phones.port, Calls: calls, Lines: lines}, &c); err != nil {
			return nil, err
		}
		if c.Answered != calls {
			return nil, fmt.Errorf("%d of %d keys were counted: %v", c.Answered, calls, c.Refused)
		}
		product := float64(calls) / c.Seconds
		b.note("peers.voice_ratio %d/%d: sipp %.1f calls/s, product %.1f over %d lines; ratio %.2f", i+1, b.Runs, sipp, product, lines, product/sipp)
		ratio, theirs = append(ratio, product/sipp), append(theirs, sipp)
	}
	return []Result{ratio.result("peers.voice_ratio", "ratio", theirs, "sipp, calls/s over as many lines")}, nil
}

// sippCalls gives the calls a second that sipp reaches.
func (b *bench) sippCalls(ctx context.Context, phones *telephones, file string, calls, lines int) (float64, error) {
	program, err := exec.LookPath("sipp")
	if err != nil {
		return 0, errNoSipp
	}
	port, err := freeUDP()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = b.runPeer(ctx, program, "-sf", file, "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-mi", "127.0.0.1", "-mp", "20000", "-nostdin",
		"-m", strconv.Itoa(calls), "-l", strconv.Itoa(lines), "-r", "100", "-timer_resol", "1", "-s", "0639980001", "127.0.0.1:"+strconv.Itoa(phones.port))
	return float64(calls) / time.Since(began).Seconds(), err
}
