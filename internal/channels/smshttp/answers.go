package smshttp

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// rule is one line of « answers »: "verdict status [path] [~expression]". The
// first rule that fits decides.
type rule struct {
	verdict   string
	low, high int
	path      string
	match     *regexp.Regexp
}

// The verdicts of a rule.
const (
	verdictOK       = "ok"
	verdictInvalid  = "invalid"
	verdictBlocked  = "blocked"
	verdictRejected = "rejected"
	verdictThrottle = "throttled"
	verdictAuth     = "auth"
	verdictClosed   = "suspended"
	verdictLater    = "later"
	verdictDown     = "down"
)

var ruleForm = regexp.MustCompile(`^(ok|invalid|blocked|rejected|throttled|auth|suspended|later|down)\s+(\*|\d{3}(?:-\d{3})?)(?:\s+([^\s~]\S*))?(?:\s+~\s*(.+))?$`)

func parseRules(text string) ([]rule, error) {
	var out []rule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		m := ruleForm.FindStringSubmatch(line)
		if m == nil {
			return nil, fault.New(fault.Invalid, "channels.smshttp.bad_rule", "line", line).At("answers")
		}
		r := rule{verdict: m[1], path: m[3], high: 999}
		if m[2] != "*" {
			low, high, ranged := strings.Cut(m[2], "-")
			if !ranged {
				high = low
			}
			r.low, r.high = atoi(low), atoi(high)
		}
		if m[4] != "" {
			var err error
			if r.match, err = regexp.Compile(m[4]); err != nil {
				return nil, fault.Wrap(err, fault.Invalid, "channels.smshttp.bad_expression", "line", line).At("answers")
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func (r rule) fits(status int, text string, l leaves) bool {
	if status < r.low || status > r.high {
		return false
	}
	value := text
	if r.path != "" {
		var ok bool
		if value, ok = l[r.path]; !ok {
			return false
		}
	}
	return r.match == nil || r.match.MatchString(value)
}

// throttleWait is the wait when the provider asks to slow down without saying how long.
const throttleWait = time.Second

// retryMost bounds what a provider may ask us to wait.
const retryMost = 5 * time.Minute

// outcome is the truth about an answer. Without a rule that says so, nothing is
// final: what only the settings can mend is the gateway's fault, and an answer
// that is not understood is tried again.
func (c *config) outcome(status int, header http.Header, text string, now time.Time) channels.Outcome {
	l := leaves{}
	l.addJSON([]byte(text))
	for _, r := range c.rules {
		if r.fits(status, text, l) {
			return c.verdict(r.verdict, status, header, text, l, now)
		}
	}
	return c.verdict(usual(status), status, header, text, l, now)
}

// usual is what a status means when no rule speaks of it.
func usual(status int) string {
	switch {
	case status >= 200 && status < 300:
		return verdictLater // the rules say what a success is, and this is not one
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return verdictThrottle
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		return verdictAuth
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return verdictClosed
	case status >= 300 && status < 400, status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone,
		status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return verdictDown
	}
	return verdictLater
}

func (c *config) verdict(v string, status int, header http.Header, text string, l leaves, now time.Time) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: "HTTP " + strconv.Itoa(status)}
	switch v {
	case verdictOK:
		out = channels.Outcome{State: channels.Accepted}
		if id := c.id.find(text, l); id != "" {
			out.ProviderIDs = []string{id}
		}
	case verdictInvalid:
		out.State, out.Reason = channels.Refused, channels.ReasonInvalidAddress
	case verdictBlocked:
		out.State, out.Reason = channels.Refused, channels.ReasonBlocked
	case verdictRejected:
		out.State, out.Reason = channels.Refused, channels.ReasonRejected
	case verdictThrottle:
		out.Reason, out.RetryAfter = channels.ReasonThrottled, retryAfter(header, now)
	case verdictAuth:
		out.Reason, out.GatewayDown = channels.ReasonAuth, true
	case verdictClosed:
		out.Reason, out.GatewayDown = channels.ReasonSuspended, true
	case verdictDown:
		out.GatewayDown = true
	}
	return out
}

// retryAfter reads the header of RFC 9110 § 10.2.3, in seconds or as a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, retryMost)
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return min(at.Sub(now), retryMost)
	}
	return throttleWait
}
