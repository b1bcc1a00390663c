package modem

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/wire/gsm"
)

// channel is one modem, held by a gammu-smsd of this machine.
type channel struct {
	config config
	inbox  channels.Inbox
	log    *slog.Logger
	now    func() time.Time
	pulse  *channels.Pulse
}

// lookEvery is how often the folders are looked at.
const lookEvery = 200 * time.Millisecond

// Run brings the texts received and looks whether the daemon lives, until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	defer c.pulse.Begin()()
	seen, tidied := sighting{}, time.Time{}
	for {
		if c.look() {
			seen = c.collect(ctx, seen)
			if c.now().Sub(tidied) > tidyEvery {
				c.tidy()
				tidied = c.now()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-clock.Real().After(lookEvery):
		}
	}
}

// look notes whether the modem could be given a message.
func (c *channel) look() bool {
	if what, err := c.broken(); err != nil {
		c.pulse.Seen(channels.ReasonUnreachable, what)
		return false
	}
	c.pulse.Seen(channels.ReasonNone, "")
	return true
}

// broken says what keeps the modem from being given messages; nil when nothing does.
func (c *channel) broken() (what string, err error) {
	for _, folder := range []string{c.config.outbox, c.config.sent, c.config.failed, c.config.inbox} {
		info, err := os.Stat(folder)
		if err == nil && !info.IsDir() {
			err = fs.ErrInvalid
		}
		if err != nil {
			return "folder", fault.Wrap(err, fault.Unavailable, "channels.modem.no_folder", "path", folder)
		}
	}
	if !alive(c.config.pid) {
		return "daemon", fault.New(fault.Unavailable, "channels.modem.no_daemon", "path", c.config.pid)
	}
	return "", nil
}

// Check looks at the folders, tries to write in the outbox, and looks for the daemon.
func (c *channel) Check(context.Context) error {
	if _, err := c.broken(); err != nil {
		return err
	}
	trial, err := os.CreateTemp(c.config.outbox, ".tocsin-*")
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "channels.modem.not_writable", "path", c.config.outbox)
	}
	return errors.Join(trial.Close(), os.Remove(trial.Name()))
}

// Health is what the last look showed.
func (c *channel) Health() channels.Health { return c.pulse.Health() }

// Send writes one file in the outbox and waits until the daemon moved it.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if !dialled(m.To) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a telephone number"}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	name := nameOf(m)
	if already, found := c.where(name); found && already == c.config.sent {
		return channels.Outcome{State: channels.Accepted}
	}
	if !c.look() {
		return c.withdraw(name, channels.ReasonUnreachable)
	}
	if err := c.write(name, m.Text); err != nil {
		c.pulse.Seen(channels.ReasonUnreachable, withoutName(err))
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: withoutName(err), GatewayDown: true}
	}
	return c.follow(ctx, m, name)
}

// follow waits for the daemon to move the file. What is too late, or belongs to an
// alert that was stopped, is taken back.
func (c *channel) follow(ctx context.Context, m channels.Message, name string) channels.Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.config.timeout)
	defer cancel()
	for {
		switch at, found := c.where(name); {
		case found && at == c.config.sent:
			return channels.Outcome{State: channels.Accepted}
		case found && at == c.config.failed:
			// The daemon tried several times: the number, or the network of the operator.
			c.remove(filepath.Join(at, name))
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonRejected, Detail: "moved to the error folder", RetryAfter: time.Minute, Alone: true}
		case m.Recalled():
			if out := c.withdraw(name, channels.ReasonNone); out.State != channels.Accepted {
				return channels.Withheld()
			}
			return channels.Outcome{State: channels.Accepted}
		case !alive(c.config.pid):
			return c.withdraw(name, channels.ReasonUnreachable)
		}
		select {
		case <-ctx.Done():
			return c.withdraw(name, channels.ReasonTimeout)
		case <-clock.Real().After(lookEvery / 10):
		}
	}
}

// withdraw takes a file out of the outbox. The daemon may have had it in its hands at
// that very moment; a file that never was there did not leave.
func (c *channel) withdraw(name string, reason channels.Reason) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: reason, GatewayDown: reason == channels.ReasonUnreachable}
	err := os.Remove(filepath.Join(c.config.outbox, name))
	if err == nil {
		out.Uncertain = true
		return out
	}
	if at, found := c.where(name); found && at == c.config.sent {
		return channels.Outcome{State: channels.Accepted}
	}
	return out
}

// where is the folder that holds the message, if any does.
func (c *channel) where(name string) (folder string, found bool) {
	for _, folder := range []string{c.config.sent, c.config.failed, c.config.outbox} {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			return folder, true
		}
	}
	return "", false
}

// write puts the message in the outbox under its name, whole. One that is there
// already, from before a crash, stays.
func (c *channel) write(name, text string) (err error) {
	if _, found := c.where(name); found {
		return nil
	}
	f, err := os.CreateTemp(c.config.outbox, ".tocsin-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.remove(f.Name())
		}
	}()
	_, err = f.Write(utf16BE(text))
	// The daemon is another user, of the same group as often as not.
	err = errors.Join(err, f.Chmod(0o664), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(c.config.outbox, name))
}

func (c *channel) remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn("modem: a file cannot be removed", "error", withoutName(err))
	}
}

// Weight implements channels.Weigher: a long message is several for the modem.
func (c *channel) Weight(m channels.Message) int {
	return max(1, gsm.Count(m.Text).Segments)
}

// nameOf is the file of a message: "OUT", the priority, a date and a number that keep the order, the
// recipient, and the delivery's id, by which it is found again.
func nameOf(m channels.Message) string {
	// A UUIDv7 begins with its time: the same message always has the same name.
	at := time.Unix(m.ID.Time().UnixTime()).UTC()
	if m.ID.Version() != 7 {
		at = time.Unix(0, 0).UTC()
	}
	return "OUTA" + at.Format("20060102_150405") + "_00_" + m.To + "_" + strings.ReplaceAll(m.ID.String(), "-", "") + ".txt"
}

// dialled tells a number that a modem can dial; it becomes part of a file's name.
func dialled(to string) bool {
	digits := strings.TrimPrefix(to, "+")
	return len(digits) >= 3 && len(digits) <= 20 && strings.Trim(digits, "0123456789") == ""
}

// alive tells whether the daemon of a pid file lives, whoever owns it. A number that
// another program took since is not the daemon.
func alive(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return false
	}
	if name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm"); err == nil && !strings.HasPrefix(string(name), "gammu-smsd") {
		return false
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}

// withoutName is the cause alone: the name of a file holds the number.
func withoutName(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Op + ": " + e.Err.Error()
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Op + ": " + e.Err.Error()
	}
	return "the outbox cannot be written"
}
