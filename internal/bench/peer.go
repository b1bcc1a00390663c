package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/lab"
)

// peer is the gateway and the mail server, in a process of their own: lab's
// fast path accepts, counts and gives receipts.
type peer struct {
	*process
	smpp, smtp, sip, control string
	client                   *http.Client
}

// startPeer starts the peer and waits until it counts.
func (b *bench) startPeer(ctx context.Context) (*peer, error) { return b.startPeerAs(ctx, "--fast") }

// startPeerAs starts it with people who behave as the options say. Somebody else may
// take a free port before the peer does: it ends then, and is started on others.
func (b *bench) startPeerAs(ctx context.Context, options ...string) (p *peer, err error) {
	for range 3 {
		if p, err = b.peerOnce(ctx, options...); !errors.Is(err, errEnded) {
			return p, err
		}
	}
	return nil, err
}

func (b *bench) peerOnce(ctx context.Context, options ...string) (*peer, error) {
	p := &peer{client: &http.Client{Timeout: time.Minute}}
	var err error
	for _, address := range []*string{&p.smpp, &p.smtp, &p.sip, &p.control} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	p.process, err = b.start(append([]string{"lab", "--smpp", p.smpp, "--smtp", p.smtp, "--sip", p.sip, "--control", p.control}, options...)...)
	if err != nil {
		return nil, err
	}
	err = p.until(ctx, "the peer", 20*time.Millisecond, func() (bool, error) {
		_, err := p.counts(ctx)
		return err == nil, nil
	})
	if err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

func (p *peer) ask(ctx context.Context, method, path string, into any) (err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.control+path, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the peer: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func (p *peer) counts(ctx context.Context) (c lab.Counts, err error) {
	return c, p.ask(ctx, http.MethodGet, "/counts", &c)
}

// reset forgets what was counted.
func (p *peer) reset(ctx context.Context) error { return p.ask(ctx, http.MethodPost, "/reset", nil) }

// each gives every SMS taken, in order.
func (p *peer) each(ctx context.Context, do func(lab.Entry)) error {
	for since := 0; ; {
		var page []lab.Entry
		if err := p.ask(ctx, http.MethodGet, "/messages?since="+strconv.Itoa(since), &page); err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for _, e := range page {
			do(e)
		}
		since += len(page)
	}
}
