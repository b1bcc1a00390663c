package table

import (
	"bufio"
	"bytes"
	"io"
)

// line is one physical line, whatever ends it: LF, CR LF or CR alone.
type line struct {
	number   int
	text     string
	doubtful bool // an encoding problem
	cut      bool // longer than a row may be; the end is lost
}

// lineReader gives physical lines and takes some back.
type lineReader struct {
	in       *bufio.Reader
	encoding string
	limit    int
	number   int
	back     []line // taken back, the next one last
}

func newLineReader(r io.Reader, encoding string, limit int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, 64<<10), encoding: encoding, limit: limit}
}

func (l *lineReader) unread(lines []line) {
	for i := len(lines) - 1; i >= 0; i-- {
		l.back = append(l.back, lines[i])
	}
}

// next returns io.EOF after the last line; a last line without an end counts,
// an empty one does not.
func (l *lineReader) next() (line, error) {
	if n := len(l.back); n > 0 {
		out := l.back[n-1]
		l.back = l.back[:n-1]
		return out, nil
	}
	raw, cut, err := l.read()
	if err != nil {
		return line{}, err
	}
	l.number++
	text, doubtful := decodeLine(raw, l.encoding)
	return line{number: l.number, text: text, doubtful: doubtful, cut: cut}, nil
}

// read returns the bytes up to the end of the line. They are valid until the
// next call.
func (l *lineReader) read() (raw []byte, cut bool, err error) {
	var kept []byte
	for {
		chunk, err := l.in.Peek(max(1, l.in.Buffered()))
		if len(chunk) == 0 {
			if err == io.EOF && len(kept) > 0 {
				return kept, cut, nil
			}
			return nil, false, err
		}
		end := bytes.IndexAny(chunk, "\r\n")
		if end < 0 {
			kept, cut = appendUpTo(kept, chunk, l.limit, cut)
			if err := l.discard(len(chunk)); err != nil {
				return nil, false, err
			}
			continue
		}
		if len(kept) == 0 && end <= l.limit {
			kept = chunk[:end:end]
			if chunk[end] == '\r' { // peeking further may move the buffer under us
				kept = bytes.Clone(kept)
			}
		} else {
			kept, cut = appendUpTo(kept, chunk[:end], l.limit, cut)
		}
		return kept, cut, l.endLine(chunk[end], end)
	}
}

// endLine steps over the line and its end; CR LF is one end.
func (l *lineReader) endLine(mark byte, length int) error {
	if err := l.discard(length + 1); err != nil || mark != '\r' {
		return err
	}
	if next, err := l.in.Peek(1); err == nil && next[0] == '\n' {
		return l.discard(1)
	}
	return nil
}

func (l *lineReader) discard(n int) error {
	_, err := l.in.Discard(n)
	return err
}

func appendUpTo(kept, more []byte, limit int, cut bool) ([]byte, bool) {
	if room := limit - len(kept); len(more) > room {
		more, cut = more[:max(room, 0)], true
	}
	return append(kept, more...), cut
}
