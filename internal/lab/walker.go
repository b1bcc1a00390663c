package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// walker follows links as a browser without script does: it opens the page,
// reads its forms, presses a button.
type walker struct {
	transport            *http.Transport
	done, failed, gaveUp atomic.Uint64
}

func newWalker() *walker {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &walker{transport: &http.Transport{
		MaxIdleConnsPerHost: clerks, IdleConnTimeout: 10 * time.Second,
		// The certificate of a demonstration is its own; nobody is between this machine and itself.
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true},
		// The last wall: whatever a page or a redirection says, nothing leaves this machine.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			safe, err := Loopback(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, safe)
		},
	}}
}

// visit answers on the page of a link.
func (w *walker) visit(link string, intent Intent, minutes int, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		err := w.answer(ctx, link, intent, minutes)
		if errors.Is(err, errNoForm) {
			w.gaveUp.Add(1) // the alert is over, or does not ask that
			return
		}
		if err != nil {
			w.failed.Add(1)
			log.Warn("lab: an answer by the link failed", "error", withoutURL(err))
			return
		}
		w.done.Add(1)
	}
}

// withoutURL takes the personal link out of an error before it is logged.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

func (w *walker) answer(ctx context.Context, link string, intent Intent, minutes int) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Transport: w.transport, Jar: jar, Timeout: 30 * time.Second}
	page, at, err := send(ctx, browser, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	f, err := chooseForm(strings.NewReader(page), intent, minutes)
	if err != nil {
		return err
	}
	target, err := at.Parse(f.action)
	if err != nil {
		return err
	}
	if target.Host != at.Host {
		return errors.New("the form leads elsewhere")
	}
	_, _, err = send(ctx, browser, http.MethodPost, target.String(), f.fields)
	return err
}

// maxPage bounds a page read; the answer page is under 20 kB.
const maxPage = 1 << 20

func send(ctx context.Context, browser *http.Client, method, target string, fields url.Values) (page string, at *url.URL, err error) {
	var body io.Reader
	if fields != nil {
		body = strings.NewReader(fields.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return "", nil, err
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("Accept-Language", "fr")
	r.Header.Set("User-Agent", "Mozilla/5.0 (Android 11; Mobile) TocsinLab")
	response, err := browser.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer closeQuietly(response.Body)
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return "", nil, err
	}
	if response.StatusCode >= 400 {
		return "", nil, fmt.Errorf("the page answers %d", response.StatusCode)
	}
	return string(text), response.Request.URL, nil
}
