package smtp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Domains that a Postfix of ours knows.
const (
	// Domain has the mailboxes of Config.Mailboxes; the server refuses the others at once.
	Domain = "hopital.test"
	// LateDomain has no mailbox at all, which the server says only afterwards, by a bounce.
	LateDomain = "tardif.test"
	// DeadDomain is behind a machine that does not answer: its mail stays in the queue.
	DeadDomain = "muet.test"
	// FullDomain defers for ever for want of room (4.2.2).
	FullDomain = "plein.test"
)

// Config is what a test wants of its Postfix.
type Config struct {
	// Mailboxes are the local parts that exist at Domain.
	Mailboxes []string
	// Full are local parts at Domain whose mailbox has no room left.
	Full []string
	// ReplyDomain is handed over to ReplyTo, as a hospital's server would do.
	ReplyDomain string
	// ReplyTo is a transport: "smtp:[127.0.0.1]:2525" or "lmtp:inet:127.0.0.1:2424".
	ReplyTo string
	// Refuse maps a recipient to what the server says of it at RCPT: "450 4.2.0 later".
	Refuse map[string]string
	// Kept are domains whose mail the server takes and keeps in its queue: it looks
	// for nobody outside.
	Kept []string
	// CertFile and KeyFile turn STARTTLS on.
	CertFile, KeyFile string
	// GiveUpAfter is how long a message stays in the queue; an hour by default.
	GiveUpAfter time.Duration
	// WarnAfter asks for a "delayed" report after that time; none by default.
	WarnAfter time.Duration
}

// Postfix is a running server.
type Postfix struct {
	Host string
	Port int

	config, mail, log string
	stopped           bool
}

// StartPostfix starts a server and ends it with the test.
func StartPostfix(t testing.TB, c Config) *Postfix {
	t.Helper()
	need(t, "postfix")
	if os.Geteuid() != 0 {
		t.Fatal("Postfix starts only as root: run the tests in the container of .ci/run")
	}
	root := t.TempDir()
	// Postfix's own users walk through these folders.
	open(t, filepath.Dir(root), root)
	p := &Postfix{
		Host: "127.0.0.1", Port: freePort(t),
		config: filepath.Join(root, "etc"), mail: filepath.Join(root, "mail"), log: filepath.Join(root, "log"),
	}
	p.prepare(t, root, c)
	p.start(t)
	return p
}

func (p *Postfix) prepare(t testing.TB, root string, c Config) {
	t.Helper()
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal("the user postfix does not exist: run make test-deps")
	}
	uid, gid := number(t, owner.Uid), number(t, owner.Gid)
	queue, data := filepath.Join(root, "queue"), filepath.Join(root, "data")
	for _, dir := range []string{p.config, p.mail, queue, data, filepath.Join(p.mail, Domain), filepath.Join(p.mail, LateDomain)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{p.mail, data, filepath.Join(p.mail, Domain), filepath.Join(p.mail, LateDomain)} {
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for _, box := range c.Full {
		path := filepath.Join(p.mail, Domain, box)
		// A letter that fills the whole mailbox.
		write(t, path, "From x Sun Nov 22 08:00:00 2026\n\n"+strings.Repeat("x", mailboxLimit-40)+"\n")
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(p.config, "main.cf"), p.mainCF(c, queue, data, uid, gid, freePort(t)))
	write(t, filepath.Join(p.config, "master.cf"), p.masterCF())
	p.writeMaps(t, c)
}

// mailboxLimit is the size of a mailbox and of a message, in bytes.
const mailboxLimit = 200_000

func (p *Postfix) mainCF(c Config, queue, data string, uid, gid, deadPort int) string {
	giveUp, warn := "1h", "0"
	if c.GiveUpAfter > 0 {
		giveUp = seconds(c.GiveUpAfter)
	}
	if c.WarnAfter > 0 {
		warn = seconds(c.WarnAfter)
	}
	tls := "smtpd_tls_security_level = none\n"
	if c.CertFile != "" {
		tls = "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = " + c.CertFile + "\nsmtpd_tls_key_file = " + c.KeyFile + "\n"
	}
	relay, transports := "", fmt.Sprintf("inline:{ {%s=smtp:[127.0.0.1]:%d}, {%s=retry:4.2.2 mailbox is full} }", DeadDomain, deadPort, FullDomain)
	for _, domain := range c.Kept {
		transports = strings.TrimSuffix(transports, " }") + fmt.Sprintf(", {%s=retry:4.2.2 kept for the test} }", domain)
	}
	if c.ReplyDomain != "" {
		relay = c.ReplyDomain
		transports = strings.TrimSuffix(transports, " }") + fmt.Sprintf(", {%s=%s} }", c.ReplyDomain, c.ReplyTo)
	}
	return fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %s
data_directory = %s
maillog_file = %s
maillog_file_prefixes = %s
myhostname = relais.%s
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_host_lookup = native
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = %s %s %s
transport_maps = %s
virtual_mailbox_domains = %s %s
virtual_mailbox_base = %s
virtual_mailbox_maps = texthash:%s
virtual_uid_maps = static:%d
virtual_gid_maps = static:%d
virtual_minimum_uid = 1
virtual_mailbox_limit = %d
message_size_limit = %d
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = check_recipient_access texthash:%s, check_recipient_access inline:{ {%s=reject_unlisted_recipient} }, permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
in_flow_delay = 0
minimal_backoff_time = 3s
maximal_backoff_time = 3s
queue_run_delay = 1s
maximal_queue_lifetime = %s
bounce_queue_lifetime = %s
delay_warning_time = %s
notify_classes =
%s`, queue, data, p.log, filepath.Dir(p.log), Domain, DeadDomain, FullDomain, relay, transports, Domain, LateDomain, p.mail,
		filepath.Join(p.config, "mailboxes"), uid, gid, mailboxLimit, mailboxLimit, filepath.Join(p.config, "refused"), Domain,
		giveUp, giveUp, warn, tls)
}

func (p *Postfix) masterCF() string {
	return fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`, p.Port)
}

func (p *Postfix) writeMaps(t testing.TB, c Config) {
	t.Helper()
	var boxes, refused strings.Builder
	for _, box := range append(append([]string{}, c.Mailboxes...), c.Full...) {
		fmt.Fprintf(&boxes, "%s@%s %s/%s\n", box, Domain, Domain, box)
	}
	for address, answer := range c.Refuse {
		fmt.Fprintf(&refused, "%s %s\n", address, answer)
	}
	write(t, filepath.Join(p.config, "mailboxes"), boxes.String())
	write(t, filepath.Join(p.config, "refused"), refused.String())
}

func (p *Postfix) start(t testing.TB) {
	t.Helper()
	if out, err := p.postfix("start"); err != nil {
		t.Fatalf("postfix start: %v\n%s\n%s", err, out, p.Log())
	}
	t.Cleanup(func() {
		if p.stopped {
			return
		}
		if out, err := p.postfix("stop"); err != nil {
			t.Errorf("postfix stop: %v\n%s", err, out)
		}
	})
	waitForGreeting(t, net.JoinHostPort(p.Host, strconv.Itoa(p.Port)), p.Log)
}

func (p *Postfix) postfix(verb string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "postfix", "-c", p.config, verb)
	// The master daemon outlives this command and must not hold our pipes.
	var out bytes.Buffer
	file, err := os.CreateTemp("", "postfix-*.out")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	if _, seekErr := file.Seek(0, 0); seekErr == nil {
		if _, readErr := out.ReadFrom(file); readErr != nil {
			return nil, readErr
		}
	}
	return out.Bytes(), err
}

// Stop ends the server before the end of the test, as an outage would.
func (p *Postfix) Stop(t testing.TB) {
	t.Helper()
	p.stopped = true
	if out, err := p.postfix("stop"); err != nil {
		t.Fatalf("postfix stop: %v\n%s", err, out)
	}
}

// Mailbox returns what was delivered to a mailbox of Domain, in mbox format;
// empty when nothing was.
func (p *Postfix) Mailbox(t testing.TB, box string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.mail, Domain, box))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

// Queue returns the queue as postqueue prints it in JSON, one message a line.
func (p *Postfix) Queue(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("postqueue", "-c", p.config, "-j").CombinedOutput()
	if err != nil {
		t.Fatalf("postqueue: %v\n%s", err, out)
	}
	return string(out)
}

// Log is what the server wrote, for a failing test.
func (p *Postfix) Log() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
