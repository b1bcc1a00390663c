//go:build linux

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/tracestest"
)

// zooJar is the ZooKeeper of Debian, which 18.16 keeps replicas together by.
const zooJar = "/usr/share/java/zookeeper.jar"

// theCluster is two shards of two replicas: servers 0 and 1, and 2 and 3.
type theCluster struct {
	zoo     *exec.Cmd
	servers [4]*theServer
}

// clustered starts the cluster; the test ends it.
func clustered(t *testing.T) *theCluster {
	t.Helper()
	if os.Getenv("TOCSIN_TEST_CLUSTER") == "" {
		t.Skip("four servers and minutes: make test-clickhouse runs this")
	}
	for _, name := range []string{"clickhouse-server", "java"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("no " + name + " on this machine: make test-clickhouse installs one and runs this")
		}
	}
	if _, err := os.Stat(zooJar); err != nil {
		t.Skip("no ZooKeeper on this machine: make test-clickhouse installs one and runs this")
	}
	dir := t.TempDir()
	c := &theCluster{}
	zoo := freePort()
	if err := c.startZoo(dir, zoo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	for i := range c.servers {
		c.servers[i] = &theServer{dir: filepath.Join(dir, fmt.Sprint("server", i)), port: freePort(), tcp: freePort()}
	}
	var shards strings.Builder
	for shard := range 2 {
		shards.WriteString("<shard><internal_replication>true</internal_replication>")
		for _, s := range c.servers[2*shard : 2*shard+2] {
			fmt.Fprintf(&shards, "<replica><host>127.0.0.1</host><port>%s</port><user>tocsin</user><password>mot de passe</password></replica>", s.tcp)
		}
		shards.WriteString("</shard>")
	}
	for i, s := range c.servers {
		s.more = fmt.Sprintf(`<zookeeper><node><host>127.0.0.1</host><port>%s</port></node></zookeeper><remote_servers><chu>%s</chu></remote_servers>
<macros><shard>%d</shard><replica>%d</replica></macros><distributed_ddl><path>/clickhouse/ddl</path></distributed_ddl>
<interserver_http_port>%s</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>`, zoo, shards.String(), i/2+1, i%2+1, freePort())
		if err := errors.Join(os.MkdirAll(s.dir, 0o700), s.start()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *theCluster) startZoo(dir, port string) error {
	config := filepath.Join(dir, "zoo.cfg")
	text := fmt.Sprintf("tickTime=500\ndataDir=%s\nclientPort=%s\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=ruok\n", filepath.Join(dir, "zoo"), port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	c.zoo = exec.Command("java", "-Xmx256m", "-cp", zooJar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", config)
	c.zoo.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.zoo.Start(); err != nil {
		return err
	}
	for range 200 {
		if said := ruok(port); said == "imok" {
			return nil
		}
		pause(context.Background(), 50*time.Millisecond) // another program starts: it tells nobody when it is ready
	}
	return errors.New("ZooKeeper does not answer")
}

func ruok(port string) string {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return ""
	}
	if _, err := conn.Write([]byte("ruok")); err != nil {
		return ""
	}
	said, _ := io.ReadAll(conn)
	return string(said)
}

func (c *theCluster) stop() {
	for _, s := range c.servers {
		if s != nil && s.cmd != nil && s.cmd.Process != nil {
			s.kill()
		}
	}
	_ = c.zoo.Process.Kill()
	_ = c.zoo.Wait()
}

// address gives a database of its own for a name, by one of the servers.
func (c *theCluster) address(t *testing.T, server int, name string) Address {
	t.Helper()
	a := Address{URL: "http://127.0.0.1:" + c.servers[server].port, User: "tocsin", Password: "mot de passe", Database: "d" + strings.ReplaceAll(uuid.NewSHA1(uuid.Nil, []byte(name)).String(), "-", ""), Cluster: "chu"}
	first := newServer(Address{URL: a.URL, User: a.User, Password: a.Password, Database: "default"})
	if err := first.exec(t.Context(), "CREATE DATABASE IF NOT EXISTS "+a.Database+" ON CLUSTER chu"); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestClusterConformance: two shards of two replicas answer as one server, whichever
// of its servers is spoken to.
func TestClusterConformance(t *testing.T) {
	c := clustered(t)
	by := map[string]int{}
	tracestest.Run(t, func(t *testing.T, dir string) traces.Engine {
		if _, ok := by[dir]; !ok {
			by[dir] = len(by) % len(c.servers)
		}
		return openAt(t, c.address(t, by[dir], dir), uuid.NewSHA1(spoolID, []byte(dir)))
	})
}

// TestAReplicaThatDies: while batches come, the first replica of each shard is
// killed and comes back; nothing is lost or doubled, and all is sealed.
func TestAReplicaThatDies(t *testing.T) {
	c := clustered(t)
	e := openAt(t, c.address(t, 1, t.Name()), spoolID)
	const batch, batches = 500, 9
	failures := 0
	for i := range batches {
		switch i {
		case 3:
			c.servers[0].kill()
			c.servers[2].kill()
		case 6:
			for _, s := range []*theServer{c.servers[0], c.servers[2]} {
				if err := s.start(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for {
			events, end := toldEvents(i*batch, batch)
			err := e.Take(t.Context(), events, end)
			if err == nil {
				break
			}
			if failures++; failures > 300 {
				t.Fatal(err)
			}
			pause(t.Context(), 100*time.Millisecond)
		}
	}
	settled(t, e, batch*batches)
	once(t, e, batch*batches)
	list, err := e.Blocks(t.Context(), hospital, traces.BlockQuery{Close: true, Read: true})
	if err != nil {
		t.Fatal(err)
	}
	sealed := int64(0)
	for _, f := range list {
		if f.Open != 0 || f.Strays != 0 {
			t.Errorf("%s: %d open, %d strays", f.Name(), f.Open, f.Strays)
		}
		for _, b := range f.Blocks {
			if sealed += b.Events; string(b.Read) != string(b.Root) {
				t.Errorf("block %d of %s is not as it was sealed", b.First, f.Name())
			}
		}
	}
	if sealed != batch*batches {
		t.Errorf("%d events sealed", sealed)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// settled waits until every replica has all that was stored.
func settled(t *testing.T, e *Engine, n int64) {
	t.Helper()
	for range 200 {
		r, err := e.at.query(t.Context(), "SELECT toInt64(count()) FROM "+eventsTable)
		if err == nil && r.int64() == n {
			return
		}
		pause(t.Context(), 100*time.Millisecond) // replicas fetch from each other by themselves, and tell nobody
	}
	t.Error("the replicas do not agree")
}
