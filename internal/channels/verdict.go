package channels

import (
	"strconv"
	"time"

	"tocsin/internal/wire/web"
)

// Judged is the truth about an answer of a service called by HTTP. ids are the
// identifiers it gave.
func Judged(v web.Verdict, a web.Answer, now time.Time, ids ...string) Outcome {
	out := Outcome{State: Retry, Reason: ReasonPeerError, Detail: "HTTP " + strconv.Itoa(a.Status)}
	switch v {
	case web.OK:
		return Outcome{State: Accepted, ProviderIDs: ids}
	case web.Invalid:
		out.State, out.Reason = Refused, ReasonInvalidAddress
	case web.Blocked:
		out.State, out.Reason = Refused, ReasonBlocked
	case web.Rejected:
		out.State, out.Reason = Refused, ReasonRejected
	case web.Throttled:
		out.Reason, out.RetryAfter = ReasonThrottled, web.RetryAfter(a.Header, now)
	case web.Auth:
		out.Reason, out.GatewayDown = ReasonAuth, true
	case web.Suspended:
		out.Reason, out.GatewayDown = ReasonSuspended, true
	case web.Down:
		out.GatewayDown = true
	case web.Later:
	}
	return out
}

// Unanswered is the truth about a call without an answer: one that was never
// written is the gateway's fault, one that was may have been taken.
func Unanswered(a web.Answer) Outcome {
	out := Outcome{State: Retry, Reason: ReasonUnreachable, Detail: web.WithoutAddress(a.Err), Uncertain: a.Wrote, GatewayDown: !a.Wrote}
	if a.TimedOut() {
		out.Reason = ReasonTimeout
	}
	return out
}
