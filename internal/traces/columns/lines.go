package columns

import (
	"bufio"
	"errors"
	"io"

	"tocsin/internal/traces"
)

// line is one physical line.
type line struct {
	raw    []byte // without its end, at most maxLine bytes
	length int    // its whole length without its end
	end    int64  // the place of what follows it
	ended  bool   // an end of line was there
}

// maxLine is what is kept of a line; what is longer is read past.
const maxLine = traces.MaxRaw

// lines gives the lines of a reader from a place on, and takes some back.
type lines struct {
	in   *bufio.Reader
	wide bool // two bytes a character
	big  bool
	at   int64
	back []line // taken back, the next one last
}

func newLines(r io.Reader, encoding string, at int64) *lines {
	return &lines{in: bufio.NewReaderSize(r, 128<<10), wide: wide(encoding), big: encoding == bigName, at: at}
}

func (l *lines) unread(list []line) {
	for i := len(list) - 1; i >= 0; i-- {
		l.back = append(l.back, list[i])
	}
}

// next gives the next line, io.EOF after the last. A last line without an end is
// one, with ended false; nothing after an end is none.
func (l *lines) next() (line, error) {
	if n := len(l.back); n > 0 {
		out := l.back[n-1]
		l.back = l.back[:n-1]
		return out, nil
	}
	read, unit := l.narrow, 1
	if l.wide {
		read, unit = l.twoBytes, 2
	}
	out, err := read()
	if err != nil {
		return line{}, err
	}
	out.end = l.at
	if out.ended {
		out.drop(unit)
		if l.isReturn(out.raw, out.length) {
			out.drop(unit)
		}
	}
	out.raw = out.raw[:min(len(out.raw), maxLine)]
	return out, nil
}

// narrow reads up to an end of line of one byte.
func (l *lines) narrow() (out line, err error) {
	for {
		chunk, err := l.in.ReadSlice('\n')
		l.keep(&out, chunk)
		switch {
		case err == nil:
			out.ended = true
			return out, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case !errors.Is(err, io.EOF) || out.length == 0:
			return out, err
		default:
			return out, nil
		}
	}
}

// twoBytes reads up to an end of line of UTF-16.
func (l *lines) twoBytes() (out line, err error) {
	for {
		var unit [2]byte
		n, err := io.ReadFull(l.in, unit[:])
		l.keep(&out, unit[:n])
		switch {
		case err == nil:
			if l.big && unit == [2]byte{0, '\n'} || !l.big && unit == [2]byte{'\n', 0} {
				out.ended = true
				return out, nil
			}
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || out.length == 0:
			return out, err
		default:
			return out, nil
		}
	}
}

// keep adds what was read, as far as a line is kept.
func (l *lines) keep(out *line, chunk []byte) {
	l.at += int64(len(chunk))
	out.length += len(chunk)
	if room := maxLine + 4 - len(out.raw); room > 0 {
		out.raw = append(out.raw, chunk[:min(room, len(chunk))]...)
	}
}

func (l *lines) isReturn(raw []byte, length int) bool {
	n := len(raw)
	switch {
	case n != length: // its end was read past
		return false
	case !l.wide:
		return n >= 1 && raw[n-1] == '\r'
	case l.big:
		return n >= 2 && raw[n-2] == 0 && raw[n-1] == '\r'
	}
	return n >= 2 && raw[n-2] == '\r' && raw[n-1] == 0
}

// drop takes the last unit off.
func (l *line) drop(unit int) {
	if len(l.raw) == l.length {
		l.raw = l.raw[:max(0, len(l.raw)-unit)]
	}
	l.length = max(0, l.length-unit)
}
