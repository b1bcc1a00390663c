package espa

import (
	"bufio"
	"errors"
	"strconv"
	"strings"

	"tocsin/internal/channels"
)

// The control characters of the line (ESPA 4.4.4, after ISO 1745).
const (
	soh = 0x01
	stx = 0x02
	etx = 0x03
	eot = 0x04
	enq = 0x05
	ack = 0x06
	nak = 0x15
	rs  = 0x1e
	us  = 0x1f
)

// The records of a call, and what the standard lets them hold.
const (
	callHeader  = '1' // call to a pager or a handset
	addressMost = 16
	textMost    = 128
)

// call writes the block of one call: SOH header STX records ETX BCC. The check is
// the exclusive or of all that follows SOH, ETX included.
func (c config) call(to, text string) []byte {
	b := []byte{soh, callHeader, stx}
	for i, r := range []struct{ id, data string }{
		{"1", to}, {"2", c.words(text)}, {"3", strconv.Itoa(c.beep)}, {"4", "3"}, {"5", strconv.Itoa(c.repeats)}, {"6", strconv.Itoa(c.priority)},
	} {
		if i > 0 {
			b = append(b, rs)
		}
		b = append(append(append(b, r.id...), us), r.data...)
	}
	b = append(b, etx)
	var bcc byte
	for _, x := range b[1:] {
		bcc ^= x
	}
	return append(b, bcc)
}

// words are the text on one line of ASCII, cut where the display ends.
func (c config) words(text string) string {
	text = channels.ASCII(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\u00a0' || r == '\u202f' }), " "))
	if len(text) > c.length {
		return text[:c.length-3] + "..."
	}
	return text
}

// errBabble is a peer that does not speak ESPA.
var errBabble = errors.New("the other side does not speak ESPA 4.4.4")

// answer is a word of the other side: a control character, and the digit before it.
type answer struct{ word, digit byte }

// read reads one word. Anything else than digits before it is refused at once.
func read(r *bufio.Reader) (answer, error) {
	var a answer
	for range 4 {
		b, err := r.ReadByte()
		if err != nil {
			return a, err
		}
		switch b &= 0x7f; { // parity may travel in the eighth bit
		case b == ack, b == nak, b == eot, b == enq:
			a.word = b
			return a, nil
		case b >= '0' && b <= '9':
			a.digit = b
		default:
			return a, errBabble
		}
	}
	return a, errBabble
}
