package framing_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"tocsin/internal/wire/framing"
)

func all(t testing.TB, r io.Reader, mode framing.Mode, max int) []string {
	t.Helper()
	var out []string
	s := framing.NewScanner(r, mode, max)
	for {
		f, err := s.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			return out
		}
		mark := ""
		if f.Continues {
			mark += "…"
		}
		mark += string(f.Message)
		if f.Short {
			mark += "¬"
		}
		out = append(out, mark)
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in string
		mode     framing.Mode
		want     []string
	}{
		{"lines", "a\nb\r\n\n\nc\x00\nd", framing.Lines, []string{"a", "b", "c", "d¬"}},
		{"a line of the bound", "0123456789abcdef\nb\n", framing.Lines, []string{"0123456789abcdef", "b"}},
		{"a line over the bound", "0123456789abcdefghij\nb\n", framing.Lines, []string{"0123456789abcdef", "…ghij", "b"}},
		{"a line over the bound twice", strings.Repeat("x", 40) + "\n<1>y\n", framing.Syslog, []string{strings.Repeat("x", 16), "…" + strings.Repeat("x", 16), "…xxxxxxxx", "<1>y"}},
		{"counted", "5 <1>ab6 <2>a\nb", framing.Syslog, []string{"<1>ab", "<2>a\nb"}},
		{"counted and lines", "5 <1>ab<2>line\n6 <3>abc", framing.Syslog, []string{"<1>ab", "<2>line", "<3>abc"}},
		{"a count over the bound", "20 <1>" + strings.Repeat("z", 17) + "5 <2>ab", framing.Syslog, []string{"<1>" + strings.Repeat("z", 13), "…zzzz", "<2>ab"}},
		{"a count too great", "9999 <1>ab\nc\n", framing.Syslog, []string{"<1>ab\nc\n¬"}},
		{"a count too small", "4 <1>abc\n<2>d\n", framing.Syslog, []string{"<1>a", "bc", "<2>d"}},
		{"no count", "12 dossiers ouverts\n", framing.Syslog, []string{"12 dossiers ouve", "…rts"}},
		{"Cisco's number is no count", "45: x\n", framing.Syslog, []string{"45: x"}},
		{"a number without end", strings.Repeat("1", 20) + "\n", framing.Syslog, []string{strings.Repeat("1", 16), "…1111"}},
		{"only a count", "12 ", framing.Syslog, []string{"12 ¬"}},
		{"NULs", "{\"a\":\n1}\x00{}\x00\x00x", framing.NULs, []string{"{\"a\":\n1}", "{}", "x¬"}},
	}
	for _, c := range cases {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.in), "by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			if got := all(t, r, c.mode, 16); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s, %s: %q, want %q", c.name, name, got, c.want)
			}
		}
	}
}

// endless gives n bytes of one letter, and no more memory than that takes.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), e.left))
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.left -= int64(n)
	return n, nil
}

func TestAGigabyteWithoutEnd(t *testing.T) {
	for head, size := range map[string]int64{"<13>": 1 << 30, "67108864 <13>": 64 << 20} {
		r := io.MultiReader(strings.NewReader(head), &endless{left: size - 4}, strings.NewReader("\n"))
		s := framing.NewScanner(r, framing.Syslog, 1<<20)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var total, frames int64
		for {
			f, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || len(f.Message) > 1<<20 || f.Continues != (frames > 0) {
				t.Fatal(head, err, len(f.Message), f.Continues)
			}
			total += int64(len(f.Message))
			frames++
		}
		runtime.ReadMemStats(&after)
		if total != size || frames != size>>20 {
			t.Errorf("%s: %d bytes in %d frames", head, total, frames)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: %d bytes taken", head, grown)
		}
	}
}

func TestAReaderThatGivesNothing(t *testing.T) {
	t.Parallel()
	if _, err := framing.NewScanner(stuck{}, framing.Lines, 10).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// FuzzScanner holds that nothing is lost: with the counts and the ends of lines
// put aside, what comes out is what went in.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("5 <1>ab<2>line\n6 <3>abc"), uint8(1))
	f.Add([]byte("a\nb\r\n\n"), uint8(0))
	f.Add([]byte("a\x00b"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		m := framing.Mode(mode % 3)
		s := framing.NewScanner(bytes.NewReader(in), m, 16)
		rest := in
		for {
			frame, err := s.Next()
			if err != nil {
				break
			}
			i := bytes.Index(rest, frame.Message)
			if i < 0 || len(frame.Message) > 16 {
				t.Fatalf("%q: %q", in, frame.Message)
			}
			for _, c := range rest[:i] {
				if c != '\n' && c != '\r' && c != 0 && c != ' ' && (c < '0' || c > '9') {
					t.Fatalf("%q: %q was lost before %q", in, rest[:i], frame.Message)
				}
			}
			rest = rest[i+len(frame.Message):]
		}
		for _, c := range rest {
			if c != '\n' && c != '\r' && c != 0 {
				t.Fatalf("%q: %q was lost at the end", in, rest)
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	line := "<34>1 2026-11-30T14:05:06.003Z srv su - ID47 - " + strings.Repeat("x", 200) + "\n"
	text := strings.Repeat(line, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s := framing.NewScanner(strings.NewReader(text), framing.Syslog, 1<<20)
		for {
			if _, err := s.Next(); err != nil {
				break
			}
		}
	}
}
