package crash_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// previousFlight bounds what the gateways of the previous version's measurements
// may hold, so the doubles of a crash.
const previousFlight = 1024

// sharedRate is the contract of the alert that two versions share: slow enough
// that a node which has just bound, and rests before it tries again, has its part.
const sharedRate = 100

// TestTheVersionBefore runs the previous version, built from its own sources,
// beside this one and before it.
func TestTheVersionBefore(t *testing.T) {
	t.Parallel()
	before := previous(t)
	t.Run("shares an alert", func(t *testing.T) { sharesAnAlert(t, before) })
	t.Run("leaves its data", func(t *testing.T) { leavesItsData(t, before) })
}

// previous builds the program of the commit that test/upgrade names. A clone
// without that commit, or sources without their history, cannot.
func previous(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "upgrade", "previous"))
	if err != nil {
		t.Fatal(err)
	}
	commit := ""
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			commit = line
		}
	}
	if err := exec.CommandContext(t.Context(), "git", "cat-file", "-e", commit+"^{commit}").Run(); err != nil {
		t.Skipf("the previous version, %s, is not in this clone; it comes by: git fetch --unshallow origin", commit)
	}
	tagged := exec.CommandContext(t.Context(), "git", "describe", "--exact-match", "--match", "v*", commit).Run() == nil
	if !tagged && os.Getenv("TOCSIN_TEST_UPGRADE") == "" {
		t.Skipf("no release yet: %s is tried by make test-upgrade", commit)
	}
	sources := t.TempDir()
	archive := filepath.Join(sources, "previous.tar")
	for _, line := range [][]string{
		{"git", "-C", filepath.Join("..", ".."), "archive", "-o", archive, commit},
		{"tar", "-x", "-C", sources, "-f", archive},
		{"go", "-C", sources, "build", "-o", filepath.Join(sources, "tocsin-previous"), "./cmd/tocsin"},
	} {
		if out, err := exec.CommandContext(t.Context(), line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", line, err, out)
		}
	}
	return filepath.Join(sources, "tocsin-previous")
}

// child is the previous version doing one step of its own measurements: it
// prepares a hospital, or serves and launches when it is told to.
type child struct {
	*process
	in io.WriteCloser
}

func (i *installation) child(program, step string, request map[string]any) *child {
	i.t.Helper()
	c := &child{}
	c.process = start(i.t, func(cmd *exec.Cmd) {
		cmd.Path = program
		var err error
		if c.in, err = cmd.StdinPipe(); err != nil {
			i.t.Fatal(err)
		}
	}, "bench-child", step)
	request["Folder"], request["Database"], request["URL"] = i.folder, i.database, "https://tocsin.test"
	c.say(request)
	return c
}

func (c *child) say(what map[string]any) {
	c.t.Helper()
	if err := json.NewEncoder(c.in).Encode(what); err != nil {
		c.t.Fatalf("%v\n%s", err, c.said.String())
	}
}

// hear waits until the child has said something, and reads it.
func (c *child) hear(name string, into any) {
	c.t.Helper()
	storagetest.Eventually(c.t, patience, "the previous version says "+name, func() bool {
		for line := range strings.Lines(c.said.String()) {
			var said struct {
				Name string
				Data json.RawMessage
			}
			if json.NewDecoder(bytes.NewReader([]byte(line))).Decode(&said) == nil && said.Name == name {
				if err := json.Unmarshal(said.Data, into); err != nil {
					c.t.Fatalf("%s: %v", line, err)
				}
				return true
			}
		}
		select {
		case err := <-c.ended:
			c.ended <- err
			c.t.Fatalf("the previous version ended before it said %s: %v\n%s", name, err, c.said.String())
		default:
		}
		return false
	})
}

// leave lets the child end in good order.
func (c *child) leave() {
	c.t.Helper()
	// A child that has ended by itself took the pipe with it.
	if err := c.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		c.t.Fatal(err)
	}
	c.done()
}

// legacy is a hospital of the previous version, and the alert it is about to launch.
type legacy struct {
	*installation
	*child
	scenario uuid.UUID
	address  string
}

// installBefore prepares the data by the previous version, and serves them by it.
func installBefore(t *testing.T, program, database string, n *network, perSecond int) *legacy {
	t.Helper()
	l := &legacy{installation: &installation{t: t, folder: t.TempDir(), database: database}}
	prepare := l.installation.child(program, "prepare", map[string]any{"File": l.file("personnel.csv", staff(crowd, "Camille")), "SMPP": n.smpp, "Medium": "sms", "Rate": perSecond})
	var made struct {
		Establishment, Scenario uuid.UUID
		Rows                    int
	}
	prepare.hear("done", &made)
	prepare.leave()
	if made.Rows != crowd {
		t.Fatalf("the previous version imported %d people of %d", made.Rows, crowd)
	}
	l.scenario, l.scope = made.Scenario, access.Instance("crash").Within(made.Establishment)
	l.child = l.installation.child(program, "serve", map[string]any{"Listen": "127.0.0.1:0", "Establishment": made.Establishment, "Scenario": made.Scenario})
	var open struct{ Address string }
	l.hear("ready", &open)
	l.address = open.Address
	return l
}

// launch starts the alert on the previous version.
func (l *legacy) launch() (id uuid.UUID) {
	l.installation.t.Helper()
	l.say(map[string]any{"Launch": l.scenario})
	var launched struct {
		Launch uuid.UUID
		People int
	}
	l.hear("launched", &launched)
	if launched.People != crowd {
		l.installation.t.Fatalf("the previous version calls %d people of %d", launched.People, crowd)
	}
	return launched.Launch
}

// sharesAnAlert: the new version comes up beside the previous one, which works
// on; an alert launched on the previous one is carried by both, people answer on
// either, and the previous one is stopped in its middle.
func sharesAnAlert(t *testing.T, before string) {
	n := startNetwork(t)
	l := installBefore(t, before, storagetest.PostgresURL(t), n, sharedRate)
	i := l.installation
	storagetest.Eventually(t, patience, "the previous version is bound", func() bool { return n.sms().Binds >= 2 })
	i.open() // brings the schema up to date under the feet of the previous version
	fresh := i.node(freePort(t), nil)
	storagetest.Eventually(t, patience, "the contract is shared", func() bool { return n.sms().Binds >= 3 })
	alert := l.launch()
	i.carriedByBoth()
	codes := i.codes(2)
	answer(t, l.address, codes[0])
	answer(t, fresh.address, codes[1])
	n.reached(crowd / 3)
	if n.sms().Distinct == crowd {
		t.Fatal("the stop comes after the end: the test shows nothing")
	}
	l.leave()
	n.reached(crowd)
	i.settled()
	if got := i.number(`SELECT COUNT(DISTINCT recipient_id) FROM alerting_answers`); got != 2 {
		t.Errorf("%d answers of 2 are in the data", got)
	}
	i.closes(alert)
	fresh.stop()
	i.called(n, previousFlight)
}

// carriedByBoth waits until lots were seen in two hands, at once or in turn.
func (i *installation) carriedByBoth() {
	i.t.Helper()
	hands := map[string]bool{}
	storagetest.Eventually(i.t, patience, "both carry the alert", func() bool {
		for _, holder := range i.texts(`SELECT DISTINCT holder FROM dispatch_lots WHERE holder IS NOT NULL`) {
			hands[holder] = true
		}
		return len(hands) == 2
	})
}

// leavesItsData: the previous version is killed in the middle of an alert, and
// never comes back: this one opens its data and finishes the alert.
func leavesItsData(t *testing.T, before string) {
	n := startNetwork(t)
	l := installBefore(t, before, "", n, rate)
	i := l.installation
	alert := l.launch()
	n.reached(crowd / 4)
	l.kill()
	if n.sms().Distinct == crowd {
		t.Fatal("the kill came after the end: the test shows nothing")
	}
	i.open()
	p := i.serve()
	n.reached(crowd)
	i.settled()
	if got := i.number(`SELECT COUNT(*) FROM directory_people`); got != crowd {
		t.Errorf("%d people of %d are still there", got, crowd)
	}
	i.closes(alert)
	p.stop()
	i.called(n, previousFlight)
}

// codes are the links of some people who are called.
func (i *installation) codes(count int) []string {
	i.t.Helper()
	return i.texts(`SELECT code FROM alerting_recipients LIMIT $1`, count)
}

// texts are what the first column of a query holds.
func (i *installation) texts(query string, args ...any) (out []string) {
	i.t.Helper()
	if err := i.house.DB.Read(i.t.Context(), access.Instance("crash"), func(tx *storage.Tx) error {
		return tx.Query(i.t.Context(), query, args, func(row func(...any) error) error {
			var text string
			err := row(&text)
			out = append(out, text)
			return err
		})
	}); err != nil {
		i.t.Fatal(err)
	}
	return out
}

// answer says « je viens » on the page of a link.
func answer(t *testing.T, address, code string) {
	t.Helper()
	page := "http://" + address + "/r/" + code
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	said, err := client.PostForm(page, url.Values{"reponse": {"coming-30"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, said.Body)
	if err = errors.Join(err, said.Body.Close()); err != nil || said.StatusCode >= http.StatusBadRequest {
		t.Errorf("answer at %s: status %d %v", address, said.StatusCode, err)
	}
}

// closes reads the alert as it stands, and closes it.
func (i *installation) closes(alert uuid.UUID) {
	i.t.Helper()
	if err := i.house.Alerting.Kill(i.t.Context(), i.scope, now(), alert, "fin"); err != nil {
		i.t.Errorf("close the alert: %v", err)
	}
}
