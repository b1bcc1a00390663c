package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// quitTimeout is how long a polite goodbye may take.
const quitTimeout = 2 * time.Second

// connection is one kept connection to the relay. One goroutine uses it at a time.
type connection struct {
	// raw is the socket itself: closing it is the only way to interrupt the
	// library, and the library forgets to close it when a greeting fails.
	raw  net.Conn
	smtp *smtp.Client
	// patience is how long one message may take.
	patience time.Duration
	sent     int
	usedAt   time.Time
}

var errPin = errors.New("the certificate of the relay is not the one of the setting tls_pin")

// dial connects, protects and authenticates within the timeout.
func (c config) dial(ctx context.Context) (*connection, error) {
	k := &connection{patience: c.timeout}
	opts := append(c.options(), mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		raw, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		k.raw = raw
		if c.security != securityTLS {
			return raw, nil
		}
		protected := tls.Client(raw, c.tlsConfig())
		if err := protected.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return protected, nil
	}))
	client, err := mail.NewClient(c.host, opts...)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// The library looks at the context only while connecting; a peer that
	// connects and says nothing must be interruptible too.
	if k.smtp, err = k.open(ctx, client); err != nil {
		k.drop()
		return nil, err
	}
	return k, nil
}

func (k *connection) open(ctx context.Context, client *mail.Client) (*smtp.Client, error) {
	defer k.interruptible(ctx)()
	return client.DialToSMTPClientWithContext(ctx)
}

// interruptible makes the end of ctx cut the socket; the returned function
// ends that.
func (k *connection) interruptible(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { k.drop() })
	return func() { stop() }
}

func (c config) options() []mail.Option {
	opts := []mail.Option{
		mail.WithPort(c.port), mail.WithTimeout(c.timeout), mail.WithHELO(c.helo), mail.WithoutSMTPUTF8(),
		mail.WithTLSConfig(c.tlsConfig()),
	}
	switch c.security {
	case securityStartTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		// Implicit TLS is done by our own dial function.
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if c.user == "" {
		return opts
	}
	// Plain text passwords travel only inside TLS, or on loopback (see parseConfig
	// and the library's own check).
	return append(opts, mail.WithUsername(c.user), mail.WithPassword(c.password), mail.WithOpportunisticSMTPAuth(
		mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
}

func (c config) tlsConfig() *tls.Config {
	t := &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}
	if c.pin == nil {
		return t
	}
	// With a pin the certificate itself is the trust; VerifyConnection replaces
	// the chain check and runs on resumed sessions too.
	t.InsecureSkipVerify = true
	t.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errPin
		}
		if sum := sha256.Sum256(s.PeerCertificates[0].Raw); !bytes.Equal(sum[:], c.pin) {
			return errPin
		}
		return nil
	}
	return t
}

// send passes one message; the end of ctx cuts the connection.
func (k *connection) send(ctx context.Context, msg *mail.Msg) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer k.interruptible(ctx)()
	if err := k.smtp.UpdateDeadline(k.patience); err != nil {
		return &passError{stepSender, err}
	}
	if err := k.pass(msg); err != nil {
		return err
	}
	k.sent++
	return nil
}

// drop cuts the socket at once.
func (k *connection) drop() {
	if k.raw == nil {
		return
	}
	// A socket that is already closed answers with an error; there is nothing
	// left to do about it.
	if err := k.raw.Close(); err != nil {
		return
	}
}

// quit says goodbye, then cuts the socket whatever the answer.
func (k *connection) quit() {
	defer k.drop()
	if err := k.smtp.UpdateDeadline(quitTimeout); err != nil {
		return
	}
	if err := k.smtp.Quit(); err != nil {
		return
	}
}
