package email

import (
	"regexp"
	"strings"

	"tocsin/internal/channels"
)

// status is what a mail system says about a message: an SMTP reply (RFC 5321),
// an enhanced code (RFC 3463) and a text. Any of them may be missing.
type status struct {
	code     int
	enhanced string
	text     string
}

// permanent tells whether the peer says never rather than later.
func (s status) permanent() bool {
	if s.code != 0 {
		return s.code/100 == 5
	}
	return strings.HasPrefix(s.enhanced, "5")
}

// reason translates to the closed list: the enhanced code first, then the
// words, then the bare code, from the most to the least precise.
func (s status) reason() channels.Reason {
	if r := enhancedReason(s.enhanced); r != channels.ReasonNone {
		return r
	}
	if r := wordsReason(s.text); r != channels.ReasonNone {
		return r
	}
	switch s.code {
	case 421:
		return channels.ReasonThrottled
	case 530, 534, 535, 538:
		return channels.ReasonAuth
	case 550, 551, 553:
		return channels.ReasonInvalidAddress
	case 552:
		return channels.ReasonMailboxFull
	}
	if s.permanent() {
		return channels.ReasonRejected
	}
	return channels.ReasonPeerError
}

// enhancedReason reads "c.s.d". Codes that real servers use for everything
// (x.0.0, 5.5.0) say nothing: the words are better.
func enhancedReason(enhanced string) channels.Reason {
	class, rest, found := strings.Cut(enhanced, ".")
	if !found {
		return channels.ReasonNone
	}
	switch rest {
	case "1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1":
		return channels.ReasonInvalidAddress
	case "2.2":
		return channels.ReasonMailboxFull
	case "1.7", "1.8", "2.3", "3.4":
		return channels.ReasonRejected
	case "3.2", "4.5":
		return channels.ReasonThrottled
	case "7.8", "7.9", "7.11":
		return channels.ReasonAuth
	case "0.0", "5.0", "2.0", "3.0":
		return channels.ReasonNone
	}
	subject, _, _ := strings.Cut(rest, ".")
	switch {
	case subject == "4":
		return channels.ReasonUnreachable
	case subject == "7" && class == "4":
		// 4.7.x is grey-listing or a limit of the peer: it passes later.
		return channels.ReasonThrottled
	case subject == "7":
		return channels.ReasonPolicy
	case subject == "6" && class == "5":
		return channels.ReasonRejected
	}
	return channels.ReasonNone
}

// wordsReason reads what servers and providers write, in English and in
// French, without accents and in lower case.
func wordsReason(text string) channels.Reason {
	folded := fold(text)
	for _, w := range reasonWords() {
		for _, word := range w.words {
			if strings.Contains(folded, word) {
				return w.reason
			}
		}
	}
	return channels.ReasonNone
}

type reasonWord struct {
	reason channels.Reason
	words  []string
}

func reasonWords() []reasonWord {
	return []reasonWord{
		{channels.ReasonMailboxFull, []string{
			"mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "exceeded quota", "quota has been exceeded",
			"insufficient storage", "mailbox size limit", "exceeds the quota", "boite pleine", "boite aux lettres pleine",
			"boite de reception est pleine", "boite aux lettres est pleine", "quota depasse",
		}},
		{channels.ReasonInvalidAddress, []string{
			"user unknown", "unknown user", "no such user", "no such recipient", "unknown recipient", "recipient unknown",
			"user not found", "recipient not found", "mailbox not found", "no mailbox here", "mailbox unavailable", "unknown mailbox",
			"does not exist", "doesn't exist", "invalid recipient", "invalid mailbox", "unrouteable address", "unroutable address",
			"account is disabled", "account has been disabled", "no longer available", "host or domain name not found", "domain not found",
			"adresse introuvable", "destinataire inconnu", "utilisateur inconnu", "n'existe pas", "adresse inconnue",
		}},
		{channels.ReasonPolicy, []string{
			"spam", "blacklist", "blocklist", "blocked", "access denied", "relay access denied", "relaying denied", "not authorized",
			"message rejected", "spamhaus", "policy", "listed in", "reputation", "refuse par", "indesirable",
		}},
		{channels.ReasonThrottled, []string{
			"too many", "rate limit", "try again later", "greylist", "graylist", "throttl",
		}},
		{channels.ReasonUnreachable, []string{
			"connection timed out", "connection refused", "no route to host", "network is unreachable", "retry time not reached",
			"retry timeout exceeded", "could not be delivered for",
		}},
	}
}

var (
	enhancedPattern = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	replyPattern    = regexp.MustCompile(`(?:^|[\s:;(<])([45][0-5]\d)(?:[\s-]|$)`)
	addressPattern  = regexp.MustCompile(`[^\s<>"'(),:;=]{1,64}@[^\s<>"'(),:;]{1,253}`)
)

// scrub makes what a peer said fit for a log: no address, one line, bounded.
func scrub(s string) string {
	if len(s) > 4096 {
		s = s[:4096]
	}
	s = oneLine(addressPattern.ReplaceAllString(strings.ToValidUTF8(s, ""), "…"))
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}
