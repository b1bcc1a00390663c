package voice

import (
	"context"
	"crypto/tls"
	"errors"
	"strconv"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// congestionWait is how long a number that the network had no way for waits.
const congestionWait = 20 * time.Second

// outcomeOf is what a final answer of the trunk says of the person or of the
// trunk. Only what a response says of the number itself is final: refusing
// thousands of people for a caller id that the operator does not know would lose
// the alert.
func outcomeOf(status int) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Detail: "SIP " + strconv.Itoa(status)}
	switch status {
	case 486, 600:
		out.Reason = channels.ReasonBusy
	case 408, 480, 487:
		out.Reason = channels.ReasonNoAnswer
	case 603, 607, 608:
		out.State, out.Reason = channels.Refused, channels.ReasonDeclined
	case 404, 410, 414, 484, 485, 604:
		out.State, out.Reason = channels.Refused, channels.ReasonInvalidAddress
	case 401, 407:
		out.Reason, out.GatewayDown = channels.ReasonAuth, true
	case 500, 502, 503, 504:
		out.Reason, out.RetryAfter, out.Alone = channels.ReasonCongestion, congestionWait, true
	default:
		out.Reason = channels.ReasonPeerError
	}
	return out
}

// aboutTrunk tells an outcome that may be the trunk's fault: one may be a number's
// own, several in a row are the trunk's.
func aboutTrunk(o channels.Outcome) bool {
	return o.Reason == channels.ReasonCongestion || o.Reason == channels.ReasonPeerError
}

// strikes is how many calls in a row the trunk may refuse before another one is tried.
const strikes = 5

// faultOf says in one sentence why the trunk cannot be used.
func faultOf(err error, address string) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, clear := errors.AsType[tls.RecordHeaderError](err)
	refused, answered := errors.AsType[*statusError](err)
	key := "channels.sip.unreachable"
	args := []any{"address", address}
	switch {
	case errors.Is(err, errSpeech):
		return fault.Wrap(err, fault.Unavailable, "channels.sip.speech")
	case answered && (refused.status == 401 || refused.status == 407 || refused.status == 403):
		key = "channels.sip.auth"
	case answered:
		key, args = "channels.sip.refused", append(args, "status", refused.status)
	case untrusted:
		key = "channels.sip.certificate"
	case clear:
		key = "channels.sip.not_tls"
	case errors.Is(err, context.DeadlineExceeded):
		key = "channels.sip.silent"
	}
	return fault.Wrap(err, fault.Unavailable, key, args...)
}

// reasonOf is why the trunk is not up.
func reasonOf(err error) channels.Reason {
	refused, answered := errors.AsType[*statusError](err)
	switch {
	case answered && (refused.status == 401 || refused.status == 407 || refused.status == 403):
		return channels.ReasonAuth
	case answered:
		return channels.ReasonPeerError
	case errors.Is(err, context.DeadlineExceeded):
		return channels.ReasonTimeout
	}
	return channels.ReasonUnreachable
}

// statusError is a final response that is not a success.
type statusError struct{ status int }

func (e *statusError) Error() string { return "the trunk answered " + strconv.Itoa(e.status) }
