package pages

import (
	"net/url"
	"strconv"
	"strings"
)

// rowsListed bounds the lines of one list of the editor.
const rowsListed = 60

// listOf is the list of lines a section edits; empty when it has none.
func listOf(section string) string {
	switch section {
	case sectionQuestions:
		return "variables"
	case sectionAnswers:
		return "answers"
	case sectionWaves:
		return "waves"
	case sectionQuotas:
		return "quotas"
	case sectionAuthority:
		return "duties"
	}
	return ""
}

// rowsField counts the lines of a list in the posted form.
func rowsField(list string) string { return list + ".n" }

// rowField is a field of a line: "waves.2.after", as checks name it.
func rowField(list string, row int, field string) string {
	return list + "." + strconv.Itoa(row) + "." + field
}

// rowCount reads how many lines a form has, within reason.
func rowCount(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return min(max(n, 0), rowsListed)
}

func addRow(values url.Values, list string) {
	values.Set(rowsField(list), strconv.Itoa(min(rowCount(values.Get(rowsField(list)))+1, rowsListed)))
}

// dropRow takes a line away; those after it move up with all their fields.
func dropRow(values url.Values, list string, row int) {
	n := rowCount(values.Get(rowsField(list)))
	if row < 0 || row >= n {
		return
	}
	for i := row; i < n-1; i++ {
		swapRows(values, list, i, i+1)
	}
	for name := range values {
		if strings.HasPrefix(name, rowField(list, n-1, "")) {
			delete(values, name)
		}
	}
	values.Set(rowsField(list), strconv.Itoa(n-1))
}

// swapRows exchanges two lines, whatever fields they have.
func swapRows(values url.Values, list string, a, b int) {
	n := rowCount(values.Get(rowsField(list)))
	if a < 0 || b < 0 || a >= n || b >= n {
		return
	}
	first, second := rowField(list, a, ""), rowField(list, b, "")
	moved := url.Values{}
	for name, v := range values {
		if rest, ok := strings.CutPrefix(name, first); ok {
			moved[second+rest] = v
		} else if rest, ok := strings.CutPrefix(name, second); ok {
			moved[first+rest] = v
		} else {
			continue
		}
		delete(values, name)
	}
	for name, v := range moved {
		values[name] = v
	}
}
