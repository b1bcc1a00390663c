package gsm_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tocsin/internal/wire/gsm"
)

// alphabet is the whole table of TS 23.038, written apart from the code.
const alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

func TestEncodeKnowsTheWholeTable(t *testing.T) {
	t.Parallel()
	encoding, octets := gsm.Encode(alphabet)
	if encoding != gsm.GSM7 || len(octets) != 127 {
		t.Fatalf("got %s, %d octets, want gsm7 and 127", encoding, len(octets))
	}
	code := byte(0)
	for i, b := range octets {
		if code == 0x1B {
			code++
		}
		if b != code {
			t.Fatalf("character %d has code %#x, want %#x", i, b, code)
		}
		code++
	}
	if got := gsm.DecodeGSM7(octets); got != alphabet {
		t.Errorf("read back %q", got)
	}
}

func TestEncodeExtension(t *testing.T) {
	t.Parallel()
	encoding, octets := gsm.Encode("^{}\\[~]|€\f")
	want := "\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x65\x1b\x0a"
	if encoding != gsm.GSM7 || string(octets) != want {
		t.Fatalf("got %s %x, want %x", encoding, octets, want)
	}
	if got := gsm.DecodeGSM7(octets); got != "^{}\\[~]|€\f" {
		t.Errorf("read back %q", got)
	}
}

func TestEncodeUCS2(t *testing.T) {
	t.Parallel()
	encoding, octets := gsm.Encode("ç😀")
	if encoding != gsm.UCS2 || string(octets) != "\x00\xe7\xd8\x3d\xde\x00" {
		t.Fatalf("got %s %x", encoding, octets)
	}
	if got := gsm.DecodeUCS2(octets); got != "ç😀" {
		t.Errorf("read back %q", got)
	}
}

func TestDecodeBrokenOctets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want string }{
		"lone escape":           {gsm.DecodeGSM7("a\x1b"), "a "},
		"unknown extension":     {gsm.DecodeGSM7("\x1bA"), "A"},
		"two escapes":           {gsm.DecodeGSM7("\x1b\x1b"), "\u00a0"},
		"latin-1 as default":    {gsm.DecodeGSM7("\xe9"), "é"},
		"odd UCS-2":             {gsm.DecodeUCS2("\x00a\x00"), "a\ufffd"},
		"lone high surrogate":   {gsm.DecodeUCS2("\xd8\x3d"), "\ufffd"},
		"high without low":      {gsm.DecodeUCS2("\xd8\x3d\x00a"), "\ufffda"},
		"lone low surrogate":    {gsm.DecodeUCS2("\xde\x00\x00a"), "\ufffda"},
		"latin-1":               {gsm.DecodeLatin1("\xe7a"), "ça"},
		"nothing, three times":  {gsm.DecodeGSM7("") + gsm.DecodeUCS2("") + gsm.DecodeLatin1(""), ""},
		"bytes as well as text": {gsm.DecodeGSM7([]byte{0x05}), "é"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	a, c := strings.Repeat("a", 160), strings.Repeat("ç", 70)
	for name, tc := range map[string]struct {
		text                                   string
		ref                                    gsm.Reference
		encoding                               gsm.Encoding
		characters, units, segments, remaining int
	}{
		"empty":                     {"", gsm.Reference8, gsm.GSM7, 0, 0, 0, 160},
		"160 fit":                   {a, gsm.Reference8, gsm.GSM7, 160, 160, 1, 0},
		"161 are two":               {a + "a", gsm.Reference8, gsm.GSM7, 161, 161, 2, 153 - 8},
		"306 are two":               {strings.Repeat("a", 306), gsm.Reference8, gsm.GSM7, 306, 306, 2, 0},
		"307 are three":             {strings.Repeat("a", 307), gsm.Reference8, gsm.GSM7, 307, 307, 3, 152},
		"306 wide are three":        {strings.Repeat("a", 306), gsm.Reference16, gsm.GSM7, 306, 306, 3, 150},
		"euro counts two":           {strings.Repeat("€", 80), gsm.Reference8, gsm.GSM7, 80, 160, 1, 0},
		"81 euros are two":          {strings.Repeat("€", 81), gsm.Reference8, gsm.GSM7, 81, 162, 2, 153 - 10},
		"70 fit":                    {c, gsm.Reference8, gsm.UCS2, 70, 70, 1, 0},
		"71 are two":                {c + "ç", gsm.Reference8, gsm.UCS2, 71, 71, 2, 67 - 4},
		"134 are two":               {strings.Repeat("ç", 134), gsm.Reference8, gsm.UCS2, 134, 134, 2, 0},
		"134 wide are three":        {strings.Repeat("ç", 134), gsm.Reference16, gsm.UCS2, 134, 134, 3, 64},
		"emoji counts two":          {strings.Repeat("😀", 35), gsm.Reference8, gsm.UCS2, 35, 70, 1, 0},
		"accents typed apart":       {"e\u0301te\u0301", gsm.Reference8, gsm.GSM7, 3, 3, 1, 157},
		"emoji never cut (66+1)":    {strings.Repeat("ç", 66) + "😀" + strings.Repeat("ç", 66), gsm.Reference8, gsm.UCS2, 133, 134, 3, 67 - 1},
		"extension never cut (152)": {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), gsm.Reference8, gsm.GSM7, 305, 306, 3, 153 - 1},
	} {
		got := gsm.CountWith(tc.text, tc.ref)
		if got.Encoding != tc.encoding || got.Characters != tc.characters || got.Units != tc.units ||
			got.Segments != tc.segments || got.Remaining != tc.remaining {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestCountNamesOffenders(t *testing.T) {
	t.Parallel()
	got := gsm.Count("Reçu, même « là » 😀")
	want := []gsm.Offender{{'ç', 2, "c"}, {'ê', 7, "e"}, {'«', 11, `"`}, {'»', 16, `"`}, {'😀', 18, ""}}
	if len(got.Offenders) != len(want) {
		t.Fatalf("got %v, want %v", got.Offenders, want)
	}
	for i := range want {
		if got.Offenders[i] != want[i] {
			t.Errorf("offender %d: got %v, want %v", i, got.Offenders[i], want[i])
		}
	}
	if n := len(gsm.Count("Déjà là, à l'été").Offenders); n != 0 {
		t.Errorf("French accents of the alphabet reported: %d", n)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     "",
		"Ça va, à l’hôpital ?": "Ça va, à l'hopital ?",
		"reçu d’une sœur":      "recu d'une soeur",
		"«\u00a0Plan blanc\u00a0» – immédiat": `"Plan blanc" - immédiat`,
		"« Plan blanc »":                      `" Plan blanc "`,
		"Venez\u202f!":                        "Venez !",
		"ÊTRE À L’HÔPITAL, ÉTAGE Nº 3…":       "ETRE A L'HOPITAL, ÉTAGE No 3...",
		"maïs, Noël, dû":                      "mais, Noel, du",
		"hôpital typed apart: o\u0302":        "hopital typed apart: o",
		"😀 ok":                                "😀 ok",
		"zero\u200bwidth":                     "zerowidth",
		"łódź İstanbul":                       "lodz Istanbul",
		"5 € → 3 × 2":                         "5 € -> 3 x 2",
		"été déjà où":                         "été déjà où",
	} {
		if got := gsm.Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSplitAgreesWithCount(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", strings.Repeat("été€", 100), strings.Repeat("ç😀", 200), strings.Repeat("a", 1000)} {
		for _, ref := range []gsm.Reference{gsm.Reference8, gsm.Reference16} {
			checkSplit(t, text, ref)
		}
	}
}

func TestSplitRefusesMoreThan255Parts(t *testing.T) {
	t.Parallel()
	if _, parts, err := gsm.Split(strings.Repeat("a", 153*255), gsm.Reference8); err != nil || len(parts) != 255 {
		t.Errorf("255 parts: got %d, %v", len(parts), err)
	}
	if _, _, err := gsm.Split(strings.Repeat("a", 153*255+1), gsm.Reference8); !errors.Is(err, gsm.ErrTooLong) {
		t.Errorf("256 parts: got %v", err)
	}
}

// checkSplit asserts that the parts, joined, are the text; that none is too
// long; and that their number is the one shown to the author.
func checkSplit(t *testing.T, text string, ref gsm.Reference) {
	t.Helper()
	encoding, parts, err := gsm.Split(text, ref)
	if errors.Is(err, gsm.ErrTooLong) {
		return
	}
	size := gsm.CountWith(text, ref)
	if max(size.Segments, 1) != len(parts) || size.Encoding != encoding {
		t.Fatalf("%d parts in %s, counted %d in %s", len(parts), encoding, size.Segments, size.Encoding)
	}
	limit, decode := size.PerSegment, gsm.DecodeGSM7[[]byte]
	if encoding == gsm.UCS2 {
		limit, decode = 2*size.PerSegment, gsm.DecodeUCS2[[]byte]
	}
	var whole strings.Builder
	for i, p := range parts {
		if len(p) > limit {
			t.Fatalf("part %d has %d octets, limit %d", i, len(p), limit)
		}
		if encoding == gsm.GSM7 && len(p) > 0 && p[len(p)-1] == 0x1B {
			t.Fatalf("part %d ends inside an extension", i)
		}
		if encoding == gsm.UCS2 && len(p) >= 2 && utf16.IsSurrogate(rune(p[0])<<8|rune(p[1])) && p[0] >= 0xDC {
			t.Fatalf("part %d begins inside a surrogate pair", i)
		}
		whole.WriteString(decode(p))
	}
	if want := norm.NFC.String(text); utf8.ValidString(want) && whole.String() != want {
		t.Fatalf("read back %q, want %q", whole.String(), want)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for _, p := range []gsm.Part{
		{Reference: 0xAB, Width: gsm.Reference8, Total: 3, Number: 2},
		{Reference: 0xABCD, Width: gsm.Reference16, Total: 255, Number: 255},
	} {
		octets := append(p.AppendHeader(nil), "texte"...)
		got, text, found := gsm.SplitHeader(octets)
		if !found || got != p || string(text) != "texte" {
			t.Errorf("got %+v %q %v, want %+v", got, text, found, p)
		}
	}
}

func TestHeaderOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		octets, text string
		found        bool
	}{
		"empty":                   {"", "", false},
		"longer than the message": {"\x09\x00\x03a", "\x09\x00\x03a", false},
		"ports, then a part":      {"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x01\x02\x01x", "x", true},
		"element too long":        {"\x05\x00\x09\x01\x02\x01x", "x", false},
		"part 0":                  {"\x05\x00\x03\x01\x02\x00x", "x", false},
		"part 3 of 2":             {"\x05\x00\x03\x01\x02\x03x", "x", false},
		"ports only":              {"\x06\x05\x04\x0b\x84\x23\xf0x", "x", false},
	} {
		_, text, found := gsm.SplitHeader(c.octets)
		if text != c.text || found != c.found {
			t.Errorf("%s: got %q %v", name, text, found)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{"", "Venez à l’hôpital", "€[]{}^~|\\", "😀ç", strings.Repeat("é€", 200), "\xff\x00", "e\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkSplit(t, text, gsm.Reference8)
		checkSplit(t, text, gsm.Reference16)
		plain := gsm.Plain(text)
		if utf8.ValidString(text) && gsm.Fits(text) && plain != norm.NFC.String(text) {
			t.Fatalf("Plain changed a text that needed nothing: %q to %q", text, plain)
		}
		if gsm.Plain(plain) != plain {
			t.Fatalf("Plain is not stable on %q", text)
		}
		for _, o := range gsm.Count(text).Offenders {
			if o.Plain != "" && !gsm.Fits(o.Plain) {
				t.Fatalf("the plain spelling %q of %q is not plain", o.Plain, o.Rune)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x1b\x65\x05"))
	f.Add([]byte("\x05\x00\x03\x01\x02\x01x"))
	f.Add([]byte("\xd8\x3d\xde\x00\x00"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		for _, text := range []string{gsm.DecodeGSM7(octets), gsm.DecodeUCS2(octets), gsm.DecodeLatin1(octets)} {
			if !utf8.ValidString(text) {
				t.Fatalf("not UTF-8: %q", text)
			}
		}
		if part, text, found := gsm.SplitHeader(octets); found && (!part.Valid() || len(text) >= len(octets)) {
			t.Fatalf("part %+v, %d octets of %d", part, len(text), len(octets))
		}
	})
}
