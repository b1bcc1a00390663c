package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"tocsin/internal/fault"
)

// overseas maps the start of a number as dialled in France to the country code
// of the territory it lives in (numbering plan of ARCEP, decision 2018-0881 as
// amended). Those numbers are not under +33: +33 692… reaches nobody.
func overseas(national string) string {
	if isFiction(national) { // 06 39 98 is fiction in metropolitan France, 06 39 is Mayotte
		return ""
	}
	if len(national) < 6 {
		return ""
	}
	switch national[:4] {
	case "0690", "0691", "0590":
		return "590"
	case "0694", "0594":
		return "594"
	case "0696", "0697", "0596":
		return "596"
	case "0692", "0693", "0639", "0262", "0263", "0269":
		return "262"
	case "0709":
		return overseas0709(national[4], national[5])
	}
	return ""
}

// overseas0709 splits the block 07 09, opened to all the overseas departments;
// 07 09 3 is shared by French Guiana (0 to 4) and Mayotte (5 to 9).
func overseas0709(fifth, sixth byte) string {
	switch fifth {
	case '0':
		return "590"
	case '1':
		return "596"
	case '2':
		return "262"
	case '3':
		if sixth >= '5' {
			return "262"
		}
		return "594"
	}
	return ""
}

// isFiction tells whether a number, as dialled in France, belongs to the blocks
// that ARCEP keeps for films and books: they can reach nobody, so the
// demonstration uses them.
func isFiction(national string) bool {
	for _, block := range []string{"019900", "026191", "035301", "046571", "053649", "063998"} {
		if strings.HasPrefix(national, block) {
			return true
		}
	}
	return false
}

// french tells whether a region dials French national numbers of ten digits.
func french(region string) bool {
	switch region {
	case "FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF", "MC", "":
		return true
	}
	return false
}

// read understands the digits of one number, with a leading + when the writer
// put one.
func read(run, region string) (Number, *fault.Error) {
	digits, international := strings.CutPrefix(run, "+")
	if international && len(digits) == 10 && digits[0] == '0' && digits[1] != '0' {
		international = false // "+0612345678"
	}
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		international, digits = true, rest
	}
	switch {
	case strings.Trim(digits, "0") == "":
		return Number{}, problem("phone.problem.placeholder")
	case international:
		return readInternational(digits)
	case !french(region) && len(digits) >= 6:
		return readForeign(digits, region)
	}
	return readFrench(digits)
}

// readFrench understands digits dialled from France or overseas.
func readFrench(digits string) (Number, *fault.Error) {
	switch n := len(digits); {
	case isShort(digits):
		return Number{E164: digits, Kind: Short, Warning: WarningShort}, nil
	case n >= 3 && n <= 6 && digits[0] != '0':
		return Number{E164: digits, Kind: Extension}, nil
	case n < 9:
		return Number{}, problem("phone.problem.too_short")
	case n == 9 && digits[0] != '0':
		return readNational("0" + digits)
	case n == 10 && digits[0] == '0':
		return readNational(digits)
	case n == 9 || n == 10:
		return Number{}, problem("phone.problem.not_french")
	case hasFrenchCode(digits): // 33612345678, 262692123456 without their +
		return readInternational(digits)
	case n == 13 && digits[0] == '0' && hasFrenchCode(digits[1:]): // 0262 692 12 34 56
		return readInternational(digits[1:])
	case n > 10 && (digits[0] == '0' || digits[0] == '6' || digits[0] == '7'):
		return Number{}, problem("phone.problem.too_long")
	}
	return readForeignWithoutPlus(digits)
}

// readForeignWithoutPlus accepts 41791234567 only when it is a valid number of
// the country it seems to name: eleven digits can also be a typing error.
func readForeignWithoutPlus(digits string) (Number, *fault.Error) {
	p, err := phonenumbers.Parse("+"+digits, "")
	if err != nil || !phonenumbers.IsValidNumber(p) {
		return Number{}, problem("phone.problem.too_long")
	}
	return judge(p)
}

// hasFrenchCode tells whether digits are a French country code and a complete
// national number, with or without its trunk zero.
func hasFrenchCode(digits string) bool {
	for _, code := range []string{"33", "262", "590", "594", "596"} {
		if rest, ok := strings.CutPrefix(digits, code); ok {
			rest = strings.TrimPrefix(rest, "0")
			if len(rest) == 9 && rest[0] != '0' {
				return true
			}
		}
	}
	return false
}

// readNational takes a number of ten digits starting with 0.
func readNational(national string) (Number, *fault.Error) {
	if code := overseas(national); code != "" {
		return readInternational(code + national[1:])
	}
	return readInternational("33" + national[1:])
}

// readInternational takes a country code and a number. +33 (0)6, +330612345678
// and the overseas numbers written under +33 are put right.
func readInternational(digits string) (Number, *fault.Error) {
	for _, code := range []string{"33", "262", "590", "594", "596"} {
		rest, ok := strings.CutPrefix(digits, code)
		if !ok {
			continue
		}
		if len(rest) == 10 && rest[0] == '0' {
			rest = rest[1:]
		}
		if code == "33" && len(rest) == 9 {
			if other := overseas("0" + rest); other != "" {
				code = other
			}
		}
		if len(rest) == 9 && rest[0] != '0' {
			return judge(assembled(code, rest))
		}
		digits = code + rest
		break
	}
	p, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return Number{}, problem("phone.problem.unknown_country")
	}
	return judge(p)
}

// assembled is what the library's parser gives for a complete number, ten times
// faster: an import reads hundreds of thousands of cells.
func assembled(code, national string) *phonenumbers.PhoneNumber {
	return &phonenumbers.PhoneNumber{CountryCode: new(int32(value(code))), NationalNumber: new(value(national))}
}

func value(digits string) uint64 {
	var n uint64
	for i := range len(digits) {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n
}

func readForeign(digits, region string) (Number, *fault.Error) {
	p, err := phonenumbers.Parse(digits, region)
	if err != nil {
		return Number{}, problem("phone.problem.unknown_country")
	}
	return judge(p)
}

// judge accepts a number of a possible length; the plan only decides whether it
// deserves a warning.
func judge(p *phonenumbers.PhoneNumber) (Number, *fault.Error) {
	switch phonenumbers.IsPossibleNumberWithReason(p) {
	case phonenumbers.INVALID_COUNTRY_CODE:
		return Number{}, problem("phone.problem.unknown_country")
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return Number{}, problem("phone.problem.too_short")
	case phonenumbers.TOO_LONG, phonenumbers.INVALID_LENGTH:
		return Number{}, problem("phone.problem.too_long")
	}
	n := Number{E164: phonenumbers.Format(p, phonenumbers.E164)}
	national := frenchNational(n.E164)
	var service bool
	sort := phonenumbers.GetNumberType(p)
	n.Kind, service = kindOf(sort, national)
	switch {
	case national != "" && isFiction(national):
	case filler(n.E164):
		n.Warning = WarningFiller
	case service:
		n.Warning = WarningService
	case sort == phonenumbers.UNKNOWN: // outside of every allocated block
		n.Warning = WarningUnallocated
	}
	return n, nil
}

// kindOf tells a mobile from a landline, and whether the number is a service
// (toll-free, premium) rather than a person. French numbers outside the
// allocated blocks are told by their first digits.
func kindOf(sort phonenumbers.PhoneNumberType, national string) (kind Kind, service bool) {
	switch sort {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return Mobile, false
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE, phonenumbers.UAN:
		return Landline, true
	case phonenumbers.UNKNOWN:
		if strings.HasPrefix(national, "06") || strings.HasPrefix(national, "07") {
			return Mobile, false
		}
	}
	return Landline, false
}

// filler recognises 06 00 00 00 00 and 06 66 66 66 66, typed to get past a
// compulsory field.
func filler(e164 string) bool {
	if len(e164) < 9 {
		return false
	}
	tail := e164[len(e164)-8:]
	return strings.Count(tail, tail[:1]) == len(tail)
}

// isShort knows the emergency and directory numbers of France; any other number
// of three to six digits is an extension of the hospital's exchange.
func isShort(digits string) bool {
	switch digits {
	case "15", "17", "18", "112", "114", "115", "116", "119", "191", "196", "197":
		return true
	}
	return len(digits) == 6 && (strings.HasPrefix(digits, "116") || strings.HasPrefix(digits, "118"))
}
