package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/lab"
)

// flagsRequest asks which numbers of an alert are said to have been called twice, perhaps.
type flagsRequest struct {
	Folder, Database      string
	Establishment, Launch uuid.UUID
}

// flagged are the people of the alert, and the numbers with a possible double.
type flagged struct {
	People  int
	Numbers []string
}

// flags reads the alert as the report does.
func flags(ctx context.Context, r flagsRequest, build Builder) (out flagged, err error) {
	s, err := settings(r.Folder, "127.0.0.1:0", publicURL, r.Database)
	if err != nil {
		return out, err
	}
	h, err := build(ctx, s)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	scope := access.Instance("bench").Within(r.Establishment)
	var subjects []uuid.UUID
	if err := h.Alerting.EachRecipient(ctx, scope, r.Launch, func(p alerting.Recipient) error {
		subjects = append(subjects, p.ID)
		return nil
	}); err != nil {
		return out, err
	}
	out.People = len(subjects)
	numbers := map[string]bool{}
	for _, id := range subjects {
		attempts, err := h.Dispatch.Attempts(ctx, scope, r.Launch, id)
		if err != nil {
			return out, err
		}
		for _, a := range attempts {
			if a.Double {
				numbers[strings.TrimPrefix(a.Address, "+")] = true
			}
		}
	}
	out.Numbers = slices.Sorted(maps.Keys(numbers))
	return out, nil
}

// wreck is an alert that is cut again and again.
type wreck struct {
	b       *bench
	peer    *peer
	house   *house
	process *process
	resumes samples
	doubles samples
	// before is what the peer had counted twice at the kill before.
	before uint64
	// over is true once everybody was reached.
	over bool
}

// crash kills the product during one alert and counts at the peer.
func (b *bench) crash(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.newHouse(ctx, "crash", b.Sizes.Crash, p, channels.SMS, publicURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	bare, err := b.alone(ctx, h)
	if err != nil {
		return nil, err
	}
	first, err := b.open(ctx, h, serveRequest{})
	if err != nil {
		return nil, err
	}
	w := &wreck{b: b, peer: p, house: h, process: first.process}
	l, err := first.launch(ctx)
	if err == nil {
		err = w.killAll(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, w.process.kill())
	}
	lost, err := w.audit(ctx, l)
	if err != nil {
		return nil, err
	}
	if len(w.resumes) == 0 {
		return nil, errors.New("crash: everybody was reached before the first kill: nothing was resumed, measure more people")
	}
	flight := samples{inFlight}
	return []Result{
		samples{float64(lost)}.result("crash.lost", "people", samples{float64(l.People)}, "people called"),
		w.doubles.worst("crash.doubles_per_kill", "messages", flight, "sends in flight the gateway allows"),
		w.resumes.worst("crash.resume_s", "s", samples{bare}, "the program alone on the same data, until it serves, s"),
	}, nil
}

// alone is how long the program takes to serve data at rest.
func (b *bench) alone(ctx context.Context, h *house) (seconds float64, err error) {
	began := time.Now()
	p, at, err := b.restart(h)
	if err != nil {
		return 0, err
	}
	err = p.until(ctx, "the program to serve", 5*time.Millisecond, func() (bool, error) { return reachable(at), nil })
	seconds = time.Since(began).Seconds()
	return seconds, errors.Join(err, p.stop())
}

// restart starts `tocsin serve`, as the service manager would.
func (b *bench) restart(h *house) (*process, string, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := b.start("serve", "--listen", listen, "--public-url", publicURL, "--data", filepath.Join(h.folder, "data"),
		"--key-file", filepath.Join(h.folder, "tocsin.key"), "--log-level", "error")
	return p, listen, err
}

// killAll kills at random ranks of the alert, drawn beforehand so that no
// moment of it is spared.
func (w *wreck) killAll(ctx context.Context) error {
	n := w.b.Sizes.Crash
	ranks := make([]uint64, w.b.Sizes.Kills)
	for i := range ranks {
		ranks[i] = uint64(1 + rand.IntN(n*9/10))
	}
	slices.Sort(ranks)
	for i, rank := range ranks {
		if w.over {
			w.b.note("crash: everybody was reached after %d kills", i)
			return nil
		}
		if err := w.reach(ctx, rank); err != nil {
			return err
		}
		if err := w.process.kill(); err != nil {
			return err
		}
		if err := w.again(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// reach waits until the peer has taken that many messages, doubles apart.
func (w *wreck) reach(ctx context.Context, rank uint64) error {
	return until(ctx, fmt.Sprintf("message %d", rank), time.Millisecond, func() (bool, error) {
		c, err := w.peer.counts(ctx)
		return uint64(c.SMS.Distinct) >= rank, err
	})
}

// again notes what the peer saw, starts the program again and waits for its next message.
func (w *wreck) again(ctx context.Context, kill int) error {
	at, err := w.settled(ctx, 20*time.Millisecond)
	if err != nil {
		return err
	}
	w.count(kill, at)
	began := time.Now()
	if w.process, _, err = w.b.restart(w.house); err != nil {
		return err
	}
	if at.Distinct >= w.house.Rows { // everybody was reached: there may be no next message
		w.over = true
		return nil
	}
	err = w.process.until(ctx, "the next message", 2*time.Millisecond, func() (bool, error) {
		c, err := w.peer.counts(ctx)
		return c.SMS.Accepted > at.Accepted, err
	})
	w.resumes = append(w.resumes, time.Since(began).Seconds())
	w.b.note("kill %d after %d messages: next message %.2f s after the restart", kill+1, at.Accepted, w.resumes[len(w.resumes)-1])
	return err
}

// settled waits until the peer has taken nothing for a while: it has then read
// what the dead process had written, or the living one has nothing more to send.
func (w *wreck) settled(ctx context.Context, quiet time.Duration) (t lab.Tally, err error) {
	since := time.Now()
	err = until(ctx, "a silence", 10*time.Millisecond, func() (bool, error) {
		c, err := w.peer.counts(ctx)
		if c.SMS.Accepted != t.Accepted {
			t, since = c.SMS.Tally, time.Now()
		}
		return time.Since(since) >= quiet, err
	})
	return t, err
}

// count attributes the doubles seen since the kill before to that kill.
func (w *wreck) count(kill int, t lab.Tally) {
	if kill > 0 {
		w.doubles = append(w.doubles, float64(t.Doubles-w.before))
	}
	w.before = t.Doubles
}

// audit waits for the end of the alert, then holds the peer's numbers against
// the data: everybody got the message, and every double is said.
func (w *wreck) audit(ctx context.Context, l launched) (lost int, err error) {
	err = w.reach(ctx, uint64(l.People))
	if err == nil {
		var end lab.Tally
		if end, err = w.settled(ctx, 3*time.Second); err == nil {
			w.count(1, end)
		}
	}
	if err != nil {
		return 0, errors.Join(err, w.process.kill())
	}
	if err := w.process.stop(); err != nil {
		return 0, err
	}
	lost, unsaid, err := w.b.compare(ctx, "crash", w.peer, w.house, l)
	if err == nil && unsaid > 0 {
		err = fmt.Errorf("%d doubles are not flagged in the data", unsaid)
	}
	return lost, err
}

// compare holds the peer's numbers against the data: who got nothing, and which
// doubles nothing says. Nobody works on the data meanwhile.
func (b *bench) compare(ctx context.Context, group string, p *peer, h *house, l launched) (lost, unsaid int, err error) {
	times := map[string]int{}
	if err := p.each(ctx, func(e lab.Entry) { times[e.To]++ }); err != nil {
		return 0, 0, err
	}
	var said flagged
	if err := b.do(ctx, "flags", flagsRequest{Folder: h.folder, Database: h.database, Establishment: h.Establishment, Launch: l.Launch}, &said); err != nil {
		return 0, 0, err
	}
	twice := 0
	for number, n := range times {
		if n > 1 {
			twice++
			if _, found := slices.BinarySearch(said.Numbers, strings.TrimPrefix(number, "+")); !found {
				unsaid++
			}
		}
	}
	lost = l.People - len(times)
	b.note("%s: %d people, %d reached, %d called twice, %d flagged as possible doubles, %d doubles not flagged", group, l.People, len(times), twice, len(said.Numbers), unsaid)
	return lost, unsaid, nil
}
