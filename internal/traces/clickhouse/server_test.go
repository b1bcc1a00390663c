//go:build linux

package clickhouse

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/tracestest"
)

// theServer is one server for all tests of the package; it is not started where
// there is none to start.
type theServer struct {
	dir  string
	port string
	tcp  string
	more string // of its configuration: the cluster it is of
	cmd  *exec.Cmd
}

var shared = sync.OnceValues(func() (*theServer, error) {
	dir, err := os.MkdirTemp("", "clickhouse-")
	if err != nil {
		return nil, err
	}
	s := &theServer{dir: dir, port: freePort(), tcp: freePort()}
	return s, s.start()
})

func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// start starts the server on its folder, and waits until it answers.
func (s *theServer) start() error {
	config := fmt.Sprintf(`<yandex><logger><level>fatal</level><log>%[1]s/log</log><errorlog>%[1]s/err</errorlog></logger>
<http_port>%[2]s</http_port><tcp_port>%[3]s</tcp_port><listen_host>127.0.0.1</listen_host><path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path>
<users_config>%[1]s/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>%[4]s</yandex>`, s.dir, s.port, s.tcp, s.more)
	users := `<yandex><profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles><users><tocsin><password>mot de passe</password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></tocsin></users><quotas><default></default></quotas></yandex>`
	for name, text := range map[string]string{"config.xml": config, "users.xml": users} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	s.cmd = exec.Command("clickhouse-server", "--config-file="+filepath.Join(s.dir, "config.xml"))
	// It dies with us, however we end.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 1000 {
		res, err := http.Get("http://127.0.0.1:" + s.port + "/ping")
		if err == nil {
			return res.Body.Close()
		}
		pause(context.Background(), 50*time.Millisecond) // another program starts: it tells nobody when it is ready
	}
	return fmt.Errorf("clickhouse-server does not answer")
}

func (s *theServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func TestMain(m *testing.M) {
	status := m.Run()
	if _, err := exec.LookPath("clickhouse-server"); err == nil {
		if s, err := shared(); err == nil {
			s.kill()
			_ = os.RemoveAll(s.dir)
		}
	}
	os.Exit(status)
}

// addressFor gives a database of its own for a name.
func addressFor(t *testing.T, s *theServer, name string) Address {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	a := Address{URL: "http://127.0.0.1:" + s.port, User: "tocsin", Password: "mot de passe", Database: fmt.Sprintf("t%x", sum[:8])}
	first := newServer(Address{URL: a.URL, User: a.User, Password: a.Password, Database: "default"})
	if err := first.exec(t.Context(), "CREATE DATABASE IF NOT EXISTS "+a.Database); err != nil {
		t.Fatal(err)
	}
	return a
}

func running(t *testing.T) *theServer {
	t.Helper()
	if _, err := exec.LookPath("clickhouse-server"); err != nil {
		t.Skip("no clickhouse-server on this machine: make test-clickhouse installs one and runs this")
	}
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var spoolID = uuid.MustParse("0190cccc-0000-7000-8000-00000000000a")

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func options(a Address, spool uuid.UUID) Options {
	return Options{Address: a, Spool: spool, Log: slog.New(slog.DiscardHandler), Now: time.Now, Pause: pause}
}

func openAt(t *testing.T, a Address, spool uuid.UUID) *Engine {
	t.Helper()
	e, err := Open(context.Background(), options(a, spool))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	s := running(t)
	tracestest.Run(t, func(t *testing.T, dir string) traces.Engine { return openAt(t, addressFor(t, s, dir), spoolID) })
}
