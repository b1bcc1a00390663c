package sms

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/smpp"
)

func TestEveryStatusHasItsOutcome(t *testing.T) {
	t.Parallel()
	retry, refused := channels.Retry, channels.Refused
	for status, want := range map[smpp.Status]channels.Outcome{
		smpp.StatusThrottled:          {State: retry, Reason: channels.ReasonThrottled},
		smpp.StatusQueueFull:          {State: retry, Reason: channels.ReasonThrottled},
		smpp.StatusInvalidDestination: {State: refused, Reason: channels.ReasonInvalidAddress},
		smpp.StatusInvalidExpiry:      {State: refused, Reason: channels.ReasonExpired},
		smpp.StatusInvalidMsgLength:   {State: refused, Reason: channels.ReasonRejected},
		smpp.StatusReceiverReject:     {State: refused, Reason: channels.ReasonRejected},
		smpp.StatusReceiverTemporary:  {State: retry, Reason: channels.ReasonPeerError},
		smpp.StatusSubmitFailed:       {State: retry, Reason: channels.ReasonPeerError},
		smpp.StatusSystemError:        {State: retry, Reason: channels.ReasonPeerError},
		smpp.StatusUnknownError:       {State: retry, Reason: channels.ReasonPeerError},
		smpp.Status(0x4FF):            {State: retry, Reason: channels.ReasonPeerError},
		smpp.StatusInvalidSource:      {State: retry, Reason: channels.ReasonPeerError, GatewayDown: true},
		smpp.StatusInvalidBindStatus:  {State: retry, Reason: channels.ReasonPeerError, GatewayDown: true},
		smpp.StatusInvalidSystemID:    {State: retry, Reason: channels.ReasonAuth, GatewayDown: true},
		smpp.StatusInvalidPassword:    {State: retry, Reason: channels.ReasonAuth, GatewayDown: true},
	} {
		got := outcomeOf(status)
		if got.State != want.State || got.Reason != want.Reason || got.GatewayDown != want.GatewayDown || got.Detail == "" || got.Uncertain {
			t.Errorf("%s: got %+v", status, got)
		}
	}
	for status := smpp.StatusInvalidMsgLength; status < 0x500; status++ {
		if got := outcomeOf(status); got.State == channels.Accepted || got.Reason == channels.ReasonNone {
			t.Errorf("%s is taken for a success: %+v", status, got)
		}
	}
	if got := outcomeOf(smpp.StatusOK); got.State != channels.Accepted || got.Reason != channels.ReasonNone {
		t.Errorf("OK: %+v", got)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want channels.Outcome
	}{
		"lost":        {ErrLost, channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Uncertain: true, GatewayDown: true}},
		"no answer":   {ErrNoAnswer, channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Uncertain: true}},
		"caller gone": {fmt.Errorf("%w: %w", ErrNoAnswer, context.Canceled), channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Uncertain: true}},
		"window full": {fmt.Errorf("%w: %w", ErrNotSent, context.DeadlineExceeded), channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout}},
		"not sent":    {ErrNotSent, channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, GatewayDown: true}},
		"bad field":   {fmt.Errorf("%w: %w", ErrNotSent, &smpp.FieldError{Field: "destination_addr", Max: 20}), channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected}},
	} {
		got := failureOf(c.err)
		got.Detail = ""
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestReceiptStates(t *testing.T) {
	t.Parallel()
	network := func(octets string) smpp.TLVs { return smpp.TLVs{{Tag: smpp.TagNetworkErrorCode, Value: octets}} }
	for name, c := range map[string]struct {
		state            smpp.MessageState
		tlvs             smpp.TLVs
		delivered, final bool
		reason           channels.Reason
	}{
		"delivered":       {smpp.StateDelivered, nil, true, true, channels.ReasonNone},
		"on its way":      {smpp.StateEnroute, nil, false, false, channels.ReasonNone},
		"accepted":        {smpp.StateAccepted, nil, false, false, channels.ReasonNone},
		"expired":         {smpp.StateExpired, nil, false, true, channels.ReasonExpired},
		"undeliverable":   {smpp.StateUndeliverable, nil, false, true, channels.ReasonRejected},
		"rejected":        {smpp.StateRejected, nil, false, true, channels.ReasonRejected},
		"deleted":         {smpp.StateDeleted, nil, false, true, channels.ReasonRejected},
		"unknown":         {smpp.StateUnknown, nil, false, true, channels.ReasonPeerError},
		"no such number":  {smpp.StateUndeliverable, network("\x03\x00\x01"), false, true, channels.ReasonInvalidAddress},
		"call barred":     {smpp.StateUndeliverable, network("\x03\x00\x0d"), false, true, channels.ReasonBlocked},
		"another network": {smpp.StateUndeliverable, network("\x01\x00\x01"), false, true, channels.ReasonRejected},
	} {
		at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
		got := receiptOf(smpp.Receipt{State: c.state, Done: "2611220300"}, &smpp.Message{TLVs: c.tlvs}, at)
		if got.Delivered != c.delivered || got.Final != c.final || got.Reason != c.reason || !got.At.Equal(at) || !strings.Contains(got.Detail, "2611220300") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		coding       byte
		octets, want string
	}{
		{0x00, "\x05t\x05 \x1b\x65", "été €"},
		{0x01, "OUI", "OUI"},
		{0x03, "\xe7a", "ça"},
		{0x04, "OUI", "OUI"},
		{0x08, "\x00O\x00K", "OK"},
		{0x18, "\x00O\x00K", "OK"},
		{0xE0, "\x00O\x00K", "OK"},
		{0x11, "\x05", "é"},
		{0xF1, "\x05", "é"},
		{0xF5, "\xe9", "é"},
		{0x00, "1\r\n", "1"},
		{0x03, "a\x00b", "ab"},
	} {
		if got := decode(c.coding, c.octets); got != c.want {
			t.Errorf("%#x %q: got %q, want %q", c.coding, c.octets, got, c.want)
		}
	}
}

func TestNumbersFromThePeer(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]smpp.Address{
		"+33639980001": {TON: smpp.TONInternational, Number: "33639980001"},
		"+33639980002": {Number: "33639980002"},
		"+33639980003": {Number: "+33639980003"},
		"+33639980004": {Number: "0033639980004"},
		"0639980005":   {TON: smpp.TONNational, Number: "0639980005"},
		"36000":        {TON: smpp.TONShortCode, Number: "36000"},
		"CHU":          {TON: smpp.TONAlphanumeric, Number: "CHU"},
		"3363998000":   {TON: smpp.TONNational, Number: "3363998000"},
	} {
		if got := fromPeer(a); got != want {
			t.Errorf("%+v: got %q, want %q", a, got, want)
		}
	}
}

func TestConcurrencyFollowsTheSettings(t *testing.T) {
	t.Parallel()
	for want, s := range map[int]channels.Settings{
		50: {"binds": "1", "window": "50", "rate": "0"},
		40: {"binds": "4", "window": "10", "rate": "1000"},
		20: {"binds": "4", "window": "50", "rate": "10"},
		2:  {"binds": "1", "window": "50", "rate": "1"},
	} {
		if got := concurrency(s); got != want {
			t.Errorf("%v: got %d, want %d", s, got, want)
		}
	}
}
