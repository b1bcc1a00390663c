package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/config"
	"tocsin/internal/organisation"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sample"
)

// TraceBase is what the bench asks of the engine of the base, which is linked
// into the program and not into us.
type TraceBase struct {
	// Bare is how many rows a second its appender takes in an empty folder.
	Bare func(ctx context.Context, dir string, events int64) (eps float64, err error)
	// Held weighs a base that nobody has open, times the questions of
	// sample.Questions, and verifies its seal.
	Held func(ctx context.Context, dir string, organisation uuid.UUID, start time.Time, repeats int) (Held, error)
}

// Held is what a base is at rest.
type Held struct {
	// Parsed and Raw are bytes of an event and of its original.
	Parsed, Raw float64
	// Verify is how many MB a second the seal is verified, Sealing how long the
	// seal of one event takes.
	VerifyMBps float64
	Sealing    time.Duration
	// Times are those of questions, by name.
	Times map[string][]time.Duration
}

// heldRequest asks about a folder of the base.
type heldRequest struct {
	Dir             string
	Establishment   uuid.UUID
	Events, Repeats int
}

// answered is what was measured: times are in ms.
type answered struct {
	EPS, ParsedBytes, RawBytes, RowBytes, VerifyMBps, SealingS float64
	Times                                                      map[string][]float64
	Total                                                      int64
}

func bareTraces(ctx context.Context, r heldRequest, base *TraceBase) (out answered, err error) {
	if base == nil {
		return out, errors.New("this program was built without a base of traces")
	}
	out.EPS, err = base.Bare(ctx, r.Dir, int64(r.Events))
	return out, err
}

func heldTraces(ctx context.Context, r heldRequest, base *TraceBase) (out answered, err error) {
	if base == nil {
		return out, errors.New("this program was built without a base of traces")
	}
	held, err := base.Held(ctx, r.Dir, r.Establishment, traceStart(), r.Repeats)
	out.ParsedBytes, out.RawBytes, out.VerifyMBps, out.SealingS = held.Parsed, held.Raw, held.VerifyMBps, held.Sealing.Seconds()
	out.Times = map[string][]float64{}
	for name, t := range held.Times {
		out.Times[name] = millis(t)
	}
	out.RowBytes = rowBytes()
	return out, err
}

// rowBytes is the length of an original.
func rowBytes() (mean float64) {
	const some = 1000
	h, e := hospital(some), traces.Event{}
	for range some {
		h.Next(&e)
		mean += float64(len(e.Raw)) / some
	}
	return mean
}

// traceRequest asks for a house that keeps traces. Without an establishment one
// is made, with a source for each format.
type traceRequest struct {
	Folder, Listen, Syslog string
	Establishment          uuid.UUID
	Profile                string
	// Rules are how many invented rules of Sigma look at the flow.
	Rules int
	// House is the address of a base on ClickHouse; empty for one of its own.
	House string
}

// tracesOpened is what such a house says once it serves.
type tracesOpened struct {
	Address       string
	Establishment uuid.UUID
	Sources       map[string]uuid.UUID
	Tokens        map[string]string
}

// traceOrder is what it is asked: how many events of a source there are, the
// questions of the bars, or to move its clock.
type traceOrder struct {
	Count   uuid.UUID
	Bars    bool
	Repeats int
	JumpS   int
	// Unwatched asks how many bytes of the queue nobody looked at yet.
	Unwatched bool
}

// traceFormats are the sources of the house; those of syslog are known by the
// address from which they speak.
var traceFormats = [...]struct{ format, address string }{{"jsonl", ""}, {"bulk", ""}, {"syslog", "127.0.0.1"}, {"atna", "127.0.0.2"}}

func sourceAddress(format string) string {
	for _, f := range traceFormats {
		if f.format == format {
			return f.address
		}
	}
	return ""
}

// traceSettings are those of such a house.
func traceSettings(r traceRequest) (*config.Server, error) {
	s, err := settings(r.Folder, r.Listen, publicURL, "")
	if err == nil {
		s.SyslogListen, s.TracesURL = r.Syslog, r.House
	}
	return s, err
}

// serveTraces runs the product until its input ends.
func serveTraces(ctx context.Context, l *line, build Builder) (err error) {
	var r traceRequest
	if more, err := l.read(&r); err != nil || !more {
		return fmt.Errorf("no request: %w", err)
	}
	s, err := traceSettings(r)
	if err != nil {
		return err
	}
	if err := writeRules(filepath.Join(s.Data, "traces", "rules"), r.Rules); err != nil {
		return err
	}
	h, err := build(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	o := tracesOpened{Establishment: r.Establishment, Sources: map[string]uuid.UUID{}, Tokens: map[string]string{}}
	if r.Establishment == uuid.Nil {
		if err := h.furnish(ctx, &o); err != nil {
			return err
		}
	}
	stop, err := profile(r.Profile)
	if err != nil {
		return err
	}
	defer stop()
	ctx, end := context.WithCancel(ctx)
	defer end()
	ready, served := make(chan net.Addr, 1), make(chan error, 1)
	go func() { served <- h.Serve(ctx, ready) }()
	select {
	case at := <-ready:
		o.Address = at.String()
	case err := <-served:
		return err
	}
	if err = l.tell("ready", o); err == nil {
		err = h.answer(ctx, l, access.Instance("bench").Within(o.Establishment))
	}
	end()
	return errors.Join(err, <-served)
}

// furnish makes the establishment and its sources.
func (h House) furnish(ctx context.Context, o *tracesOpened) error {
	console := access.Instance("bench")
	e, err := h.Organisations.Create(ctx, console, organisation.Establishment{Name: "CHU du Banc", Language: "fr"})
	if err != nil {
		return err
	}
	o.Establishment = e.ID
	for _, f := range traceFormats {
		s, token, err := h.Traces.Add(ctx, console.Within(e.ID), traces.Wanted{Name: f.format, Format: f.format, Zone: "Europe/Paris", Addresses: f.address})
		if err != nil {
			return err
		}
		o.Sources[f.format], o.Tokens[f.format] = s.ID, token
	}
	return nil
}

// answer obeys until the input ends.
func (h House) answer(ctx context.Context, l *line, scope access.Scope) error {
	for {
		var o traceOrder
		more, err := l.read(&o)
		if err != nil || !more {
			return err
		}
		var a answered
		switch {
		case o.Unwatched:
			a.Total = h.Unwatched()
		case o.JumpS != 0:
			h.Jump(time.Duration(o.JumpS) * time.Second)
		case o.Bars:
			a, err = h.askBars(ctx, scope, o.Repeats)
		default:
			a.Total, err = h.count(ctx, scope, o.Count)
		}
		if err != nil {
			return err
		}
		if err := l.tell("answered", a); err != nil {
			return err
		}
	}
}

// always is a question about all that a source said.
func always(source uuid.UUID) traces.Question {
	now := time.Now().AddDate(0, 2, 0).UnixMicro()
	return traces.Question{From: traceStart().AddDate(-1, 0, 0).UnixMicro(), To: now, Zone: "UTC", Limit: 1, Where: []traces.Condition{{Field: traces.FieldSource, Op: traces.Is, Values: []string{source.String()}}}}
}

// count counts the events of a source. A base that starts is asked again.
func (h House) count(ctx context.Context, scope access.Scope, source uuid.UUID) (int64, error) {
	a, err := h.Traces.Ask(ctx, scope, traces.Look{}, always(source))
	if err != nil {
		return -1, nil //nolint:nilerr // it is asked again until patience ends
	}
	return a[0].Total, nil
}

// askBars puts the questions of the bars as the pages do: each is a trace and a
// line of the journal.
func (h House) askBars(ctx context.Context, scope access.Scope, repeats int) (out answered, err error) {
	from, to := traceStart().AddDate(0, 0, -1).UnixMicro(), traceStart().AddDate(0, 0, 31).UnixMicro()
	some, err := h.Traces.Ask(ctx, scope, traces.Look{}, traces.Question{
		From: from, To: to, Zone: "UTC", Limit: 1, Skip: 100, Where: []traces.Condition{{Field: traces.FieldPatient, Op: traces.NotEmpty}},
	})
	if err != nil || len(some[0].Events) == 0 {
		return out, errors.Join(err, errors.New("no event to ask about"))
	}
	out.Times = map[string][]float64{}
	for _, q := range sample.Questions(from, to, &some[0].Events[0].Event) {
		var times []time.Duration
		for range repeats {
			began := time.Now()
			if _, err := h.Traces.Ask(ctx, scope, traces.Look{}, q.Question); err != nil {
				return out, fmt.Errorf("ask %s: %w", q.Name, err)
			}
			times = append(times, time.Since(began))
		}
		out.Times[q.Name] = millis(times)
	}
	return out, nil
}

// tracesHouse is the product keeping traces, in its own process.
type tracesHouse struct {
	*process
	tracesOpened
	folder, syslog string
	sent           map[string]int
	ended          bool
}

// openTraces starts a house in a new folder.
func (b *bench) openTraces(ctx context.Context, name string, r traceRequest) (*tracesHouse, error) {
	p := &tracesHouse{folder: filepath.Join(b.folder, name), sent: map[string]int{}}
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return nil, err
	}
	return p, b.serveTraces(ctx, p, r)
}

// serveTraces starts the house of a folder.
func (b *bench) serveTraces(ctx context.Context, p *tracesHouse, r traceRequest) (err error) {
	if p.syslog, err = freeAddress(); err != nil {
		return err
	}
	r.Folder, r.Listen, r.Syslog = p.folder, "127.0.0.1:0", p.syslog
	if b.Profile != "" {
		r.Profile = filepath.Join(b.Profile, filepath.Base(p.folder))
	}
	if p.process, err = b.step("traces", r); err != nil {
		return err
	}
	var o tracesOpened
	if err := p.wait(ctx, "ready", &o); err != nil {
		return errors.Join(err, p.kill())
	}
	if r.Establishment == uuid.Nil {
		p.tracesOpened = o
	}
	p.Address = o.Address
	return nil
}

// base is the folder of its base.
func (p *tracesHouse) base() string { return filepath.Join(p.folder, "data", "traces", "base") }

func (p *tracesHouse) ask(ctx context.Context, o traceOrder, into *answered) error {
	if err := p.say(o); err != nil {
		return err
	}
	return p.wait(ctx, "answered", into)
}

// found waits until a question finds that many events of a source. Whoever asks
// too often measures the asking: many events take long, and are asked for less.
func (p *tracesHouse) found(ctx context.Context, format string, n int) error {
	every := 50 * time.Millisecond
	if n >= 100_000 {
		every = 250 * time.Millisecond
	}
	return p.until(ctx, fmt.Sprintf("%d events of %s", n, format), every, func() (bool, error) {
		var a answered
		err := p.ask(ctx, traceOrder{Count: p.Sources[format]}, &a)
		return a.Total >= int64(n), err
	})
}

// stop ends the house in good order.
func (p *tracesHouse) stop(ctx context.Context) error {
	p.ended = true
	return p.finish(ctx)
}

// leave ends what is still there and removes its folder.
func (p *tracesHouse) leave(ctx context.Context) error {
	return errors.Join(p.end(), os.RemoveAll(p.folder))
}

// end ends what is still there.
func (p *tracesHouse) end() error {
	if p.ended {
		return nil
	}
	return p.kill()
}

// memory is the largest resident memory of the house and of the processes it
// started, MB, and each by its name.
func (p *tracesHouse) memory() (mb float64, named string) {
	own := peakMB(strconv.Itoa(p.cmd.Process.Pid))
	named = fmt.Sprintf("house %.0f", own)
	for _, child := range childrenOf(p.cmd.Process.Pid) {
		m := peakMB(child)
		own += m
		named += fmt.Sprintf(", base %.0f", m)
	}
	return own, named
}

// childrenOf lists the processes that a process started; none where the system does not tell.
func childrenOf(pid int) (out []string) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, t := range tasks {
		text, err := os.ReadFile(t)
		if err == nil {
			out = append(out, strings.Fields(string(text))...)
		}
	}
	return out
}
