package pages

import (
	"strings"

	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// shelf is a group of questions as those who ask think of them.
type shelf struct {
	name string
	keys []string
}

func shelves() []shelf {
	return []shelf{
		{"record", []string{"record", "known"}},
		{"person", []string{"person", "volume", "shared", "common", "left", "logins"}},
		{"unusual", []string{"break_glass", "hours", "relation", "exports"}},
		{"place", []string{"place", "service"}},
		{"ours", []string{"looks"}},
	}
}

// state is what the first page must know before it offers questions.
type state struct {
	ready   bool
	sources []traces.Source
	silent  []traces.Source
}

func (p pages) phrases(c *ui.Context) error {
	list, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	s := state{ready: p.s.Ready(), sources: list}
	for _, one := range list {
		if one.Retired.IsZero() && !one.Silent.IsZero() {
			s.silent = append(s.silent, one)
		}
	}
	return c.Render(phrasesPage(c, s))
}

// piece is a part of a sentence: words, or a blank.
type piece struct{ text, blank string }

// pieces cuts the sentence of a phrase at its blanks, in the order of the
// language.
func pieces(loc *i18n.Localizer, ph traces.Phrase) []piece {
	const mark = "\x00"
	args := []any{"period", mark + "period" + mark}
	for _, b := range ph.Blanks {
		args = append(args, b.Name, mark+b.Name+mark)
	}
	var out []piece
	for i, part := range strings.Split(loc.T("traces.phrase.sentence."+ph.Key, args...), mark) {
		switch {
		case i%2 == 1:
			out = append(out, piece{blank: part})
		case part != "":
			out = append(out, piece{text: part})
		}
	}
	return out
}

// sample is what stands in a blank of the list: the first choice, or what to give.
func sample(loc *i18n.Localizer, ph traces.Phrase, name string) string {
	if name == "period" {
		return loc.T("traces.page.period." + lastWeek)
	}
	for _, b := range ph.Blanks {
		if b.Name == name && b.Kind == traces.BlankChoice {
			return choiceWord(loc, ph, b.Choices[0])
		}
	}
	return blankWord(loc, ph, name)
}

func choiceWord(loc *i18n.Localizer, ph traces.Phrase, choice string) string {
	return loc.T("traces.phrase.choices." + ph.Key + "." + choice)
}

// blankWord is what a blank waits for, in a word or two.
func blankWord(loc *i18n.Localizer, ph traces.Phrase, name string) string {
	return loc.T("traces.phrase.blanks." + ph.Key + "." + name)
}

// said is a filled sentence, in words.
func said(loc *i18n.Localizer, ph traces.Phrase, f traces.Filling, when string) string {
	args := []any{"period", when}
	for _, b := range ph.Blanks {
		v := f[b.Name]
		if b.Kind == traces.BlankChoice {
			v = choiceWord(loc, ph, v)
		}
		args = append(args, b.Name, v)
	}
	return loc.T("traces.phrase.sentence."+ph.Key, args...)
}

func phraseOf(key string) traces.Phrase {
	ph, _ := traces.FindPhrase(key)
	return ph
}

// whoSets says what to do about a program without a base of traces.
func whoSets(c *ui.Context) string {
	if mayKeep(c) {
		return c.Loc.T("traces.page.none.set")
	}
	return c.Loc.T("traces.page.none.ask")
}

// whoAdds says what to do when no source speaks.
func whoAdds(c *ui.Context) string {
	if mayKeep(c) {
		return c.Loc.T("traces.page.empty.add")
	}
	return c.Loc.T("traces.page.empty.ask")
}
