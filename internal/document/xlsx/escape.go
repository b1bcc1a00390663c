package xlsx

import "strings"

// maxCell is the longest text a spreadsheet cell may hold.
const maxCell = 32767

// Escape makes a text harmless in a spreadsheet: when it starts with a sign that
// spreadsheets read as a formula (= + - @, tab, carriage return), an apostrophe
// comes first, which the programs and document/table take off. A plain number
// with its sign (+33639981234, -5) calls nothing and stays as it is.
func Escape(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r\n", rune(text[0])) || isPlainNumber(text) {
		return text
	}
	return "'" + text
}

func isPlainNumber(text string) bool {
	if text[0] != '+' && text[0] != '-' || len(text) == 1 {
		return false
	}
	return strings.Trim(text[1:], "0123456789") == "" ||
		strings.Trim(text[1:], "0123456789 .") == "" && text[1] >= '0' && text[1] <= '9'
}

// legal drops the control characters no spreadsheet accepts, and ends a text
// that is too long for a cell with an ellipsis.
func legal(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= maxCell {
		return text
	}
	if runes := []rune(text); len(runes) > maxCell/2 { // the limit counts UTF-16 units; half is always safe
		return string(runes[:maxCell/2-1]) + "…"
	}
	return text
}
