package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/lab"
)

// Wave is how a wave of calls is measured: the times of life, divided.
type Wave struct {
	// People are called by SMS, and those who stay silent by telephone, over Lines.
	People, Lines int
	// Hurry is how many times faster than life people live, and Wait how long the
	// product gives them to answer the SMS.
	Hurry float64
	Wait  time.Duration
}

// callS is how long a call of the wave holds its line, in seconds of life.
const callS = 35

// trunkRequest is a telephone line at a peer.
type trunkRequest struct {
	Address string
	Lines   int
	// Wait is how long the SMS may stay without an answer; 0 calls by telephone only.
	Wait time.Duration
}

func (t trunkRequest) settings() (channels.Settings, error) {
	host, port, err := net.SplitHostPort(t.Address)
	return channels.Settings{
		"host": host, "port": port, "caller": "0142000000", "channels": strconv.Itoa(t.Lines), "rate": "0", "format": "{national}", "repeats": "1", "ring": "10",
	}, err
}

// trunk adds the telephone line of the request, if it names one.
func (h House) trunk(ctx context.Context, scope access.Scope, t trunkRequest) error {
	if t.Address == "" {
		return nil
	}
	settings, err := t.settings()
	if err == nil {
		_, err = h.Dispatch.CreateGateway(ctx, scope, time.Now(), dispatch.GatewayInput{Kind: "sip", Name: "Ligne", Enabled: true, Settings: settings})
	}
	return err
}

// calling makes the scenario ring, alone or after the SMS.
func (t trunkRequest) calling(def *alerting.Definition) {
	def.Waves[0].Media = []channels.Medium{channels.Voice}
	if t.Wait > 0 {
		def.Waves[0].Media = []channels.Medium{channels.SMS, channels.Voice}
		def.Waves[0].Escalate = alerting.Duration(t.Wait)
	}
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseStandDown, alerting.UseEnd} {
		for language, text := range map[string]string{"fr": "{etablissement}. Plan blanc. Rejoignez votre service.", "en": "{etablissement}. Mass casualty plan. Come to your ward."} {
			def.Messages = append(def.Messages, alerting.Text{Use: use, Medium: channels.Voice, Language: language, Body: text})
		}
	}
}

// townsfolk are people of whom that share answers the SMS and everybody the
// telephone, at once and for as long.
func townsfolk(hurry, answer float64) []string {
	out := []string{
		fmt.Sprintf("--people-speed=%g", hurry), fmt.Sprintf("--people-coming=%g", answer), "--people-median=20s", "--people-spread=0.3",
		"--people-ring=0s", fmt.Sprintf("--people-call=%ds", callS),
	}
	for _, nobody := range []string{
		"unknown", "dead", "off", "on-site", "unavailable", "call-me", "unclear", "stop", "link", "second", "reminded", "exercise",
		"busy", "declined", "no-answer", "voicemail", "no-key",
	} {
		out = append(out, "--people-"+nobody+"=0")
	}
	return out
}

// calls gives every call the telephones saw, once none is under way.
func (p *peer) calls(ctx context.Context) (out []lab.CallEntry, err error) {
	for {
		var page []lab.CallEntry
		if err := p.ask(ctx, http.MethodGet, "/calls?since="+strconv.Itoa(len(out)), &page); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return out, nil
		}
		out = append(out, page...)
	}
}

// quiet waits until telephones have rung, and ring no more for as long as a call.
func (p *peer) quiet(ctx context.Context, hurry float64) error {
	quietFor := time.Duration(callS / hurry * float64(time.Second))
	begun, since := 0, time.Now()
	return until(ctx, "the end of the calls", 50*time.Millisecond, func() (bool, error) {
		c, err := p.counts(ctx)
		if c.Calls.Begun != begun || c.Calls.Under > 0 {
			begun, since = c.Calls.Begun, time.Now()
		}
		return begun > 0 && time.Since(since) > quietFor, err
	})
}

// lineUse is what the lines did, from the first call to the last.
type lineUse struct {
	calls, most int
	// total is from the first call to the end of the last, busyPct the part of the
	// lines in use as long as somebody waited for one.
	total   time.Duration
	busyPct float64
}

// useOf reads the calls of a wave.
func useOf(calls []lab.CallEntry, lines int) (u lineUse) {
	type change struct {
		at int64
		by int
	}
	var changes []change
	first, waited, last := calls[0].Begun, int64(0), int64(0)
	for _, c := range calls {
		first, waited, last = min(first, c.Begun), max(waited, c.Begun), max(last, c.End)
	}
	var busy int64
	for _, c := range calls {
		changes = append(changes, change{c.Begun, 1}, change{c.End, -1})
		busy += max(0, min(c.End, waited)-c.Begun)
	}
	// A line that is given back and taken in the same microsecond is one line.
	slices.SortFunc(changes, func(a, b change) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.by - b.by
	})
	under := 0
	for _, c := range changes {
		under += c.by
		u.most = max(u.most, under)
	}
	u.calls, u.total = len(calls), time.Duration(last-first)*time.Microsecond
	u.busyPct = 100 * float64(busy) / (float64(lines) * float64(max(1, waited-first)))
	return u
}

// voice4300 calls by SMS, then by telephone whom the SMS left silent, by the real
// protocol; the times of life are divided.
func (b *bench) voice4300(ctx context.Context) (out []Result, err error) {
	w := b.Sizes.Wave
	p, err := b.startPeerAs(ctx, townsfolk(w.Hurry, 0.4)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.prepareHouse(ctx, "voice4300", w.People, prepareRequest{SMPP: p.smpp, URL: publicURL, Medium: channels.SMS, Trunk: trunkRequest{p.sip, w.Lines, w.Wait}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	product, err := b.open(ctx, h, serveRequest{Doors: true})
	if err != nil {
		return nil, err
	}
	calls, visible, err := b.wave(ctx, p, product)
	if err != nil {
		return nil, errors.Join(err, product.kill())
	}
	if _, err := product.close(ctx); err != nil {
		return nil, err
	}
	u := useOf(calls, w.Lines)
	limit := float64(u.calls) * callS / w.Hurry / float64(w.Lines)
	over := (u.total.Seconds()/limit - 1) * 100
	b.note("voice4300: %d calls over %d lines in %.1f s of %.1f, %d at once, busy %.1f %%; keys visible p50 %.0f ms, p95 %.0f ms",
		u.calls, w.Lines, u.total.Seconds(), limit, u.most, u.busyPct, visible.percentile(50), visible.percentile(95))
	if u.most > w.Lines {
		return nil, fmt.Errorf("%d calls at once over %d lines", u.most, w.Lines)
	}
	seen := visible.result("voice.key_visible_p95_ms", "ms", samples{pageEvery}, "the shortest time between two readings of the follow-up, ms")
	seen.Value = round(visible.percentile(95))
	return []Result{
		samples{u.busyPct}.result("voice4300.busy_pct", "%", samples{float64(w.Lines)}, "lines"),
		samples{max(over, 0)}.result("voice4300.over_limit_pct", "%", samples{limit}, "calls x their length / lines, s"),
		seen,
	}, nil
}

// wave launches and follows the calls to the last, with browsers on the follow-up.
func (b *bench) wave(ctx context.Context, p *peer, product *product) (calls []lab.CallEntry, visible samples, err error) {
	l, err := product.launch(ctx)
	if err != nil {
		return nil, nil, err
	}
	v, err := b.watch(ctx, product, readers, l.Launch.String())
	if v == nil {
		return nil, nil, err
	}
	if err == nil {
		err = p.quiet(ctx, b.Sizes.Wave.Hurry)
	}
	if err == nil {
		err = b.shows(ctx, v, l.People)
	}
	shown, _, lerr := v.leave()
	if err = errors.Join(err, lerr); err != nil {
		return nil, nil, err
	}
	if calls, err = p.calls(ctx); err != nil {
		return nil, nil, err
	}
	return calls, keysSeen(calls, shown, l.People), onceEach(calls)
}

// keysSeen is how long each confirmed key took to reach the last of the readers,
// in milliseconds. Whoever answered otherwise did so before.
func keysSeen(calls []lab.CallEntry, shown [][]seen, people int) samples {
	var pressed []int64
	for _, c := range calls {
		if c.Confirmed != 0 {
			pressed = append(pressed, c.Confirmed)
		}
	}
	slices.Sort(pressed)
	before := people - len(pressed)
	came := make([]seen, 0, len(pressed)+1)
	if before > 0 {
		came = append(came, seen{time.UnixMicro(pressed[0]), before})
	}
	for i, at := range pressed {
		came = append(came, seen{time.UnixMicro(at), before + i + 1})
	}
	return delays(came, shown)[before:]
}

// onceEach checks that each was called once and answered.
func onceEach(calls []lab.CallEntry) error {
	called := map[string]int{}
	for _, c := range calls {
		if called[c.To]++; called[c.To] > 1 || c.Confirmed == 0 {
			return fmt.Errorf("a number was called %d times; picked up %t, confirmed %t, ended after %d ms", called[c.To], c.Answered != 0, c.Confirmed != 0, (c.End-c.Begun)/1000)
		}
	}
	return nil
}

// trunk3 has three programs call over one line, and kills one of them.
func (b *bench) trunk3(ctx context.Context) (out []Result, err error) {
	w := b.Sizes.Wave
	p, err := b.startPeerAs(ctx, townsfolk(w.Hurry, 0)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	people := max(w.People/4, 3*w.Lines)
	h, err := b.newShared(ctx, "trunk3", people, prepareRequest{SMPP: p.smpp, Trunk: trunkRequest{Address: p.sip, Lines: w.Lines}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	f, err := b.sail(ctx, h, p, nodes, nil)
	if err != nil {
		return nil, err
	}
	l, err := f.nodes[0].launch(ctx)
	if err == nil {
		err = until(ctx, "a third of the calls", 20*time.Millisecond, func() (bool, error) {
			c, err := p.counts(ctx)
			return c.Calls.Begun >= l.People/3, err
		})
	}
	if err == nil {
		err = f.nodes[1].kill()
	}
	if err == nil {
		f.nodes = slices.Delete(f.nodes, 1, 2)
		err = b.everyone(ctx, p, l.People)
	}
	if err != nil {
		return nil, errors.Join(err, f.kill())
	}
	if err := f.ended(ctx); err != nil {
		return nil, err
	}
	calls, err := p.calls(ctx)
	if err != nil {
		return nil, err
	}
	u := useOf(calls, w.Lines)
	b.note("trunk3: %d people, %d calls, %d at once over %d lines, one node killed", l.People, u.calls, u.most, w.Lines)
	if u.most < w.Lines {
		return nil, fmt.Errorf("only %d calls at once over %d lines: nothing was at risk", u.most, w.Lines)
	}
	return []Result{samples{float64(u.most - w.Lines)}.result("trunk3.over", "calls", samples{float64(w.Lines)}, "lines of the trunk")}, nil
}

// everyone waits until each has confirmed by a key, and no telephone rings.
func (b *bench) everyone(ctx context.Context, p *peer, people int) error {
	return until(ctx, "every person", 100*time.Millisecond, func() (bool, error) {
		calls, err := p.calls(ctx)
		confirmed := map[string]bool{}
		for _, c := range calls {
			if c.End == 0 {
				return false, err
			}
			confirmed[c.To] = confirmed[c.To] || c.Confirmed != 0
		}
		n := 0
		for _, yes := range confirmed {
			if yes {
				n++
			}
		}
		return n >= people, err
	})
}
