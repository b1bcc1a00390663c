package traces

import "strings"

// Patient reads the identity of a patient as formats write it: "8001",
// "8001^^^CHU&1.2.250.1.999&ISO^PI" of HL7, or an identifier with its system.
// The systems of the national identity (INS, 1.2.250.1.213.1.4.8 to .11) make an
// INS; what has no system and the form and the key of one is one too. A second
// patient of the event goes to Extra.
func (e *Event) Patient(id, system string) {
	id = strings.TrimSpace(id)
	if number, authority, ok := strings.Cut(id, "^"); ok {
		id = strings.TrimSpace(number)
		if system == "" {
			system = authority
		}
	}
	if id == "" {
		return
	}
	if compact := strings.ReplaceAll(id, " ", ""); nationalSystem(system) || system == "" && NationalIdentity(compact) {
		e.Fill(&e.INS, "ins", compact)
		return
	}
	e.Fill(&e.IPP, "ipp", id)
}

func nationalSystem(system string) bool {
	const ins = "1.2.250.1.213.1.4."
	_, rest, ok := strings.Cut(system, ins)
	if !ok {
		return false
	}
	if i := strings.IndexAny(rest, "&^"); i >= 0 {
		rest = rest[:i]
	}
	switch rest {
	case "8", "9", "10", "11": // NIR, NIA, and those of tests
		return true
	}
	return false
}

// NationalIdentity tells whether a text has the form of an INS: the thirteen
// characters of a NIR or NIA, A or B for Corsica, and their key of two digits.
func NationalIdentity(s string) bool {
	if len(s) != 15 || strings.IndexByte("123478", s[0]) < 0 {
		return false
	}
	number, less := 0, 0
	for i := range 13 {
		c := s[i]
		if i == 6 && (c == 'A' || c == 'B') && s[5] == '2' {
			// Corsica: 2A counts as 19 and 2B as 18 (INSEE).
			less = 1000000
			if c == 'B' {
				less = 2000000
			}
			c = '0'
		}
		if c < '0' || c > '9' {
			return false
		}
		number = number*10 + int(c-'0')
	}
	number -= less
	key := int(s[13]-'0')*10 + int(s[14]-'0')
	return s[13] >= '0' && s[13] <= '9' && s[14] >= '0' && s[14] <= '9' && key == 97-number%97
}
