package phone_test

import (
	"strings"
	"testing"

	"tocsin/internal/directory/phone"
)

// compact writes a result on one line: "+33639981234 mobile [perso] !warning" and
// "?problem", separated by ", ".
func compact(r phone.Result) string {
	var parts []string
	for _, n := range r.Numbers {
		s := n.E164 + " " + string(n.Kind)
		if n.Label != "" {
			s += " [" + n.Label + "]"
		}
		if n.Warning != "" {
			s += " !" + strings.TrimPrefix(n.Warning, "phone.warning.")
		}
		parts = append(parts, s)
	}
	for _, p := range r.Problems {
		parts = append(parts, "?"+strings.TrimPrefix(p.Key, "phone.problem."))
	}
	return strings.Join(parts, ", ")
}

type cell struct{ text, want string }

func check(t *testing.T, region string, cells []cell) {
	t.Helper()
	for _, c := range cells {
		if got := compact(phone.Parse(c.text, phone.Options{Region: region})); got != c.want {
			t.Errorf("Parse(%q, %q)\n got %s\nwant %s", c.text, region, got, c.want)
		}
	}
}

func TestParseOneNumber(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"0639981234", "+33639981234 mobile"},
		{"0612 34 56 78", "+33612345678 mobile"},
		{"06.12.34.56.78", "+33612345678 mobile"},
		{"06-12-34-56-78", "+33612345678 mobile"},
		{"06 - 12 - 34 - 56 - 78", "+33612345678 mobile"},
		{"06/12/34/56/78", "+33612345678 mobile"},
		{"06,12,34,56,78", "+33612345678 mobile"},
		{"06_12_34_56_78", "+33612345678 mobile"},
		{"06\u00a012\u202f34\u200956 78", "+33612345678 mobile"},
		{"\u202a+33 6 12 34 56 78\u202c", "+33612345678 mobile"},
		{"０６１２３４５６７８", "+33612345678 mobile"},
		{"'0612345678", "+33612345678 mobile"},
		{"=\"0612345678\"", "+33612345678 mobile"},
		{"  0612345678  ", "+33612345678 mobile"},
		{"+33 (0)6 12 34 56 78", "+33612345678 mobile"},
		{"+33(0)612345678", "+33612345678 mobile"},
		{"(+33) 6 12 34 56 78", "+33612345678 mobile"},
		{"+33 06 12 34 56 78", "+33612345678 mobile"},
		{"0033 6 12 34 56 78", "+33612345678 mobile"},
		{"00 33 (0) 6 12 34 56 78", "+33612345678 mobile"},
		{"33612345678", "+33612345678 mobile"},
		{"+0612345678", "+33612345678 mobile"},
		{"tel:+33612345678", "+33612345678 mobile"},
		{"0142345678", "+33142345678 landline"},
		{"09 72 12 34 56", "+33972123456 landline"},
		{"07 56 78 90 12", "+33756789012 mobile"},
	})
}

func TestParseWhatExcelDoes(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"612345678", "+33612345678 mobile"},
		{"142345678", "+33142345678 landline"},
		{"6 12 34 56 78", "+33612345678 mobile"},
		{"6.12345678E8", "+33612345678 mobile"},
		{"6,12345678E+08", "+33612345678 mobile"},
		{"6.1234567E8", "+33612345670 mobile"},
		{"3.3612345678E10", "+33612345678 mobile"},
		{"6.12346E+08", "?lost_digits"},
		{"3,36E+10", "?lost_digits"},
		{"612345678.0", "+33612345678 mobile"},
		{"612345678,00", "+33612345678 mobile"},
		{"692123456", "+262692123456 mobile"},
	})
}

func TestParseTypingErrors(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"O612345678", "+33612345678 mobile"},
		{"o6 12 34 56 78", "+33612345678 mobile"},
		{"O6.OO.12.34.56", "+33600123456 mobile"},
		{"06 OO O0 12 34", "+33600001234 mobile"},
		{"06 12 34 56 7", "?not_french"},
		{"6 12 34 56 7", "?too_short"},
		{"06 12 34 56", "?too_short"},
		{"06 12 34 56 789", "?too_long"},
		{"06 12 34 56 78 9", "?too_long"},
		{"0612345678901", "?too_long"},
		{"1612345678", "?not_french"},
		{"00 00 00 00 00", "?placeholder"},
		{"06 00 00 00 00", "+33600000000 mobile !filler"},
		{"0666666666", "+33666666666 mobile !filler"},
		{"+999 123456789", "?unknown_country"},
		{"jean@hopital.example", "?email"},
		{"voir le secrétariat", "?no_number"},
		{"fax 01 99 00 12 34", "?fax"},
		{"01 99 00 12 34/35", "+33199001234 landline, ?suffix"},
	})
}

func TestParseNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "   ", "-", "--", "néant", "NC", "N/A", "aucun", "?", "x", "null", "0", "\u00a0"} {
		check(t, "FR", []cell{{text, ""}})
	}
}

func TestParseLabels(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"06.12.34.56.78 (perso)", "+33612345678 mobile [perso]"},
		{"perso : 06.12.34.56.78", "+33612345678 mobile [perso]"},
		{"Tél. portable : 06.12.34.56.78", "+33612345678 mobile"},
		{"Port. pro 0612345678", "+33612345678 mobile [pro]"},
		{"n° 06 12 34 56 78", "+33612345678 mobile"},
		{"No 0612345678", "+33612345678 mobile"},
		{"0612345678perso", "+33612345678 mobile [perso]"},
		{"domicile 01 99 00 12 34", "+33199001234 landline [domicile]"},
		{"06 12 34 56 78 (mari)", "+33612345678 mobile [mari] !third_party"},
		{"06 12 34 56 78 chez ses parents", "+33612345678 mobile [chez ses parents] !third_party"},
		{"06 12 34 56 78 (8h-20h30)", "+33612345678 mobile"},
		{"06 12 34 56 78 après 18h", "+33612345678 mobile [après]"},
		{"p. 06 12 34 56 78", "+33612345678 mobile"},
	})
}

func TestParseSeveralNumbers(t *testing.T) {
	t.Parallel()
	const a, b = "+33612345678 mobile", "+33756345678 mobile"
	check(t, "FR", []cell{
		{"06 12 34 56 78 / 07 56 34 56 78", a + ", " + b},
		{"0612345678/0756345678", a + ", " + b},
		{"06.12.34.56.78 ou 07.56.34.56.78", a + ", " + b},
		{"0612345678ou0756345678", a + ", " + b},
		{"0612345678 et 0756345678", a + ", " + b},
		{"0612345678;0756345678", a + ", " + b},
		{"0612345678,0756345678", a + ", " + b},
		{"0612345678\n0756345678", a + ", " + b},
		{"0612345678 - 0756345678", a + ", " + b},
		{"0612345678-0756345678", a + ", " + b},
		{"06 12 34 56 78 07 56 34 56 78", a + ", " + b},
		{"06123456780756345678", a + ", " + b},
		{"612345678 756345678", a + ", " + b},
		{"+33612345678 +33756345678", a + ", " + b},
		{"+33 6 12 34 56 78/+33 7 56 34 56 78", a + ", " + b},
		{"01 99 00 12 34 ou 06 39 98 12 34", "+33199001234 landline, +33639981234 mobile"},
		{"0612345678 (perso) / 0756345678 (pro)", "+33612345678 mobile [perso], +33756345678 mobile [pro]"},
		{"perso / 0612345678", "+33612345678 mobile [perso]"},
		{"0612345678 / 06 12 34 56 78", a},
		{"0612345678 / 07 12 34", a + ", ?too_short"},
		{"0612345678 4512", a + ", 4512 extension"},
		{"4512 / 0612345678", "4512 extension, " + a},
	})
}

func TestParseInside(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"poste 4512", "4512 extension"},
		{"Poste: 45 12", "4512 extension"},
		{"p.4512", "4512 extension"},
		{"p4512", "4512 extension"},
		{"4512", "4512 extension"},
		{"45123", "45123 extension"},
		{"ext. 4512", "4512 extension"},
		{"4512/4513", "4512 extension, 4513 extension"},
		{"poste 4512 ou 4513", "4512 extension, 4513 extension"},
		{"01 99 00 12 34 poste 4512", "+33199001234 landline, 4512 extension"},
		{"01 99 00 12 34 (p. 4512)", "+33199001234 landline, 4512 extension"},
		{"DECT 4512", "4512 extension [DECT] !dect"},
		{"4512 (DECT)", "4512 extension [DECT] !dect"},
		{"poste DECT 4512", "4512 extension [DECT] !dect"},
		{"bip 123", "123 extension [bip]"},
		{"15", "15 short !short"},
		{"112", "112 short !short"},
		{"118218", "118218 short !short"},
		{"42", "?too_short"},
	})
}

func TestParseOverseas(t *testing.T) {
	t.Parallel()
	cells := []cell{
		{"0690 12 34 56", "+590690123456 mobile"},
		{"0691 25 34 56", "+590691253456 mobile"},
		{"0694 12 34 56", "+594694123456 mobile"},
		{"0696 12 34 56", "+596696123456 mobile"},
		{"0697 12 34 56", "+596697123456 mobile"},
		{"0692 12 34 56", "+262692123456 mobile"},
		{"0693 12 34 56", "+262693123456 mobile"},
		{"0639 65 12 34", "+262639651234 mobile"},
		{"06 39 98 12 34", "+33639981234 mobile"},
		{"07 09 01 23 45", "+590709012345 mobile"},
		{"07 09 11 23 45", "+596709112345 mobile"},
		{"07 09 21 23 45", "+262709212345 mobile"},
		{"07 09 31 23 45", "+594709312345 mobile"},
		{"07 09 36 12 34", "+262709361234 mobile"},
		{"+33 7 09 36 12 34", "+262709361234 mobile"},
		{"0590 82 12 34", "+590590821234 landline"},
		{"0594 30 12 34", "+594594301234 landline"},
		{"0596 60 12 34", "+596596601234 landline"},
		{"0262 20 12 34", "+262262201234 landline"},
		{"0269 61 12 34", "+262269611234 landline"},
		{"+262 692 12 34 56", "+262692123456 mobile"},
		{"+262 (0)692 12 34 56", "+262692123456 mobile"},
		{"00262 692 12 34 56", "+262692123456 mobile"},
		{"0262 692 12 34 56", "+262692123456 mobile"},
		{"262692123456", "+262692123456 mobile"},
		{"+33 692 12 34 56", "+262692123456 mobile"},
		{"+33 (0)590 82 12 34", "+590590821234 landline"},
		{"0700 12 34 56", "+33700123456 mobile !unallocated"},
	}
	for _, region := range []string{"FR", "RE", "GP", "YT", ""} {
		check(t, region, cells)
	}
}

func TestParseAbroad(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"+41 79 123 45 67", "+41791234567 mobile"},
		{"0041 79 123 45 67", "+41791234567 mobile"},
		{"+41 (0)79 123 45 67", "+41791234567 mobile"},
		{"41791234567", "+41791234567 mobile"},
		{"+32 475 12 34 56", "+32475123456 mobile"},
		{"+352 621 123 456", "+352621123456 mobile"},
		{"+49 151 23456789", "+4915123456789 mobile"},
		{"+39 312 345 6789", "+393123456789 mobile"},
		{"+44 7911 123456", "+447911123456 mobile"},
		{"+32 2 555 12 12 / 06 39 98 12 34", "+3225551212 landline, +33639981234 mobile"},
		{"+41 79 12", "?too_short"},
	})
	check(t, "PM", []cell{{"41 12 34", "+508411234 landline"}})
	check(t, "BE", []cell{{"0475 12 34 56", "+32475123456 mobile"}, {"4512", "4512 extension"}})
}

func TestParseServicesAndUnallocated(t *testing.T) {
	t.Parallel()
	check(t, "FR", []cell{
		{"0800 123 456", "+33800123456 landline !service"},
		{"0892 12 34 56", "+33892123456 landline !service"},
		{"07 12 34 56 78", "+33712345678 mobile !unallocated"},
		{"0691 99 99 98", "+590691999998 mobile !unallocated"},
	})
}

func TestFictionNeverWarns(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"0199001234", "0261911234", "0353011234", "0465711234", "0536491234", "0639981234", "0639980000"} {
		r := phone.Parse(n, phone.Options{Region: "FR"})
		if len(r.Numbers) != 1 || r.Numbers[0].Warning != "" || r.Numbers[0].E164 != "+33"+n[1:] {
			t.Errorf("Parse(%s) = %s", n, compact(r))
		}
	}
}

func TestNothingIsDroppedInSilence(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"12", "a", "+", "(0)", "+++", "06", "1e5", "/////5", "poste", "\u0660\u0661\u0662", "OO", strings.Repeat("9", 4000)} {
		if r := phone.Parse(text, phone.Options{}); len(r.Numbers)+len(r.Problems) == 0 && text != "/////5" {
			t.Errorf("Parse(%.20q) says nothing", text)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	cells := []string{"06 39 98 12 34", "01 99 00 12 34 poste 4512", "+41 79 123 45 67", "0639981234 / 0756345678", ""}
	for i := 0; b.Loop(); i++ {
		phone.Parse(cells[i%len(cells)], phone.Options{Region: "FR"})
	}
}
