package email

import (
	"encoding/hex"
	"errors"
	netmail "net/mail"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/net/idna"
)

// The local parts of the addresses we receive at. They are seen by people in
// their mail program, so they say what they are in French.
const (
	replyBox  = "reponse"
	bounceBox = "rebond"
)

var (
	errAddress = errors.New("not a mail address")
	errDomain  = errors.New("not a domain name")
)

// parseAddress returns the address alone, its domain in ASCII. It refuses
// everything that could become a second address or a header line, and local
// parts outside ASCII (RFC 6531 is not carried end to end by real relays).
func parseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", errAddress
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || strings.ContainsAny(s, `<>",;()[]\`) {
		return "", errAddress
	}
	domain, err := parseDomain(s[at+1:])
	if err != nil || domain == "" {
		return "", errAddress
	}
	address := s[:at] + "@" + domain
	if strings.ContainsFunc(address, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "", errAddress
	}
	if parsed, err := netmail.ParseAddress(address); err != nil || parsed.Address != address {
		return "", errAddress
	}
	return address, nil
}

// parseDomain returns a domain in lower-case ASCII; empty stays empty.
func parseDomain(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".")
	if s == "" {
		return "", nil
	}
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil {
		return "", errors.Join(errDomain, err)
	}
	if len(ascii) > 253 || strings.ContainsFunc(ascii, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}) {
		return "", errDomain
	}
	return ascii, nil
}

// validToken tells whether s can be a ReplyToken: 10 to 32 of [a-z0-9].
func validToken(s string) bool {
	if len(s) < 10 || len(s) > 32 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func replyAddress(token, domain string) string { return replyBox + "+" + token + "@" + domain }

func bounceAddress(id uuid.UUID, domain string) string {
	return bounceBox + "+" + hex.EncodeToString(id[:]) + "@" + domain
}

// inbound is what one of our own addresses says.
type inbound struct {
	// address is the recipient as the peer wrote it.
	address string
	// token is set for an answer address, delivery for a return address.
	token    string
	delivery uuid.UUID
}

// parseInbound recognises an address of ours; false for any other. Mail
// programs change the case, so case does not count.
func parseInbound(address, domain string) (inbound, bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || !strings.EqualFold(strings.TrimSuffix(address[at+1:], "."), domain) {
		return inbound{}, false
	}
	box, tag, found := strings.Cut(strings.ToLower(address[:at]), "+")
	switch {
	case !found:
		return inbound{}, false
	case box == replyBox && validToken(tag):
		return inbound{address: address, token: tag}, true
	case box == bounceBox && len(tag) == 32:
		raw, err := hex.DecodeString(tag)
		if err != nil {
			return inbound{}, false
		}
		id, err := uuid.FromBytes(raw)
		if err != nil {
			return inbound{}, false
		}
		return inbound{address: address, delivery: id}, true
	}
	return inbound{}, false
}

func messageID(id uuid.UUID, domain string) string { return id.String() + "@" + domain }

// ownMessageID finds the delivery in a Message-ID, In-Reply-To or References
// field that we wrote; uuid.Nil when there is none.
func ownMessageID(field, domain string) uuid.UUID {
	for _, word := range strings.FieldsFunc(field, func(r rune) bool { return r == '<' || r == '>' || unicode.IsSpace(r) || r == ',' }) {
		left, right, found := strings.Cut(word, "@")
		if !found || !strings.EqualFold(right, domain) || len(left) != 36 {
			continue
		}
		if id, err := uuid.Parse(left); err == nil {
			return id
		}
	}
	return uuid.Nil
}

// oneLine makes a text safe for a header: no control character, no line
// separator, no invisible direction sign.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
