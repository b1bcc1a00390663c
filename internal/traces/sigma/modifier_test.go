package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// tried is an item of a rule and values of its field that it must hit or not.
type tried struct {
	item string
	yes  []any
	no   []any
}

func tryAll(t *testing.T, cases []tried) {
	t.Helper()
	for _, c := range cases {
		r := item(t, c.item)
		for _, v := range c.yes {
			if !hits(t, r, f(v)) {
				t.Errorf("%s does not hit %q", c.item, v)
			}
		}
		for _, v := range c.no {
			if hits(t, r, f(v)) {
				t.Errorf("%s hits %q", c.item, v)
			}
		}
	}
}

func TestValuesAndWildcards(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F: 'cmd.exe'`, []any{"cmd.exe", "CMD.EXE", "Cmd.eXe"}, []any{"xcmd.exe", "cmd.exe ", "", nil}},
		{`F: 'ÉTÉ'`, []any{"été", "Été"}, []any{"ete"}},
		{`F: 'Straße'`, []any{"STRAẞE", "straße"}, []any{"strasse"}}, // simple folding: ß is ẞ, not ss
		{`F: 'ΣΊΣΥΦΟΣ'`, []any{"σίσυφος"}, nil},
		{`F: 'KELVIN'`, []any{"\u212Aelvin", "kelvin"}, nil},
		{`F: 'i'`, []any{"I"}, []any{"İ", "ı"}}, // free of locale
		{`F: 4688`, []any{4688, "4688"}, []any{46880, "04688", nil}},
		{`F: '4688'`, []any{4688, "4688"}, nil},
		{`F: 0x10`, []any{16}, []any{"0x10"}},
		{`F: '0x10'`, []any{"0X10"}, []any{16}},
		{`F: 1.5`, []any{1.5, "1.5"}, []any{1, "1.50"}},
		{`F: -3`, []any{-3, "-3"}, []any{3}},
		{`F: true`, []any{true, "true", "True"}, []any{false, 1}},
		{`F: ''`, []any{""}, []any{nil, " ", 0}},
		{`F: null`, []any{nil, []Value{}}, []any{"", "null", 0}},
		{`F: 'null'`, []any{"null"}, []any{nil}},
		{`F: 2019-10-23`, []any{"2019-10-23"}, nil},
		{`F: 'prog?.exe'`, []any{"progA.exe", "progé.exe", "PROG1.EXE"}, []any{"prog.exe", "progAB.exe"}},
		{`F: '?'`, []any{"a", "é", "語"}, []any{"", "ab"}},
		{`F: '*?'`, []any{"a", "éa", "é"}, []any{""}},
		{`F: 'a*c'`, []any{"ac", "abc", "a\nc"}, []any{"acb", "bac"}},
		{`F: 'a*b*c'`, []any{"abc", "a-b-c", "abbbc"}, []any{"acb"}},
		{`F: '*'`, []any{"", "x", 0}, []any{nil}},
		{`F: '**x**'`, []any{"x", "axb"}, []any{"y"}},
		{`F: 'a?*?b'`, []any{"axyb", "axxxb"}, []any{"axb", "ab"}},
		{`F: '*aab'`, []any{"aaaab", "aab"}, []any{"aaba"}},
		{"F:\n  - un\n  - deux", []any{"UN", "deux"}, []any{"trois"}},
	})
	if !hits(t, item(t, `F: un`), f([]Value{Text("zéro"), Text("Un")})) {
		t.Error("a list of values does not hit by one of them")
	}
	if !hits(t, item(t, `F: null`), Record{}) {
		t.Error("an absent field is not null")
	}
}

// The escapes are those of the specification, line by line.
func TestEscapes(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F: 'a\b'`, []any{`a\b`}, []any{`a\\b`, "ab"}},
		{`F: 'a\\b'`, []any{`a\b`}, []any{`a\\b`}},
		{`F: 'a\\\b'`, []any{`a\\b`}, []any{`a\b`}},
		{`F: 'a\\\\b'`, []any{`a\\b`}, []any{`a\b`}},
		{`F: 'a\*b'`, []any{"a*b"}, []any{"axb", `a\b`}},
		{`F: 'a\?b'`, []any{"a?b"}, []any{"axb"}},
		{`F: 'a\\*b'`, []any{`a\b`, `a\xyb`}, []any{"a*b", "axb"}},
		{`F: 'a\\?b'`, []any{`a\xb`}, []any{`a\b`, "a?b"}},
		{`F: 'a\\\*b'`, []any{`a\*b`}, []any{`a\xb`}},
		{`F: 'a\'`, []any{`a\`}, []any{"a"}},
		{`F: 'a\\'`, []any{`a\`}, []any{`a\\`}},
	})
}

func TestContainsStartsEnds(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|contains: 'foo'`, []any{"foo", "a FOO b"}, []any{"fo", "f oo"}},
		{`F|contains: '*foo'`, []any{"xfooy"}, nil},
		{`F|contains: 'foo*'`, []any{"xfooy"}, nil},
		{`F|contains: 'f?o'`, []any{"xfaoy"}, []any{"xfoy"}},
		{`F|contains: 'foo\\'`, []any{`x foo\ y`}, []any{"foo"}},
		{`F|contains: ''`, []any{"", "x"}, []any{nil}},
		{`F|startswith: 'foo'`, []any{"foo", "FOObar"}, []any{"xfoo"}},
		{`F|startswith: 'foo*'`, []any{"foobar"}, []any{"xfoo"}},
		{`F|startswith: 'foo\\'`, []any{`foo\bar`}, []any{"foobar"}},
		{`F|endswith: '\cmd.exe'`, []any{`C:\Windows\CMD.exe`, `\cmd.exe`}, []any{"cmd.exe", `\cmd.exe.bak`}},
		{`F|endswith: '*foo'`, []any{"xfoo"}, []any{"foox"}},
		{`F|endswith: 'a?c'`, []any{"xabc"}, []any{"xabcd"}},
		{`F|contains: 46`, []any{4688, "x46"}, []any{4588}},
		{"F|contains|all:\n  - un\n  - deux", []any{"deux et UN"}, []any{"un", "deux"}},
		{"F|contains|all: un", []any{"un"}, nil},
		{`F|startswith: 'É'`, []any{"état"}, nil},
		{`F|endswith: "\U0001F514"`, []any{"tocsin \U0001F514"}, []any{"\U0001F514 tocsin"}},
	})
}

func TestCased(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|cased: 'FooBar'`, []any{"FooBar"}, []any{"foobar", "FOOBAR"}},
		{`F|contains|cased: 'Foo'`, []any{"xFoo"}, []any{"xfoo"}},
		{`F|cased|endswith: 'Foo'`, []any{"xFoo"}, []any{"xfoo"}},
		{`F|cased: 'F?o*'`, []any{"Fooo"}, []any{"fooo"}},
		{`F|cased: ''`, []any{""}, []any{"a"}},
	})
}

func TestRegularExpressions(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|re: 'fo+'`, []any{"xfooy"}, []any{"FOO", "f"}},
		{`F|re: '^foo$'`, []any{"foo"}, []any{"xfoo", "foo\nbar"}},
		{`F|re|i: '^foo$'`, []any{"FOO"}, []any{"xfoo"}},
		{`F|re|m: '^foo$'`, []any{"bar\nfoo\nbaz"}, []any{"xfoo"}},
		{`F|re: 'a.b'`, []any{"axb"}, []any{"a\nb"}},
		{`F|re|s: 'a.b'`, []any{"a\nb"}, nil},
		{`F|re|i|m|s: '^A.B$'`, []any{"x\na\nb\ny"}, nil},
		{`F|re|ignorecase|multiline|dotall: '^A.B$'`, []any{"x\na\nb\ny"}, nil},
		{`F|re: 'foo\\bar'`, []any{`foo\bar`}, []any{"foobar"}}, // no escapes but the expression's
		{`F|re: 'APT\d'`, []any{"see APT28"}, nil},
		{`F|re|contains: 'foo'`, []any{"xfoox"}, nil},
		{`F|re|startswith: 'fo+|ba+'`, []any{"foox", "baax"}, []any{"xfoo", "xba"}},
		{`F|re|endswith: 'fo+|ba+'`, []any{"xfoo", "xba"}, []any{"foox", "bax"}},
		{`F|re: '^\d{4}$'`, []any{4688, "0001"}, []any{46880}},
		{`F|re: 'É'`, []any{"É"}, []any{"é"}},
		{`F|re|i: 'k'`, []any{"K", "\u212A"}, nil},
		{"F|re|all:\n  - a\n  - b", []any{"ba"}, []any{"a"}},
		{`F|re: ''`, []any{"", "x"}, []any{nil}},
	})
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	enc := func(before, s, after string) string {
		return base64.StdEncoding.EncodeToString([]byte(before + s + after))
	}
	wide := func(s string) string { return utf16Text(s, binary.LittleEndian) }
	tryAll(t, []tried{
		{`F|base64: 'foobar'`, []any{"Zm9vYmFy"}, []any{"foobar", enc("x", "foobar", "")}},
		{`F|base64offset|contains: 'foobar'`, []any{enc("", "foobar", "x"), enc("a", "foobar", "yz"), enc("ab", "foobar", ""), enc("abc", "foobar", "")}, []any{enc("", "fooba", "")}},
		{`F|base64offset|contains: 'foo'`, []any{enc("", "foo", "1"), enc("1", "foo", "23"), enc("12", "foo", "3")}, []any{"foo"}},
		{`F|base64offset|contains: 'é'`, []any{enc("x", "é", "y")}, nil}, // counted in bytes, not characters
		{`F|wide: 'cmd'`, []any{"c\x00m\x00d\x00"}, []any{"cmd"}},
		{`F|utf16le: 'cmd'`, []any{"c\x00m\x00d\x00"}, nil},
		{`F|utf16be: 'cmd'`, []any{"\x00c\x00m\x00d"}, []any{"c\x00m\x00d\x00"}},
		{`F|utf16|base64: 'cmd'`, []any{base64.StdEncoding.EncodeToString([]byte("\xff\xfec\x00m\x00d\x00"))}, nil},
		{`F|wide|base64: 'é'`, []any{base64.StdEncoding.EncodeToString([]byte{0xe9, 0})}, nil},
		{`F|wide|base64offset|contains: 'ping'`, []any{enc("x", wide("ping"), "y"), enc("", wide("ping"), "")}, []any{enc("", "ping", "")}},
		{`F|wide|contains: 'a*b'`, []any{"-a\x00zzb\x00-"}, nil},
	})
	want := []string{"Zm9vYmFy", "Zvb2Jhc", "mb29iYX"}
	if got := base64Offsets("foobar"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWindash(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|windash|contains: ' -param-name'`, []any{"x -param-name", "x /param-name", "x –param-name", "x —PARAM-name", "x ―param-name"}, []any{"x -param/name", "x param-name"}},
		{`F|windash: '/a /b'`, []any{"-a -b", "/a -b", "―a –b"}, []any{"a b"}},
		{`F|contains|windash: '-f'`, []any{"x /f"}, nil},
		{`F|windash: 'a-b'`, []any{"a-b"}, []any{"a/b"}}, // inside a word it is a hyphen
		{`F|windash: 'a -'`, []any{"a -"}, []any{"a /"}},
		{`F|windash: '–été'`, []any{"-été", "/été"}, nil},
		{"F|contains|all|windash:\n  - '-a'\n  - '/b'", []any{"x /a -b"}, []any{"x /a"}},
	})
	forms, ok := windash(parsePattern("-param-1 -param2"))
	if !ok || len(forms) != 25 {
		t.Errorf("%d forms, want 25", len(forms))
	}
}

func TestCIDR(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|cidr: 10.0.0.0/8`, []any{"10.1.2.3", "10.255.255.255", "::ffff:10.1.2.3"}, []any{"11.0.0.1", "10.1.2", "10.0.0.0/8", "fe80::1", nil}},
		{"F|cidr:\n  - 192.168.1.0/24\n  - 2001:db8::/32", []any{"192.168.1.77", "2001:DB8::1", " 192.168.1.1 "}, []any{"192.168.2.1", "2001:db9::1"}},
		{`F|cidr: fe80::/10`, []any{"fe80::1%eth0"}, []any{"fec0::1"}},
		{`F|cidr: '::ffff:10.0.0.0/104'`, []any{"10.1.1.1"}, []any{"11.1.1.1"}},
		{`F|cidr: 10.0.0.1/32`, []any{"10.0.0.1"}, []any{"10.0.0.2"}},
	})
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|lt: 10`, []any{9, "9.5", -1, 9.99}, []any{10, 11, "x", "", nil, true}},
		{`F|lte: 10`, []any{10, "10"}, []any{10.01}},
		{`F|gt: 10`, []any{11, "1e3"}, []any{10, "NaN"}},
		{`F|gte: 10.5`, []any{10.5, "11"}, []any{10.4}},
		{`F|neq: 10`, []any{11, "x", nil}, []any{10, "10"}},
		{"F|neq:\n  - un\n  - deux", []any{"trois", nil}, []any{"UN", "deux"}},
		{`F|contains|neq: 'x'`, []any{"abc"}, []any{"aXc"}},
	})
	if !hits(t, item(t, `F|neq: 1`), Record{}) {
		t.Error("an absent field does not differ")
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	tryAll(t, []tried{
		{`F|exists: true`, []any{"", nil, 0, []Value{}}, nil},
		{`F|exists: false`, nil, []any{"", nil}},
	})
	if hits(t, item(t, `F|exists: true`), Record{}) || !hits(t, item(t, `F|exists: false`), Record{}) {
		t.Error("an absent field exists")
	}
}

func TestFieldRef(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		item, a, b string
		want       bool
	}{
		{`A|fieldref: B`, "Jean", "JEAN", true},
		{`A|fieldref: B`, "Jean", "Jeanne", false},
		{`A|fieldref|startswith: B`, "Jeanne", "jean", true},
		{`A|fieldref|startswith: B`, "xJean", "jean", false},
		{`A|fieldref|endswith: B`, "xJean", "JEAN", true},
		{`A|fieldref|contains: B`, "xJeanx", "jean", true},
		{`A|fieldref|contains: B`, "a*b", "*", true}, // the other's value is no pattern
		{`A|fieldref: B`, "axb", "a*b", false},
		{`A|fieldref|neq: B`, "Jean", "Paul", true},
		{`A|fieldref|neq: B`, "Jean", "jean", false},
		{`A|fieldref|contains|neq: B`, "Jeanne", "jean", false},
	} {
		e := Record{"A": {Text(c.a)}, "B": {Text(c.b)}}
		if hits(t, item(t, c.item), e) != c.want {
			t.Errorf("%s: %q and %q: not %v", c.item, c.a, c.b, c.want)
		}
	}
	if hits(t, item(t, `A|fieldref: B`), Record{"A": {Text("x")}}) || hits(t, item(t, `A|fieldref: B`), Record{"A": {Null()}, "B": {Null()}}) {
		t.Error("nothing is equal to nothing")
	}
	if !hits(t, item(t, `A|fieldref: B`), Record{"A": {Text("x"), Text("y")}, "B": {Text("z"), Text("Y")}}) {
		t.Error("one value of each is equal")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const at = "2026-11-30T03:07:09.123+02:00"
	tryAll(t, []tried{
		{`F|minute: 7`, []any{at, "2026-11-30 03:07:09"}, []any{"2026-11-30T03:08:00Z", "03:07", 7, nil}},
		{`F|hour: 3`, []any{at, "2026-11-30 03:07", "2026-11-30T03:07:09Z"}, []any{"2026-11-30T01:07:09Z"}}, // as written, no zone
		{`F|day: 30`, []any{at, "2026-11-30"}, []any{"2026-11-29"}},
		{`F|week: 49`, []any{at}, []any{"2026-11-29"}},
		{`F|month: 11`, []any{at}, []any{"2026-12-01"}},
		{`F|year: 2026`, []any{at}, []any{"2025-11-30", "2026-13-40", "2026"}},
		{"F|hour:\n  - 2\n  - 3", []any{at}, nil},
	})
}

func TestExpand(t *testing.T) {
	t.Parallel()
	ps := Parser{Placeholders: map[string][]string{"admins": {"adm_*", "root"}, "n": {"1", "2"}, "net": {"10.0.0.0/8", "fd00::/8"}, "domaine": {"chu.example"}}}
	for _, c := range []struct {
		item    string
		yes, no []string
	}{
		{`F|expand: '%admins%'`, []string{"ADM_jean", "root"}, []string{"jean", "%admins%"}},
		{`F|expand: 'x-%n%-%n%'`, []string{"x-1-1", "x-1-2", "x-2-1"}, []string{"x-1-3"}},
		{`F|expand: '\%plain%n%'`, []string{"%plain1"}, []string{"%plain%n%"}},
		{`F: '%admins%'`, []string{"%admins%"}, []string{"root"}},
		{`F|contains|expand: '%n%'`, []string{"a1b"}, []string{"ab"}},
		{`F|re|expand: '^%n%+$'`, []string{"1", "22"}, []string{"12", "3"}},
		{`F|re|expand: '@%domaine%$'`, []string{"x@chu.example"}, []string{"x@chuXexample"}}, // a value is no expression
		{`F|re|expand: '^(%admins%)$'`, []string{"adm_x", "root"}, []string{"ADM_x", "toor"}},
		{`F|expand|cidr: '%net%'`, []string{"10.1.2.3", "fd00::1"}, []string{"11.0.0.1"}},
		{`F|expand: '100 %'`, []string{"100 %"}, nil},
	} {
		got, err := ps.Parse("x.yml", []byte(ruleText("sel:\n"+indent(c.item)+"condition: sel\n")))
		if err != nil {
			t.Errorf("%s: %v", c.item, err)
			continue
		}
		for _, v := range c.yes {
			if !hits(t, got.Rules[0], f(v)) {
				t.Errorf("%s does not hit %q", c.item, v)
			}
		}
		for _, v := range c.no {
			if hits(t, got.Rules[0], f(v)) {
				t.Errorf("%s hits %q", c.item, v)
			}
		}
	}
	_, err := ps.Parse("x.yml", []byte(ruleText("sel:\n  F|expand: '%autre%'\ncondition: sel\n")))
	wantKey(t, err, "traces.sigma.placeholder")
	_, err = ps.Parse("x.yml", []byte(ruleText("sel:\n  F|re|expand: '%autre%'\ncondition: sel\n")))
	wantKey(t, err, "traces.sigma.placeholder")
	_, err = ps.Parse("x.yml", []byte(ruleText("sel:\n  F|expand|re: '%n%'\ncondition: sel\n")))
	wantKey(t, err, "traces.sigma.modifier_first")
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	r := parseOne(t, ruleText("mots:\n  - 'EVIL'\n  - 'a*b'\n  - 42\ncondition: mots\n"))
	for _, v := range []any{"an evil thing", "xxaxxbxx", "line 42", 1429} {
		if !hits(t, r, f(v)) {
			t.Errorf("keywords do not hit %q", v)
		}
	}
	if hits(t, r, f("good")) || hits(t, r, f(nil)) {
		t.Error("keywords hit nothing")
	}
	all := parseOne(t, ruleText("mots:\n  '|all':\n    - 'un'\n    - 'deux'\ncondition: mots\n"))
	two := Record{"A": {Text("un")}, "B": {Text("DEUX")}}
	if !hits(t, all, two) || hits(t, all, f("un")) {
		t.Error("all keywords are wanted, wherever they are")
	}
	cased := parseOne(t, ruleText("mots:\n  '|re':\n    - 'Ev[ie]l'\ncondition: mots\n"))
	if !hits(t, cased, f("so Evel")) || hits(t, cased, f("so evil")) {
		t.Error("an expression as keyword")
	}
	alone := parseOne(t, ruleText("mots: evil\ncondition: mots\n"))
	if !hits(t, alone, f("Evil!")) {
		t.Error("a keyword alone")
	}
}

func TestFoldKeepsEveryLength(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "ABC", "É", "\xff\xfeA", "K\u212A", strings.Repeat("Ж", 1000)} {
		if foldText(foldText(s)) != foldText(s) {
			t.Errorf("%q folds twice differently", s)
		}
	}
}
