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
	minutes := arrival(clause, hits, c)
	if said := asks(clause, hits); said {
		return questioned(hits)
	}
	if delayed(clause, hits) {
		return []verdict{{come, minutes}}
	}
	var out []verdict
	promise := nothing
	for _, h := range hits {
		switch h.sense {
		case come, refuse, onSite, call:
			promise = stronger(promise, h.sense)
		case reason, yes, okay, no, thanks:
			out = append(out, verdict{h.sense, -1})
		}
	}
	switch {
	case any(hits, perhaps) && promise != refuse:
		// A promise that depends on something is none.
		return append(keep(out, reason), verdict{perhaps, -1})
	case any(hits, later) && (promise == come || promise == nothing && (any(hits, yes) || any(hits, okay) || told(clause))):
		return append(keep(out, no), verdict{later, minutes})
	case any(hits, later) && promise == nothing:
		return append(out, verdict{later, -1})
	case any(hits, later) && promise == onSite:
		return append(out, verdict{perhaps, -1})
	case promise != nothing:
		switch {
		case promise == come && minutes < 0:
			minutes = today(clause, c)
		case promise != come && promise != onSite:
			minutes = -1
		}
		return append(out, verdict{promise, minutes})
	}
	switch {
	case minutes >= 0:
		out = append(out, verdict{nothing, minutes})
	case timed(clause):
		// An hour of the day that no clock can turn into minutes still promises.
		out = append(out, verdict{yes, -1})
	}
	return out
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

func keep(all []verdict, s sense) []verdict {
	var out []verdict
	for _, v := range all {
		if v.sense == s {
			out = append(out, v)
		}
	}
	return out
}

func any(hits []hit, s sense) bool {
	for _, h := range hits {
		if h.sense == s {
			return true
		}
	}
	return false
}

// asks tells a question: it promises nothing, but may ask for a call.
func asks(clause []token, hits []hit) bool {
	return clause[len(clause)-1].kind == asked || any(hits, question)
}

func questioned(hits []hit) []verdict {
	if any(hits, call) {
		return []verdict{{call, -1}}
	}
	return []verdict{{question, -1}}
}

// delayed tells a refusal that is an arrival: "pas avant 2h", "impossible avant 14h".
func delayed(clause []token, hits []hit) bool {
	if !any(hits, not) && !any(hits, refuse) && !any(hits, never) {
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
	var out []hit
	for _, h := range hits {
		if (h.sense == come || h.sense == onSite) && !clause[h.at].self && ofOthers(clause[:h.at]) {
			h.sense = neutral
		}
		out = append(out, h)
	}
	return out
}

func ofOthers(before []token) bool {
	for i := len(before) - 1; i >= 0; i-- {
		switch before[i].text {
		case "je":
			return false
		case "tiers":
			return true
		}
	}
	return false
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
func arrival(clause []token, hits []hit, c clock) int {
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
