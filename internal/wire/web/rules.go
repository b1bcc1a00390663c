package web

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
)

// Rule is one line of « answers »: "verdict status [path] [~expression]". The
// first rule that fits decides.
type Rule struct {
	verdict   Verdict
	low, high int
	path      string
	match     *regexp.Regexp
}

// Verdict is what an answer means.
type Verdict string

// The verdicts of a rule.
const (
	OK        Verdict = "ok"
	Invalid   Verdict = "invalid"
	Blocked   Verdict = "blocked"
	Rejected  Verdict = "rejected"
	Throttled Verdict = "throttled"
	Auth      Verdict = "auth"
	Suspended Verdict = "suspended"
	Later     Verdict = "later"
	Down      Verdict = "down"
)

var ruleForm = regexp.MustCompile(`^(ok|invalid|blocked|rejected|throttled|auth|suspended|later|down)\s+(\*|\d{3}(?:-\d{3})?)(?:\s+([^\s~]\S*))?(?:\s+~\s*(.+))?$`)

// ParseRules reads them, one a line. Errors: Invalid at "answers".
func ParseRules(text string) ([]Rule, error) {
	var out []Rule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		m := ruleForm.FindStringSubmatch(line)
		if m == nil {
			return nil, fault.New(fault.Invalid, "web.bad_rule", "line", line).At("answers")
		}
		r := Rule{verdict: Verdict(m[1]), path: m[3], high: 999}
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
				return nil, fault.Wrap(err, fault.Invalid, "web.bad_expression", "line", line).At("answers")
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

func (r Rule) fits(status int, text string, l Leaves) bool {
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

// ThrottleWait is the wait when a service asks to slow down without saying how long.
const ThrottleWait = time.Second

// retryMost bounds what a service may ask us to wait.
const retryMost = 5 * time.Minute

// Judge is what an answer means. Without a rule that says so, nothing is final:
// what only the settings can mend is the service's fault, and an answer that is
// not understood is tried again.
func Judge(rules []Rule, status int, text string, l Leaves) Verdict {
	for _, r := range rules {
		if r.fits(status, text, l) {
			return r.verdict
		}
	}
	return Usual(status)
}

// Usual is what a status means when no rule speaks of it.
func Usual(status int) Verdict {
	switch {
	case status >= 200 && status < 300:
		return Later // the rules say what a success is, and this is not one
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return Throttled
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		return Auth
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return Suspended
	case status >= 300 && status < 400, status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone,
		status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return Down
	}
	return Later
}

// RetryAfter reads the header of RFC 9110 § 10.2.3, in seconds or as a date,
// five minutes at most.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, retryMost)
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return min(at.Sub(now), retryMost)
	}
	return ThrottleWait
}
