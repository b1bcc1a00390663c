package columns

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"tocsin/internal/traces"
)

// The encodings.
const (
	utf8Name   = "utf-8"
	ansiName   = "windows-1252"
	latin9Name = "iso-8859-15"
	littleName = "utf-16le"
	bigName    = "utf-16be"
)

// Encodings lists what a file may be written in.
func Encodings() []string { return []string{utf8Name, ansiName, latin9Name, littleName, bigName} }

// wide tells an encoding of two bytes a character.
func wide(encoding string) bool { return encoding == littleName || encoding == bigName }

// markOf gives the encoding that a byte order mark tells and its length.
func markOf(head []byte) (encoding string, length int) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return utf8Name, 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return littleName, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return bigName, 2
	}
	return "", 0
}

// decode gives the text of a line. A line that is no UTF-8 in a file which is
// was pasted from an older one: it is read as Windows-1252. A NUL becomes U+FFFD.
func decode(line []byte, encoding string) string {
	var s string
	switch encoding {
	case littleName, bigName:
		return wideText(line, encoding == bigName)
	case ansiName:
		s = single(line, charmap.Windows1252)
	case latin9Name:
		s = single(line, charmap.ISO8859_15)
	default:
		if utf8.Valid(line) {
			s = string(line)
		} else {
			s = single(line, charmap.Windows1252)
		}
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	return s
}

func single(line []byte, table *charmap.Charmap) string {
	if isASCII(line) {
		return string(line)
	}
	var b strings.Builder
	b.Grow(len(line) + len(line)/8)
	for _, c := range line {
		b.WriteRune(table.DecodeByte(c))
	}
	return b.String()
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func wideText(line []byte, big bool) string {
	units := make([]uint16, 0, len(line)/2)
	for i := 0; i+1 < len(line); i += 2 {
		lo, hi := line[i], line[i+1]
		if big {
			lo, hi = hi, lo
		}
		u := uint16(hi)<<8 | uint16(lo)
		if u == 0 {
			u = utf8.RuneError
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// guessEncoding trusts a mark, then the NULs that Latin letters leave in UTF-16,
// then whether the sample is UTF-8. whole tells that nothing follows the sample.
func guessEncoding(sample []byte, whole bool) string {
	if e, n := markOf(sample); n > 0 {
		return e
	}
	var nuls [2]int
	for i, c := range sample {
		if c == 0 {
			nuls[i%2]++
		}
	}
	switch half := len(sample) / 2; {
	case half > 0 && nuls[1]*10 > half*4 && nuls[0]*10 < half:
		return littleName
	case half > 0 && nuls[0]*10 > half*4 && nuls[1]*10 < half:
		return bigName
	}
	if !whole { // the last character may be cut
		for cut := 0; cut < utf8.UTFMax && len(sample) > 0 && !utf8.RuneStart(sample[len(sample)-1]); cut++ {
			sample = sample[:len(sample)-1]
		}
		if n := len(sample); n > 0 && sample[n-1] >= utf8.RuneSelf {
			sample = sample[:n-1]
		}
	}
	if utf8.Valid(sample) {
		return utf8Name
	}
	return ansiName
}

// readable is the text of a row for a person, at most as long as a field.
func readable(s string) string { return traces.Cut(s, traces.MaxText) }
