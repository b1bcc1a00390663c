package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/spool"
)

// request is one that a shipper sends, as its source writes it.
type request struct {
	Method, Path, Body string
	Headers            []string
	// Gzip sends the body packed.
	Gzip bool
	// Status and Says are what the shipper needs to go on.
	Status int
	Says   string
}

// Each shipper says what it says from its start to its first delivery, in its
// order, and goes on. The requests are written from the sources that each file names.
func TestShippersFromTheirStart(t *testing.T) {
	files, err := filepath.Glob("testdata/shippers/*.json")
	must(t, err)
	if len(files) < 5 {
		t.Fatalf("%d shippers", len(files))
	}
	once(t, spool.Options{}, func(t *testing.T, c *counter) {
		for _, file := range files {
			before := len(c.queued())
			raw, err := os.ReadFile(file)
			must(t, err)
			var s struct {
				Source   string
				Requests []request
				Keeps    int
			}
			must(t, json.Unmarshal(raw, &s))
			for _, r := range s.Requests {
				c.play(file, r)
			}
			kept := c.queued()[before:]
			if len(kept) != s.Keeps || s.Keeps == 0 {
				t.Errorf("%s: %d kept of %d", file, len(kept), s.Keeps)
			}
			for _, e := range kept {
				if e.Account != "adupont" {
					t.Errorf("%s: kept %+v", file, e)
				}
			}
		}
		c.wants(401, "security_exception")(c.send("PUT", "/_ilm/policy/x", "{}"))
	})
}

func (c *counter) play(file string, r request) {
	c.t.Helper()
	body, headers := r.Body, append(r.Headers, c.as("nord"))
	if r.Gzip {
		body, headers = packed(c.t, body), append(headers, "Content-Encoding: gzip")
	}
	status, reply, header := c.send(r.Method, r.Path, body, headers...)
	if status != r.Status || !strings.Contains(reply, r.Says) || header.Get("X-Elastic-Product") != "Elasticsearch" {
		c.t.Errorf("%s: %s %s: %d %s", file, r.Method, r.Path, status, reply)
	}
	if status == http.StatusOK && !json.Valid([]byte(reply)) {
		c.t.Errorf("%s: %s %s: no JSON: %s", file, r.Method, r.Path, reply)
	}
}
