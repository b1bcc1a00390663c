package email

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"os"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// slowDown is the wait asked for when the peer limits us without saying how long.
const slowDown = 5 * time.Second

// sendOutcome tells the truth about one try from what the library returned.
func sendOutcome(err error) channels.Outcome {
	if err == nil {
		return channels.Outcome{State: channels.Accepted}
	}
	e, ok := errors.AsType[*passError](err)
	if !ok {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: scrub(err.Error())}
	}
	detail := scrub(e.Error())
	a := e.answer()
	if a == nil {
		return brokenOutcome(e.step, detail)
	}
	return answeredOutcome(e.step, status{code: a.Code, enhanced: enhancedPattern.FindString(a.Msg), text: detail}, detail)
}

// brokenOutcome is for errors without an answer: the network, mostly. Only a break
// after the final dot leaves a doubt: before it, the relay may not deliver (RFC 5321
// §4.1.1.4).
func brokenOutcome(at step, detail string) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: detail}
	switch at {
	case stepEnd:
		out.Reason, out.Uncertain = channels.ReasonTimeout, true
	case stepWrite:
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: detail}
	}
	return out
}

// answeredOutcome is for errors with an SMTP code.
func answeredOutcome(at step, s status, detail string) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: s.reason(), Detail: detail}
	if out.Reason == channels.ReasonThrottled {
		out.RetryAfter = slowDown
	}
	switch {
	case out.Reason == channels.ReasonAuth:
		out.GatewayDown = true
	case at == stepSender && s.permanent():
		// The relay does not want our sender: that is true of every message.
		out.Reason, out.GatewayDown = channels.ReasonPolicy, true
	case s.permanent():
		out.State = channels.Refused
	}
	return out
}

// dialOutcome is for a connection that could not be opened: nothing left, and
// no other message will pass either.
func dialOutcome(err error) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: dialReason(err), Detail: scrub(err.Error()), GatewayDown: true}
	if out.Reason == channels.ReasonThrottled {
		// Too many connections: those already open still carry messages.
		out.GatewayDown, out.RetryAfter = false, slowDown
	}
	if errors.Is(err, context.Canceled) {
		out.GatewayDown = false
	}
	return out
}

func dialReason(err error) channels.Reason {
	if isAuthError(err) {
		return channels.ReasonAuth
	}
	answer, ok := errors.AsType[*textproto.Error](err)
	switch {
	case !ok:
		return channels.ReasonUnreachable
	case answer.Code == 421:
		return channels.ReasonThrottled
	case answer.Code/100 == 5:
		return channels.ReasonPolicy
	}
	return channels.ReasonPeerError
}

// isAuthError recognises a refusal of our credentials, or of the very idea of
// authenticating. A 4xx to AUTH is an illness of the relay, not a refusal.
func isAuthError(err error) bool {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		s := status{code: answer.Code, enhanced: enhancedPattern.FindString(answer.Msg)}
		return s.permanent() && (s.reason() == channels.ReasonAuth || strings.Contains(err.Error(), "SMTP AUTH"))
	}
	return strings.Contains(err.Error(), "SMTP AUTH") || errors.Is(err, mail.ErrNoSupportedAuthDiscovered) ||
		errors.Is(err, mail.ErrPlainAuthNotSupported) || errors.Is(err, mail.ErrLoginAuthNotSupported)
}

// checkFault says in one sentence why a relay cannot be used.
func checkFault(c config, err error) error {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isAuthError(err):
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.auth", "host", c.host)
	case errors.Is(err, errPin):
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.pin", "host", c.host)
	case isTLSError(err):
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.tls", "host", c.host)
	case isDNS && dns.IsNotFound:
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.name", "host", c.host)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.timeout", "host", c.host, "port", c.port)
	}
	if _, answered := errors.AsType[*textproto.Error](err); answered {
		return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.refused", "host", c.host)
	}
	return fault.Wrap(err, fault.Unavailable, "channels.smtp.check.unreachable", "host", c.host, "port", c.port)
}

func isTLSError(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "STARTTLS")
}
