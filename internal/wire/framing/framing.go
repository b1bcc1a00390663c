// Package framing is « Le découpage »: where one message ends and the next
// begins in a stream of bytes that never ends: lines, messages that end with a
// NUL, and the octet-counted frames of syslog (RFC 6587, RFC 5425).
//
// It promises that no byte of a message is lost and that memory stays bounded,
// whatever is sent: a message longer than the bound comes in parts, each part
// after the first saying that it continues.
//
// It never reads what a message says.
package framing

import (
	"bytes"
	"io"
)

// Mode is how a stream is cut.
type Mode uint8

// The modes.
const (
	// Lines end with a line feed, before which a carriage return and NULs count
	// for nothing.
	Lines Mode = iota
	// Syslog is octet-counted frames and lines, each recognised by its first
	// bytes: digits, a space and "<" are a count.
	Syslog
	// NULs end messages (GELF over TCP).
	NULs
)

// Frame is one message, or a part of one.
type Frame struct {
	// Message is valid until the next call.
	Message []byte
	// Continues tells that it is the rest of the frame before it, which was
	// longer than the bound.
	Continues bool
	// Short tells that the stream ended before the frame did.
	Short bool
}

// Scanner cuts a stream.
type Scanner struct {
	r          io.Reader
	mode       Mode
	max        int
	buf        []byte
	start, end int
	left       int64 // of a counted frame that is given in parts
	part       bool  // the message before was cut
	err        error
}

// NewScanner cuts r in messages of max bytes at most.
func NewScanner(r io.Reader, mode Mode, max int) *Scanner {
	return &Scanner{r: r, mode: mode, max: max, buf: make([]byte, min(max+maxCount, 64<<10))}
}

// maxCount is the longest count that is believed: "1000000000 " is longer than
// any message, and what begins so is a line.
const maxCount = 11

// Buffered tells whether a call of Next may answer without reading the stream.
func (s *Scanner) Buffered() bool { return s.start < s.end }

// Within tells whether the stream stopped in the middle of a frame.
func (s *Scanner) Within() bool { return s.start < s.end || s.left > 0 || s.part }

// Next gives the next frame that is not empty. The error is that of the stream:
// io.EOF at its end.
func (s *Scanner) Next() (Frame, error) {
	for {
		f, ok, err := s.next()
		if err != nil {
			return Frame{}, err
		}
		if ok && len(f.Message) > 0 {
			return f, nil
		}
	}
}

func (s *Scanner) next() (Frame, bool, error) {
	if s.left > 0 {
		return s.counted(s.left, true)
	}
	if s.mode == Syslog && !s.part {
		for {
			n, width, more := count(s.buf[s.start:s.end])
			if more && s.err == nil {
				s.fill()
				continue
			}
			if width > 0 {
				s.start += width
				return s.counted(n, false)
			}
			break
		}
	}
	return s.delimited()
}

// count reads "123 <": the count and the bytes it takes, 0 when it is none, and
// whether more bytes are needed to tell.
func count(b []byte) (n int64, width int, more bool) {
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9' && i < maxCount-1 && (i > 0 || c != '0'):
			n = n*10 + int64(c-'0')
		case c == ' ' && i > 0:
			if i+1 == len(b) {
				return 0, 0, true
			}
			if b[i+1] == '<' {
				return n, i + 1, false
			}
			return 0, 0, false
		default:
			return 0, 0, false
		}
	}
	return 0, 0, true
}

// counted gives a frame of n bytes, or its first max.
func (s *Scanner) counted(n int64, continues bool) (Frame, bool, error) {
	want := int(min(n, int64(s.max)))
	for s.end-s.start < want && s.err == nil {
		s.fill()
	}
	got := min(want, s.end-s.start)
	if got == 0 {
		s.left = 0
		return Frame{}, false, s.err
	}
	f := Frame{Message: s.buf[s.start : s.start+got], Continues: continues, Short: got < want}
	s.start += got
	s.left = n - int64(got)
	if f.Short {
		s.left = 0
	}
	return f, true, nil
}

// delimited gives what stands before the next delimiter.
func (s *Scanner) delimited() (Frame, bool, error) {
	delimiter := byte('\n')
	if s.mode == NULs {
		delimiter = 0
	}
	searched := 0
	for {
		window := s.buf[s.start:s.end]
		i := bytes.IndexByte(window[searched:], delimiter)
		cut := i < 0 && len(window) >= s.max
		switch {
		case i >= 0 && searched+i <= s.max:
			f := Frame{Message: s.trim(window[:searched+i]), Continues: s.part}
			s.start += searched + i + 1
			s.part = false
			return f, true, nil
		case i >= 0 || cut:
			f := Frame{Message: window[:s.max], Continues: s.part}
			s.start += s.max
			s.part = true
			return f, true, nil
		case s.err != nil:
			f := Frame{Message: s.trim(window), Continues: s.part, Short: true}
			s.start, s.part = s.end, false
			if len(window) == 0 {
				return f, false, s.err
			}
			return f, true, nil
		}
		searched = len(window)
		s.fill()
	}
}

func (s *Scanner) trim(b []byte) []byte {
	for s.mode != NULs && len(b) > 0 && (b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	return b
}

// fill reads once, with room for a message of the bound at most.
func (s *Scanner) fill() {
	if s.start > 0 && s.end == len(s.buf) || s.start == s.end {
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.start = 0
	}
	if s.end == len(s.buf) {
		bigger := make([]byte, min(2*len(s.buf), s.max+maxCount))
		s.end = copy(bigger, s.buf[s.start:s.end])
		s.start = 0
		s.buf = bigger
	}
	// A reader that gives nothing, again and again, is broken.
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if n > 0 || err != nil {
			s.err = err
			return
		}
	}
	s.err = io.ErrNoProgress
}
