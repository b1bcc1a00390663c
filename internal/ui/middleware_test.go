package ui_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	secure := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.PublicURL = "https://tocsin.test" })
	secure.Get("/x", ui.Public, hello)
	p := uitest.Get(t, secure, "/x")
	for name, want := range map[string]string{
		"Content-Security-Policy":   "default-src 'none'; script-src 'self'; style-src 'self'",
		"Referrer-Policy":           "same-origin",
		"Permissions-Policy":        "geolocation=()",
		"X-Content-Type-Options":    "nosniff",
		"X-Frame-Options":           "DENY",
		"Cache-Control":             "no-store",
		"Strict-Transport-Security": "max-age=31536000",
	} {
		if got := p.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}
	if policy := p.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
		t.Errorf("the content policy allows what is unsafe: %s", policy)
	}
	plain := uitest.House(t, ui.Visitor{}, nil)
	plain.Get("/x", ui.Public, hello)
	if h := uitest.Get(t, plain, "/x").Header.Get("Strict-Transport-Security"); h != "" {
		t.Errorf("HSTS without TLS: %q", h)
	}
}

func TestCookiesAreSecureBehindHTTPS(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.PublicURL = "https://tocsin.test" })
	cookies := uitest.Post(t, r, "/preferences/theme", []string{"theme", "dark"}).Cookies()
	if len(cookies) != 1 || !cookies[0].Secure {
		t.Errorf("cookies %v, want one, Secure", cookies)
	}
}

func TestAccessLogKeepsSecretsOut(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var seen []ui.Observation
	r := uitest.House(t, uitest.As(access.Reader), func(o *ui.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Observe = func(ob ui.Observation) { seen = append(seen, ob) }
	})
	r.Get("/r/{code}", ui.Public, hello)
	r.Get("/annuaire/{id}", access.DirectoryRead, hello)
	uitest.Get(t, r, "/r/SecretCode?x=0612345678").Want(200)
	uitest.Get(t, r, "/annuaire/42?q=Martin").Want(200)
	text := log.String()
	for _, secret := range []string{"SecretCode", "0612345678", "Martin"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	for _, wanted := range []string{"route=/r/{code}", "path=/annuaire/42", "status=200"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the log lacks %q:\n%s", wanted, text)
		}
	}
	if len(seen) != 2 || seen[0].Route != "/r/{code}" || seen[1].Status != 200 {
		t.Errorf("observed %+v", seen)
	}
}

func TestAddressThroughTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, remote, forwarded, want string }{
		{"direct", "203.0.113.9:1234", "", "203.0.113.9"},
		{"direct, header forged", "203.0.113.9:1234", "198.51.100.1", "203.0.113.9"},
		{"through the proxy", "10.0.0.1:80", "198.51.100.1", "198.51.100.1"},
		{"forged before the proxy", "10.0.0.1:80", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"two proxies", "10.0.0.1:80", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"nonsense", "10.0.0.1:80", "toto", "10.0.0.1"},
		{"IPv6", "[2001:db8::1]:80", "", "2001:db8::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) {
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			})
			var got string
			r.Get("/x", ui.Public, func(c *ui.Context) error {
				got = ui.AddressOf(c.Ctx())
				return hello(c)
			})
			uitest.Get(t, r, "/x", func(req *http.Request) {
				req.RemoteAddr = tt.remote
				if tt.forwarded != "" {
					req.Header.Set("X-Forwarded-For", tt.forwarded)
				}
			})
			if got != tt.want {
				t.Errorf("address %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<p>Infirmières d’urgence</p>", 200)
	write := func(kind, body string) ui.Handler {
		return func(c *ui.Context) error {
			c.Writer.Header().Set("Content-Type", kind)
			_, err := io.WriteString(c.Writer, body)
			return err
		}
	}
	tests := []struct {
		name, kind, accept string
		zipped             bool
	}{
		{"page", "text/html; charset=utf-8", "br, gzip", true},
		{"table", "text/csv", "gzip", true},
		{"browser without gzip", "text/html", "br", false},
		{"gzip refused", "text/html", "gzip;q=0", false},
		{"event stream", "text/event-stream", "gzip", false},
		{"workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "gzip", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := uitest.House(t, ui.Visitor{}, nil)
			r.Get("/x", ui.Public, write(tt.kind, long))
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
			req.Header.Set("Accept-Encoding", tt.accept)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			var body io.Reader = w.Body
			if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != tt.zipped {
				t.Fatalf("gzip %v, want %v", zipped, tt.zipped)
			}
			if tt.zipped {
				z, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			got, err := io.ReadAll(body)
			if err != nil || string(got) != long {
				t.Errorf("read %d bytes, %v; want %d", len(got), err, len(long))
			}
		})
	}
}

func TestStreamReachesTheBrowserAtOnce(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, nil)
	release := make(chan struct{})
	r.Get("/flux", ui.Public, func(c *ui.Context) error {
		c.Writer.Header().Set("Content-Type", "text/event-stream")
		if _, err := io.WriteString(c.Writer, "data: 1\n\n"); err != nil {
			return err
		}
		if err := http.NewResponseController(c.Writer).Flush(); err != nil {
			return err
		}
		<-release
		return nil
	}, ui.Stream())
	server := httptest.NewServer(r)
	defer server.Close()
	defer close(release)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/flux", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, 9)
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "data: 1\n\n" {
		t.Errorf("read %q, %v while the stream is open", first, err)
	}
}
