package chat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/wire/web"
)

const (
	// pollFor is how long a homeserver keeps us waiting for something new.
	pollFor = 25 * time.Second
	// retryWait is the wait after a look that failed.
	retryWait = time.Second
	// newsMost bounds one answer: what does not fit is read page by page.
	newsMost = 8 << 20
	// eventsMost is how many events of a room come at once; pagesMost how many pages
	// are turned back for those that did not fit.
	eventsMost, pagesMost = 50, 20
	// markEvery is how often the place is noted when nothing was said.
	markEvery = 10 * time.Minute
	// placeKept is where the homeserver keeps the place we have read to.
	placeKept = "fr.tocsin.lu_jusque"
)

// listener waits for what people say.
func listener(s channels.Settings, loopback bool) (*web.Client, error) {
	tls, err := channels.ClientTLS(s)
	if err != nil {
		return nil, err
	}
	proxy, err := web.ParseProxy(s.Get("proxy"))
	return web.New(web.Options{
		TLS: tls, Proxy: proxy, Connections: 1, Loopback: loopback, AnswerMost: newsMost,
		Connect: time.Duration(s.Int("connect_timeout")) * time.Second, Response: pollFor + time.Duration(s.Int("response_timeout"))*time.Second,
	}), err
}

// event is one thing said in a room.
type event struct {
	ID       string  `json:"event_id"`
	Type     string  `json:"type"`
	Sender   string  `json:"sender"`
	StateKey *string `json:"state_key"`
	At       int64   `json:"origin_server_ts"`
	Content  struct {
		Kind       string `json:"msgtype"`
		Body       string `json:"body"`
		Membership string `json:"membership"`
		Relates    struct {
			Kind string `json:"rel_type"`
		} `json:"m.relates_to"`
		New struct {
			Body string `json:"body"`
		} `json:"m.new_content"`
	} `json:"content"`
}

// events are those that can be read: what somebody wrote against the specification
// must not hide what others say.
type events []event

// UnmarshalJSON leaves out what is no event.
func (l *events) UnmarshalJSON(text []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*l = nil
	for _, one := range all {
		var e event
		if json.Unmarshal(one, &e) == nil {
			*l = append(*l, e)
		}
	}
	return nil
}

// news is what happened since a place.
type news struct {
	Next  string `json:"next_batch"`
	Rooms struct {
		Join map[string]struct {
			Timeline struct {
				Events  events `json:"events"`
				Limited bool   `json:"limited"`
				Before  string `json:"prev_batch"`
			} `json:"timeline"`
			State     struct{ Events events } `json:"state"`
			Ephemeral struct {
				Events []struct {
					Type    string          `json:"type"`
					Content json.RawMessage `json:"content"`
				} `json:"events"`
			} `json:"ephemeral"`
		} `json:"join"`
	} `json:"rooms"`
}

// Run reads what people say until ctx ends. The place it has read to is kept by the
// homeserver, and moves only once what stands before it is durable.
func (c *matrix) Run(ctx context.Context) error {
	end := c.pulse.Begin()
	defer func() {
		end()
		c.client.Close()
		c.listener.Close()
	}()
	r := reader{c: c}
	for ctx.Err() == nil {
		if wait := r.turn(ctx); wait > 0 {
			select {
			case <-ctx.Done():
			case <-clock.Real().After(wait):
			}
		}
	}
	return nil
}

// reader is where we are in what a homeserver tells.
type reader struct {
	c    *matrix
	self string
	// since is the place read to; known tells that the homeserver answered since the
	// last look that failed.
	since  string
	known  bool
	marked time.Time
	// few asks for one event of each room: the last answer was too long.
	few bool
}

// turn reads once, and returns how long to wait before the next.
func (r *reader) turn(ctx context.Context) time.Duration {
	if !r.known {
		a, ok := r.resume(ctx)
		if !ok {
			return r.failed(ctx, a)
		}
	}
	first := r.since == ""
	a := r.c.ask(ctx, r.c.listener, http.MethodGet, "/sync", r.query(), nil)
	if a.Over {
		r.few = true
		r.c.log.Warn("matrix: an answer is too long; rooms are read page by page")
		return retryWait
	}
	var n news
	if !a.read(&n) || n.Next == "" {
		return r.failed(ctx, a)
	}
	r.few = false
	r.c.pulse.Seen(channels.ReasonNone, "")
	something := first
	if !first { // what was said before we were there is nobody's answer
		said, err := r.take(ctx, n)
		if err != nil {
			if ctx.Err() == nil {
				r.c.log.Error("matrix: what was said could not be kept; it is read again", "error", err)
			}
			return retryWait
		}
		something = said
	}
	r.since = n.Next
	r.c.heed()
	if something || r.c.now().Sub(r.marked) >= markEvery {
		r.mark(ctx)
	}
	return 0
}

// failed notes why nothing was read.
func (r *reader) failed(ctx context.Context, a said) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	r.known = false
	out := r.c.before(a)
	reason := out.Reason
	if reason == channels.ReasonNone {
		reason, out.Detail = channels.ReasonPeerError, "an answer that is not understood"
	}
	r.c.pulse.Seen(reason, out.Detail)
	return max(retryWait, out.RetryAfter)
}

// resume asks the homeserver who we are and where we had read to.
func (r *reader) resume(ctx context.Context) (said, bool) {
	a := r.c.get(ctx, "/account/whoami", nil)
	var who struct {
		UserID string `json:"user_id"`
	}
	if !a.read(&who) || !person(who.UserID) {
		return a, false
	}
	r.self = who.UserID
	a = r.c.get(ctx, r.place(), nil)
	var place struct {
		Since string `json:"since"`
	}
	if !a.read(&place) && (a.Err != nil || a.Status != http.StatusNotFound) {
		return a, false
	}
	if r.since == "" {
		r.since, r.marked = place.Since, r.c.now()
	}
	if r.since != "" {
		r.c.heed()
	}
	r.known = true
	r.c.pulse.Seen(channels.ReasonNone, "") // the look that follows may last
	return a, true
}

func (r *reader) place() string {
	return "/user/" + url.PathEscape(r.self) + "/account_data/" + placeKept
}

// mark keeps the place. One that could not be kept is read again after a restart,
// and what is read twice is recognised.
func (r *reader) mark(ctx context.Context) {
	if a := r.c.put(ctx, r.place(), map[string]string{"since": r.since}); a.read(&struct{}{}) {
		r.marked = r.c.now()
	} else if ctx.Err() == nil {
		r.c.log.Warn("matrix: the place read to could not be kept", "error", a.detail())
	}
}

// query asks for what we read, and nothing else.
func (r *reader) query() url.Values {
	none := map[string]any{"types": []string{}}
	limit, state := eventsMost, map[string]any{"types": []string{"m.room.member"}}
	if r.few || r.since == "" {
		limit, state = 1, none
	}
	filter, err := json.Marshal(map[string]any{
		"presence": none, "account_data": none,
		"room": map[string]any{
			"account_data": none, "state": state, "ephemeral": map[string]any{"types": []string{"m.receipt"}},
			"timeline": map[string]any{"types": eventTypes(), "not_senders": []string{r.self}, "limit": limit},
		},
	})
	if err != nil { // of strings and numbers
		return nil
	}
	q := url.Values{"filter": {string(filter)}, "timeout": {"0"}}
	if r.since != "" {
		q.Set("since", r.since)
		q.Set("timeout", strconv.FormatInt(pollFor.Milliseconds(), 10))
	}
	return q
}

func eventTypes() []string { return []string{"m.room.message", "m.room.member", "m.room.encrypted"} }

// take hands over what people said and read; said tells that there was something.
func (r *reader) take(ctx context.Context, n news) (said bool, err error) {
	var replies []channels.Reply
	var receipts []channels.Receipt
	for id, room := range n.Rooms.Join {
		events := room.Timeline.Events
		if room.Timeline.Limited {
			missed, err := r.back(ctx, id, room.Timeline.Before)
			if err != nil {
				return false, err
			}
			events = append(missed, events...)
		}
		for _, e := range append(room.State.Events, events...) {
			if reply, ok := r.heard(ctx, id, e); ok {
				replies = append(replies, reply)
			}
		}
		for _, e := range room.Ephemeral.Events {
			if e.Type == "m.receipt" {
				receipts = append(receipts, r.displayed(e.Content)...)
			}
		}
	}
	if err := r.c.inbox.Receipts(ctx, receipts); err != nil {
		return false, err
	}
	return len(replies)+len(receipts) > 0, r.c.inbox.Replies(ctx, replies)
}

// heard is what an event says: an answer, somebody who leaves, or what we cannot read.
func (r *reader) heard(ctx context.Context, id string, e event) (channels.Reply, bool) {
	switch {
	case e.Sender == r.self || !person(e.Sender) || e.ID == "":
		return channels.Reply{}, false
	case e.Type == "m.room.member":
		if e.StateKey != nil && e.Content.Membership != "join" && e.Content.Membership != "invite" {
			r.c.forget(*e.StateKey)
		}
		return channels.Reply{}, false
	case e.Type == "m.room.encrypted":
		r.cannotRead(ctx, id, e)
		return channels.Reply{}, false
	case e.Type != "m.room.message" || e.Content.Kind != "m.text":
		return channels.Reply{}, false
	}
	text := e.Content.Body
	if e.Content.Relates.Kind == "m.replace" { // an answer that was corrected
		text = e.Content.New.Body
	}
	return channels.Reply{PeerID: e.ID, From: e.Sender, To: r.self, Text: text, At: time.UnixMilli(e.At)}, strings.TrimSpace(text) != ""
}

// displayed are the receipts of the messages that people displayed.
func (r *reader) displayed(content json.RawMessage) (out []channels.Receipt) {
	var readers map[string]map[string]map[string]struct {
		At int64 `json:"ts"`
	}
	if json.Unmarshal(content, &readers) != nil {
		return nil
	}
	for event, kinds := range readers {
		for who, when := range kinds["m.read"] {
			if who != r.self {
				out = append(out, channels.Receipt{ProviderID: event, Delivered: true, Final: true, Detail: "m.read", At: time.UnixMilli(when.At)})
			}
		}
	}
	return out
}

// back reads the events between the place we had read to and the first that came.
func (r *reader) back(ctx context.Context, id, from string) (out []event, err error) {
	filter, err := json.Marshal(map[string]any{"types": eventTypes(), "not_senders": []string{r.self}})
	if err != nil {
		return nil, err
	}
	for range pagesMost {
		a := r.c.ask(ctx, r.c.listener, http.MethodGet, "/rooms/"+url.PathEscape(id)+"/messages", url.Values{
			"dir": {"b"}, "from": {from}, "to": {r.since}, "limit": {strconv.Itoa(eventsMost)}, "filter": {string(filter)},
		}, nil)
		var page struct {
			Chunk events `json:"chunk"`
			End   string `json:"end"`
		}
		if !a.read(&page) {
			return nil, errUnread
		}
		for _, e := range page.Chunk {
			out = append([]event{e}, out...)
		}
		if page.End == "" || page.End == from {
			return out, nil
		}
		from = page.End
	}
	r.c.log.Warn("matrix: a room says more than is read; its oldest messages are left")
	return out, nil
}

// cannotRead tells somebody that what he wrote was not read: he may believe that
// he answered. The transaction is the event: he is told once.
func (r *reader) cannotRead(ctx context.Context, id string, e event) {
	a := r.c.put(ctx, "/rooms/"+url.PathEscape(id)+"/send/m.room.message/"+url.PathEscape("chiffre-"+strings.TrimPrefix(e.ID, "$")), map[string]string{
		"msgtype": "m.notice", "body": cannotReadText,
	})
	if !a.read(&struct{}{}) {
		r.c.log.Warn("matrix: an encrypted message was not read, and its author could not be told", "error", a.detail())
	}
}
