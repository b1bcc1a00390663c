package jsonscan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/wire/jsonscan"
)

func walk(s string) (string, error) {
	var c jsonscan.Scanner
	c.Reset(s, 0)
	var out []string
	for c.Next() {
		if c.Name() != string(c.Path()) {
			return "", fmt.Errorf("name %q, path %q", c.Name(), c.Path())
		}
		out = append(out, c.Name()+"="+c.Text())
	}
	return strings.Join(out, " "), c.Err()
}

func TestWalk(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in, want string
		err      error
	}{
		{`{"a":"b","c":{"d":1,"e":{"f":true,"g":null}},"h":-1.5e3}`, "a=b c.d=1 c.e.f=true c.e.g=null h=-1.5e3", nil},
		{`{"a":["b",["c"],{"d":1},{}],"e":[],"f":{}, "g":2}`, "a=b a=c a.d=1 g=2", nil},
		{` { "a" : "\"\\\/\b\f\n\r\té€😀" } `, "a=\"\\/\b\f\n\r\té€😀", nil},
		{`{"a":"\ud83dx","b":"\u0000"}`, "a=\ufffdx b=\ufffd", nil},
		{`{"a.b":1,"c":{"d.e":2}}`, "a.b=1 c.d.e=2", nil},
		{`{"a\"b":1}`, `a"b=1`, nil},
		{`"x"`, "=x", nil},
		{`12`, "=12", nil},
		{`{}`, "", nil},
		{`{"a":"x` + "\n" + `y"}`, "a=x\ny", nil},
		{``, "", jsonscan.ErrCut},
		{`{"a":"b`, "", jsonscan.ErrCut},
		{`{"a":"b\`, "", jsonscan.ErrCut},
		{`{"a":1`, "a=1", jsonscan.ErrCut},
		{`{"a"`, "", jsonscan.ErrCut},
		{`{"a":tr`, "", jsonscan.ErrCut},
		{`{"a" 1}`, "", jsonscan.ErrSyntax},
		{`{a:1}`, "", jsonscan.ErrSyntax},
		{`{"a":1 "b":2}`, "a=1", jsonscan.ErrSyntax},
		{`{"a":1]`, "a=1", jsonscan.ErrSyntax},
		{`{"a":1,}`, "a=1", jsonscan.ErrSyntax},
		{`{"a":-}`, "", jsonscan.ErrSyntax},
		{`{"a":"\x"}`, "", jsonscan.ErrSyntax},
		{`{"a":"\u12"}`, "", jsonscan.ErrSyntax},
		{strings.Repeat("[", 65), "", jsonscan.ErrDeep},
		{strings.Repeat("[", 64) + "1" + strings.Repeat("]", 64), "=1", nil},
	}
	for _, c := range cases {
		got, err := walk(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%.60q: %q, %v", c.in, got, err)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in, want string
		stopped  int
		err      error
	}{
		{"{\"a\":1}\n{\"b\":2}\r\n\n{}", `{"a":1}|{"b":2}|{}`, 20, nil},
		{` [ {"a":1} , {"b":[2]} ] `, `{"a":1}|{"b":[2]}`, 25, nil},
		{`[]`, ``, 2, nil},
		{`[{}`, `{}`, 3, jsonscan.ErrCut},
		{`[{}] x`, `{}`, 5, jsonscan.ErrSyntax},
		{`[{} {}]`, `{}`, 4, jsonscan.ErrSyntax},
		{"{\"a\":1}\n{\"b\":\n", `{"a":1}`, 8, jsonscan.ErrCut},
		{``, ``, 0, nil},
	}
	for _, c := range cases {
		var got []string
		stopped, err := jsonscan.Elements(c.in, func(from, to int) { got = append(got, c.in[from:to]) })
		if strings.Join(got, "|") != c.want || stopped != c.stopped || !errors.Is(err, c.err) {
			t.Errorf("%q: %q at %d, %v", c.in, got, stopped, err)
		}
	}
}

// TestHostilePaths holds that long names under many scalars cost their length
// once: the time is that of reading, whatever they are.
func TestHostilePaths(t *testing.T) {
	t.Parallel()
	in := `{"` + strings.Repeat("é", 100000) + `":[` + strings.Repeat("1,", 200000) + `1]}`
	done := make(chan int)
	go func() {
		var c jsonscan.Scanner
		c.Reset(in, 0)
		n := 0
		for c.Next() {
			if n++; len(c.Path()) > jsonscan.MaxPath || len(c.Name()) > jsonscan.MaxPath {
				break
			}
		}
		done <- n
	}()
	select {
	case n := <-done:
		if n != 200001 {
			t.Error(n)
		}
	case <-time.After(20 * time.Second):
		t.Error("it takes too long")
	}
}

// FuzzWalk holds our reading against the standard library's.
func FuzzWalk(f *testing.F) {
	f.Add(`{"a":"b","c":{"d":1,"e":[true,null]},"h":-1.5e3,"\u00e9":"\ud83d\ude00"}`)
	f.Add("{\"a\":1}\n{\"b\":2}")
	f.Fuzz(func(t *testing.T, s string) {
		_, err := walk(s)
		if _, more := jsonscan.Elements(s, func(from, to int) {
			if from >= to || to > len(s) {
				t.Fatalf("%q: %d %d", s, from, to)
			}
		}); more == nil && err != nil && strings.TrimSpace(s) != "" && strings.TrimSpace(s)[0] == '{' {
			t.Fatalf("%q: %v", s, err)
		}
		if json.Valid([]byte(s)) && err != nil && !errors.Is(err, jsonscan.ErrDeep) {
			t.Fatalf("%q: sound, and refused: %v", s, err)
		}
	})
}

const event = `{"@timestamp":"2026-11-30T14:05:06.123Z","user":{"name":"a.martin","full_name":"MARTIN Alice"},"event":{"action":"consultation","outcome":"success"},"patient":{"ipp":"8000012345"},"host":{"name":"W-2310-04"},"source":{"ip":"10.1.2.3"},"service":{"name":"DPI"},"uf":"2310","document":"D-778812","message":"Consultation du compte rendu"}`

func BenchmarkWalk(b *testing.B) {
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	var c jsonscan.Scanner
	for b.Loop() {
		c.Reset(event, 0)
		for c.Next() {
		}
	}
}
