package email

import (
	"regexp"
	"strings"
)

// maxReply is the longest answer kept, in characters.
const maxReply = 2000

// replyText is what the person typed: above the quoted original, above the
// signature. Somebody who answers below the original is read too.
func replyText(p mailParts) string {
	text := p.plain
	if strings.TrimSpace(text) == "" {
		text = htmlText(p.html)
	}
	typed := aboveQuote(text)
	if typed == "" {
		typed = belowQuote(text)
	}
	if r := []rune(typed); len(r) > maxReply {
		typed = string(r[:maxReply])
	}
	return typed
}

// maxReplyLines bounds the lines looked at: an answer is at the top.
const maxReplyLines = 2000

func replyLines(text string) []string {
	lines := strings.SplitN(normalise(text), "\n", maxReplyLines+1)
	lines = lines[:min(len(lines), maxReplyLines)]
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.Map(dropInvisible, line))
	}
	return lines
}

func dropInvisible(r rune) rune {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\ufeff', '\u2060', '\u00ad':
		return -1
	case '\u00a0', '\u202f':
		return ' '
	}
	return r
}

func aboveQuote(text string) string {
	lines := replyLines(text)
	for i := range lines {
		if startsQuote(lines, i) || isSignature(lines[i]) {
			return joined(lines[:i])
		}
	}
	return joined(lines)
}

// belowQuote reads an answer typed under the original: the lines that are
// neither quoted nor the sentence that announces the quotation.
func belowQuote(text string) string {
	lines := replyLines(text)
	seen := false
	var typed []string
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, ">"):
			seen = true
		case isSignature(line):
			return joined(typed)
		case seen && !startsQuote(lines, i):
			typed = append(typed, line)
		}
	}
	return joined(typed)
}

func joined(lines []string) string { return strings.TrimSpace(strings.Join(lines, "\n")) }

var (
	// "Le 3 mai 2026 à 08:12, CH de Valmont <…> a écrit :", "On Tue, … wrote:".
	attribution = regexp.MustCompile(`^(le|on|am|el|il)\b.{0,400}\b(a ecrit|wrote|schrieb|escribio|ha scritto)\s*:$`)
	separator   = regexp.MustCompile(`^[-_]{2,}\s*(message d'origine|message original|original message|message transfere|forwarded message|courriel original|message initial|mail original)\s*[-_]{2,}`)
	underline   = regexp.MustCompile(`^_{10,}$`)
	// The block of headers that Outlook puts above what it quotes.
	quotedFrom = regexp.MustCompile(`^[*]?(de|from|von|expediteur)\s*:[*]?\s*\S`)
	quotedDate = regexp.MustCompile(`^[*]?(envoye|sent|date|gesendet|a|to|objet|subject)\s*:[*]?\s*\S`)
	// What telephones and providers add by themselves.
	signature = regexp.MustCompile(`^(envoye (de|depuis|a partir d[eu]|avec|via) (mon|ma|la messagerie|l.appli|outlook|yahoo|proton|gmail|samsung|courrier)|sent (from|with|via) (my|an?|outlook|yahoo|proton|gmail|samsung|mail)|telecharge[rz] outlook|get outlook for|obten(ez|ir) outlook|provenance : courrier|gesendet von mein)`)
)

func startsQuote(lines []string, i int) bool {
	line := fold(lines[i])
	switch {
	case strings.HasPrefix(line, ">"), separator.MatchString(line), attribution.MatchString(line):
		return true
	case underline.MatchString(line):
		return i+1 < len(lines) && nextMatches(lines, i, quotedFrom)
	case quotedFrom.MatchString(line):
		return nextMatches(lines, i, quotedDate)
	}
	// Mail programs fold a long attribution over two or three lines.
	if strings.HasPrefix(line, "le ") || strings.HasPrefix(line, "on ") {
		for n := 2; n <= 3 && i+n <= len(lines); n++ {
			if attribution.MatchString(fold(strings.Join(lines[i:i+n], " "))) {
				return true
			}
		}
	}
	return false
}

// nextMatches looks at the next line that is not empty.
func nextMatches(lines []string, i int, pattern *regexp.Regexp) bool {
	for _, line := range lines[i+1 : min(len(lines), i+4)] {
		if line != "" {
			return pattern.MatchString(fold(line))
		}
	}
	return false
}

// isSignature knows the standard delimiter (RFC 3676 §4.3, its space lost or
// not) and the lines that devices add.
func isSignature(line string) bool {
	if line == "--" || line == "—" || line == "- --" {
		return true
	}
	return len(line) < 200 && signature.MatchString(fold(line))
}
