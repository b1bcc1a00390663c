package gammu

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"
)

// Daemon is a gammu-smsd with its folders.
type Daemon struct {
	// Dir holds the folders out, sent, error and in, and the file pid.
	Dir string

	t    testing.TB
	cmd  *exec.Cmd
	next int
}

// Start starts the daemon; it ends with the test.
func Start(t testing.TB) *Daemon {
	t.Helper()
	if _, err := exec.LookPath("gammu-smsd"); err != nil {
		t.Fatal("the program gammu-smsd is missing: run make test-deps")
	}
	d := &Daemon{Dir: t.TempDir(), t: t}
	for _, name := range []string{"out", "sent", "error", "in", "phone/sms/1", "phone/sms/2", "phone/sms/3", "phone/sms/4", "phone/sms/5"} {
		if err := os.MkdirAll(filepath.Join(d.Dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf(`[gammu]
model = dummy
connection = none
port = %[1]s/phone

[smsd]
service = files
logfile = %[1]s/log
debuglevel = 255
inboxpath = %[1]s/in/
outboxpath = %[1]s/out/
sentsmspath = %[1]s/sent/
errorsmspath = %[1]s/error/
inboxformat = unicode
loopsleep = 0
receivefrequency = 1
commtimeout = 0
statusfrequency = 60
checksecurity = 0
`, d.Dir)
	if err := os.WriteFile(filepath.Join(d.Dir, "smsdrc"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Launch()
	t.Cleanup(d.Kill)
	return d
}

// startTimeout is how long the daemon may take to write its pid, on a busy machine.
const startTimeout = 30 * time.Second

// Launch starts the daemon when it does not run, and lets it go on when it was stopped.
func (d *Daemon) Launch() {
	d.t.Helper()
	if d.cmd != nil {
		d.signal(syscall.SIGCONT)
		return
	}
	pid := filepath.Join(d.Dir, "pid")
	if err := os.Remove(pid); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
	d.cmd = exec.Command("gammu-smsd", "-c", filepath.Join(d.Dir, "smsdrc"), "--pid", pid)
	// The plainest language there is: what is written must not depend on it.
	d.cmd.Env = append(os.Environ(), "LC_ALL=C")
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(startTimeout); ; {
		if text, err := os.ReadFile(pid); err == nil && len(text) > 0 {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("gammu-smsd wrote no pid")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Freeze stops the daemon in its tracks, alive; Launch lets it go on.
func (d *Daemon) Freeze() { d.signal(syscall.SIGSTOP) }

// Kill ends the daemon at once, as a power cut would.
func (d *Daemon) Kill() {
	if d.cmd == nil {
		return
	}
	d.signal(syscall.SIGKILL)
	_ = d.cmd.Wait() // killed: its status says so
	d.cmd = nil
}

func (d *Daemon) signal(s syscall.Signal) {
	if d.cmd == nil {
		return
	}
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Error(err)
	}
}

// Log is what the daemon wrote of itself, text of the messages included.
func (d *Daemon) Log() string {
	text, err := os.ReadFile(filepath.Join(d.Dir, "log"))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// Sent are the files of the messages sent, by name.
func (d *Daemon) Sent() map[string]string {
	out := map[string]string{}
	list, err := os.ReadDir(filepath.Join(d.Dir, "sent"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(d.Dir, "sent", e.Name()))
		if err != nil {
			d.t.Fatal(err)
		}
		out[e.Name()] = decode(text)
	}
	return out
}

// Receive has the telephone receive a text; its parts come as one message each.
func (d *Daemon) Receive(from string, parts ...string) {
	d.t.Helper()
	for n, part := range parts {
		d.next++
		header := ""
		if len(parts) > 1 {
			header = fmt.Sprintf("UDH = 050003A7%02X%02X\n", len(parts), n+1)
		}
		text := fmt.Sprintf(";Saved\n[SMSBackup000]\nSMSC = \"+33609001390\"\nState = UnRead\nNumber = \"%s\"\nCoding = Unicode_No_Compression\nFolder = 1\nDateTime = 20261130T051500\nClass = -1\n%sText00 = %s\n",
			from, header, strings.ToUpper(hex.EncodeToString(encode(part))))
		path := filepath.Join(d.Dir, "phone/sms/1", fmt.Sprint(d.next))
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			d.t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			d.t.Fatal(err)
		}
	}
}

// Waiting counts the texts received that nobody took yet, in the telephone or in the folder.
func (d *Daemon) Waiting() int {
	n := 0
	for _, folder := range []string{"phone/sms/1", "in"} {
		list, err := os.ReadDir(filepath.Join(d.Dir, folder))
		if err != nil {
			d.t.Fatal(err)
		}
		n += len(list)
	}
	return n
}

func encode(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return out
}

func decode(text []byte) string {
	var units []uint16
	for text = text[min(2, len(text)):]; len(text) >= 2; text = text[2:] {
		units = append(units, binary.BigEndian.Uint16(text))
	}
	return string(utf16.Decode(units))
}
