package stories_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/app"
	"tocsin/internal/identity"
)

// TestTheCommandLineLeadsARemoteAlert: the same commands act on another machine,
// over TLS, with a token; an answer lost on the way is asked for again, and one
// alert leaves.
func TestTheCommandLineLeadsARemoteAlert(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	h.agent("Zéphyrin", "iade")
	h.scenario(recall())
	var lost atomic.Int32
	there := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && lost.Add(1) == 1 { // done, and the line is cut before the answer
			h.router.ServeHTTP(connection{httptest.NewRecorder()}, r)
			panic(http.ErrAbortHandler)
		}
		h.router.ServeHTTP(w, r)
	}))
	t.Cleanup(there.Close)
	folder := t.TempDir()
	ca, tokenFile := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "token")
	_, key, err := h.Accounts.CreateToken(t.Context(), access.Instance("story").Within(h.scope.Organisation()), identity.TokenRequest{
		Name: "Poste de garde", Actions: []access.Action{access.ScenarioRead, access.AlertRead, access.AlertLaunch, access.AlertConduct}, Days: 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: there.Certificate().Raw}), tokenFile: []byte(key + "\n")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(append([]string{"alert"}, args...), "--remote", there.URL, "--token-file", tokenFile)
		if got := app.Main(args, strings.NewReader(""), &out, &errs); got != want {
			t.Fatalf("%v: status %d, want %d\n%s%s", args, got, want, &out, &errs)
		}
		return strings.TrimSpace(out.String()), errs.String()
	}
	if _, said := run(1, "list"); !strings.Contains(said, "--ca-file") {
		t.Errorf("a certificate nobody signed: %q", said)
	}
	if out, _ := run(0, "scenarios", "--ca-file", ca); !strings.Contains(out, "rappel") {
		t.Errorf("scenarios: %q", out)
	}
	launch := []string{"launch", "afflux de victimes", "--mode", "exercice", "--ordered-by", "Dr Ordre", "--value", "lieu=gare", "--ca-file", ca, "--json", "--go"}
	out, _ := run(0, launch...)
	var l struct{ ID, State string }
	if err := json.Unmarshal([]byte(out), &l); err != nil || l.State != "running" || h.number(`SELECT COUNT(*) FROM alerting_launches`) != 1 || lost.Load() != 2 {
		t.Fatalf("launched %q after %d requests: %v", out, lost.Load(), err)
	}
	h.settle()
	if out, _ := run(0, "show", l.ID, "--ca-file", ca); !strings.Contains(out, "people 1") {
		t.Errorf("show: %q", out)
	}
	run(0, "progress", l.ID, "--text", "Le point", "--ca-file", ca)
	run(0, "stop", l.ID, "--wave", "1", "--ca-file", ca)
	if _, said := run(1, "kill", l.ID, "--why", "essai", "--ca-file", ca); !strings.Contains(said, "alert.kill") {
		t.Errorf("a right the token does not have: %q", said)
	}
	run(0, "end", l.ID, "--ca-file", ca)
	if out, _ := run(0, "list", "--ca-file", ca); !strings.Contains(out, "ended") {
		t.Errorf("list: %q", out)
	}
	var said bytes.Buffer
	if app.Main([]string{"alert", "list", "--remote", "http://tocsin.example", "--token-file", tokenFile}, strings.NewReader(""), &said, &said) != 1 || !strings.Contains(said.String(), "https") {
		t.Errorf("a token in clear: %q", &said)
	}
}
