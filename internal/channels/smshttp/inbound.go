package smshttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/web"
)

// inbound says how the calls of the provider are checked and read.
type inbound struct {
	auth, secret string
	// paths are the places of what is read; expressions judge a status.
	paths       map[string]string
	expressions map[string]*regexp.Regexp
}

func inboundPaths() []string {
	return []string{"own", "id", "status", "invalid_code", "from", "to", "text", "reply_id"}
}

func inboundExpressions() []string { return []string{"delivered", "failed", "invalid", "blocked"} }

func (c *config) parseInbound(s channels.Settings, p preset) error {
	c.inbound = inbound{
		auth: or(s.Get("inbound_auth"), p.inboundDefault), secret: s.Get("inbound_secret"),
		paths: map[string]string{}, expressions: map[string]*regexp.Regexp{},
	}
	if c.inbound.auth == authTwilio && c.inbound.secret == "" {
		c.inbound.secret = c.password // Twilio signs with the account's own token
	}
	if c.inbound.auth != authNone && c.inbound.secret == "" {
		return fault.New(fault.Invalid, "channels.smshttp.no_inbound_secret").At("inbound_secret")
	}
	pairs, err := web.ParsePairs(or(s.Get("inbound"), p.inbound), "=", "inbound", placeholders())
	if err != nil {
		return err
	}
	for _, e := range pairs {
		switch {
		case slices.Contains(inboundPaths(), e.Name):
			c.inbound.paths[e.Name] = e.Value
		case slices.Contains(inboundExpressions(), e.Name):
			re, err := regexp.Compile(e.Value)
			if err != nil {
				return fault.Wrap(err, fault.Invalid, "web.bad_expression", "line", e.Value).At("inbound")
			}
			c.inbound.expressions[e.Name] = re
		default:
			return fault.New(fault.Invalid, "channels.smshttp.bad_inbound", "name", e.Name, "names", strings.Join(append(inboundPaths(), inboundExpressions()...), ", ")).At("inbound")
		}
	}
	return nil
}

// Call implements channels.Called: the provider tells of a receipt or of a reply.
func (c *channel) Call(ctx context.Context, call channels.Call) channels.CallAnswer {
	now := c.now()
	if !c.config.authentic(call, now) {
		c.log.Warn("smshttp: a call back is refused: its signature or password is wrong, or it is too old")
		return channels.CallAnswer{Status: 403}
	}
	l := leavesOf(call)
	if r, ok := c.config.inbound.reply(l, call, now); ok {
		return c.durable(c.inbox.Replies(ctx, []channels.Reply{r}))
	}
	if r, ok := c.config.inbound.receipt(l, now); ok {
		return c.durable(c.inbox.Receipts(ctx, []channels.Receipt{r}))
	}
	c.log.Warn("smshttp: a call back says nothing that the settings can read")
	return channels.CallAnswer{Status: 422}
}

// durable answers the provider: 200 once what it brought is kept, otherwise
// "come back", never a refusal.
func (c *channel) durable(err error) channels.CallAnswer {
	if err != nil {
		c.log.Error("smshttp: a call back could not be kept; the provider will call again", "error", err)
		return channels.CallAnswer{Status: 503}
	}
	return channels.CallAnswer{Status: 200}
}

// leavesOf reads the query, and the body as its type says.
func leavesOf(call channels.Call) web.Leaves {
	l := web.Leaves{}
	if q, err := url.ParseQuery(call.Query); err == nil {
		l.AddForm(q)
	}
	kind, _, err := mime.ParseMediaType(call.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/x-www-form-urlencoded":
		if q, err := url.ParseQuery(string(call.Body)); err == nil {
			l.AddForm(q)
		}
	case len(call.Body) > 0:
		l.AddJSON(call.Body)
	}
	return l
}

func (in *inbound) get(l web.Leaves, name string) string {
	path, ok := in.paths[name]
	if !ok {
		return ""
	}
	return l[path]
}

func (in *inbound) says(name, value string) bool {
	re := in.expressions[name]
	return re != nil && re.MatchString(value)
}

func (in *inbound) reply(l web.Leaves, call channels.Call, now time.Time) (channels.Reply, bool) {
	path, known := in.paths["text"]
	if !known {
		return channels.Reply{}, false
	}
	text, there := l[path]
	from := number(in.get(l, "from"))
	if !there || from == "" {
		return channels.Reply{}, false
	}
	r := channels.Reply{From: from, To: number(in.get(l, "to")), Text: text, At: now, PeerID: in.get(l, "reply_id")}
	if id := call.Get("Webhook-Id"); in.auth == authHMAC {
		r.PeerID = id // signed: a replay is the same reply
	}
	if len(r.PeerID) > 64 {
		sum := sha256.Sum256([]byte(r.PeerID))
		r.PeerID = hex.EncodeToString(sum[:])
	}
	return r, true
}

func (in *inbound) receipt(l web.Leaves, now time.Time) (channels.Receipt, bool) {
	r := channels.Receipt{ProviderID: in.get(l, "id"), At: now}
	if own, err := uuid.Parse(in.get(l, "own")); err == nil {
		r.MessageID, r.ProviderID = own, ""
	}
	status := in.get(l, "status")
	if r.ProviderID == "" && r.MessageID == uuid.Nil || status == "" {
		return r, false
	}
	r.Detail = "status:" + web.OneLine(status)
	code := status
	if c := in.get(l, "invalid_code"); c != "" {
		code = c
		r.Detail += " code:" + web.OneLine(c)
	}
	switch {
	case in.says("delivered", status):
		r.Final, r.Delivered = true, true
	case in.says("failed", status):
		r.Final, r.Reason = true, channels.ReasonRejected
		if in.says("invalid", code) {
			r.Reason = channels.ReasonInvalidAddress
		} else if in.says("blocked", code) {
			r.Reason = channels.ReasonBlocked
		}
	}
	return r, true
}

// number writes a number received as E.164 when that is what it is.
func number(s string) string {
	n := strings.Map(func(r rune) rune {
		if r == ' ' || r == '.' || r == '-' {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	digits := strings.TrimPrefix(n, "+")
	switch {
	case n == "" || strings.Trim(digits, "0123456789") != "":
		return strings.TrimSpace(s)
	case strings.HasPrefix(n, "+"):
		return n
	case strings.HasPrefix(n, "00"):
		return "+" + n[2:]
	case len(n) >= 10 && !strings.HasPrefix(n, "0"):
		return "+" + n
	}
	return n
}
