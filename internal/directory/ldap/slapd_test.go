package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/storage/storagetest"
)

const suffix = "dc=chu,dc=test"

// slapd is a real OpenLDAP server of its own: folder, port and process.
type slapd struct {
	folder string
	port   int
	cmd    *exec.Cmd
}

const configuration = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
%[2]s
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
argsfile %[1]s/args
database mdb
suffix "` + suffix + `"
rootdn "cn=admin,` + suffix + `"
rootpw secret
directory %[1]s/data
maxsize 268435456
dbnosync
limits dn.exact="cn=lecteur,` + suffix + `" size.soft=100 size.hard=100 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=lecteur,` + suffix + `" read by * none
`

const base = `dn: ` + suffix + `
objectClass: dcObject
objectClass: organization
dc: chu
o: CHU

dn: cn=lecteur,` + suffix + `
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: lecteur
userPassword: lecture

dn: ou=personnel,` + suffix + `
objectClass: organizationalUnit
ou: personnel

`

// person is one entry as LDIF; extra lines follow.
func person(n int, extra ...string) string {
	return fmt.Sprintf("dn: uid=u%[1]d,ou=personnel,%[2]s\nobjectClass: inetOrgPerson\nuid: u%[1]d\ncn: AGENT%[1]d Camille\nsn: AGENT%[1]d\ngivenName: Camille\nemployeeNumber: %[3]d\ntitle: Infirmier\nmobile: 06 39 98 %02[4]d %02[5]d\nmail: u%[1]d@chu.example\n",
		n, suffix, 10_000+n, n/100%100, n%100) + strings.Join(append(extra, "\n"), "\n")
}

// serve starts a server that holds the entries.
func serve(t testing.TB, entries ...string) *slapd {
	t.Helper()
	return serveAs(t, "ldap", func(string) string { return "" }, entries...)
}

// serveAs starts one that is reached by a scheme and has more to its
// configuration, which may lie in files of its folder.
func serveAs(t testing.TB, scheme string, more func(folder string) string, entries ...string) *slapd {
	t.Helper()
	program, err := exec.LookPath("slapd")
	if err != nil {
		if program = "/usr/sbin/slapd"; !exists(program) {
			t.Fatal("slapd is not installed: run test/deps.sh")
		}
	}
	s := &slapd{folder: t.TempDir()}
	write := func(name, text string) string {
		path := filepath.Join(s.folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(filepath.Join(s.folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := write("slapd.conf", fmt.Sprintf(configuration, s.folder, more(s.folder)))
	// slapadd is slapd by another name: -T add.
	add := exec.Command(program, "-T", "add", "-q", "-f", conf, "-l", write("people.ldif", base+strings.Join(entries, "\n")))
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(program, "-d", "0", "-f", conf, "-h", fmt.Sprintf("%s://127.0.0.1:%d/", scheme, s.port))
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	storagetest.Eventually(t, time.Minute, "slapd listens", func() bool {
		c, err := net.Dial("tcp", s.address())
		return err == nil && c.Close() == nil
	})
	return s
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// stop ends the process that was started, and only that one.
func (s *slapd) stop(t testing.TB) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
}

func (s *slapd) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// settings are those of the account that reads.
func settings(port int, change ...func(feed.Settings)) feed.Settings {
	s := feed.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(port), "security": "none", "user": "cn=lecteur," + suffix, "password": "lecture",
		"base": "ou=personnel," + suffix, "page": "100",
	}
	for _, c := range change {
		c(s)
	}
	all, err := ldap.Kind{}.Describe().Validate(s)
	if err != nil {
		panic(err)
	}
	return all
}

// all reads everything a server gives.
func all(t testing.TB, s feed.Settings) (rows [][]string, err error) {
	t.Helper()
	r, err := ldap.Kind{}.Open(context.WithoutCancel(t.Context()), s)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row.Cells)
	}
}

// cutting is a wire to a server that breaks after so many bytes came back.
func cutting(t testing.TB, to string, after int64) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	var passed atomic.Int64
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				hang(near)
				return
			}
			go func() {
				if _, err := io.Copy(far, near); err != nil {
					hang(far)
				}
			}()
			go func() {
				buffer := make([]byte, 4096)
				for {
					n, err := far.Read(buffer)
					if err != nil || passed.Add(int64(n)) > after {
						hang(near)
						hang(far)
						return
					}
					if _, err := near.Write(buffer[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func hang(c net.Conn) {
	if err := c.Close(); err != nil {
		return
	}
}
