package table

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings a staff file comes in.
const (
	utf8Name    = "UTF-8"
	utf16LEName = "UTF-16LE"
	utf16BEName = "UTF-16BE"
	ansiName    = "Windows-1252"
)

// guessEncoding trusts a byte order mark, then the NULs of UTF-16, then the
// validity of UTF-8 over the whole file: the first accent may come on line 3,000.
// A file with a few bad bytes among many good accents is still UTF-8. skip is
// the length of the mark.
func guessEncoding(r io.ReaderAt, size int64) (name string, skip int64, err error) {
	head := make([]byte, min(size, 8192))
	if n, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", 0, err
	} else {
		head = head[:n]
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return utf8Name, 3, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16LEName, 2, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16BEName, 2, nil
	}
	even, odd := nuls(head)
	switch half := len(head) / 2; {
	case half > 0 && odd*10 > half*4 && even*10 < half:
		return utf16LEName, 0, nil
	case half > 0 && even*10 > half*4 && odd*10 < half:
		return utf16BEName, 0, nil
	}
	good, bad, err := countAccents(io.NewSectionReader(r, 0, size))
	if err != nil {
		return "", 0, err
	}
	if bad == 0 || good > 10*bad {
		return utf8Name, 0, nil
	}
	return ansiName, 0, nil
}

func nuls(head []byte) (even, odd int) {
	for i, b := range head {
		if b == 0 {
			if i%2 == 0 {
				even++
			} else {
				odd++
			}
		}
	}
	return even, odd
}

// countAccents counts the characters beyond ASCII that are valid UTF-8, and the bytes that are not.
func countAccents(r io.Reader) (good, bad int, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		b, err := in.Peek(4096)
		if len(b) == 0 {
			if err == io.EOF {
				return good, bad, nil
			}
			return good, bad, err
		}
		i := 0
		for i < len(b) && (err != nil || i <= len(b)-utf8.UTFMax) {
			if b[i] < utf8.RuneSelf {
				i++
				continue
			}
			c, n := utf8.DecodeRune(b[i:])
			if c == utf8.RuneError && n == 1 {
				bad++
			} else {
				good++
			}
			i += n
		}
		if _, err := in.Discard(i); err != nil {
			return good, bad, err
		}
	}
}

// decoded gives the bytes of the file after its mark, in UTF-8 for the two-byte
// encodings; the others are decoded line by line by decodeLine.
func decoded(r io.ReaderAt, size, skip int64, name string) io.Reader {
	in := io.NewSectionReader(r, skip, size-skip)
	switch name {
	case utf16LEName:
		return transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder())
	case utf16BEName:
		return transform.NewReader(in, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder())
	}
	return in
}

// decodeLine gives the text of a line. In a UTF-8 file a line that is not valid
// is read as Windows-1252 (two files pasted together), and doubtful is true.
// NUL and Ctrl-Z are dropped: old exports pad with them.
func decodeLine(line []byte, name string) (text string, doubtful bool) {
	if bytes.IndexByte(line, 0) >= 0 || bytes.IndexByte(line, 0x1a) >= 0 {
		line = withoutPadding(line)
	}
	switch {
	case name == ansiName:
		return ansi(line), false
	case utf8.Valid(line):
		return string(line), bytes.Contains(line, []byte("\uFFFD"))
	}
	return ansi(line), true
}

// withoutPadding works on bytes: the line may not be UTF-8.
func withoutPadding(line []byte) []byte {
	out := make([]byte, 0, len(line))
	for _, b := range line {
		if b != 0 && b != 0x1a {
			out = append(out, b)
		}
	}
	return out
}

func ansi(line []byte) string {
	var b strings.Builder
	b.Grow(len(line) + len(line)/8)
	for _, c := range line {
		if c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			b.WriteRune(charmap.Windows1252.DecodeByte(c))
		}
	}
	return b.String()
}
