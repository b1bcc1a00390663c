package hylafax

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The account that may page. Hash is its password as crypt(3) keeps it.
const (
	User     = "tocsin"
	Password = "secret-bip"
)

// Server is a hfaxd with its scheduler.
type Server struct {
	Port int

	t     testing.TB
	dir   string
	faxq  *exec.Cmd
	hfaxd *exec.Cmd
}

// Page is a job in the queue.
type Page struct{ To, Text string }

// Start starts the server; it ends with the test. Pagers have ids that begin by 7, and
// their messages hold 128 octets: the settings of this server cannot be moved.
func Start(t testing.TB) *Server {
	t.Helper()
	for _, program := range []string{"faxq", "hfaxd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the program %s is missing: run make test-deps", program)
		}
	}
	s := &Server{t: t}
	var err error
	// The server gives its rights up, so that its folder must be open to its own user.
	if s.dir, err = os.MkdirTemp("", "hylafax-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		s.end(&s.faxq)
		if err := os.RemoveAll(s.dir); err != nil {
			t.Error(err)
		}
	})
	s.furnish()
	s.Port = freePort(t)
	s.Launch()
	return s
}

// furnish copies the empty queue that the package installs, with settings of ours.
func (s *Server) furnish() {
	s.t.Helper()
	s.run("cp", "-a", "/var/spool/hylafax/.", s.dir)
	s.run("cp", "/etc/hylafax/config", "/etc/hylafax/setup.cache", filepath.Join(s.dir, "etc"))
	hash := strings.TrimSpace(s.run("openssl", "passwd", "-1", "-salt", "tocsinsalt", Password))
	for name, text := range map[string]string{
		"etc/hosts.hfaxd": "^" + User + "@:1:" + hash + "\n",
		"etc/pagermap":    "^7[0-9]*$ 5551212/&\n.* reject\n",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		s.run("chown", "uucp:uucp", filepath.Join(s.dir, name))
	}
}

func (s *Server) run(name string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

// Launch starts what does not run, and lets go on what was frozen.
func (s *Server) Launch() {
	s.t.Helper()
	if s.faxq == nil {
		s.faxq = s.start("faxq", "-D", "-q", s.dir)
	}
	s.signal(s.faxq, syscall.SIGCONT)
	s.wait("faxq takes no jobs", func() bool { return len(s.list("FIFO")) == 1 })
	if s.hfaxd == nil {
		s.hfaxd = s.start("hfaxd", "-d", "-q", s.dir, "-l", "127.0.0.1", "-s", strconv.Itoa(s.Port))
	}
	s.wait("hfaxd does not listen", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
		return err == nil && conn.Close() == nil
	})
}

// wait waits for a program that was just started, on a machine that may be busy.
func (s *Server) wait(otherwise string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal(otherwise)
		}
	}
}

// start begins a program in a group of its own: hfaxd has a child for each connection.
func (s *Server) start(name string, args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return cmd
}

// Freeze stops the scheduler in its tracks: SEND gets no answer.
func (s *Server) Freeze() { s.signal(s.faxq, syscall.SIGSTOP) }

// Kill ends hfaxd and its connections at once.
func (s *Server) Kill() { s.end(&s.hfaxd) }

func (s *Server) end(cmd **exec.Cmd) {
	if *cmd == nil {
		return
	}
	s.signal(*cmd, syscall.SIGKILL)
	_ = (*cmd).Wait() // killed: its status says so
	*cmd = nil
}

func (s *Server) signal(cmd *exec.Cmd, what syscall.Signal) {
	if err := syscall.Kill(-cmd.Process.Pid, what); err != nil {
		s.t.Error(err)
	}
}

// Submitting counts the pages written down, whether or not they were submitted.
func (s *Server) Submitting() int { return len(s.list("docq/doc*")) }

func (s *Server) list(pattern string) []string {
	list, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil {
		s.t.Fatal(err)
	}
	sort.Strings(list)
	return list
}

// Queued are the pages of the queue.
func (s *Server) Queued() []Page {
	var out []Page
	for _, job := range s.list("sendq/q*") {
		text, err := os.ReadFile(job)
		if err != nil {
			continue // it was moved meanwhile
		}
		page := Page{}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if to, found := strings.CutPrefix(line, "page:0::"); found {
				page.To = to
			}
			if doc, found := strings.CutPrefix(line, "data:0::"); found {
				words, err := os.ReadFile(filepath.Join(s.dir, doc))
				if err != nil {
					s.t.Error(err)
				}
				page.Text = string(words)
			}
		}
		out = append(out, page)
	}
	return out
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
