package phone

import (
	"strings"

	"tocsin/internal/fault"
)

// Kind is what a number can do.
type Kind string

// The kinds of number.
const (
	Mobile    Kind = "mobile"
	Landline  Kind = "landline"
	Extension Kind = "extension" // internal number of the hospital's exchange
	Short     Kind = "short"     // 15, 112, 118 xxx: nobody's own number
)

// Key is the catalogue key of the kind's name.
func (k Kind) Key() string { return "phone.kind." + string(k) }

// Options tell what the cell itself cannot.
type Options struct {
	// Region is the ISO country of the site: "FR", "GP", "MQ", "GF", "RE", "YT"…
	// Empty means "FR". The French overseas prefixes are understood everywhere.
	Region string
}

// Number is one number read in a cell.
type Number struct {
	// E164 is "+33612345678"; an Extension or a Short number has no such form
	// and keeps its digits as dialled inside: "4512".
	E164 string
	Kind Kind
	// Label is what the cell says about the number: "perso", "domicile", "DECT".
	Label string
	// Warning is the catalogue key of what a person should check; empty when nothing.
	Warning string
}

// Result is all that a cell says. An empty cell gives an empty Result.
type Result struct {
	// Numbers are in the order of the cell, without doubles.
	Numbers []Number
	// Problems say what could not be read; they carry no number.
	Problems []*fault.Error
}

// The warnings a Number may carry.
const (
	WarningUnallocated = "phone.warning.unallocated"
	WarningFiller      = "phone.warning.filler"
	WarningService     = "phone.warning.service"
	WarningShort       = "phone.warning.short"
	WarningDECT        = "phone.warning.dect"
	WarningThirdParty  = "phone.warning.third_party"
)

func problem(key string) *fault.Error { return fault.New(fault.Invalid, key) }

// Parse reads one cell of a telephone column. It understands separators of
// every sort, several numbers in a cell, a lost leading zero, numbers Excel
// turned into 6.12345678E8, letters O for zeros, extensions and labels.
func Parse(text string, opt Options) Result {
	if opt.Region == "" {
		opt.Region = "FR"
	}
	var out Result
	cell := clean(text)
	if cell == "" || saysNothing(cell) {
		return out
	}
	if strings.Contains(cell, "@") {
		out.Problems = append(out.Problems, problem("phone.problem.email"))
		return out
	}
	if isFloat(cell) {
		digits, whole := fromFloat(cell)
		if !whole {
			out.Problems = append(out.Problems, problem("phone.problem.lost_digits"))
			return out
		}
		cell = digits
	}
	var pending string // words met before any number: they speak of the next one
	for _, s := range segments(cell) {
		if !hasDigit(s) {
			pending = out.attach(label(s), pending)
			continue
		}
		pending = out.segment(s, opt.Region, pending)
	}
	if len(out.Numbers) == 0 && len(out.Problems) == 0 {
		out.Problems = append(out.Problems, problem("phone.problem.no_number"))
	}
	return out
}

// attach gives words that stand alone to the number before them, when it has no
// label yet; otherwise they wait for the next number.
func (r *Result) attach(words, pending string) string {
	if n := len(r.Numbers); n > 0 && r.Numbers[n-1].Label == "" {
		r.Numbers[n-1].Label = words
		return pending
	}
	return strings.TrimSpace(pending + " " + words)
}

// segment reads the numbers of one piece of the cell and returns the words that
// still wait for a number.
func (r *Result) segment(s, region, pending string) string {
	rest, words := s, pending
	var inside []Number
	if hasLetter(s) {
		rest, inside = extensions(s)
		words = strings.TrimSpace(pending + " " + label(rest))
	}
	if isFax(rest) {
		r.Problems = append(r.Problems, problem("phone.problem.fax"))
		return ""
	}
	for _, run := range runs(rest) {
		if tooShortAfterFull(run, r.Numbers) {
			r.Problems = append(r.Problems, problem("phone.problem.suffix"))
			continue
		}
		n, trouble := read(run, region)
		if trouble != nil {
			r.Problems = append(r.Problems, trouble)
			continue
		}
		n.Label = words
		n.Warning = warn(n, words)
		r.add(n)
	}
	for _, n := range inside {
		n.Warning = warn(n, n.Label)
		r.add(n)
	}
	return ""
}

func (r *Result) add(n Number) {
	for _, old := range r.Numbers {
		if old.E164 == n.E164 {
			return
		}
	}
	r.Numbers = append(r.Numbers, n)
}

// tooShortAfterFull recognises the "79" of "01 42 34 56 78/79": the writer means
// a second number that only differs by its end. We ask instead of guessing.
func tooShortAfterFull(run string, before []Number) bool {
	return len(run) <= 2 && len(before) > 0 && strings.HasPrefix(before[len(before)-1].E164, "+")
}

// warn adds what the words say to what the number says.
func warn(n Number, words string) string {
	switch {
	case n.Warning != "":
		return n.Warning
	case mentionsDECT(words):
		return WarningDECT
	case mentionsThirdParty(words):
		return WarningThirdParty
	}
	return ""
}
