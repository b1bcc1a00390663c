package email

import (
	"bufio"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// readBounce reads a report about one of our messages: RFC 3464 first, then
// the forms that mail systems invented before it or against it.
func readBounce(p mailParts, e envelope) (channels.Receipt, bool) {
	r := channels.Receipt{MessageID: aboutDelivery(p, e), At: e.at}
	if p.hasReport {
		return readReport(p.report, r)
	}
	if p.disposition {
		return channels.Receipt{}, false
	}
	if !looksLikeBounce(p, e) {
		return channels.Receipt{}, false
	}
	text := p.plain
	if text == "" {
		text = htmlText(p.html)
	}
	s := wordedStatus(text)
	r.Reason, r.Detail = s.reason(), scrub(firstEvidence(text))
	r.Final = !isDelayNotice(p, text)
	return r, true
}

// aboutDelivery finds which message a report is about: by the return address
// it came to, else by our Message-ID in what it gives back.
func aboutDelivery(p mailParts, e envelope) uuid.UUID {
	if e.to.delivery != uuid.Nil {
		return e.to.delivery
	}
	if id := ownMessageID(headerField(p.returned, "Message-Id"), e.domain); id != uuid.Nil {
		return id
	}
	for _, name := range []string{"In-Reply-To", "References"} {
		if id := ownMessageID(p.header.Get(name), e.domain); id != uuid.Nil {
			return id
		}
	}
	// Systems older than RFC 3464 paste the message into their text.
	return ownMessageID(headerField(p.plain, "Message-Id"), e.domain)
}

// headerField finds a field at the start of a line, anywhere in a text.
func headerField(text, name string) string {
	prefix := strings.ToLower(name) + ":"
	next := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(strings.TrimLeft(line, "> \t"))
		if next && trimmed != "" {
			return trimmed
		}
		if len(trimmed) >= len(prefix) && strings.EqualFold(trimmed[:len(prefix)], prefix) {
			if value := strings.TrimSpace(trimmed[len(prefix):]); value != "" {
				return value
			}
			next = true
		}
	}
	return ""
}

// readReport reads the groups of fields of RFC 3464 §2: one about the message,
// then one for each recipient. Our messages have one recipient; when an alias
// makes several of it, the worst counts.
func readReport(report string, r channels.Receipt) (channels.Receipt, bool) {
	worst := ""
	for _, fields := range fieldGroups(report) {
		action := strings.ToLower(strings.TrimSpace(firstWord(fields.Get("Action"))))
		if action == "" && fields.Get("Final-Recipient") != "" && fields.Get("Status") != "" {
			action = actionOfStatus(fields.Get("Status"))
		}
		if rank(action) <= rank(worst) {
			continue
		}
		worst = action
		s := status{enhanced: enhancedPattern.FindString(fields.Get("Status")), text: fields.Get("Diagnostic-Code")}
		s.refine()
		r.Detail = scrub(strings.TrimSpace(s.enhanced + " " + s.text))
		r.Reason, r.Delivered, r.Final = channels.ReasonNone, action == "delivered", action == "delivered" || action == "failed"
		if action == "failed" || action == "delayed" {
			r.Reason = s.reason()
		}
	}
	if worst == "" {
		// A report without a readable recipient was still sent because
		// something failed; say so without inventing a cause.
		r.Final, r.Reason = true, channels.ReasonRejected
	}
	return r, true
}

// refine prefers the enhanced code of the remote server, inside the
// diagnostic, when the report's own says nothing ("5.0.0", "5.5.0").
func (s *status) refine() {
	if s.code == 0 {
		if m := replyPattern.FindStringSubmatch(s.text); m != nil {
			if code, err := strconv.Atoi(m[1]); err == nil {
				s.code = code
			}
		}
	}
	if enhancedReason(s.enhanced) != channels.ReasonNone {
		return
	}
	if inside := enhancedPattern.FindString(s.text); inside != "" {
		s.enhanced = inside
	}
}

func rank(action string) int {
	return 1 + slices.Index([]string{"expanded", "relayed", "delivered", "delayed", "failed"}, action)
}

func actionOfStatus(code string) string {
	switch {
	case strings.HasPrefix(strings.TrimSpace(code), "2"):
		return "delivered"
	case strings.HasPrefix(strings.TrimSpace(code), "4"):
		return "delayed"
	}
	return "failed"
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	word, _, _ = strings.Cut(word, "(")
	return word
}

// maxGroups bounds the recipients read in a report.
const maxGroups = 32

func fieldGroups(report string) []textproto.MIMEHeader {
	var groups []textproto.MIMEHeader
	current := textproto.MIMEHeader{}
	last := ""
	lines := bufio.NewScanner(strings.NewReader(report + "\n\n"))
	lines.Buffer(nil, maxTextBytes+16)
	for lines.Scan() && len(groups) < maxGroups {
		line := strings.TrimRight(lines.Text(), "\r")
		name, value, found := strings.Cut(line, ":")
		switch {
		case strings.TrimSpace(line) == "":
			if len(current) > 0 {
				groups = append(groups, current)
			}
			current, last = textproto.MIMEHeader{}, ""
		case (line[0] == ' ' || line[0] == '\t') && last != "":
			values := current[last]
			values[len(values)-1] += " " + strings.TrimSpace(line)
		case found:
			last = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			current[last] = append(current[last], strings.TrimSpace(value))
		}
	}
	return groups
}

// looksLikeBounce recognises a report without a delivery-status part.
func looksLikeBounce(p mailParts, e envelope) bool {
	if p.header.Get("X-Failed-Recipients") != "" { // Exim
		return true
	}
	if isVacation(p.header) {
		return false
	}
	folded := fold(p.plain[:min(len(p.plain), 4096)])
	if strings.Contains(folded, "this is the qmail-send program") {
		return true
	}
	subject := fold(subjectOf(p.header))
	if fromSystem(&p.header) && (containsAny(subject, bounceSubjects()) || wordedStatus(p.plain).known()) {
		return true
	}
	// Nobody but a mail system writes to a return address without a sender.
	return e.sender == "" && e.to.delivery != uuid.Nil && (containsAny(subject, bounceSubjects()) || wordedStatus(p.plain).known())
}

func fromSystem(h interface{ Get(string) string }) bool {
	list, err := netmail.ParseAddressList(h.Get("From"))
	if err != nil || len(list) == 0 {
		return strings.Contains(strings.ToLower(h.Get("From")), "mailer-daemon")
	}
	box, _, _ := strings.Cut(strings.ToLower(list[0].Address), "@")
	return containsAny(box, []string{"mailer-daemon", "postmaster", "mail-daemon", "mdaemon", "microsoftexchange"})
}

func bounceSubjects() []string {
	return []string{
		"undeliver", "delivery status notification", "delivery failure", "delivery has failed", "failure notice", "returned mail",
		"mail delivery failed", "mail delivery failure", "message delayed", "delivery delayed", "non remis", "non distribue", "echec de la remise", "echec de remise",
		"echec de distribution", "notification d'etat de remise", "non-delivery", "mail system error", "rejected:",
	}
}

func isDelayNotice(p mailParts, text string) bool {
	return containsAny(fold(subjectOf(p.header)), []string{"delayed", "retard", "differe"}) ||
		containsAny(fold(text), []string{"you do not need to resend", "will continue to be attempted", "this is a warning message only", "no action is required on your part"})
}

// known tells whether a text held anything about a failure.
func (s status) known() bool {
	return s.code != 0 || s.enhanced != "" || wordsReason(s.text) != channels.ReasonNone
}

// wordedStatus finds codes in running text. The message given back below the
// explanation is not searched: its numbers mean nothing.
func wordedStatus(text string) status {
	s := status{text: explanation(text)}
	s.enhanced = enhancedPattern.FindString(s.text)
	s.refine()
	return s
}

func explanation(text string) string {
	text = text[:min(len(text), 16<<10)]
	folded := strings.ToLower(text)
	for _, mark := range []string{"--- below this line is a copy", "------ this is a copy of", "original message", "message d'origine", "----- the header of the original"} {
		if i := strings.Index(folded, mark); i >= 0 && i < len(text) {
			text, folded = text[:i], folded[:i]
		}
	}
	return text
}

// firstEvidence is the line that says why, for the log.
func firstEvidence(text string) string {
	for line := range strings.Lines(explanation(text)) {
		if enhancedPattern.MatchString(line) || replyPattern.MatchString(line) || wordsReason(line) != channels.ReasonNone {
			return line
		}
	}
	return ""
}

func containsAny(s string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}
