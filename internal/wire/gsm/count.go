package gsm

import (
	"errors"

	"golang.org/x/text/unicode/norm"
)

// Reference is the width of the number that ties the parts of a long message
// together; it decides how much text a part holds.
type Reference int

// The two widths of TS 23.040 §9.2.3.24.1 and §9.2.3.24.8.
const (
	Reference8  Reference = 8
	Reference16 Reference = 16
)

// MaxSegments is the largest number of parts a message may have: the header
// counts them in one octet.
const MaxSegments = 255

// ErrTooLong is returned by Split for a text of more than MaxSegments parts.
var ErrTooLong = errors.New("gsm: text needs more than 255 segments")

// Offender is a character that has no place in the 7-bit alphabet.
type Offender struct {
	Rune rune
	// Position is the rank of the character in the composed text, from 0.
	Position int
	// Plain is the spelling Plain proposes; empty when there is none.
	Plain string
}

// Size is what a text costs as SMS.
type Size struct {
	Encoding Encoding
	// Characters counts what the author typed (composed code points).
	Characters int
	// Units is what is consumed: septets in GSM7 (an extension counts 2),
	// UTF-16 units in UCS2.
	Units int
	// Segments is the number of SMS; 0 for an empty text.
	Segments int
	// PerSegment is the capacity of one segment, in units.
	PerSegment int
	// Remaining is what the last segment can still take, in units.
	Remaining int
	// Offenders lists each character that forces UCS2; empty in GSM7.
	Offenders []Offender
}

// Count measures the text with 8-bit references, the usual case.
func Count(text string) Size { return CountWith(text, Reference8) }

// CountWith measures the text with references of the given width.
func CountWith(text string, ref Reference) Size {
	text = norm.NFC.String(text)
	s := Size{Encoding: GSM7}
	for _, r := range text {
		if cost(r) == 0 {
			s.Encoding = UCS2
			s.Offenders = append(s.Offenders, Offender{Rune: r, Position: s.Characters, Plain: plainRune(r)})
		}
		s.Characters++
	}
	used := 0
	s.Segments, used, s.Units, s.PerSegment = walk(text, s.Encoding, ref, nil)
	s.Remaining = s.PerSegment - used
	return s
}

// capacity returns the units of one segment.
func capacity(e Encoding, ref Reference, multipart bool) int {
	switch {
	case e == GSM7 && !multipart:
		return 160
	case e == GSM7 && ref == Reference16:
		return 152
	case e == GSM7:
		return 153
	case !multipart:
		return 70
	case ref == Reference16:
		return 66
	default:
		return 67
	}
}

func unitsOf(e Encoding, r rune) int {
	if e == GSM7 {
		return cost(r)
	}
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// walk cuts a composed text into segments, calling cut (when not nil) with the
// byte offset where each new segment after the first begins. It returns the
// number of segments, the units used in the last, the units of the whole and
// the capacity of a segment.
func walk(text string, e Encoding, ref Reference, cut func(at int)) (segments, used, units, per int) {
	for _, r := range text {
		units += unitsOf(e, r)
	}
	if per = capacity(e, ref, false); units <= per {
		return min(units, 1), units, units, per
	}
	per, segments = capacity(e, ref, true), 1
	for at, r := range text {
		n := unitsOf(e, r)
		if used+n > per {
			segments, used = segments+1, 0
			if cut != nil {
				cut(at)
			}
		}
		used += n
	}
	return segments, used, units, per
}

// Split encodes the text and cuts it into the octets of each segment, without
// user data headers. An empty text gives one empty segment.
func Split(text string, ref Reference) (Encoding, [][]byte, error) {
	text = norm.NFC.String(text)
	e := GSM7
	if !fits(text) {
		e = UCS2
	}
	encode := func(part string) []byte {
		if e == GSM7 {
			return appendGSM7(make([]byte, 0, len(part)), part)
		}
		return appendUCS2(make([]byte, 0, 2*len(part)), part)
	}
	var parts [][]byte
	from := 0
	segments, _, _, _ := walk(text, e, ref, func(at int) {
		if len(parts) < MaxSegments {
			parts = append(parts, encode(text[from:at]))
		}
		from = at
	})
	if segments > MaxSegments {
		return e, nil, ErrTooLong
	}
	return e, append(parts, encode(text[from:])), nil
}
