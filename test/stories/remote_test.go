package stories_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	ca, tokenFile := h.credentials(there, access.ScenarioRead, access.AlertRead, access.AlertLaunch, access.AlertConduct)
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

// credentials are the files by which a command reaches a server: its authority,
// and a token of these rights.
func (h *hospital) credentials(there *httptest.Server, actions ...access.Action) (ca, tokenFile string) {
	h.t.Helper()
	folder := h.t.TempDir()
	ca, tokenFile = filepath.Join(folder, "ca.pem"), filepath.Join(folder, "token")
	_, key, err := h.Accounts.CreateToken(h.t.Context(), access.Instance("story").Within(h.scope.Organisation()), identity.TokenRequest{
		Name: "Poste de garde", Actions: actions, Days: 30,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for file, text := range map[string][]byte{ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: there.Certificate().Raw}), tokenFile: []byte(key + "\n")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	return ca, tokenFile
}

// TestTheCommandLineGivesAStaffFileToARemoteInstance: it is read here, compared
// and applied there, once whatever is lost on the way; what a person must decide
// is a refusal that says so.
func TestTheCommandLineGivesAStaffFileToARemoteInstance(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		var posts atomic.Int32
		there := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && posts.Add(1) == 1 { // taken, and the line is cut before the answer
				h.router.ServeHTTP(connection{httptest.NewRecorder()}, r)
				panic(http.ErrAbortHandler)
			}
			h.clock.Advance(time.Second) // programs ask at their pace
			for more := r.Method == http.MethodGet; more; {
				var err error
				if more, err = h.Directory.Work(r.Context(), access.Instance("story")); err != nil {
					t.Error(err)
				}
			}
			h.router.ServeHTTP(w, r)
		}))
		t.Cleanup(there.Close)
		ca, tokenFile := h.credentials(there, access.DirectorySync)
		file := filepath.Join(t.TempDir(), "personnel.csv")
		give := func(want, people int, more ...string) string {
			t.Helper()
			text := "Matricule;Nom;Prénom;Portable\n"
			for i := range people {
				text += fmt.Sprintf("R%03d;RÉGLISSE%d;Lou;06 39 98 70 %02d\n", i, i, i)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			args := append([]string{"import", file, "--remote", there.URL, "--token-file", tokenFile, "--ca-file", ca}, more...)
			if got := app.Main(args, strings.NewReader(""), &out, &out); got != want {
				t.Fatalf("%v: status %d, want %d\n%s", more, got, want, &out)
			}
			return out.String()
		}
		here := func() int { return h.number(`SELECT COUNT(*) FROM directory_people WHERE departed_us IS NULL`) }
		if said := give(0, 10); !strings.Contains(said, "10") || !strings.Contains(said, "--go") || posts.Load() != 0 {
			t.Errorf("without --go: %d requests, %q", posts.Load(), said)
		}
		if said := give(0, 10, "--go"); !strings.Contains(said, "10 new") || here() != 10 || posts.Load() != 2 {
			t.Errorf("%d people after %d requests: %q", here(), posts.Load(), said)
		}
		if n := h.number(`SELECT COUNT(*) FROM directory_imports`); n != 1 {
			t.Errorf("an answer was lost, and %d lists were taken", n)
		}
		if said := give(0, 10, "--go", "--json"); !strings.Contains(said, `"state":"abandoned"`) || !strings.Contains(said, `"same":10`) {
			t.Errorf("the same file again: %q", said)
		}
		if said := give(0, 11, "--go", "--key", "personnel-du-jour"); !strings.Contains(said, "1 new") || here() != 11 {
			t.Errorf("one more: %q", said)
		}
		if said := give(0, 11, "--go", "--key", "personnel-du-jour"); !strings.Contains(said, "1 new") || h.number(`SELECT COUNT(*) FROM directory_imports`) != 3 {
			t.Errorf("the same under the same key: %q", said)
		}
		if said := give(1, 2, "--go"); !strings.Contains(said, "--force") || here() != 11 {
			t.Errorf("a file cut half way: %d people, %q", here(), said)
		}
		if said := give(1, 2, "--roster"); !strings.Contains(said, "roster") {
			t.Errorf("a roster: %q", said)
		}
	})
}

// TestTheCommandLineExportsTheDirectory: whole from the machine itself, with
// private numbers masked from another one, never over a file that exists.
func TestTheCommandLineExportsTheDirectory(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	const people = 450 // more than two pages of the API
	text := "Matricule;Nom;Prénom;Portable;Portable perso\n"
	for i := range people {
		text += fmt.Sprintf("R%03d;=RÉGLISSE%d;Lou;06 39 98 7%d %02d;06 39 98 8%d %02d\n", i, i, i/100, i%100, i/100, i%100)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "personnel.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, 0, h.on, "import", file, "--go")
	whole := filepath.Join(folder, "tout.csv")
	command(t, 0, h.on, "export", whole)
	if said := command(t, 1, h.on, "export", whole); !strings.Contains(said, "exists already") {
		t.Errorf("over a file that exists: %q", said)
	}
	if n := journaled(t, h, "directory.export"); n != 1 {
		t.Errorf("%d lines of the export in the journal", n)
	}
	there := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.clock.Advance(time.Second) // programs ask at their pace
		h.router.ServeHTTP(w, r)
	}))
	t.Cleanup(there.Close)
	ca, tokenFile := h.credentials(there, access.DirectoryRead)
	masked := filepath.Join(folder, "distant.csv")
	var out bytes.Buffer
	if got := app.Main([]string{"export", masked, "--remote", there.URL, "--token-file", tokenFile, "--ca-file", ca}, strings.NewReader(""), &out, &out); got != 0 || !strings.Contains(out.String(), "masked") {
		t.Fatalf("status %d: %s", got, &out)
	}
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for path, numbers := range map[string]int{whole: 2 * people, masked: 0} {
		got := read(path)
		if n := strings.Count(got, "\r\n"); n != people+1 || !strings.Contains(got, "'=RÉGLISSE449") || !strings.Contains(got, "Matricule") {
			t.Errorf("%s has %d lines: %.200q", path, n, got)
		}
		digits := strings.NewReplacer(" ", "", "+33", "0").Replace(got)
		if n := strings.Count(digits, "0639987") + strings.Count(digits, "0639988"); n != numbers {
			t.Errorf("%s shows %d whole numbers, want %d", path, n, numbers)
		}
	}
	if app.Main([]string{"export", filepath.Join(folder, "rien.csv"), "--remote", "https://127.0.0.1:1", "--token-file", filepath.Join(folder, "absent")}, strings.NewReader(""), &out, &out) != 1 {
		t.Error("an export without a token")
	}
	if _, err := os.Stat(filepath.Join(folder, "rien.csv")); err == nil {
		t.Error("a failed export leaves a file")
	}
}
