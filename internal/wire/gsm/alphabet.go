package gsm

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Encoding is how the text of an SMS is carried.
type Encoding string

// The two encodings of a text message.
const (
	// GSM7 is the 7-bit default alphabet with its extension table.
	GSM7 Encoding = "gsm7"
	// UCS2 is UTF-16BE: any character, 70 per message.
	UCS2 Encoding = "ucs2"
)

// escape announces a septet of the extension table.
const escape = 0x1B

// septet returns the code of r in the basic table (TS 23.038 §6.2.1).
func septet(r rune) (byte, bool) {
	if sameAsASCII(r) {
		return byte(r), true
	}
	switch r {
	case '@':
		return 0x00, true
	case '£':
		return 0x01, true
	case '$':
		return 0x02, true
	case '¥':
		return 0x03, true
	case 'è':
		return 0x04, true
	case 'é':
		return 0x05, true
	case 'ù':
		return 0x06, true
	case 'ì':
		return 0x07, true
	case 'ò':
		return 0x08, true
	case 'Ç':
		return 0x09, true
	case 'Ø':
		return 0x0B, true
	case 'ø':
		return 0x0C, true
	case 'Å':
		return 0x0E, true
	case 'å':
		return 0x0F, true
	case '_':
		return 0x11, true
	}
	return lateSeptet(r)
}

// lateSeptet is the rest of septet: Greek capitals and the upper half.
func lateSeptet(r rune) (byte, bool) {
	switch r {
	case 'Δ':
		return 0x10, true
	case 'Φ':
		return 0x12, true
	case 'Γ':
		return 0x13, true
	case 'Λ':
		return 0x14, true
	case 'Ω':
		return 0x15, true
	case 'Π':
		return 0x16, true
	case 'Ψ':
		return 0x17, true
	case 'Σ':
		return 0x18, true
	case 'Θ':
		return 0x19, true
	case 'Ξ':
		return 0x1A, true
	case 'Æ':
		return 0x1C, true
	case 'æ':
		return 0x1D, true
	case 'ß':
		return 0x1E, true
	case 'É':
		return 0x1F, true
	case '¤':
		return 0x24, true
	case '¡':
		return 0x40, true
	case 'Ä':
		return 0x5B, true
	case 'Ö':
		return 0x5C, true
	case 'Ñ':
		return 0x5D, true
	case 'Ü':
		return 0x5E, true
	case '§':
		return 0x5F, true
	case '¿':
		return 0x60, true
	case 'ä':
		return 0x7B, true
	case 'ö':
		return 0x7C, true
	case 'ñ':
		return 0x7D, true
	case 'ü':
		return 0x7E, true
	case 'à':
		return 0x7F, true
	}
	return 0, false
}

func sameAsASCII(r rune) bool {
	switch {
	case r == '\n', r == '\r':
		return true
	case r < ' ', r > 'z':
		return false
	case r >= 'a', r >= 'A' && r <= 'Z':
		return true
	default:
		return r <= '?' && r != '$'
	}
}

// extension returns the code of r in the extension table (TS 23.038 §6.2.1.1).
func extension(r rune) (byte, bool) {
	switch r {
	case '\f':
		return 0x0A, true
	case '^':
		return 0x14, true
	case '{':
		return 0x28, true
	case '}':
		return 0x29, true
	case '\\':
		return 0x2F, true
	case '[':
		return 0x3C, true
	case '~':
		return 0x3D, true
	case ']':
		return 0x3E, true
	case '|':
		return 0x40, true
	case '€':
		return 0x65, true
	}
	return 0, false
}

// basicTable gives the character of each septet, in order; position 0x1B, the
// escape, holds a no-break space, as the standard asks of a receiver that does
// not know the table behind it.
const basicTable = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u00a0ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

// extensionTable pairs each septet of the extension table with its character.
const extensionTable = "\x0a\f\x14^\x28{\x29}\x2f\\\x3c[\x3d~\x3e]\x40|\x65€"

func basicRune(septet byte) rune {
	if r := rune(septet); sameAsASCII(r) {
		return r
	}
	n := byte(0)
	for _, r := range basicTable {
		if n == septet {
			return r
		}
		n++
	}
	// Above 0x7F there is no septet: a peer that sends Latin-1 as the default
	// alphabet is read as what it meant.
	return rune(septet)
}

func extensionRune(septet byte) (rune, bool) {
	code, isCode := rune(0), true
	for _, r := range extensionTable {
		if !isCode && code == rune(septet) {
			return r, true
		}
		code, isCode = r, !isCode
	}
	return 0, false
}

// cost returns the septets r takes in the 7-bit alphabet: 1, 2, or 0 when it
// has no place there.
func cost(r rune) int {
	if _, ok := septet(r); ok {
		return 1
	}
	if _, ok := extension(r); ok {
		return 2
	}
	return 0
}

// Fits tells whether the whole text can be written in the 7-bit alphabet.
func Fits(text string) bool { return fits(norm.NFC.String(text)) }

// fits is Fits for a text already composed.
func fits(text string) bool {
	for _, r := range text {
		if cost(r) == 0 {
			return false
		}
	}
	return true
}

// Encode returns the text as octets, one septet per octet (as SMPP carries it)
// when every character is in the 7-bit alphabet, in UTF-16BE otherwise. The
// text is composed (NFC) first; invalid UTF-8 becomes U+FFFD.
func Encode(text string) (Encoding, []byte) {
	text = norm.NFC.String(text)
	if fits(text) {
		return GSM7, appendGSM7(make([]byte, 0, len(text)), text)
	}
	return UCS2, appendUCS2(make([]byte, 0, 2*len(text)), text)
}

func appendGSM7(dst []byte, text string) []byte {
	for _, r := range text {
		if b, ok := septet(r); ok {
			dst = append(dst, b)
			continue
		}
		if b, ok := extension(r); ok {
			dst = append(dst, escape, b)
		}
	}
	return dst
}

func appendUCS2(dst []byte, text string) []byte {
	for _, r := range text {
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			dst = append(dst, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
			continue
		}
		dst = append(dst, byte(r>>8), byte(r))
	}
	return dst
}

// DecodeGSM7 reads octets that hold one septet each. It never fails: a lone
// escape reads as a space, and an octet above 0x7F as Latin-1.
func DecodeGSM7[T ~string | ~[]byte](octets T) string {
	var b strings.Builder
	b.Grow(len(octets))
	for i := 0; i < len(octets); i++ {
		if octets[i] != escape {
			b.WriteRune(basicRune(octets[i]))
			continue
		}
		i++
		if i == len(octets) {
			b.WriteByte(' ')
			break
		}
		if r, ok := extensionRune(octets[i]); ok {
			b.WriteRune(r)
			continue
		}
		b.WriteRune(basicRune(octets[i]))
	}
	return b.String()
}

// DecodeUCS2 reads UTF-16BE. A lone surrogate and an odd last octet read as U+FFFD.
func DecodeUCS2[T ~string | ~[]byte](octets T) string {
	var b strings.Builder
	b.Grow(len(octets))
	unit := func(i int) rune { return rune(octets[i])<<8 | rune(octets[i+1]) }
	for i := 0; i+1 < len(octets); i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(octets) {
				low = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 2
			}
		}
		b.WriteRune(r)
	}
	if len(octets)%2 == 1 {
		b.WriteRune(utf8.RuneError)
	}
	return b.String()
}

// DecodeLatin1 reads ISO 8859-1.
func DecodeLatin1[T ~string | ~[]byte](octets T) string {
	var b strings.Builder
	b.Grow(len(octets))
	for i := 0; i < len(octets); i++ {
		b.WriteRune(rune(octets[i]))
	}
	return b.String()
}
