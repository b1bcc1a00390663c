package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/jobs"
)

// The rhythm of what looks outside, and how many looks in a row change our mind.
const (
	outsideEvery = time.Minute
	outsideTime  = 15 * time.Second
	mindAfter    = 3
)

// outside are the tasks that call somebody outside, only where the settings
// name whom: a watcher that is told we live, a proxy through which we look at
// ourselves.
func (h *House) outside() []jobs.Task {
	var out []jobs.Task
	if address := h.Settings.HeartbeatURL; address != "" {
		client := outsideClient(nil)
		out = append(out, h.alone("outside.heartbeat", outsideEvery, func(ctx context.Context, _ time.Time) (bool, error) {
			return false, beat(ctx, client, address)
		}))
	}
	if proxy, err := url.Parse(h.Settings.ReachProxy); err == nil && h.Settings.ReachProxy != "" && h.Settings.Origin() != nil {
		p := &probe{client: outsideClient(proxy), address: h.origin().String() + "/r/"}
		out = append(out, h.alone("outside.reach", outsideEvery, func(ctx context.Context, now time.Time) (bool, error) {
			return false, h.look(ctx, now, p)
		}))
	}
	return out
}

// outsideClient follows no redirection and keeps no connection: a look is worth
// something only when it goes the whole way.
func outsideClient(proxy *url.URL) *http.Client {
	t := &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: outsideTime, ResponseHeaderTimeout: outsideTime}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{Transport: t, Timeout: outsideTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// beat tells the watcher that we live. The error never holds its address, which
// is a secret of sorts.
func beat(ctx context.Context, client *http.Client, address string) error {
	status, _, err := get(ctx, client, address)
	if err != nil {
		return fmt.Errorf("the watcher could not be told that we live: %w", err)
	}
	if status >= 300 {
		return fmt.Errorf("the watcher answers %d", status)
	}
	return nil
}

func get(ctx context.Context, client *http.Client, address string) (int, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, errors.New("bad address")
	}
	req.Header.Set("User-Agent", "tocsin")
	resp, err := client.Do(req)
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return 0, nil, ue.Err
	}
	if err != nil {
		return 0, nil, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, resp.Header, errors.Join(err, resp.Body.Close())
}

// probe looks at our own links from outside.
type probe struct {
	client  *http.Client
	address string

	mu sync.Mutex
	// row counts the looks that said the same, good or bad.
	row  int
	good bool
}

// see looks once. decided is true once enough looks in a row agree. The link
// of a person who does not exist is asked for: it tells nothing of anybody, and
// only our own answer carries a fresh reference, which no cache and no captive
// portal has.
func (p *probe) see(ctx context.Context) (good, decided bool) {
	_, header, err := get(ctx, p.client, p.address+strings.ToLower(rand.Text()[:12]))
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok := err == nil && header.Get("X-Request-Id") != ""; ok != p.good || p.row == 0 {
		p.good, p.row = ok, 1
	} else {
		p.row++
	}
	return p.good, p.row >= mindAfter
}

// look tells every establishment what the probe has seen.
func (h *House) look(ctx context.Context, now time.Time, p *probe) error {
	good, decided := p.see(ctx)
	if !decided {
		return nil
	}
	scope := access.Instance("sonde des liens")
	houses, err := h.Houses.List(ctx, scope)
	if err != nil {
		return err
	}
	for _, e := range houses {
		if err := h.Dispatch.Reachable(ctx, scope.Within(e.ID), now, good); err != nil {
			return err
		}
	}
	return nil
}
