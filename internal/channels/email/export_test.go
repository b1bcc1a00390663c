package email

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// The parser is tested through these: its own types stay inside.

// News is what a message was taken for.
type News struct {
	Sort    string
	Receipt *channels.Receipt
	Reply   *channels.Reply
}

// Parse parses a message that came to address from sender; false when the
// address is none of ours.
func Parse(raw []byte, sender, address, domain string, at time.Time) (News, bool) {
	to, ok := parseInbound(address, domain)
	if !ok {
		return News{}, false
	}
	n := parse(raw, envelope{sender: sender, to: to, domain: domain, at: at})
	return News{string(n.sort), n.receipt, n.reply}, true
}

// Reason is the reason read in an SMTP answer.
func Reason(code int, enhanced, text string) channels.Reason {
	return status{code, enhanced, text}.reason()
}

// BounceAddress is the return address of a delivery.
func BounceAddress(id uuid.UUID, domain string) string { return bounceAddress(id, domain) }

// ParseAddress is the check of a recipient.
func ParseAddress(s string) (string, error) { return parseAddress(s) }

// HTMLText is what a person reads of an HTML mail.
func HTMLText(s string) string { return htmlText(s) }
