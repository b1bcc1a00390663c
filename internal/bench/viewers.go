package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// seen is what the follow-up showed at an instant: how many had answered.
type seen struct {
	at    time.Time
	count int
}

// viewers are browsers that follow one alert. The first few read what they are
// shown; all of them are sent it.
type viewers struct {
	group sync.WaitGroup
	stop  context.CancelFunc

	mu     sync.Mutex
	shown  [][]seen
	events int
	errs   error
}

// readers is how many of the viewers read the figures.
const readers = 10

// answeredFigure is the figure of the people who answered, in the follow-up.
var answeredFigure = regexp.MustCompile(`Ont répondu\s*</p><p class="stat-value">([^<]*)</p>`)

// watch opens n links to the follow-up of an alert, with the session of the
// first account that may see it.
func (b *bench) watch(ctx context.Context, p *product, n int, launch string) (*viewers, error) {
	base, path := "http://"+p.Address, "/alertes/"+launch
	for _, door := range p.Doors {
		w, err := newWalker(ctx, base, door)
		if err != nil {
			return nil, err
		}
		if _, _, status, err := w.get(ctx, path); err != nil || status != http.StatusOK {
			continue
		}
		w.client.Timeout = 0
		w.client.Transport = &http.Transport{MaxIdleConns: 1, DisableCompression: true}
		ctx, stop := context.WithCancel(ctx)
		v := &viewers{stop: stop, shown: make([][]seen, min(n, readers))}
		open := make(chan struct{}, n)
		for i := range n {
			v.group.Go(func() { v.follow(ctx, w, base+path+"/flux", i, open) })
		}
		for range n {
			<-open
		}
		return v, v.failed()
	}
	return nil, errors.New("no account may follow the alert")
}

func (v *viewers) failed() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.errs
}

// follow reads one link until the viewers leave.
func (v *viewers) follow(ctx context.Context, w *walker, address string, i int, open chan struct{}) {
	err := v.read(ctx, w, address, i, sync.OnceFunc(func() { open <- struct{}{} }))
	if err != nil && ctx.Err() == nil {
		v.mu.Lock()
		v.errs = errors.Join(v.errs, err)
		v.mu.Unlock()
	}
}

func (v *viewers) read(ctx context.Context, w *walker, address string, i int, opened func()) (err error) {
	defer opened()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Language", "fr")
	answer, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("a viewer: status %d", answer.StatusCode)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 4<<20)
	var event strings.Builder
	for lines.Scan() {
		line := lines.Text()
		if data, ok := strings.CutPrefix(line, "data: "); ok && i < readers {
			event.WriteString(data)
		}
		if line == "" {
			opened()
			v.note(i, event.String())
			event.Reset()
		}
	}
	return lines.Err()
}

func (v *viewers) note(i int, event string) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events++
	m := answeredFigure.FindStringSubmatch(event)
	if m == nil || i >= len(v.shown) {
		return
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, m[1])
	if n, err := strconv.Atoi(digits); err == nil {
		v.shown[i] = append(v.shown[i], seen{now, n})
	}
}

// leave ends the links and returns what the readers saw.
func (v *viewers) leave() (shown [][]seen, events int, err error) {
	v.stop()
	v.group.Wait()
	return v.shown, v.events, v.failed()
}

// delays are, for each answer, how long it took from the peer to the last of
// the readers, in milliseconds. Both lists grow with time.
func delays(came []seen, shown [][]seen) (out samples) {
	k := 0
	for _, c := range came {
		for ; k < c.count; k++ {
			last := time.Duration(0)
			for _, viewer := range shown {
				for _, s := range viewer {
					if s.count > k {
						last = max(last, s.at.Sub(c.at))
						break
					}
				}
			}
			out = append(out, float64(last.Microseconds())/1000)
		}
	}
	return out
}
