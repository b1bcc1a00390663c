package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/smpp"
)

// outcomeOf maps a command_status to the truth about the message. What only
// the configuration can mend is the gateway's fault, not the message's: refusing
// thousands of people for a wrong sender would lose the alert.
func outcomeOf(s smpp.Status) channels.Outcome {
	out := channels.Outcome{Detail: s.String()}
	switch s {
	case smpp.StatusOK:
		return channels.Outcome{State: channels.Accepted}
	case smpp.StatusThrottled, smpp.StatusQueueFull:
		out.State, out.Reason = channels.Retry, channels.ReasonThrottled
	case smpp.StatusInvalidDestination:
		out.State, out.Reason = channels.Refused, channels.ReasonInvalidAddress
	case smpp.StatusInvalidExpiry:
		out.State, out.Reason = channels.Refused, channels.ReasonExpired
	case smpp.StatusInvalidMsgLength, smpp.StatusInvalidCmdLength, smpp.StatusInvalidPriority, smpp.StatusInvalidRegDelivery,
		smpp.StatusInvalidESMClass, smpp.StatusInvalidReplaceFlag, smpp.StatusInvalidSchedule, smpp.StatusInvalidDefaultMsg,
		smpp.StatusReceiverPermanent, smpp.StatusReceiverReject, smpp.StatusInvalidTLVStream, smpp.StatusTLVNotAllowed,
		smpp.StatusInvalidTLVLength, smpp.StatusMissingTLV, smpp.StatusInvalidTLVValue, smpp.StatusInvalidSubmitRep,
		smpp.StatusInvalidNumDests, smpp.StatusInvalidListName, smpp.StatusInvalidDestFlag, smpp.StatusCannotSubmitList,
		smpp.StatusInvalidNumMsgs, smpp.StatusInvalidMessageID, smpp.StatusCancelFailed, smpp.StatusReplaceFailed, smpp.StatusQueryFailed:
		out.State, out.Reason = channels.Refused, channels.ReasonRejected
	case smpp.StatusInvalidPassword, smpp.StatusInvalidSystemID, smpp.StatusBindFailed:
		out.State, out.Reason, out.GatewayDown = channels.Retry, channels.ReasonAuth, true
	case smpp.StatusInvalidBindStatus, smpp.StatusAlreadyBound, smpp.StatusInvalidCommand, smpp.StatusInvalidSource,
		smpp.StatusInvalidSourceTON, smpp.StatusInvalidSourceNPI, smpp.StatusInvalidDestTON, smpp.StatusInvalidDestNPI,
		smpp.StatusInvalidSystemType, smpp.StatusInvalidServiceType:
		out.State, out.Reason, out.GatewayDown = channels.Retry, channels.ReasonPeerError, true
	default:
		// SystemError, SubmitFailed, ReceiverTemporary, DeliveryFailure,
		// UnknownError, and the codes operators invent: nothing says "never".
		out.State, out.Reason = channels.Retry, channels.ReasonPeerError
	}
	return out
}

// failureOf maps a Submit that got no answer.
func failureOf(err error) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error()}
	fe, tooLong := errors.AsType[*smpp.FieldError](err)
	switch {
	case tooLong:
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: fe.Error()}
	case errors.Is(err, ErrLost):
		out.Uncertain, out.GatewayDown = true, true
	case errors.Is(err, ErrNoAnswer):
		out.Uncertain, out.Reason = true, channels.ReasonTimeout
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		out.Reason = channels.ReasonTimeout
	default:
		out.GatewayDown = true
	}
	return out
}

// reasonOf is why a session could not be opened or ended.
func reasonOf(err error) channels.Reason {
	be, refused := errors.AsType[*BindError](err)
	switch {
	case refused && outcomeOf(be.Status).Reason == channels.ReasonAuth:
		return channels.ReasonAuth
	case refused:
		return channels.ReasonPeerError
	case errors.Is(err, ErrNoAnswer):
		return channels.ReasonTimeout
	default:
		return channels.ReasonUnreachable
	}
}

// faultOf says in one sentence why Check failed.
func faultOf(err error, address string) error {
	be, refused := errors.AsType[*BindError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, clear := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case refused && outcomeOf(be.Status).Reason == channels.ReasonAuth:
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.auth", "address", address)
	case refused:
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.bind_refused", "address", address, "status", be.Status.String())
	case untrusted:
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.certificate", "address", address)
	case clear:
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.not_tls", "address", address)
	case errors.Is(err, ErrNoAnswer):
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.silent", "address", address)
	case errors.Is(err, ErrLost):
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.closed", "address", address)
	default:
		return fault.Wrap(err, fault.Unavailable, "channels.smpp.unreachable", "address", address)
	}
}

// fieldFault turns a field the protocol cannot hold into a fault at its setting.
func fieldFault(err error) error {
	fe, ok := errors.AsType[*smpp.FieldError](err)
	if !ok {
		return err
	}
	setting := fe.Field
	if setting == "source_addr" {
		setting = "source"
	}
	return fault.Wrap(err, fault.Invalid, "channels.smpp.too_long", "max", max(fe.Max, 0)).At(setting)
}

// receiptOf maps what the gateway says later. ACCEPTD is final on paper, but
// gateways send it when their operator takes the message: a final one follows.
func receiptOf(r smpp.Receipt, m *smpp.Message, at time.Time) channels.Receipt {
	out := channels.Receipt{
		Delivered: r.State == smpp.StateDelivered,
		Final:     r.State.Final() && r.State != smpp.StateAccepted,
		Detail:    "stat:" + r.State.String() + " err:" + r.Error,
		At:        at,
	}
	if r.Done != "" {
		out.Detail += " done:" + r.Done
	}
	switch r.State {
	case smpp.StateExpired:
		out.Reason = channels.ReasonExpired
	case smpp.StateUndeliverable, smpp.StateRejected, smpp.StateDeleted:
		out.Reason = networkReason(m)
	case smpp.StateUnknown:
		out.Reason = channels.ReasonPeerError
	case smpp.StateDelivered, smpp.StateEnroute, smpp.StateAccepted, smpp.StateNone:
	}
	return out
}

// networkReason reads network_error_code when it speaks of GSM (TS 29.002):
// unknown or unidentified subscriber, call barred.
func networkReason(m *smpp.Message) channels.Reason {
	code, ok := m.TLVs.Get(smpp.TagNetworkErrorCode)
	if !ok || len(code) != 3 || code[0] != 3 || code[1] != 0 {
		return channels.ReasonRejected
	}
	switch code[2] {
	case 1, 5:
		return channels.ReasonInvalidAddress
	case 13:
		return channels.ReasonBlocked
	}
	return channels.ReasonRejected
}
