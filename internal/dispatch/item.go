package dispatch

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// verdict is how a claimed delivery came back from the senders.
type verdict int

const (
	_         verdict = iota
	tried             // the channel answered: see outcome
	returned          // not handed to the channel; still queued
	stopped           // its campaign was killed
	outdated          // its time has passed
	abandoned         // the claim was lost to another node: nothing may be written about it
)

// lot is a claimed lot in memory.
type lot struct {
	d            *Dispatch
	id, campaign uuid.UUID
	medium       channels.Medium
	purpose      string
	wave         int
	priority     int
	route        string
	quiet        bool
	queuedUs     int64
	expiresUs    int64 // 0: never
	contentID    uuid.UUID
	content      *text
	flag         *stopFlag
	// leaseUntil is in nanoseconds of Dispatch.elapsed; 0 means that nobody else could take the lot.
	leaseUntil atomic.Int64

	// open counts the deliveries not yet settled, back those that stay queued in
	// the lot; only the clerk uses them.
	open, back int
}

// item is a claimed delivery in memory.
type item struct {
	id, subject uuid.UUID
	lot         *lot
	address     string
	link, token string
	attempts    int
	double      bool
	// cost is what was taken from the purse of the campaign for its segments.
	cost, segments int64

	verdict verdict
	outcome channels.Outcome
	at      time.Time
}

func (it *item) fact(k FactKind, reason channels.Reason, at time.Time) Fact {
	return Fact{
		Campaign: it.lot.campaign, Subject: it.subject, Delivery: it.id, Medium: it.lot.medium, Address: it.address,
		Kind: k, Reason: reason, Purpose: it.lot.purpose, Wave: it.lot.wave, At: at,
	}
}

// text is a content ready to be filled in.
type text struct {
	language, subject, body string
	// linkless is the body when no link may leave.
	linkless string
	answers  []channels.Answer
	// recording is said in place of body.
	recording channels.Recording
	// reserved is told after the addressee's code.
	reserved channels.Reserved
	// fills tells whether there is anything to fill in.
	fills bool
}

func newText(language, subject, body, linkless string) *text {
	t := &text{language: language, subject: subject, body: body, linkless: linkless}
	if linkless == "" {
		t.linkless = strings.TrimRight(strings.ReplaceAll(body, "{lien}", ""), " :\n")
	}
	t.fills = strings.Contains(body+subject, "{lien}") || strings.Contains(body+subject, "{jeton}")
	return t
}

// message is what the channel receives: the text is filled in now, so that
// 100,000 texts never wait in the database. An isolated one carries no link.
func (it *item) message(isolated bool) channels.Message {
	t := it.lot.content
	m := channels.Message{
		ID: it.id, To: it.address, Subject: t.subject, Text: t.body, Link: it.link,
		Language: t.language, Answers: t.answers, ReplyToken: it.token, Quiet: it.lot.quiet, Leave: it,
		Recording: t.recording, Reserved: t.reserved, Dictation: it.dictation(),
	}
	if slices.ContainsFunc(t.answers, func(a channels.Answer) bool { return a.Conference }) {
		m.Conference = it.lot.campaign
	}
	if it.lot.expiresUs > 0 {
		m.ExpiresAt = storage.Time(it.lot.expiresUs)
	}
	if isolated {
		m.Link, m.Subject, m.Text = "", it.fill(strings.ReplaceAll(t.subject, "{lien}", "")), it.fill(t.linkless)
	} else if t.fills {
		m.Subject, m.Text = it.fill(t.subject), it.fill(t.body)
	}
	return m
}

func (it *item) fill(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "{lien}", it.link), "{jeton}", it.token)
}
