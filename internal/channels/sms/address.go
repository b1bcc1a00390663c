package sms

import (
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// shortCode is the length up to which a number is one of the operator's own.
const shortCode = 8

// sourceAddress types the sender: a name, a short code or a number.
func sourceAddress(s channels.Settings) smpp.Address {
	number := strings.TrimSpace(s.Get("source"))
	ton, npi := byte(smpp.TONUnknown), byte(smpp.NPIUnknown)
	switch {
	case number == "":
	case !isNumber(number):
		ton = smpp.TONAlphanumeric
		// The sender's name travels in the default alphabet.
		if e, octets := gsm.Encode(number); e == gsm.GSM7 {
			number = string(octets)
		}
	case strings.HasPrefix(number, "+") || len(number) > shortCode:
		ton, npi = smpp.TONInternational, smpp.NPIISDN
		number = strings.TrimPrefix(number, "+")
	default:
		ton = smpp.TONShortCode
	}
	return smpp.Address{TON: byteOr(s.Get("source_ton"), ton), NPI: byteOr(s.Get("source_npi"), npi), Number: number}
}

// destination types the number a message goes to; false when it is no number.
func (c *config) destination(to string) (smpp.Address, bool) {
	if !isNumber(to) || len(to) > 20 {
		return smpp.Address{}, false
	}
	ton, npi := byte(smpp.TONUnknown), byte(smpp.NPIISDN)
	switch {
	case strings.HasPrefix(to, "+"):
		ton = smpp.TONInternational
	case len(to) <= shortCode:
		ton, npi = smpp.TONShortCode, smpp.NPIUnknown
	}
	return smpp.Address{
		TON: byteOr(c.destTON, ton), NPI: byteOr(c.destNPI, npi), Number: strings.TrimPrefix(to, "+"),
	}, true
}

// isNumber accepts digits with at most one + in front.
func isNumber(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	if digits == "" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// fromPeer writes a number received as E.164 when that is what it is. Gateways
// often leave the type unknown and the + out.
func fromPeer(a smpp.Address) string {
	n := strings.TrimSpace(a.Number)
	switch {
	case a.TON == smpp.TONAlphanumeric || !isNumber(n) || strings.HasPrefix(n, "+"):
		return n
	case strings.HasPrefix(n, "00"):
		return "+" + n[2:]
	case strings.HasPrefix(n, "0") || len(n) <= shortCode:
		return n
	case a.TON == smpp.TONInternational, a.TON == smpp.TONUnknown && len(n) >= 10:
		return "+" + n
	}
	return n
}
