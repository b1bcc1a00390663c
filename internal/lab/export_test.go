package lab

import (
	"io"
	"net/url"
	"time"
)

// Notice is what a person understood, for the tests.
type Notice = notice

// ReadNotice reads a message.
func ReadNotice(text string) Notice { return readNotice(text) }

// Asks tells whether an answer is expected.
func (n notice) Asks() bool { return n.asks }

// Link is the personal page.
func (n notice) Link() string { return n.link }

// Exercise tells an exercise.
func (n notice) Exercise() bool { return n.exercise }

// Keys are the digits proposed.
func (n notice) Keys() map[Intent]string { return n.keys }

// Only is the digit that stands for any answer.
func (n notice) Only() string { return n.only }

// Said is one thing a person does.
type Said struct {
	Intent  Intent
	Minutes int
	Link    bool
	Words   string
	After   time.Duration
}

// First is what a person does after a first message.
func (who Person) First(n Notice) []Said { return who.all(n, heardFirst) }

// Woken is what a second message wakes.
func (who Person) Woken(n Notice) []Said { return who.all(n, heardAgain) }

func (who Person) all(n notice, h hearing) (out []Said) {
	for _, s := range who.steps(n, h) {
		out = append(out, Said{s.intent, s.minutes, s.link, who.words(n, s), s.after})
	}
	return out
}

// ChooseForm fills a form of a page.
func ChooseForm(page io.Reader, intent Intent, minutes int) (action string, fields url.Values, err error) {
	f, err := chooseForm(page, intent, minutes)
	return f.action, f.fields, err
}

// ErrNoForm is a page without a button for the answer.
var ErrNoForm = errNoForm

// FormatNumber writes the digits of a number.
func FormatNumber(n uint64) string { return formatNumber(n) }
