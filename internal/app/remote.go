package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/rest"
)

// elsewhere is an instance of Tocsin on another machine, reached as any other
// program reaches it: with a token.
type elsewhere struct {
	Remote    string `env:"TOCSIN_REMOTE" help:"Act on another machine's Tocsin, by its API." placeholder:"https://…"`
	TokenFile string `env:"TOCSIN_TOKEN_FILE" help:"File that holds the token, and nothing else. By default tocsin/token in the user's configuration folder." placeholder:"FILE"`
	CAFile    string `name:"ca-file" env:"TOCSIN_CA_FILE" help:"Certificates (PEM) of the authority that signed the remote one, when it is the establishment's own." placeholder:"FILE"`
	JSON      bool   `help:"Print what the remote answers, as it is."`
}

const (
	remoteTries = 4
	remoteWait  = 20 * time.Second
	answerLimit = 32 << 20
)

// client is one conversation with a remote instance.
type client struct {
	base, token, language string
	http                  *http.Client
	// pause waits between two tries.
	pause func(ctx context.Context, d time.Duration) error
}

// call opens the conversation. Errors: Invalid for an address or a file that cannot serve.
func (e *elsewhere) call(s *session) (*client, error) {
	u, err := url.Parse(strings.TrimRight(e.Remote, "/"))
	if err != nil || u.Host == "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "app.remote.address").At("remote")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return nil, fault.New(fault.Invalid, "app.remote.https").At("remote")
	}
	token, err := e.secret()
	if err != nil {
		return nil, err
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.CAFile != "" {
		pem, err := os.ReadFile(e.CAFile)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "app.remote.ca", "file", e.CAFile)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "app.remote.ca", "file", e.CAFile)
		}
	}
	return &client{
		base: u.String() + rest.Root, token: token, language: string(s.words().Language()), pause: wait,
		http: &http.Client{
			Timeout: remoteWait, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true},
			// A token must not be carried where somebody else sends it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func (e *elsewhere) secret() (string, error) {
	file := e.TokenFile
	if file == "" {
		folder, err := os.UserConfigDir()
		if err != nil {
			return "", fault.Wrap(err, fault.Invalid, "app.remote.token", "file", "~/.config/tocsin/token")
		}
		file = filepath.Join(folder, "tocsin", "token")
	}
	text, err := os.ReadFile(file)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return "", fault.Wrap(err, fault.Invalid, "app.remote.token", "file", file)
	}
	return string(bytes.TrimSpace(text)), nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// get reads; post acts, under a key: an answer that was lost is asked for again,
// and nothing is done twice.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	return c.ask(ctx, http.MethodGet, path, nil, "")
}

func (c *client) post(ctx context.Context, path string, body any, key string) ([]byte, error) {
	if key == "" {
		key = uuid.NewString()
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	return c.ask(ctx, http.MethodPost, path, b, key)
}

func (c *client) ask(ctx context.Context, method, path string, body []byte, key string) (out []byte, err error) {
	for try := range remoteTries {
		if try > 0 {
			if waited := c.pause(ctx, time.Duration(try)*time.Second); waited != nil {
				return nil, err
			}
		}
		var again bool
		if out, again, err = c.once(ctx, method, path, body, key); !again {
			return out, err
		}
	}
	return nil, err
}

// once asks once. again tells that asking again may help.
func (c *client) once(ctx context.Context, method, path string, body []byte, key string) (out []byte, again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, false, fault.Wrap(err, fault.Invalid, "app.remote.address").At("remote")
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept-Language", c.language)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, ctx.Err() == nil && !distrusted(err), unreachable(r, err)
	}
	out, err = io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, true, unreachable(r, err)
	}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return out, false, nil
	}
	var problem struct{ Type, Detail string }
	if json.Unmarshal(out, &problem) != nil || problem.Detail == "" {
		return nil, answer.StatusCode >= 500, fault.New(fault.Unavailable, "app.remote.odd", "host", r.URL.Host, "status", answer.StatusCode)
	}
	running := strings.HasSuffix(problem.Type, "rest.key.running")
	return nil, running || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable, errors.New(problem.Detail)
}

func distrusted(err error) bool {
	var unknown *tls.CertificateVerificationError
	return errors.As(err, &unknown)
}

func unreachable(r *http.Request, err error) error {
	if distrusted(err) {
		return fault.Wrap(err, fault.Unavailable, "app.remote.distrusted", "host", r.URL.Host)
	}
	return fault.Wrap(err, fault.Unavailable, "app.remote.unreachable", "host", r.URL.Host)
}
