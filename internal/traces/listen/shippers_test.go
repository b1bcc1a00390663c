package listen_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/syslog"
)

// shipped is how many lines each shipper is given.
const shipped = 1000

// program finds a program of the system, or says that it is absent.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Skipf("%s is not installed: bash test/deps.sh", name)
	}
	return path
}

// lined is a file of so many lines, each different.
func lined(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i := range shipped {
		fmt.Fprintf(&b, "ligne %04d du dossier d’Élodie\n", i)
	}
	path := filepath.Join(t.TempDir(), "dpi.log")
	must(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// running is a shipper under way; its end is that of the test.
func running(t *testing.T, c *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended by itself
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", c.Path, said.String())
		}
	})
}

// whole checks that each line was heard once, as it was, from a program.
func (p *post) whole(application string) {
	p.t.Helper()
	seen := map[string]bool{}
	for _, e := range p.heard(shipped) {
		if e.Application != application || e.Source != p.source.ID || e.AtGuessed {
			p.t.Fatalf("heard %+v", e)
		}
		seen[e.Message] = true
	}
	for i := range shipped {
		if want := fmt.Sprintf("ligne %04d du dossier d’Élodie", i); !seen[want] {
			p.t.Fatalf("%q is missing of %d", want, len(seen))
		}
	}
}

// rsyslog runs with a configuration that reads the lines and does the rest as told.
func rsyslog(t *testing.T, action string) {
	t.Helper()
	path := program(t, "rsyslogd")
	dir := t.TempDir()
	conf := fmt.Sprintf("global(workDirectory=%q net.enabledns=\"off\")\nmodule(load=\"imfile\")\ninput(type=\"imfile\" file=%q tag=\"dpi:\")\n%s\n", dir, lined(t), action)
	file := filepath.Join(dir, "rsyslog.conf")
	must(t, os.WriteFile(file, []byte(conf), 0o600))
	running(t, exec.Command(path, "-n", "-f", file, "-i", filepath.Join(dir, "pid")))
}

// recipe is a block of the guide, the first that holds a word, with the address
// of the post in the place of the hospital's.
func (p *post) recipe(word string) string {
	p.t.Helper()
	guide, err := os.ReadFile("../../../docs/guides/traces.md")
	must(p.t, err)
	host, port, err := net.SplitHostPort(p.address)
	must(p.t, err)
	for i, block := range strings.Split(string(guide), "```") {
		if i%2 == 1 && strings.Contains(block, word) {
			_, block, _ = strings.Cut(block, "\n")
			return strings.NewReplacer(`target="tocsin.hopital.example"`, `target="`+host+`"`, `port="5514"`, `port="`+port+`"`, `port="6514"`, `port="`+port+`"`,
				`"tocsin.hopital.example" port(5514)`, `"`+host+`" port(`+port+`)`).Replace(block)
		}
	}
	p.t.Fatalf("the guide has no block with %q", word)
	return ""
}

func TestRsyslog(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1", syslog.Name, spool.Options{})
	rsyslog(t, p.recipe(`TCP_Framing="octet-counted"`))
	p.whole("dpi")
}

func TestRsyslogOverTLS(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so"); err != nil {
		t.Skip("rsyslog-gnutls is not installed: bash test/deps.sh")
	}
	a := newAuthority(t)
	p := newSecurePost(t, "127.0.0.1", syslog.Name, spool.Options{}, a.server())
	a.issue("client", "srv1.hopital.example")
	rsyslog(t, strings.NewReplacer("/etc/tocsin/ca.pem", a.path("ca.pem"), "/etc/tocsin/srv.pem", a.path("client.pem"), "/etc/tocsin/srv.key", a.path("client.key")).Replace(p.recipe("x509/name")))
	p.whole("dpi")
}

func TestSyslogNG(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1", syslog.Name, spool.Options{})
	path, args, env := syslogNG(t)
	dir := t.TempDir()
	conf := "@version: 3.35\noptions { stats-freq(0); };\nsource s_local { file(\"" + lined(t) + "\" flags(no-parse) program-override(\"dpi\")); };\n" + p.recipe("flow-control")
	file := filepath.Join(dir, "syslog-ng.conf")
	must(t, os.WriteFile(file, []byte(conf), 0o600))
	c := exec.Command(path, append(args, "-F", "-f", file, "--no-caps", "--persist-file", filepath.Join(dir, "persist"), "--pidfile", filepath.Join(dir, "pid"), "--control", filepath.Join(dir, "ctl"))...)
	c.Env = append(os.Environ(), env...)
	running(t, c)
	p.whole("dpi")
}

// syslogNG is the one of the system, or the one that test/deps.sh unpacks: its
// package and that of rsyslog cannot be installed together.
func syslogNG(t *testing.T) (path string, args, env []string) {
	t.Helper()
	if path, err := exec.LookPath("syslog-ng"); err == nil {
		return path, nil, nil
	}
	root, err := filepath.Abs("../../../test/peers/syslog-ng")
	must(t, err)
	modules, err := filepath.Glob(filepath.Join(root, "usr/lib/syslog-ng/*/libafsocket.so"))
	must(t, err)
	if len(modules) == 0 {
		t.Skip("syslog-ng is not installed: bash test/deps.sh")
	}
	return filepath.Join(root, "usr/sbin/syslog-ng"), []string{"--module-path=" + filepath.Dir(modules[0])}, []string{"LD_LIBRARY_PATH=" + filepath.Join(root, "usr/lib/x86_64-linux-gnu") + ":" + filepath.Dir(filepath.Dir(modules[0]))}
}

// authority is a certificate authority made by openssl, with what it signed.
type authority struct {
	t   *testing.T
	dir string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t, t.TempDir()}
	a.openssl("-subj", "/CN=Autorité d’essai", "-keyout", a.path("ca.key"), "-out", a.path("ca.pem"))
	return a
}

func (a authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a authority) openssl(args ...string) {
	a.t.Helper()
	out, err := exec.CommandContext(a.t.Context(), program(a.t, "openssl"), append([]string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-days", "2"}, args...)...).CombinedOutput()
	if err != nil {
		a.t.Fatalf("openssl: %v %s", err, out)
	}
}

// issue makes name.pem and name.key, of a host.
func (a authority) issue(name, host string) {
	a.t.Helper()
	a.openssl("-subj", "/CN="+host, "-addext", "subjectAltName=DNS:"+host, "-addext", "basicConstraints=critical,CA:FALSE", "-CA", a.path("ca.pem"), "-CAkey", a.path("ca.key"), "-keyout", a.path(name+".key"), "-out", a.path(name+".pem"))
}

// server is what syslog-tls-listen and syslog-tls-ca make of it.
func (a authority) server() *tls.Config {
	a.t.Helper()
	a.issue("server", "tocsin.hopital.example")
	pair, err := tls.LoadX509KeyPair(a.path("server.pem"), a.path("server.key"))
	must(a.t, err)
	known, err := os.ReadFile(a.path("ca.pem"))
	must(a.t, err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(known) {
		a.t.Fatal("no authority")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
}

// Only who shows a certificate of the authority is heard.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	p := newSecurePost(t, "127.0.0.1", syslog.Name, spool.Options{}, a.server())
	a.issue("client", "srv1.hopital.example")
	other.issue("client", "srv1.hopital.example")
	speak := func(message string, with ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := exec.CommandContext(ctx, program(t, "openssl"), append([]string{"s_client", "-connect", p.address, "-servername", "tocsin.hopital.example", "-CAfile", a.path("ca.pem")}, with...)...)
		c.Stdin = strings.NewReader("<13>1 2026-11-30T12:00:00Z srv1 dpi - - - " + message + "\n")
		out, err := c.CombinedOutput()
		t.Logf("%s: %v, %d bytes said", message, err, len(out))
	}
	speak("sans certificat")
	speak("autre autorité", "-cert", other.path("client.pem"), "-key", other.path("client.key"))
	speak("certificat connu", "-cert", a.path("client.pem"), "-key", a.path("client.key"))
	speak("en 1.2", "-tls1_2", "-cert", a.path("client.pem"), "-key", a.path("client.key"))
	got := p.heard(2)
	p.end()
	if n := strings.Count(p.log.String(), "a connection of traces ended"); n < 2 {
		t.Errorf("%d refusals told: %s", n, p.log.String())
	}
	if all := p.heard(2); len(all) != 2 || messages(got)["certificat connu"]+messages(got)["en 1.2"] != 2 {
		t.Errorf("heard %v", messages(all))
	}
}

func messages(list []traces.Event) map[string]int {
	out := map[string]int{}
	for _, e := range list {
		out[e.Message]++
	}
	return out
}
