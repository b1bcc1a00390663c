package reply

import (
	"slices"
	"strings"
)

// hit is a phrase found in a clause.
type hit struct {
	sense    sense
	at, upto int
}

// judge gives what a clause says: one decisive verdict, or each weak one.
func judge(clause []token, c clock) []verdict {
	hits := negated(own(clause, search(clause)))
	minutes := arrival(clause, c)
	switch {
	case asks(clause, hits) && holds(hits, call):
		return []verdict{{call, -1}}
	case asks(clause, hits):
		return []verdict{{question, -1}}
	case delayed(clause, hits):
		return []verdict{{come, minutes}}
	}
	promise, out := weigh(clause, hits)
	switch {
	case holds(hits, perhaps) && promise != refuse && promise != call:
		// A promise that depends on something is none.
		return append(keep(out, reason, no), verdict{perhaps, -1})
	case holds(hits, later) && promise == onSite:
		return append(out, verdict{perhaps, -1})
	case holds(hits, later) && (promise == come || promise == nothing && (holds(hits, yes) || holds(hits, okay) || told(clause))):
		return append(keep(out, no), verdict{later, minutes})
	case holds(hits, later) && promise == nothing:
		return append(out, verdict{later, -1})
	case promise == come && minutes < 0:
		return append(out, verdict{come, today(clause, c)})
	case promise == come, promise == onSite:
		return append(out, verdict{promise, minutes})
	case promise != nothing:
		return append(out, verdict{promise, -1})
	case len(out) == 0 && !brief(clause):
		return nil
	case minutes >= 0:
		return append(out, verdict{nothing, minutes})
	case timed(clause):
		// An hour of the day that no clock can turn into minutes still promises.
		return append(out, verdict{yes, -1})
	}
	return out
}

// weigh gives the strongest promise of a clause, and what it says beside.
func weigh(clause []token, hits []hit) (promise sense, out []verdict) {
	for _, h := range hits {
		switch s := h.sense; s {
		case leave:
			promise = stronger(promise, whither(clause[h.upto:], hits))
		case come, refuse, onSite, call:
			promise = stronger(promise, s)
		case reason:
			if clause[0].text == "mais" {
				s = objection
			}
			out = append(out, verdict{s, -1})
		case yes, okay, no, thanks:
			out = append(out, verdict{s, -1})
		}
	}
	if promise == onSite && holds(hits, reason) {
		// On duty, but elsewhere.
		promise = nothing
	}
	return promise, out
}

// whither tells whether someone who sets off comes here: not on holiday, and not
// to a place that is no part of a hospital.
func whither(rest []token, hits []hit) sense {
	if holds(hits, reason) {
		return nothing
	}
	toward := len(rest) > 1 && slices.Contains([]string{"pour", "vers", "a", "en", "au", "chez", "dans"}, rest[0].text)
	if toward && rest[1].kind == word && lemmaless(rest[1].text) && !usual[rest[1].text] {
		return nothing
	}
	return come
}

// usual are words that people put around a time or a journey and that change nothing to it.
var usual = wordSet(`service bloc reanimation rea travail boulot velo scooter moto taxi trajet transport temps compter faut give max maxi
	maximum mini minimum seulement seul only reste gros grosse grand grande petit petite bonne pour par de a en au aux plus peu pres about drive
	walk to que se prevu prevue estime estimee here of from on sous des partir depart entre une eta at by around within`)

// brief tells a clause that says little beside a time: "compter 50 minutes" is an
// answer, "mon fils dort depuis 3h" is not.
func brief(clause []token) bool {
	return !slices.ContainsFunc(clause, func(t token) bool { return t.kind == word && lemmaless(t.text) && !usual[t.text] })
}

func timed(clause []token) bool {
	return slices.ContainsFunc(clause, func(t token) bool { return t.kind == hour })
}

// stronger keeps what a clause says when it says two things: refusing goes
// before coming, being there before both.
func stronger(a, b sense) sense {
	rank := func(s sense) int {
		switch s {
		case onSite:
			return 4
		case refuse:
			return 3
		case come:
			return 2
		case call:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func keep(all []verdict, senses ...sense) []verdict {
	return slices.DeleteFunc(slices.Clone(all), func(v verdict) bool { return !slices.Contains(senses, v.sense) })
}

func holds(hits []hit, s sense) bool {
	for _, h := range hits {
		if h.sense == s {
			return true
		}
	}
	return false
}

// asks tells a question: it promises nothing, but may ask for a call.
func asks(clause []token, hits []hit) bool {
	return clause[len(clause)-1].kind == asked || holds(hits, question)
}

// delayed tells a refusal that is an arrival: "pas avant 2h", "impossible avant 14h".
func delayed(clause []token, hits []hit) bool {
	if !holds(hits, not) && !holds(hits, refuse) && !holds(hits, never) {
		return false
	}
	for i, t := range clause {
		if i > 0 && (t.kind == delay || t.kind == hour) && clause[i-1].text == "avant" {
			return true
		}
	}
	return false
}

// search finds the phrases of a clause, the longest first.
func search(clause []token) []hit {
	var out []hit
	for i := 0; i < len(clause); {
		s, n := phraseAt(clause, i)
		if n == 0 {
			i++
			continue
		}
		out = append(out, hit{s, i, i + n})
		i += n
	}
	return out
}

func phraseAt(clause []token, i int) (s sense, n int) {
	var b strings.Builder
	for j := i; j < len(clause) && j < i+longest; j++ {
		if j > i {
			b.WriteByte(' ')
		}
		b.WriteString(clause[j].name())
		if found := phrases[b.String()]; found != nothing {
			s, n = found, j+1-i
		}
	}
	return s, n
}

// name is how phrases call a token.
func (t token) name() string {
	switch {
	case t.kind == delay, t.kind == hour:
		return "<t>"
	}
	return t.text
}

// own leaves aside what is said of someone else: "mon mari est de garde".
func own(clause []token, hits []hit) []hit {
	others, at := false, 0
	for i := range hits {
		for ; at < hits[i].at; at++ {
			others = clause[at].text == "tiers" || others && clause[at].text != "je"
		}
		if others && !clause[at].self && (hits[i].sense == come || hits[i].sense == onSite) {
			hits[i].sense = neutral
		}
	}
	return hits
}

// negated turns the promises that a "pas" or a "ne" undoes.
func negated(hits []hit) []hit {
	for i := range hits {
		before := i > 0 && hits[i].at-hits[i-1].upto <= 4 && (hits[i-1].sense == not || hits[i-1].sense == never)
		after := i+1 < len(hits) && hits[i+1].sense == not && hits[i+1].at-hits[i].upto <= 2
		if !before && !after {
			continue
		}
		switch hits[i].sense {
		case come:
			hits[i].sense = refuse
		case onSite, reason, yes, okay:
			hits[i].sense = neutral
		case call:
			hits[i].sense = refuse
		}
	}
	return hits
}

// arrival is the time of arrival a clause tells, in minutes; -1 when none. A
// promise for tomorrow without an hour is for eight in the morning, two in the
// afternoon or eight in the evening.
func arrival(clause []token, c clock) int {
	days := 0
	if tomorrow(clause) {
		days = 1
	}
	minutes := -1
	for _, t := range clause {
		switch t.kind {
		case delay:
			minutes = t.n
		case hour:
			minutes = c.until(t.n, t.twice && days == 0, days)
		}
	}
	if minutes > maxMinutes {
		return -1
	}
	if minutes >= 0 || days == 0 || timed(clause) {
		return minutes
	}
	return c.until(partOfDay(clause), false, days)
}

// told tells whether a clause names a delay or an hour.
func told(clause []token) bool {
	return slices.ContainsFunc(clause, func(t token) bool { return t.kind == hour || t.kind == delay })
}

// today is the minutes until "ce soir" or "cet après-midi", when they are still ahead.
func today(clause []token, c clock) int {
	at := partOfDay(clause)
	if c.now.IsZero() || at < noon || !slices.ContainsFunc(clause, func(t token) bool { return t.text == "soir" || t.text == "aprem" }) {
		return -1
	}
	if n := c.one(at, 0); n > 0 && n <= noon {
		return n
	}
	return -1
}

// noon is the minutes of half a day.
const noon = 12 * 60

func tomorrow(clause []token) bool {
	for i, t := range clause {
		if t.text == "demain" && (i == 0 || clause[i-1].text != "apres") {
			return true
		}
	}
	return false
}

func partOfDay(clause []token) int {
	for _, t := range clause {
		switch t.text {
		case "aprem":
			return 14 * 60
		case "soir":
			return 20 * 60
		}
	}
	return 8 * 60
}
