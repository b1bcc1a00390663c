package reply

import (
	"slices"
	"time"
)

// maxMinutes is the longest delay taken for one: a day.
const maxMinutes = 24 * 60

// clock turns an hour of the day into minutes from now.
type clock struct {
	now  time.Time
	zone *time.Location
}

// late is how long past an hour may be and still be today's: the message travelled.
const late = time.Hour

// until counts the minutes until an hour of the day, minutes after midnight. When
// twice is set the hour may be of the morning or the evening, and the nearer
// one is meant. days is 1 for tomorrow. It is -1 without a clock or beyond a day.
func (c clock) until(at int, twice bool, days int) int {
	if c.now.IsZero() {
		return -1
	}
	best := -1
	for _, m := range []int{at, at + 12*60} {
		if m != at && !twice {
			continue
		}
		n := c.one(m%maxMinutes, days)
		if n >= 0 && (best < 0 || n < best) {
			best = n
		}
	}
	return best
}

// nightEnds is the hour before which "demain matin" is the morning that comes.
const nightEnds = 5

func (c clock) one(at, days int) int {
	local := c.now.In(c.zone)
	if days == 1 && local.Hour() < nightEnds {
		days = 0
	}
	on := func(day int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+day, at/60, at%60, 0, 0, c.zone)
	}
	t := on(days)
	if days == 0 && t.Before(local.Add(-late)) {
		t = on(1)
	}
	n := int((t.Sub(local) + time.Minute - 1) / time.Minute)
	switch {
	case n > maxMinutes:
		return -1
	case n < 0:
		return 0
	}
	return n
}

// units replaces every delay and hour of the tokens by one token, drops the
// figures that are telephone numbers or dates, and the signs that joined them.
func units(in []token) []token {
	in = withoutNumbers(in)
	var out []token
	for i := 0; i < len(in); {
		if n := afternoon(in, i); n > 0 {
			out = append(out, token{kind: word, text: "aprem"})
			i += n
			continue
		}
		t, length := timeAt(in, i)
		if length == 0 && bareHour(in, i) {
			t, length = token{kind: hour, n: in[i].n * 60, twice: twice(in[i], in[i].n)}, 1
		}
		if length == 0 {
			out = append(out, in[i])
			i++
			continue
		}
		t.kind = kindOf(out, in[i+length:], t)
		out = appendTime(out, t)
		i += length
	}
	return out
}

// bareHour tells an hour of the day written without its unit: "vers 14", "by 4".
func bareHour(in []token, i int) bool {
	if in[i].kind != number || in[i].n > 24 || i == 0 || !slices.Contains([]string{"vers", "at", "by", "around"}, in[i-1].text) {
		return false
	}
	return i+1 == len(in) || in[i+1].kind == pause && in[i+1].text != ":" || in[i+1].kind == asked
}

// afternoon is how many tokens at i write "après-midi".
func afternoon(in []token, i int) int {
	switch {
	case is(in, i, "apres") && is(in, i+1, "midi"):
		return 2
	case is(in, i, "apres") && is(in, i+1, "-") && is(in, i+2, "midi"):
		return 3
	}
	return 0
}

// appendTime adds a time, or keeps the later bound when it ends a range.
func appendTime(out []token, t token) []token {
	n := len(out)
	if t.kind == delay && n >= 2 && joins(out[n-1]) {
		switch before := out[n-2]; {
		case before.kind == delay, before.kind == number && before.n <= t.n && !isKey(out, n-2):
			t.n = max(t.n, before.n)
			return append(out[:n-2], t)
		}
	}
	return append(out, t)
}

// joins tells a sign or word that makes a range of two times.
func joins(t token) bool {
	return slices.Contains([]string{"-", "/", "a", "et", "ou", "to"}, t.text)
}

// isKey tells whether the figure at i is the digit of an answer and not a bound:
// "1-30 min" is digit 1, "20-30 min" is a range.
func isKey(out []token, i int) bool {
	return i == 0 && len(out[i].text) == 1 && out[i].n <= 4
}

// withoutNumbers drops telephone numbers, dates and figures too large to be a delay.
func withoutNumbers(in []token) []token {
	var out []token
	for i := 0; i < len(in); {
		n, end := figures(in, i)
		date := n == 2 && in[i+1].text == "/" && len(in[i].text) == 2 && in[i+2].n >= 1 && in[i+2].n <= 12 && len(in[i+2].text) == 2 && !isUnit(in, i+3)
		if n >= 3 || date || n >= 1 && in[i].n >= 1000 {
			out = append(out, token{kind: word, text: "<number>"})
			i = end
			continue
		}
		out = append(out, in[i])
		i++
	}
	return out
}

// figures counts the numbers that follow each other from i, joined by nothing or one sign.
func figures(in []token, i int) (n, end int) {
	for end = i; end < len(in) && in[end].kind == number; {
		n++
		end++
		if end+1 < len(in) && in[end].kind == pause && in[end].text != "\n" && in[end+1].kind == number {
			end++
		}
	}
	return n, end
}

func isUnit(in []token, i int) bool {
	return i < len(in) && in[i].kind == word && (in[i].text == "h" || in[i].text == "min")
}

func is(in []token, i int, text string) bool {
	return i >= 0 && i < len(in) && in[i].text == text && in[i].kind != delay && in[i].kind != hour
}

// timeAt reads the time that begins at i; length is 0 when none does.
func timeAt(in []token, i int) (t token, length int) {
	if in[i].kind == word {
		if at, ok := namedHours[in[i].text]; ok {
			return token{kind: hour, n: at}, 1
		}
	}
	if m, n := fraction(in, i); n > 0 {
		return token{kind: delay, n: m}, n
	}
	value, n := numeral(in, i)
	if n == 0 {
		return t, 0
	}
	if m, more := decimal(in, i); more > 0 {
		return token{kind: delay, n: m}, more
	}
	at := i + n
	if at < len(in) && loose[in[at].text] && isUnit(in, at+1) {
		at++
		n++
	}
	switch {
	case is(in, at, "h"):
		m, more := minutesAfter(in, at+1)
		return token{kind: hour, n: value*60 + m, twice: twice(in[i], value)}, n + 1 + more
	case is(in, at, ":") && in[at].glued && at+1 < len(in) && in[at+1].kind == number && in[at+1].glued && len(in[at+1].text) == 2 && in[at+1].n < 60:
		t = token{kind: hour, n: value*60 + in[at+1].n, twice: twice(in[i], value)}
		n += 2
		if is(in, i+n, "h") {
			n++
		}
		return halfDay(in, i, t, n)
	case is(in, at, "min"), is(in, at, "'") && in[at].glued, is(in, at, "moi") && in[at].glued && in[i].kind == number:
		return token{kind: delay, n: value}, n + 1
	case is(in, at, "pm"), is(in, at, "am"), is(in, at, "oclock"):
		return halfDay(in, i, token{kind: hour, n: value * 60, twice: twice(in[i], value)}, n)
	}
	return t, 0
}

// loose are the words people put between a number and its hours: "une petite heure".
var loose = map[string]bool{"petite": true, "petites": true, "bonne": true, "bonnes": true, "grosse": true, "grosses": true, "good": true, "de": true}

// twice tells whether an hour may be of the morning or of the evening: "8h" may,
// "08h" and "14h" may not.
func twice(t token, hours int) bool { return hours >= 1 && hours <= 12 && t.text[0] != '0' }

// decimal reads "1.5 h" and "1,5h".
func decimal(in []token, i int) (m, n int) {
	if i+3 >= len(in) || in[i].kind != number || in[i+2].kind != number || !in[i+1].glued || !in[i+2].glued || len(in[i+2].text) != 1 || !is(in, i+3, "h") {
		return 0, 0
	}
	if !is(in, i+1, ".") && !is(in, i+1, ",") {
		return 0, 0
	}
	return in[i].n*60 + in[i+2].n*6, 4
}

var namedHours = map[string]int{"midi": 12 * 60, "noon": 12 * 60, "minuit": 0, "midnight": 0}

// halfDay applies the am or pm that may follow at i+n.
func halfDay(in []token, i int, t token, n int) (token, int) {
	switch {
	case is(in, i+n, "pm"):
		t.twice = false
		if t.n < 12*60 {
			t.n += 12 * 60
		}
		return t, n + 1
	case is(in, i+n, "am"):
		t.twice = false
		t.n %= 12 * 60
		return t, n + 1
	case is(in, i+n, "oclock"):
		return t, n + 1
	}
	return t, n
}

// kindOf decides what a time is by the words around it: a delay, an hour of the
// day, or a time that is not of an arrival ("depuis 2h", "il y a 10 min").
func kindOf(before, after []token, t token) tokenKind {
	prev, prior := back(before, 0), back(before, 1)
	if prev == "environ" {
		prev, prior = prior, back(before, 2)
	}
	if notArrival(prev, prior, after) {
		return word
	}
	if t.kind == delay {
		return delay
	}
	hours := t.n / 60
	switch {
	case t.n >= maxMinutes:
		return word
	case slices.Contains([]string{"dans", "sous", "en", "+", "encore"}, prev):
		return delay
	case prev == "dici" || prev == "ici", prev == "avant", prev == "pour":
		return byHour(hours)
	case slices.Contains([]string{"vers", "at", "des", "apres", "by", "until", "prevu", "prevue", "eta"}, prev), prev == "de" && prior == "partir":
		return hour
	case prev == "a" && (is(after, 0, "de") || is(after, 0, "d")):
		return delay
	case prev == "a":
		return hour
	}
	return byHour(hours)
}

// byHour takes up to five hours for a delay and more for an hour of the day.
func byHour(hours int) tokenKind {
	if hours <= 5 {
		return delay
	}
	return hour
}

func notArrival(prev, prior string, after []token) bool {
	switch {
	case slices.Contains([]string{"depuis", "pendant", "jusque", "since", "during", "durant", "toutes", "fait", "dormi", "travaille", "fais"}, prev):
		return true
	case prev == "a" && (prior == "y" || prior == "jusque"), prev == "ya", is(after, 0, "ago"):
		return true
	case (prev == "a" || prev == "at") && slices.Contains([]string{"fini", "finis", "finit", "termine", "finish", "off", "embauche", "commence", "debute", "poste", "service", "start", "travaille"}, prior):
		return true
	}
	return is(after, 0, "de") && slices.Contains([]string{"repos", "garde", "boulot", "travail", "nuit", "sommeil", "train", "avion", "vol"}, textAt(after, 1))
}

// back is the text of the n-th token before, signs left out.
func back(before []token, n int) string {
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].kind == pause && before[i].text != "+" {
			return ""
		}
		if n == 0 {
			return before[i].text
		}
		n--
	}
	return ""
}
