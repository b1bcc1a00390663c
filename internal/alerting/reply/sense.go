package reply

import (
	"slices"
	"strings"
)

// verdict is what one clause says.
type verdict struct {
	sense sense
	// minutes is the arrival the clause tells, -1 when it tells none.
	minutes int
}

// understand gives the meaning of the tokens of a text.
func understand(tokens []token, c clock) Result {
	if stops(tokens) {
		return Result{Kind: Stop, Minutes: -1}
	}
	tokens = bare(units(tokens))
	key, tokens := digit(tokens)
	var all []verdict
	for _, clause := range clauses(tokens) {
		all = append(all, judge(clause, c)...)
	}
	return conclude(all, key)
}

// conclude weighs the clauses: see ParseAt for the rules.
func conclude(all []verdict, key string) Result {
	minutes := said(all)
	strong := decisive(all)
	switch {
	case strong == onSite && minutes <= 0:
		return Result{Kind: OnSite, Minutes: -1}
	case strong == come, strong == onSite:
		return Result{Kind: Coming, Minutes: minutes}
	case strong == refuse:
		return Result{Kind: Unavailable, Minutes: -1}
	case has(all, perhaps) && has(all, no) && !has(all, yes):
		return Result{Kind: Unavailable, Minutes: -1}
	case has(all, perhaps), doubted(all), has(all, question) && minutes < 0 && key == "":
		if has(all, call) {
			return Result{Kind: CallMe, Minutes: -1}
		}
		return Result{Minutes: -1}
	case strong == call:
		return Result{Kind: CallMe, Minutes: -1}
	case has(all, reason), has(all, objection):
		return Result{Kind: Unavailable, Minutes: -1}
	}
	return weak(all, key, minutes)
}

// weak concludes from oui, ok, non, a delay or a digit alone.
func weak(all []verdict, key string, minutes int) Result {
	r := Result{Minutes: minutes, Key: key}
	switch {
	case has(all, no) && has(all, later):
		return Result{Kind: Unavailable, Minutes: -1}
	case has(all, no) && (has(all, yes) || minutes >= 0):
		return Result{Minutes: -1}
	case has(all, no):
		return Result{Kind: Unavailable, Minutes: -1}
	case has(all, yes), minutes >= 0, has(all, okay) && !has(all, thanks):
		r.Kind = Coming
	}
	return r
}

func has(all []verdict, s sense) bool {
	return slices.ContainsFunc(all, func(v verdict) bool { return v.sense == s })
}

// doubted tells a promise followed by a reason not to keep it: "dispo mais malade".
func doubted(all []verdict) bool {
	promised := false
	for _, v := range all {
		promised = promised || v.sense == come
		if v.sense == objection && promised {
			return true
		}
	}
	return false
}

// said is the delay of the last clause that promises an arrival, else the last one told.
func said(all []verdict) int {
	minutes := -1
	for _, v := range all {
		if v.minutes >= 0 && (v.sense != later || minutes < 0) {
			minutes = v.minutes
		}
	}
	return minutes
}

// decisive is the last decisive sense; being there and calling back yield to
// nothing weaker, and a promise for another day does not undo a refusal.
func decisive(all []verdict) sense {
	last := nothing
	for _, v := range all {
		switch v.sense {
		case come, refuse:
			if last != onSite || v.sense == come && v.minutes > 0 {
				last = v.sense
			}
		case onSite:
			last = onSite
		case later:
			if last == nothing && !has(all, no) && !has(all, reason) && v.minutes >= 0 {
				last = come
			}
		case objection:
			if last == come {
				last = nothing
			}
		case call:
			if last == nothing {
				last = call
			}
		}
	}
	return last
}

// stops tells a text that begins by the word that bars a number, unless the rest is an arrival.
func stops(tokens []token) bool {
	words := 0
	found := false
	for _, t := range tokens {
		if t.kind != word {
			continue
		}
		switch {
		case t.text == "stop" && words <= 1, t.text == "unsubscribe" && words == 0, (t.text == "desabonner" || t.text == "desinscription" || t.text == "desabonnement") && words == 0:
			if words == 1 && tokens[0].text == "non" {
				return false
			}
			found = true
		case t.text == "viens", t.text == "arrive", t.text == "rappelez":
			return false
		}
		words++
	}
	return found
}

// bare drops fillers and the signs that end no clause.
func bare(in []token) []token {
	var out []token
	others := false
	for i, t := range in {
		// "je" is worth keeping where it tells who: "je rappelle", "mon mari dort, je viens".
		others = (others || t.text == "tiers") && t.kind != pause
		first := t.text == "je" || t.text == "j"
		speaks := first && (others || is(in, i+1, "rappelez") || is(in, i+1, "appelez"))
		if speaks {
			t.text = "je"
		}
		if t.kind == word && (fillers[t.text] || t.text == "<number>") && !speaks {
			continue
		}
		if t.kind == pause && strings.Contains("-:/'\"+~", t.text) && (t.glued || t.text != "-" || i == 0) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// digit takes the answer key out of the tokens: a lone digit that opens the
// text, follows a word such as "touche", or is the only figure after a oui. A
// figure that is a delay without its unit becomes one.
func digit(in []token) (key string, out []token) {
	clash, plain := false, isPlain(in)
	for i, t := range in {
		if t.kind != number {
			out = append(out, t)
			continue
		}
		switch {
		case len(t.text) == 1 && keyPlace(in, i, plain):
			clash = clash || key != "" && key != t.text
			key = t.text
			continue
		case t.n >= 5 && t.n <= 240 && (t.n <= 60 || t.n%5 == 0) && delayPlace(in, i, key):
			out = append(out, token{kind: delay, n: t.n})
			continue
		}
		out = append(out, token{kind: word, text: t.text})
	}
	if clash {
		key = ""
	}
	return key, out
}

// keyPlace tells whether the lone figure at i is an answer. plain is set when the
// text has no other words than a oui, a non or a merci.
func keyPlace(in []token, i int, plain bool) bool {
	switch {
	case is(in, i+1, "ou"), is(in, i-1, "ou"):
		return false
	case i > 0 && in[i-1].kind == word && slices.Contains([]string{"touche", "tape", "tapez", "reponse", "rep", "choix", "option", "numero", "press"}, in[i-1].text):
		return true
	}
	return plain && !is(in, i-1, "oui") || i == 0 && !next(in, i)
}

// isPlain tells a text that says no more than yes or no.
func isPlain(in []token) bool {
	return !slices.ContainsFunc(in, func(t token) bool {
		return t.kind == word && !slices.Contains([]string{"oui", "ok", "non", "merci", "reponse", "rep", "viens", "arrive"}, t.text)
	})
}

// next tells whether the figure at i counts what follows it: "1 collègue", "2 personnes".
func next(in []token, i int) bool {
	return i+1 < len(in) && in[i+1].kind == word && lemmaless(in[i+1].text) && !usual[in[i+1].text]
}

func lemmaless(w string) bool {
	return !known[w] && phrases[w] == nothing
}

func delayPlace(in []token, i int, key string) bool {
	if i+1 < len(in) && in[i+1].kind == word && !slices.Contains([]string{"max", "maxi", "maximum", "environ", "merci", "mini", "minimum", "ok", "oui"}, in[i+1].text) {
		return false
	}
	if i == 0 || i == 1 && key != "" {
		return true
	}
	before := in[i-1]
	if before.kind == number || before.kind == pause && (key != "" || before.text == "," || before.text == "(" && i == 2) {
		return true
	}
	return before.kind == word && slices.Contains([]string{"dans", "dici", "ici", "sous", "oui", "ok", "viens", "arrive", "environ", "venir", "la", "there", "eta", "about"}, before.text)
}

// clauses cuts the tokens at stops and at words that turn a sentence.
func clauses(in []token) [][]token {
	var out [][]token
	from := 0
	for i, t := range in {
		turn := t.kind == word && slices.Contains([]string{"mais", "car", "et", "parce", "cependant", "sinon", "however", "par"}, t.text)
		if t.text == "habite" && i > from {
			out = append(out, in[from:i])
			from = i
		}
		if t.kind != pause && !turn {
			continue
		}
		if i > from {
			out = append(out, in[from:i])
		}
		from = i + 1
		if t.text == "mais" {
			from = i // judge reads it: what follows is an objection
		}
	}
	if from < len(in) {
		out = append(out, in[from:])
	}
	return out
}
