package reply

// minutesAfter reads what follows "1h": 30, "et demie", "et quart", "trente".
func minutesAfter(in []token, i int) (m, n int) {
	at := i
	if is(in, at, "et") {
		at++
	}
	switch {
	case is(in, at, "un") && is(in, at+1, "quart"):
		return 15, at + 2 - i
	case (is(in, at, "un") || is(in, at, "a")) && is(in, at+1, "demi"):
		return 30, at + 2 - i
	case is(in, at, "demi"):
		return 30, at + 1 - i
	case is(in, at, "quart"):
		return 15, at + 1 - i
	}
	v, length := numeral(in, at)
	if length == 0 || v >= 60 || is(in, at+length, "h") {
		return 0, 0
	}
	switch after := at + length; {
	case is(in, after, "min"):
		return v, after + 1 - i
	case is(in, after, "moi") && in[after].glued:
		return v, after + 1 - i
	case in[at].glued || v >= 5 && at == i:
		return v, after - i
	}
	return 0, 0
}

// fraction reads half hours and quarters: "une demi-heure", "1/2h", "half an hour",
// "un quart d'heure", "trois quarts d'heure", "3/4 h".
func fraction(in []token, i int) (m, n int) {
	at := i
	parts := 1
	if v, length := numeral(in, i); length > 0 && v <= 3 {
		parts, at = v, i+length
	}
	if at > i && is(in, at, "/") && in[i].kind == number && at+1 < len(in) && (in[at+1].text == "2" || in[at+1].text == "4") {
		if end := hourAt(in, at+2); end > 0 {
			return parts * 60 / in[at+1].n, end - i
		}
		return 0, 0
	}
	switch {
	case is(in, at, "demi"), is(in, at, "half"):
		if end := hourAt(in, at+1); end > 0 {
			return 30, end - i
		}
	case is(in, at, "quart"):
		if end := hourAt(in, at+1); end > 0 {
			return parts * 15, end - i
		}
	}
	return 0, 0
}

// hourAt returns where the word hour ends, little words before it skipped, or 0.
func hourAt(in []token, i int) int {
	for skipped := 0; i < len(in) && skipped < 3; skipped++ {
		switch {
		case is(in, i, "h"):
			return i + 1
		case is(in, i, "d"), is(in, i, "de"), is(in, i, "of"), is(in, i, "un"), is(in, i, "-"):
			i++
		default:
			return 0
		}
	}
	return 0
}

// numeral reads a number in figures or in words, up to 99.
func numeral(in []token, i int) (value, n int) {
	if i >= len(in) {
		return 0, 0
	}
	if in[i].kind == number {
		return in[i].n, 1
	}
	value, ok := numerals[in[i].text]
	if !ok || in[i].kind != word {
		return 0, 0
	}
	n = 1
	if value == 4 && is(in, i+1, "-") && is(in, i+2, "vingt") {
		value, n = 80, 3
	}
	if value >= 20 && i+n < len(in) {
		at := i + n
		if is(in, at, "-") || is(in, at, "et") {
			at++
		}
		unit, ok := numerals[textAt(in, at)]
		if ok && unit < 20 && value+unit <= 99 && (unit < 10 || value == 60 || value == 80) {
			return value + unit, at + 1 - i
		}
	}
	return value, n
}

func textAt(in []token, i int) string {
	if i < len(in) && in[i].kind == word {
		return in[i].text
	}
	return ""
}

var numerals = map[string]int{
	"un": 1, "une": 1, "one": 1, "deux": 2, "two": 2, "trois": 3, "three": 3, "quatre": 4, "four": 4, "cinq": 5, "five": 5, "six": 6,
	"sept": 7, "seven": 7, "huit": 8, "eight": 8, "neuf": 9, "nine": 9, "dix": 10, "dizaine": 10, "quinzaine": 15, "vingtaine": 20, "trentaine": 30, "quarantaine": 40, "ten": 10, "douze": 12, "twelve": 12, "quinze": 15, "kinze": 15, "fifteen": 15,
	"vingt": 20, "vint": 20, "twenty": 20, "trente": 30, "trante": 30, "thirty": 30, "quarante": 40, "karante": 40, "forty": 40, "fourty": 40,
	"cinquante": 50, "fifty": 50, "soixante": 60, "sixty": 60, "ninety": 90,
}
