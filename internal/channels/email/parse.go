package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// The limits of a message's structure: real mail is far below.
const (
	maxDepth       = 8
	maxParts       = 64
	maxHeaderBytes = 128 << 10
	maxTextBytes   = 128 << 10
)

// envelope is what surrounds a message: it is more trustworthy than its headers.
type envelope struct {
	sender string
	to     inbound
	domain string
	at     time.Time
}

// sort is what a message turned out to be.
type sort string

const (
	sortBounce    sort = "bounce"
	sortAutoReply sort = "auto_reply"
	sortReply     sort = "reply"
	sortUnknown   sort = "unknown"
)

// news is what a message tells us: at most one receipt or one reply.
type news struct {
	sort    sort
	receipt *channels.Receipt
	reply   *channels.Reply
}

// mailParts is a message taken apart: what matters here, within the limits.
type mailParts struct {
	header message.Header
	// plain and html are the first parts of their sort that are not attachments.
	plain, html string
	// report is the body of a delivery-status part; hasReport tells an empty one from none.
	report    string
	hasReport bool
	// disposition is true for a read receipt (RFC 8098).
	disposition bool
	// returned is the header of the message a bounce gives back.
	returned string
	parts    int
}

// parse says what a message is. raw may be cut at any byte, and may be
// anything at all: it comes from outside.
func parse(raw []byte, e envelope) news {
	p := takeApart(raw)
	if b, ok := readBounce(p, e); ok {
		if b.MessageID == uuid.Nil {
			return news{sort: sortUnknown}
		}
		return news{sort: sortBounce, receipt: &b}
	}
	if isAutomatic(p, e) {
		return news{sort: sortAutoReply, receipt: proofOfDelivery(p, e)}
	}
	if e.sender == "" && e.to.token == "" {
		// A report in words we do not know, about one of our messages: not enough
		// to say that it failed.
		return news{sort: sortUnknown}
	}
	return news{sort: sortReply, reply: readReply(p, raw, e)}
}

func readReply(p mailParts, raw []byte, e envelope) *channels.Reply {
	return &channels.Reply{
		PeerID: peerID(p, raw, e.to.address), From: sender(p, e), To: e.to.address, Token: e.to.token,
		Text: replyText(p), At: e.at,
	}
}

// sender is the address in From, or the envelope's.
func sender(p mailParts, e envelope) string {
	if list, err := netmail.ParseAddressList(p.header.Get("From")); err == nil && len(list) > 0 && len(list[0].Address) <= 254 {
		return oneLine(strings.ToValidUTF8(list[0].Address, ""))
	}
	return oneLine(strings.ToValidUTF8(e.sender, ""))
}

// peerID is the same when the same mail is handed over twice, and differs for
// each recipient of one mail.
func peerID(p mailParts, raw []byte, to string) string {
	h := sha256.New()
	h.Write([]byte(strings.ToLower(to) + "\x00"))
	if id := strings.TrimSpace(p.header.Get("Message-Id")); id != "" {
		h.Write([]byte(id))
	} else {
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// takeApart reads as much of a message as can be read; what cannot be is left out.
func takeApart(raw []byte) mailParts {
	var p mailParts
	entity, err := message.ReadWithOptions(bytes.NewReader(raw), &message.ReadOptions{MaxHeaderBytes: maxHeaderBytes})
	if entity == nil {
		// A header that cannot be read: the text below it may still be an answer.
		if err != nil {
			p.plain = decodeText(afterHeader(raw))
		}
		return p
	}
	p.header = entity.Header
	p.walk(entity, 0)
	return p
}

func afterHeader(raw []byte) []byte {
	for _, gap := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(raw, []byte(gap)); i >= 0 {
			raw = raw[i+len(gap):]
			break
		}
	}
	return raw[:min(len(raw), maxTextBytes)]
}

func (p *mailParts) walk(e *message.Entity, depth int) {
	p.parts++
	if depth > maxDepth || p.parts > maxParts {
		return
	}
	kind, _, err := e.Header.ContentType()
	if err != nil && kind == "" {
		kind = "text/plain"
	}
	if multi := e.MultipartReader(); multi != nil {
		for p.parts <= maxParts {
			part, err := multi.NextPart()
			// An unknown charset comes with a part that can still be read; any
			// other error, the end included, comes with none.
			if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			p.walk(part, depth+1)
		}
		return
	}
	p.leaf(strings.ToLower(kind), e)
}

func (p *mailParts) leaf(kind string, e *message.Entity) {
	disposition, _, err := e.Header.ContentDisposition()
	attached := err == nil && strings.EqualFold(disposition, "attachment")
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		p.report, p.hasReport = readText(e.Body), true
	case "message/disposition-notification", "message/global-disposition-notification":
		p.disposition = true
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/rfc822-headers":
		if p.returned == "" {
			p.returned = readText(e.Body)
		}
	case "text/html":
		if p.html == "" && !attached {
			p.html = readText(e.Body)
		}
	case "text/plain", "":
		if p.plain == "" && !attached {
			p.plain = readText(e.Body)
		}
	}
}

// readText reads a bounded part; a part cut in the middle of its encoding
// gives what was readable.
func readText(r io.Reader) string {
	body, err := io.ReadAll(io.LimitReader(r, maxTextBytes))
	if err != nil && len(body) == 0 {
		return ""
	}
	return decodeText(body)
}
