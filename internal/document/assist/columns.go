package assist

import (
	"slices"
	"strings"
	"unicode"

	"tocsin/internal/storage"
)

// Signature recognises a file by its header, case, accents and spaces aside.
func Signature(header []string) string {
	parts := make([]string, len(header))
	for i, h := range header {
		parts[i] = storage.Fold(OneLine(h))
	}
	return strings.Join(parts, "|")
}

// OneLine takes away the spaces around a text, and all but one inside.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Slug makes a code of a text: "Infirmier(e) D.E." gives "infirmier_e_d_e".
func Slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range storage.Fold(s) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Words are the headers, as Slug writes them, by which files name each field.
type Words[F ~string] map[F][]string

// Field gives the field that a header names; found is false when none does.
func (w Words[F]) Field(header string) (f F, found bool) {
	s := Slug(header)
	for field, known := range w {
		if slices.Contains(known, s) {
			return field, true
		}
	}
	return f, false
}

// Guess proposes what each column is from its name; the empty field is none.
// repeats tells the fields that several columns may give. A column that holds
// nothing gives way to another of its name: some files have two places for
// one thing, and fill one.
func Guess[F ~string](header []string, sample [][]string, fieldOf func(header string) F, repeats func(F) bool) []F {
	out := make([]F, len(header))
	taken := map[F]bool{"": true}
	take := func(i int) {
		f := fieldOf(header[i])
		if f == "" || taken[f] && !repeats(f) {
			return
		}
		out[i], taken[f] = f, true
	}
	for i := range header {
		if Filled(i, sample) {
			take(i)
		}
	}
	for i := range header {
		if out[i] == "" {
			take(i)
		}
	}
	return out
}

// Filled tells whether some row of a sample has something in a column.
func Filled(column int, sample [][]string) bool {
	return slices.ContainsFunc(sample, func(row []string) bool { return column < len(row) && row[column] != "" })
}
