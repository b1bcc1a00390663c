package sip

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/test/peers"
)

// Caller is a sipp that calls us once.
type Caller struct {
	*Sipp
	ended chan struct{}
}

// Calling is a call to make.
type Calling struct {
	// Port is where we listen; From the number presented, in From, and Asserted the
	// one the network vouches for, where it is not empty.
	Port           int
	From, Asserted string
	// Host is the machine that calls, 127.0.0.1 when empty.
	Host string
	// Keys are pressed after a wait, at intervals.
	Wait, Between time.Duration
	Keys          []string
	// Script is pressed after Keys: digits, * and #, and a comma for three seconds.
	Script string
	// Service is the number dialled; empty is the presented one.
	Service string
	// Refused is the final status expected instead of an answer: "486".
	Refused string
	// HangUp ends the call from here once the keys are pressed.
	HangUp bool
	// Lines replaces the description of the sound.
	Lines string
}

// Call makes a call and does not wait for its end.
func Call(t testing.TB, c Calling) *Caller {
	t.Helper()
	program, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("the program sipp is missing: run make test-deps")
	}
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.Service == "" {
		c.Service = "0142000000"
	}
	one := &Caller{Sipp: &Sipp{Port: freePort(t, c.Host), dir: t.TempDir()}, ended: make(chan struct{})}
	file := filepath.Join(one.dir, "scenario.xml")
	if err := os.WriteFile(file, []byte(c.scenario()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "127.0.0.1:"+strconv.Itoa(c.Port), "-sf", file, "-s", c.Service, "-m", "1", "-nostdin",
		"-i", c.Host, "-p", strconv.Itoa(one.Port), "-mi", c.Host, "-mp", strconv.Itoa(mediaPort(t, c.Host)),
		"-trace_logs", "-log_file", filepath.Join(one.dir, "steps.log"), "-trace_err", "-error_file", filepath.Join(one.dir, "errors.log"), "-default_behaviors", "all,-bye")
	cmd.Dir = one.dir
	out := &peers.Said{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start sipp: %v", err)
	}
	go func() {
		defer close(one.ended)
		if err := cmd.Wait(); err != nil {
			return // the steps tell how far it went
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("end sipp: %v", err)
		}
		<-one.ended
		if t.Failed() {
			t.Logf("sipp said:\n%s\n%s", tail(out.String()), one.Errors())
		}
	})
	return one
}

// Ended waits for the end of the call and gives its steps: "answered", then "bye"
// when we hung up, or "refused".
func (c *Caller) Ended(t testing.TB) string {
	t.Helper()
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		t.Fatal("the call does not end")
	}
	return strings.Join(c.Steps(), " ")
}

// request is one of ours within the call.
func request(method, sequence, more string) string {
	return fmt.Sprintf(`  <send%s><![CDATA[
      %[2]s [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:[$from]@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
      [last_To:]
      [last_Call-ID:]
      CSeq: %[3]s %[2]s
      Contact: <sip:poste@[local_ip]:[local_port]>
      Max-Forwards: 70
      %[4]sContent-Length: 0

  ]]></send>`, map[string]string{"BYE": ` retrans="500"`}[method], method, sequence, more)
}

func (c Calling) scenario() string {
	sound, asserted := c.Lines, ""
	if sound == "" {
		sound = description
	}
	if c.Asserted != "" {
		asserted = "P-Asserted-Identity: <sip:" + c.Asserted + "@[local_ip]>\n      "
	}
	steps := []string{
		`  <nop><action><assignstr assign_to="from" value="` + c.From + `"/></action></nop>`,
		`  <send retrans="500"><![CDATA[
      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:[$from]@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:poste@[local_ip]:[local_port]>
      Max-Forwards: 70
      ` + asserted + `Content-Type: application/sdp
      Content-Length: [len]

` + sound + `  ]]></send>`,
		`  <recv response="100" optional="true"/>`,
		`  <recv response="180" optional="true"/>`,
	}
	if c.Refused != "" {
		return scenario(append(steps, `  <recv response="`+c.Refused+`"><action><log message="refused"/></action></recv>`, `  <send><![CDATA[
      ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>`)...)
	}
	steps = append(steps, `  <recv response="200" rrs="true"><action><log message="answered"/></action></recv>`, request("ACK", "1", ""), pause(c.Wait))
	for _, k := range c.Keys {
		steps = append(steps, press(k), pause(c.Between))
	}
	steps = append(steps, script(c.Script)...)
	if c.HangUp {
		return scenario(append(steps, request("BYE", "2", ""), `  <recv response="200"><action><log message="hungup"/></action></recv>`)...)
	}
	return scenario(append(steps, ended())...)
}

func script(keys string) (steps []string) {
	for _, k := range keys {
		if k == ',' {
			steps = append(steps, pause(3*time.Second))
			continue
		}
		steps = append(steps, press(string(k)), pause(700*time.Millisecond))
	}
	return steps
}

// Persons picks up like several people: each number presses a script of its own. The
// steps name whom each call was for, and the port it came from: "sip:0639980000:5060".
func Persons(scripts map[string]string) string {
	numbers := slices.Sorted(maps.Keys(scripts))
	var looks, jumps, lives strings.Builder
	for i, n := range numbers {
		fmt.Fprintf(&looks, `<ereg regexp="%s" search_in="hdr" header="To:" assign_to="is%d"/>`, n, i)
		fmt.Fprintf(&jumps, "  <nop hide=\"true\" test=\"is%d\" next=\"p%d\"/>\n", i, i)
		fmt.Fprintf(&lives, "  <label id=\"p%d\"/>\n%s\n  <nop next=\"end\"/>\n", i, strings.Join(script(","+scripts[n]), "\n"))
	}
	return scenario(`  <recv request="INVITE" crlf="true"><action><log message="invite"/>
      <ereg regexp=":[0-9]+" search_in="hdr" header="Contact:" assign_to="port"/><ereg regexp="sip:[+0-9]+" search_in="hdr" header="To:" assign_to="whom"/><log message="[$whom][$port]"/>`+looks.String()+`</action></recv>`,
		reply("180 Ringing", "", ""), reply("200 OK", "", description), acked, jumps.String(), lives.String(), `  <label id="end"/>`, ended())
}
