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
