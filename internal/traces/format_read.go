package traces

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Begin gives the event of a message before anything of it is understood: its
// original, cut at MaxRaw, when it reached us, and its time guessed until
// Happened says better.
func Begin(collector string, message []byte, received int64) Event {
	return Event{
		Collector: collector, At: received, Received: received, AtGuessed: true, Severity: -1,
		Raw: message[:min(len(message), MaxRaw)],
	}
}

// Unread gives the event of a message that cannot be understood: it stays whole
// in Raw, and what of it a person can read in Message.
func Unread(collector string, message []byte, received int64) Event {
	e := Begin(collector, message, received)
	e.Message = Readable(message[:min(len(message), MaxText)])
	e.Bound(len(message))
	return e
}

// Happened sets the time that the source gave, UTC microseconds.
func (e *Event) Happened(at int64) { e.At, e.AtGuessed = at, false }

// Add keeps what the model has no place for; an empty value says nothing.
func (e *Event) Add(name, value string) {
	if value != "" {
		e.Extra = append(e.Extra, Pair{name, value})
	}
}

// Fill sets a field, or keeps the value under name when the field was set before.
func (e *Event) Fill(field *string, name, value string) {
	switch {
	case *field == "":
		*field = value
	case *field != value:
		e.Add(name, value)
	}
}

// Bound holds the limits of one event: texts are cut at MaxText, pairs at
// MaxExtra, and a pair says what was cut, of how many bytes. whole is the length
// of the message the event was read from. A key too long to tell two events
// apart is no key.
func (e *Event) Bound(whole int) {
	if whole > MaxRaw {
		e.Raw = e.Raw[:min(len(e.Raw), MaxRaw)]
		e.cut("raw", whole)
	}
	if len(e.Key) > MaxKey {
		e.Add("key", e.Key)
		e.Key = ""
	}
	for i, t := range e.texts() {
		if n := len(*t); n > MaxText {
			*t = Cut(*t, MaxText)
			e.cut(textNames[i], n)
		}
	}
	for i := range e.Extra {
		p := &e.Extra[i]
		p.Name = Cut(p.Name, MaxKey)
		if n := len(p.Value); n > MaxText {
			p.Value = Cut(p.Value, MaxText)
			e.cut(p.Name, n)
		}
	}
	if n := len(e.Extra); n > MaxExtra {
		e.Extra = append(e.Extra[:MaxExtra-1:MaxExtra-1], Pair{CutName, "extra " + strconv.Itoa(n)})
	}
}

// CutName is the name of the pair that tells what was cut and of how many bytes.
const CutName = "tocsin.cut"

func (e *Event) cut(what string, whole int) {
	e.Extra = append(e.Extra, Pair{CutName, what + " " + strconv.Itoa(whole)})
}

// textNames are the names of Event.texts, in its order.
var textNames = [...]string{
	"collector", "key", "account", "person", "function", "delegate", "verb",
	"ipp", "ins", "patient_name", "stay", "document", "object", "parameter", "device",
	"application", "workstation", "address", "site", "service", "purpose", "relation", "message",
}

// Cut shortens a text to at most n bytes, between two characters.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Readable gives the text of bytes that claim nothing: UTF-8 as it is, with its
// mark removed, and what is no UTF-8 as Windows-1252, which old programs of
// hospitals write. A NUL, which no base likes, becomes U+FFFD.
func Readable(b []byte) string {
	if len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		return utf16Text(b)
	}
	s := strings.TrimPrefix(string(b), "\ufeff")
	if !utf8.ValidString(s) {
		// The last character may be cut by a datagram that was too short.
		if last := lastRune(s); utf8.ValidString(s[:last]) && last > 0 && len(s)-last < utf8.UTFMax {
			s = s[:last] + "\ufffd"
		} else {
			s = western(s)
		}
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	return s
}

// lastRune is where the last character begins, when it is cut in the middle;
// the length of s otherwise.
func lastRune(s string) int {
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if s[i] >= 0xc2 && !utf8.FullRuneInString(s[i:]) {
				return i
			}
			break
		}
	}
	return len(s)
}

// windows1252 are the characters of 0x80 to 0x9f; the others are their own.
var windows1252 = [32]rune{
	'€', 0xfffd, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0xfffd, 'Ž', 0xfffd,
	0xfffd, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0xfffd, 'ž', 'Ÿ',
}

func western(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0x80 && c < 0xa0:
			b.WriteRune(windows1252[c-0x80])
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

func utf16Text(b []byte) string {
	big := b[0] == 0xfe
	var out strings.Builder
	var high rune
	for i := 2; i+1 < len(b); i += 2 {
		lo, hi := b[i], b[i+1]
		if big {
			lo, hi = hi, lo
		}
		r := rune(hi)<<8 | rune(lo)
		switch {
		case r >= 0xd800 && r < 0xdc00:
			high = r
			continue
		case r >= 0xdc00 && r < 0xe000 && high != 0:
			r = (high-0xd800)<<10 + (r - 0xdc00) + 0x10000
		case r == 0:
			r = utf8.RuneError
		}
		high = 0
		out.WriteRune(r) // a lone surrogate becomes U+FFFD
	}
	return out.String()
}
