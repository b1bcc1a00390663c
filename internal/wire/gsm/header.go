package gsm

// Part places a segment in its message (the concatenation element of a user
// data header).
type Part struct {
	Reference uint16
	Width     Reference
	// Total is the number of parts, Number the rank of this one from 1.
	Total, Number byte
}

// Information elements of TS 23.040 §9.2.3.24.
const (
	elementConcat8  = 0x00
	elementConcat16 = 0x08
)

// AppendHeader appends the user data header of the part.
func (p Part) AppendHeader(dst []byte) []byte {
	if p.Width == Reference16 {
		return append(dst, 6, elementConcat16, 4, byte(p.Reference>>8), byte(p.Reference), p.Total, p.Number)
	}
	return append(dst, 5, elementConcat8, 3, byte(p.Reference), p.Total, p.Number)
}

// SplitHeader separates the user data header from the text that follows it.
// The part is valid only when found is true: a header may carry other elements
// only, or numbers that make no sense. A header longer than the octets leaves
// everything as text.
func SplitHeader[T ~string | ~[]byte](octets T) (part Part, text T, found bool) {
	if len(octets) == 0 || int(octets[0]) >= len(octets) {
		return Part{}, octets, false
	}
	end := 1 + int(octets[0])
	text = octets[end:]
	for i := 1; i+2 <= end; {
		id, size := octets[i], int(octets[i+1])
		value := i + 2
		if value+size > end {
			break
		}
		switch {
		case id == elementConcat8 && size == 3:
			part = Part{uint16(octets[value]), Reference8, octets[value+1], octets[value+2]}
		case id == elementConcat16 && size == 4:
			part = Part{uint16(octets[value])<<8 | uint16(octets[value+1]), Reference16, octets[value+2], octets[value+3]}
		}
		i = value + size
	}
	return part, text, part.Valid()
}

// Valid tells whether the numbers can place a segment.
func (p Part) Valid() bool { return p.Total > 0 && p.Number > 0 && p.Number <= p.Total }
