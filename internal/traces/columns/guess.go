package columns

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"tocsin/internal/traces"
)

// Sure is from which confidence, out of 100, a guess is proposed without a
// question mark; below Least it is not proposed.
const (
	Sure  = 75
	Least = 50
)

// Guess is a rule that is proposed, and how sure that is, 0 to 100.
type Guess struct {
	Rule
	Confidence int
}

// shape is what the values of a column look like, in shares of those not empty.
type shape struct {
	filled                                      int
	time, address, action, outcome, ins, digits float64
	way                                         string // of writing the time
	distinct                                    int
	words                                       []string // the values, when they are few
	clock                                       float64  // hh:mm alone
	dateOnly                                    float64
}

// Propose guesses what the columns of a sample are, by their names and by what
// their values look like. At most one rule for a place, and one for a column.
func Propose(header []string, rows [][]string) (guesses []Guess, key []string) {
	shapes := make([]shape, len(header))
	for i := range header {
		shapes[i] = look(column(rows, i))
	}
	type candidate struct {
		column int
		place  traces.Place
		score  int
	}
	var all []candidate
	for i, name := range header {
		for _, place := range traces.Places() {
			if s := score(byName(name, place), place, shapes[i]); s >= Least {
				all = append(all, candidate{i, place, s})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return b.score - a.score })
	taken, placed := map[int]bool{}, map[traces.Place]bool{}
	for _, c := range all {
		if taken[c.column] || placed[c.place] {
			continue
		}
		taken[c.column], placed[c.place] = true, true
		if c.place == traces.PlaceKey {
			key = []string{header[c.column]}
			continue
		}
		guesses = append(guesses, proposal(c.place, header[c.column], c.score, shapes[c.column]))
	}
	joinClock(guesses, header, shapes, taken)
	slices.SortStableFunc(guesses, func(a, b Guess) int {
		return slices.Index(header, a.Columns[0]) - slices.Index(header, b.Columns[0])
	})
	return guesses, key
}

func proposal(place traces.Place, name string, score int, s shape) Guess {
	g := Guess{Rule: Rule{Place: place.String(), Columns: []string{name}}, Confidence: score}
	switch place {
	case traces.PlaceAt:
		if s.way != "" {
			g.Times = []string{s.way}
		}
	case traces.PlaceAction:
		g.Words = wordsOf(s.words, func(w string) string {
			if a := traces.ActionOf(w); a != traces.Unsaid {
				return a.String()
			}
			return ""
		})
	case traces.PlaceOutcome:
		g.Words = wordsOf(s.words, func(w string) string {
			if o := traces.OutcomeOf(w); o != traces.OutcomeUnsaid {
				return o.String()
			}
			return ""
		})
	}
	return g
}

// wordsOf is the table of the values that are understood.
func wordsOf(values []string, read func(string) string) map[string]string {
	out := map[string]string{}
	for _, v := range values {
		if to := read(v); to != "" {
			out[v] = to
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// joinClock adds to a column of dates the column of times of day beside it.
func joinClock(guesses []Guess, header []string, shapes []shape, taken map[int]bool) {
	for g := range guesses {
		if guesses[g].Place != traces.PlaceAt.String() {
			continue
		}
		date := slices.Index(header, guesses[g].Columns[0])
		if shapes[date].dateOnly < 0.9 {
			continue
		}
		for i := range header {
			if !taken[i] && shapes[i].clock > 0.9 {
				guesses[g].Columns = append(guesses[g].Columns, header[i])
				return
			}
		}
	}
}

// score weighs the name of a column with what its values look like.
func score(name int, place traces.Place, s shape) int {
	if s.filled == 0 {
		return name
	}
	switch place {
	case traces.PlaceAt:
		switch {
		case s.time < 0.5, s.time < 0.8 && name < Least:
			return 0
		}
		return max(name, 60) + int(s.time*5)
	case traces.PlaceAddress:
		if s.address > 0.8 {
			return 96
		}
		return 0
	case traces.PlaceINS:
		if s.ins > 0.8 {
			return 97
		}
		return min(name, 60)
	case traces.PlaceAction:
		return byShare(name, s.action, s.distinct)
	case traces.PlaceOutcome:
		return byShare(name, s.outcome, s.distinct)
	case traces.PlaceKey:
		if s.distinct < s.filled { // what repeats tells no row from another
			return 0
		}
	case traces.PlaceIPP, traces.PlaceStay:
		if s.digits < 0.3 {
			return min(name, Least-1)
		}
	}
	if s.time > 0.8 || s.clock > 0.8 || s.address > 0.8 {
		return min(name, Least-1) // it is something else
	}
	return name
}

func byShare(name int, share float64, distinct int) int {
	if share > 0.5 && distinct <= 40 {
		return max(name, 70) + int(share*5)
	}
	if share == 0 {
		return name - 20
	}
	return name
}

func column(rows [][]string, i int) (out []string) {
	for _, r := range rows {
		if i < len(r) && r[i] != "" {
			out = append(out, r[i])
		}
	}
	return out
}

func look(values []string) shape {
	s := shape{filled: len(values)}
	if s.filled == 0 {
		return s
	}
	share := func(is func(string) bool) float64 {
		n := 0
		for _, v := range values {
			if is(v) {
				n++
			}
		}
		return float64(n) / float64(len(values))
	}
	s.way, s.time = bestTime(values)
	s.address = share(func(v string) bool { _, err := netip.ParseAddr(v); return err == nil })
	s.action = share(func(v string) bool { return traces.ActionOf(v) != traces.Unsaid })
	s.outcome = share(func(v string) bool { return traces.OutcomeOf(v) != traces.OutcomeUnsaid })
	s.ins = share(func(v string) bool { return traces.NationalIdentity(strings.ReplaceAll(v, " ", "")) })
	s.digits = share(func(v string) bool { return strings.ContainsAny(v, "0123456789") })
	s.clock = share(isClock)
	s.dateOnly = share(func(v string) bool { return !strings.ContainsAny(v, ":hH") && len(v) <= 12 })
	distinct := map[string]bool{}
	for _, v := range values {
		if !distinct[v] && len(distinct) < 60 {
			s.words = append(s.words, v)
		}
		distinct[v] = true
	}
	if s.distinct = len(distinct); s.distinct > 60 {
		s.words = nil
	}
	return s
}

func isClock(v string) bool {
	for _, layout := range []string{"15:04:05", "15:04", "15h04", "15:04:05.000"} {
		if _, err := time.Parse(layout, v); err == nil {
			return true
		}
	}
	return false
}

// bestTime finds the way in which most values are times. Numbers alone are times
// only when they look like those of our century.
func bestTime(values []string) (way string, share float64) {
	for _, w := range []string{Auto, DMY, YMD, MDY, Excel} {
		n := 0
		for _, v := range values {
			if plausible(w, v) {
				n++
			}
		}
		if s := float64(n) / float64(len(values)); s > share+0.01 {
			way, share = w, s
		}
	}
	return way, share
}

func plausible(way, v string) bool {
	at, ok := parseBy(way, v, time.UTC)
	year := time.UnixMicro(at).UTC().Year()
	return ok && year >= 1990 && year < 2100 && (way != Excel || strings.ContainsAny(v, ".,")) && (way != Auto || len(v) >= 8)
}
