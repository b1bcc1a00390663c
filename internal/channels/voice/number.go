package voice

import (
	"strings"

	"tocsin/internal/fault"
)

// The blanks of a dial format.
const (
	blankPlus     = "{plus}"     // +33612345678
	blankDigits   = "{digits}"   // 33612345678
	blankNational = "{national}" // 0612345678 in France, 00 and the digits elsewhere
)

// frenchCodes are the country codes dialled nationally from anywhere in France:
// the overseas departments have ten-digit numbers too.
var frenchCodes = []string{"33", "262", "590", "594", "596"}

// checkFormat refuses a dial format without a number, or with a sign no network dials.
func checkFormat(format, field string) error {
	rest := format
	found := 0
	for _, blank := range []string{blankPlus, blankDigits, blankNational} {
		found += strings.Count(rest, blank)
		rest = strings.ReplaceAll(rest, blank, "")
	}
	if found != 1 || strings.Trim(rest, "0123456789*#+") != "" || len(rest) > 20 {
		return fault.New(fault.Invalid, "channels.sip.bad_format").At(field)
	}
	return nil
}

// isNumber tells an E.164 number.
func isNumber(to string) bool {
	return strings.HasPrefix(to, "+") && len(to) >= 5 && len(to) <= 16 && strings.Trim(to[1:], "0123456789") == ""
}

// isExtension tells the digits of an internal number.
func isExtension(to string) bool {
	return len(to) >= 2 && len(to) <= 8 && strings.Trim(to, "0123456789") == ""
}

// national is a number as it is dialled from France.
func national(to string) string {
	for _, code := range frenchCodes {
		if rest, ok := strings.CutPrefix(to[1:], code); ok && len(rest) == 9 {
			return "0" + rest
		}
	}
	return "00" + to[1:]
}

// dial is what to dial for an address; ok is false when it is no telephone number.
func (c *config) dial(to string) (number string, ok bool) {
	switch {
	case isNumber(to):
		r := strings.NewReplacer(blankPlus, to, blankDigits, to[1:], blankNational, national(to))
		return r.Replace(c.format), true
	case isExtension(to):
		return c.extension + to, true
	}
	return "", false
}

// mayBe are the addresses that a caller's number may stand for, as we would write
// them: trunks present 0612345678, 33612345678, 0033612345678 or +33612345678, and
// some exchanges put a 0 more in front. None is what no number could be.
func (c *config) mayBe(presented string) []string {
	digits := strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "").Replace(presented)
	if isNumber(digits) {
		return []string{digits}
	}
	if digits == "" || len(digits) > 18 || strings.Trim(digits, "0123456789") != "" {
		return nil
	}
	var out []string
	if inner := strings.TrimPrefix(digits, c.extension); isExtension(inner) {
		out = append(out, inner)
	}
	abroad := "+" + digits
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		abroad = "+" + rest
	}
	if isNumber(abroad) {
		out = append(out, abroad)
	}
	for _, home := range []string{digits, digits[1:]} {
		if len(home) != 10 || home[0] != '0' || digits[0] != '0' {
			continue
		}
		for _, code := range frenchCodes {
			out = append(out, "+"+code+home[1:])
		}
	}
	return out
}
