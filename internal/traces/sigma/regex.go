package sigma

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// compileRegex reads an expression of the flavour of the specification with
// RE2, whose time is linear. It says what is wrong: the key of a refusal, and
// its cause. flags are i, m, s; left and right leave the ends open (a value
// that starts with, ends with).
func compileRegex(text, flags string, left, right bool) (expr *regexp.Regexp, key, cause string) {
	if len(text) > maxPattern {
		return nil, "traces.sigma.regex_long", ""
	}
	whole := text
	if !left || !right {
		whole = "(?:" + text + ")"
		if !left {
			whole = `\A` + whole
		}
		if !right {
			whole += `\z`
		}
	}
	if flags != "" {
		whole = "(?" + flags + ")" + whole
	}
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		return nil, "traces.sigma.regex_bad", regexCause(err)
	}
	tree, err := syntax.Parse(whole, syntax.Perl)
	if err != nil {
		return nil, "traces.sigma.regex_bad", regexCause(err)
	}
	if weigh(tree) > maxProgram {
		return nil, "traces.sigma.regex_long", ""
	}
	expr, err = regexp.Compile(whole)
	if err != nil {
		return nil, "traces.sigma.regex_bad", regexCause(err)
	}
	return expr, "", ""
}

func regexCause(err error) string {
	if e, ok := err.(*syntax.Error); ok { //nolint:errorlint // syntax.Parse returns it bare
		return string(e.Code) + ": " + e.Expr
	}
	return err.Error()
}

// weigh counts the instructions an expression will come to, before it is compiled.
func weigh(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = min(n+weigh(sub), maxProgram+1)
	}
	if re.Op == syntax.OpRepeat {
		times := max(re.Min, re.Max, 1)
		n = min(n*times, maxProgram+1)
	}
	return n
}

// required is the longest text, folded, that every match holds; "" when none
// is sure.
func required(expr *regexp.Regexp) string {
	tree, err := syntax.Parse(expr.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	return held(tree.Simplify()) // which leaves no counted repetition
}

func held(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		// U+FFFD also matches bytes that are no UTF-8, which are kept as they are.
		if !slices.Contains(re.Rune, utf8.RuneError) {
			return foldText(string(re.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus:
		return held(re.Sub[0])
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if h := held(sub); len(h) > len(best) {
				best = h
			}
		}
		return best
	default:
	}
	return ""
}
