//go:build unix

package crash_test

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	tracebase "tocsin/internal/traces/child"
)

// baseModule is linked into the programs that have a base of traces.
const baseModule = "github.com/duckdb/duckdb-go/v2"

// withBase has a process run the program that make built with a base of traces: the
// one of the other tests has none, since linking it takes a minute.
func withBase(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	path := os.Getenv("TOCSIN_PROGRAM")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "tocsin")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Skipf("no program with a base of traces: make bin/tocsin (%v)", err)
	}
	for _, d := range built.Deps {
		if d.Path == baseModule {
			return func(cmd *exec.Cmd) { cmd.Path, cmd.Args[0] = path, path }
		}
	}
	t.Skip("this program was built without a base of traces: there is no C++ compiler here")
	return nil
}

// secret gives the program the passphrase of the backups too.
func secret(run func(*exec.Cmd)) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		run(cmd)
		cmd.Env = append(cmd.Env, "TOCSIN_BACKUP_PASSPHRASE=phrase secrète de l’essai")
	}
}

// shipper sends events with ids, as Filebeat does, and counts what was acknowledged.
type shipper struct {
	t     *testing.T
	token string
	name  string
	// acknowledged are the events that a node said it has, by rank.
	acknowledged int
	// refusals count the answers that were refusals, by their status.
	refusals map[int]int
}

func (i *installation) shipper(name string) *shipper {
	i.t.Helper()
	_, token, err := i.house.Traces.Add(i.t.Context(), i.scope, traces.Wanted{Name: name, Format: "bulk", Zone: "Europe/Paris"})
	if err != nil {
		i.t.Fatal(err)
	}
	return &shipper{t: i.t, token: token, name: name, refusals: map[int]int{}}
}

// ship sends the next n events to a node. What is not acknowledged is sent again by the
// next call.
func (s *shipper) ship(address string, n int) bool {
	s.t.Helper()
	var body bytes.Buffer
	at := now().Add(-time.Hour)
	for k := s.acknowledged; k < s.acknowledged+n; k++ {
		fmt.Fprintf(&body, `{"create":{"_id":"%s-%d"}}`+"\n", s.name, k)
		fmt.Fprintf(&body, `{"@timestamp":%q,"message":"ouverture du dossier %d","user":{"name":"porteur"},"event":{"action":"consultation"}}`+"\n", at.Add(time.Duration(k)*time.Millisecond).Format(time.RFC3339Nano), k)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+address+"/intake/_bulk", &body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := (&http.Client{Timeout: patience}).Do(r)
	if err != nil {
		s.refusals[0]++
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	var said struct {
		Errors bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
		} `json:"items"`
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		s.refusals[answer.StatusCode]++
		return false
	}
	if err := json.Unmarshal(text, &said); err != nil || len(said.Items) != n {
		s.t.Fatalf("answered %.200s: %v", text, err)
	}
	if said.Errors {
		for _, kind := range said.Items[0] {
			s.refusals[kind.Status]++
		}
		return false
	}
	s.acknowledged += n
	return true
}

// kept counts the events of the shipper in the base whose process serves a folder of data; -1 while
// it does not answer.
func (s *shipper) kept(data string, organisation uuid.UUID) int {
	s.t.Helper()
	socket, err := os.ReadFile(filepath.Join(data, "traces", "socket"))
	if err != nil {
		return -1
	}
	base := tracebase.NewClient(string(socket))
	defer base.Close()
	a, err := base.Ask(s.t.Context(), organisation, traces.Question{
		From: now().Add(-48 * time.Hour).UnixMicro(), To: now().Add(time.Hour).UnixMicro(), Zone: "UTC", Limit: 1,
		Where: []traces.Condition{{Field: traces.FieldAccount, Op: traces.Is, Values: []string{"porteur"}}},
	})
	if err != nil {
		return -1
	}
	return int(a.Total)
}

// holds waits until the base of a folder holds all that was acknowledged, each once.
func (s *shipper) holds(data string, organisation uuid.UUID) {
	s.t.Helper()
	got := -1
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%d events kept, %d acknowledged", got, s.acknowledged)
		}
	}()
	storagetest.Eventually(s.t, patience, "everything acknowledged is kept", func() bool {
		got = s.kept(data, organisation)
		return got >= s.acknowledged
	})
	if got != s.acknowledged {
		s.t.Errorf("%d events kept, %d were acknowledged and carried an id", got, s.acknowledged)
	}
}

// verified runs tocsin traces verify, which must hold, and gives what it read.
func verified(t *testing.T, change func(*exec.Cmd), flags ...string) traces.Verdict {
	t.Helper()
	var v traces.Verdict
	said := start(t, change, append([]string{"traces", "verify", "--json"}, flags...)...).done()
	if err := json.Unmarshal([]byte(said), &v); err != nil || !v.Holds() {
		t.Fatalf("verified: %s %v", said, err)
	}
	return v
}

// The base is copied while traces come in; the machine is lost; the copy and the
// backup made with it are put back on another.
func TestTracesComeBackFromACopyMadeDuringIntake(t *testing.T) {
	t.Parallel()
	run, i := secret(withBase(t)), install(t)
	s := i.shipper("DPI")
	address := freePort(t)
	p := start(t, run, append([]string{"serve", "--listen", address}, i.flags()...)...)
	listens(t, address, p)
	backups := filepath.Join(i.folder, "sauvegardes")
	if err := os.Mkdir(backups, 0o700); err != nil {
		t.Fatal(err)
	}
	s.ship(address, 3000)
	before := s.acknowledged
	saved := start(t, run, append([]string{"backup", backups}, i.flags()...)...)
	busy := time.NewTicker(20 * time.Millisecond)
	defer busy.Stop()
	for ended := false; !ended; {
		select {
		case err := <-saved.ended:
			saved.ended <- err
			ended = true
		case <-busy.C:
			s.ship(address, 100)
		}
	}
	if said := saved.done(); !strings.Contains(said, "Copy ") {
		t.Errorf("said %s", said)
	}
	if s.acknowledged <= before {
		t.Error("nothing came in during the copy: the test shows nothing")
	}
	p.kill() // with its disk
	found, err := filepath.Glob(filepath.Join(backups, "*.sauvegarde"))
	if err != nil || len(found) != 1 {
		t.Fatalf("backups %s %v", found, err)
	}
	elsewhere := filepath.Join(t.TempDir(), "autre")
	flags := []string{"--data", filepath.Join(elsewhere, "data"), "--key-file", filepath.Join(elsewhere, "tocsin.key"), "--public-url", "https://tocsin.test", "--log-level", "warn"}
	if said := start(t, run, append([]string{"restore", found[0]}, flags...)...).done(); !strings.Contains(said, "Verify it") {
		t.Errorf("the restore said %s", said)
	}
	if v := verified(t, run, flags...); v.Events+v.Open < int64(before) || v.Events+v.Open > int64(s.acknowledged) {
		t.Errorf("%d events came back, %d were acknowledged before the copy, %d in all", v.Events+v.Open, before, s.acknowledged)
	}
}

// Two nodes on one database: one holds the base, the other brings it what it takes in
// and asks it. The owner is killed; what is on its disk, its queue included, moves to the
// other, which holds the base from then on.
func TestTheOwnerOfTheTracesIsKilled(t *testing.T) {
	t.Parallel()
	run, i := secret(withBase(t)), installOn(t, storagetest.PostgresURL(t))
	s := i.shipper("DPI")
	_, token, err := i.house.Traces.Admit(t.Context(), i.scope, traces.WantedConsumer{Name: "DPI", Reason: "essai", LastDay: now().AddDate(0, 1, 0).Format(time.DateOnly), Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	owner, other, door := freePort(t), freePort(t), freePort(t)
	serve := func(listen string, more ...string) *process {
		t.Helper()
		p := start(t, run, append(append([]string{"serve", "--listen", listen}, i.flags()...), more...)...)
		listens(t, listen, p)
		return p
	}
	elsewhere := filepath.Join(i.folder, "autre")
	own, ask := []string{"--traces-nodes-listen", door}, []string{"--traces-owner", door, "--data", elsewhere}
	a, b := serve(owner, own...), serve(other, ask...)
	storagetest.Eventually(t, patience, "the other node brings the first events", func() bool { return s.ship(other, 100) })
	for range 5 {
		if !s.ship(other, 100) || !s.ship(owner, 100) {
			t.Fatalf("refused: %v", s.refusals)
		}
	}
	s.holds(i.data(), i.scope.Organisation())
	i.answered(other, token, s.acknowledged)
	go func() { _ = a.cmd.Process.Kill() }()
	for s.ship(other, 200) { // until the blow falls
	}
	a.kill()
	if s.ship(other, 10) {
		t.Fatal("the other node acknowledges what nobody has on a disk")
	}
	if len(s.refusals) == 0 {
		t.Error("no refusal was said")
	}
	b.stop()
	i.moves(run, s, elsewhere, own)
	a = serve(other, append(own, "--data", elsewhere)...)
	// As many at once as before: what the blow left without an answer is said again.
	storagetest.Eventually(t, patience, "the base is held by the other", func() bool { return s.ship(other, 200) })
	s.holds(elsewhere, i.scope.Organisation())
	a.stop()
}

// moves takes the base to the folder of another machine, by a copy.
func (i *installation) moves(run func(*exec.Cmd), s *shipper, to string, own []string) {
	i.t.Helper()
	at := append(i.flags(), own...)
	folder := filepath.Join(i.folder, "copies")
	storagetest.Eventually(i.t, patience, "the process of the base follows the one that was killed", func() bool {
		return start(i.t, run, append([]string{"traces", "copy", folder}, at...)...).wait() == nil
	})
	there := append(at, "--data", to)
	start(i.t, run, append([]string{"traces", "restore", folder}, there...)...).done()
	start(i.t, run, append([]string{"traces", "own"}, there...)...).done()
	if v := verified(i.t, run, there...); v.Events+v.Open < int64(s.acknowledged) {
		i.t.Errorf("%d events moved of %d", v.Events+v.Open, s.acknowledged)
	}
}

// answered asks a node how many traces there are, as an application does.
func (i *installation) answered(address, token string, want int) {
	i.t.Helper()
	ask := "http://" + address + "/intake/fhir/AuditEvent?date=ge" + now().AddDate(0, 0, -2).Format(time.DateOnly) + "&user=porteur&_summary=count"
	r, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, ask, http.NoBody)
	if err != nil {
		i.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	var bundle struct {
		Total int `json:"total"`
	}
	err = json.NewDecoder(answer.Body).Decode(&bundle)
	if err = errors.Join(err, answer.Body.Close()); err != nil || bundle.Total != want {
		i.t.Errorf("%s answers %d traces (status %d), want %d: %v", address, bundle.Total, answer.StatusCode, want, err)
	}
}
