package bench

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/html"

	"tocsin/internal/channels"
)

// reader is an agent's mailbox: it keeps the link of the first mail.
type reader struct {
	listener net.Listener
	server   *smtp.Server
	links    chan string
}

var personalLink = regexp.MustCompile(`http://[^\s"<>]+/r/[0-9a-z]{12}`)

func newReader() (*reader, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &reader{listener: l, links: make(chan string, 1)}
	r.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return r, nil }))
	r.server.Domain = "agent.example"
	r.server.ErrorLog = silent{}
	return r, nil
}

// silent drops what the mail library would print.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// Mail, Rcpt, Reset and Logout take every mail.
func (r *reader) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes every mailbox.
func (r *reader) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Reset forgets nothing.
func (r *reader) Reset() {}

// Logout ends nothing.
func (r *reader) Logout() error { return nil }

// Data reads the link as a mail program would show it.
func (r *reader) Data(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	// Quoted-printable cuts long lines by "=" at their end.
	if link := personalLink.FindString(strings.ReplaceAll(string(text), "=\r\n", "")); link != "" {
		select {
		case r.links <- link:
		default:
		}
	}
	return nil
}

// sheet is what a page and all it needs weigh, and how long they took.
type sheet struct {
	wire, plain int
	took        time.Duration
}

// usable fetches the page and its style by one connection, as a browser
// without script does: the page can be answered once both are there.
func usable(ctx context.Context, link string, t *throttled) (s sheet, err error) {
	read := &counter{}
	transport := &http.Transport{DialContext: dialThrough(t, read), DisableCompression: true, MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	base, err := url.Parse(link)
	if err != nil {
		return s, err
	}
	began := time.Now()
	text, err := fetch(ctx, client, link)
	if err != nil {
		return s, err
	}
	s.plain = len(text)
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return s, err
	}
	for _, needed := range resources(page) {
		u, err := base.Parse(needed)
		if err != nil {
			return s, err
		}
		part, err := fetch(ctx, client, u.String())
		if err != nil {
			return s, err
		}
		s.plain += len(part)
	}
	s.took, s.wire = time.Since(began), read.total()
	return s, nil
}

// resources are what a browser without script loads for a page.
func resources(page *html.Node) []string {
	var out []string
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		address := ""
		switch n.Data {
		case "link":
			if rel := attribute(n, "rel"); rel == "stylesheet" || rel == "icon" || rel == "preload" {
				address = attribute(n, "href")
			}
		case "img", "iframe":
			address = attribute(n, "src")
		}
		if address != "" && !strings.HasPrefix(address, "data:") {
			out = append(out, address)
		}
	}
	return out
}

func fetch(ctx context.Context, client *http.Client, address string) (text string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	// Brotli is offered over https only by browsers; gzip is what this line would get.
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Accept", "text/html,text/css,*/*")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: status %d", address, answer.StatusCode)
	}
	body := io.Reader(answer.Body)
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(answer.Body); err != nil {
			return "", err
		}
	}
	all, err := io.ReadAll(body)
	return string(all), err
}

// answerPeople is how many get the mail whose link is followed.
const answerPeople = 3

func (b *bench) answerpage(ctx context.Context) (out []Result, err error) {
	mailbox, err := newReader()
	if err != nil {
		return nil, err
	}
	var served sync.WaitGroup
	served.Go(func() {
		if err := mailbox.server.Serve(mailbox.listener); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			b.note("mailbox: %v", err)
		}
	})
	defer func() {
		err = errors.Join(err, mailbox.server.Close())
		served.Wait()
	}()
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	base := "http://" + listen
	h, err := b.newHouse(ctx, "answerpage", answerPeople, &peer{smtp: mailbox.listener.Addr().String()}, channels.Email, base)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	p, err := b.open(ctx, h, serveRequest{Listen: listen, URL: base})
	if err != nil {
		return nil, err
	}
	if _, err = p.launch(ctx); err == nil {
		select {
		case link := <-mailbox.links:
			out, err = b.measureAnswer(ctx, link, listen)
		case <-time.After(time.Minute):
			err = errors.New("no mail brought a link")
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	_, cerr := p.close(ctx)
	return out, errors.Join(err, cerr)
}

func (b *bench) measureAnswer(ctx context.Context, link, listen string) (out []Result, err error) {
	line, err := throttle(listen, roundTrip/2, lineRate)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, line.close()) }()
	var octets, plain, took, raw samples
	for range b.Runs {
		s, err := usable(ctx, link, line)
		if err != nil {
			return nil, err
		}
		limit, err := oneAnswer(ctx, s.wire)
		if err != nil {
			return nil, err
		}
		b.note("answerpage: %d octets on the line, usable after %.2f s; the same octets in one answer: %.2f s", s.wire, s.took.Seconds(), limit.Seconds())
		octets, plain = append(octets, float64(s.wire)), append(plain, float64(s.plain))
		took, raw = append(took, s.took.Seconds()), append(raw, limit.Seconds())
	}
	return []Result{
		octets.result("answerpage.bytes", "bytes", plain, "the same without compression and headers, bytes"),
		took.result("answerpage.usable_s", "s", raw, "as many bytes in one answer on the same line, s"),
	}, nil
}

// oneAnswer is the least such a line can take for that many octets: a
// connection, a request, an answer.
func oneAnswer(ctx context.Context, octets int) (took time.Duration, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(make([]byte, max(0, octets-150))); err != nil { // some 150 are headers
			return
		}
	})}
	var served sync.WaitGroup
	served.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			hangUp(l)
		}
	})
	line, err := throttle(l.Addr().String(), roundTrip/2, lineRate)
	if err != nil {
		return 0, errors.Join(err, server.Close())
	}
	s, err := usable(ctx, "http://"+l.Addr().String()+"/", line)
	err = errors.Join(err, line.close(), server.Close())
	served.Wait()
	return s.took, err
}
