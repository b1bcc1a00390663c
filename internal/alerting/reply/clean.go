package reply

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// clean keeps what the person wrote himself: bounded, without the message he
// answers to, without his signature, folded to small letters without accents.
func clean(text string) string {
	return fold(ownWords(bounded(text)))
}

// bounded keeps MaxRunes valid characters.
func bounded(text string) string {
	n := 0
	for i := range text {
		if n == MaxRunes {
			text = text[:i]
			break
		}
		n++
	}
	text = strings.ToValidUTF8(text, " ")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\x00", " ").Replace(text)
}

// ownWords drops quoted lines and stops at the signature. What is written under
// a quotation marked line by line is kept; under a bare header it cannot be told apart.
func ownWords(text string) string {
	var own []string
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		plain := fold(line)
		switch {
		case strings.HasPrefix(plain, ">"):
			continue
		case isAttribution(plain):
			if !quotedBelow(lines[i+1:]) {
				return strings.Join(own, "\n")
			}
			continue
		case startsQuote(plain), startsSignature(line, plain) && hasWords(own):
			return strings.Join(own, "\n")
		case startsSignature(line, plain):
			continue
		}
		own = append(own, line)
	}
	return strings.Join(own, "\n")
}

func hasWords(lines []string) bool {
	for _, l := range lines {
		if strings.IndexFunc(l, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r > 0x2000 }) >= 0 {
			return true
		}
	}
	return false
}

// quotedBelow tells whether the next line that is not empty is a quoted one.
func quotedBelow(lines []string) bool {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			return strings.HasPrefix(l, ">")
		}
	}
	return false
}

// isAttribution is the line a mail program writes above what it quotes:
// "Le lun. 3 mars 2026 à 03:12, Tocsin <…> a écrit :".
func isAttribution(plain string) bool {
	plain = strings.TrimRight(plain, " :")
	return strings.HasPrefix(plain, "le ") && strings.HasSuffix(plain, "a ecrit") ||
		strings.HasPrefix(plain, "on ") && strings.HasSuffix(plain, "wrote")
}

func startsQuote(plain string) bool {
	for _, mark := range []string{
		"-----message d'origine", "----- message d'origine", "-----original message", "----- original message",
		"---- original message", "-------- message original", "-------- original message", "-------- message d'origine", "________________", "de : ", "de: ", "from: ", "from : ", "envoye : ", "envoye: ",
		"-----messaggio", "begin forwarded message", "debut du message reexpedie",
	} {
		if strings.HasPrefix(plain, mark) {
			return true
		}
	}
	return false
}

func startsSignature(line, plain string) bool {
	if strings.TrimRight(line, " ") == "--" {
		return true
	}
	for _, mark := range []string{
		"envoye de mon ", "envoye depuis ", "envoye a partir de ", "sent from my ", "sent from ", "obtenez outlook", "get outlook",
		"telecharger outlook", "telechargez outlook", "provenance : courrier", "cordialement", "bien cordialement", "bien a vous", "kind regards", "best regards", "regards,", "cdlt", "ce message et ", "this message ",
	} {
		if strings.HasPrefix(plain, mark) {
			return true
		}
	}
	return false
}

// fold gives small letters without accents; ligatures, signs of the telephone
// keyboard and typographic apostrophes become plain ones.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(strings.ToLower(strings.TrimSpace(s))) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\u200d' || r == '\ufe0f' || r == '\u20e3':
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == '’' || r == '‘' || r == '`' || r == '´' || r == 'ʼ' || r == '′':
			b.WriteByte('\'')
		case r == '\u2044':
			b.WriteByte('/')
		case r == '–' || r == '—' || r == '‑' || r == '‐':
			b.WriteByte('-')
		default:
			b.WriteString(drawn(r))
		}
	}
	return b.String()
}

// drawn is what a drawing says, or the sign itself.
func drawn(r rune) string {
	switch r {
	case '👍', '👌', '✅', '✔', '☑', '🆗', '🫡':
		return " ok "
	case '👎', '❌', '🚫', '✖', '⛔', '🙅':
		return " non "
	case '🏃', '🚗', '🚙', '🚲', '🚶', '🏍', '🛵', '🚑':
		return " jarrive "
	case '📞', '☎', '📱', '🤙':
		return " rappelez moi "
	case '🙋':
		return " volontaire "
	case '🤒', '🤧', '😷', '🤮', '🤕':
		return " malade "
	case '🏖', '🏝', '⛱', '🌴':
		return " vacances "
	case '🙏':
		return " merci "
	}
	return string(r)
}
