package reply

import (
	"strings"
	"testing"
)

// The tables are written by hand: a spelling in two places, or a phrase that no
// text can ever match, is a slip of the pen.
func TestTheTablesHoldTogether(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for line := range strings.Lines(lemmaTable) {
		lemma, spellings, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, s := range strings.Fields(spellings) {
			if other, twice := seen[s]; twice {
				t.Errorf("%q is a spelling of %q and of %q", s, other, lemma)
			}
			seen[s] = lemma
			if s != fold(s) || strings.ContainsAny(s, "'-_") {
				t.Errorf("%q of %q is not folded", s, lemma)
			}
			if fillers[s] {
				t.Errorf("%q of %q is also a filler", s, lemma)
			}
		}
	}
	places := map[string]string{}
	for line := range strings.Lines(phraseTable) {
		name, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		if list == "" {
			continue
		}
		for p := range strings.SplitSeq(list, ";") {
			p = strings.TrimSpace(p)
			if other, twice := places[p]; twice {
				t.Errorf("%q is there twice, as %s and %s", p, other, name)
			}
			places[p] = name
			words := strings.Fields(p)
			if len(words) == 0 || len(words) > longest {
				t.Errorf("%q of %s has %d words", p, name, len(words))
			}
			for _, w := range words {
				switch lemma, known := lemmas[w]; {
				case w == "<t>", w == "je":
				case known && lemma != w:
					t.Errorf("%q of %s: %q is always read as %q", p, name, w, lemma)
				case !known && fillers[w]:
					t.Errorf("%q of %s: %q is always left aside", p, name, w)
				case !known && almost(w) != w:
					t.Errorf("%q of %s: %q is always corrected to %q", p, name, w, almost(w))
				}
			}
		}
	}
	for _, w := range correctable {
		if _, ok := lemmas[w]; !ok {
			t.Errorf("a slip is corrected to %q, which has no lemma", w)
		}
	}
}
