package ui

import (
	"slices"
	"strconv"

	"tocsin/internal/fault"
)

// ColumnsSpec describes the table in which a person says what each column of a
// file is.
type ColumnsSpec struct {
	// Caption says what the table is; Column, Means and Sample are its titles.
	Caption, Column, Means, Sample string
	// Header are the columns of the file, Rows its first rows.
	Header []string
	Rows   [][]string
	// MeansOf labels the choice of a column for those who hear it.
	MeansOf func(header string) string
	// Choices are the fields; the first is to ignore the column.
	Choices []Choice
}

// sampleMost is how much of a cell is shown, in characters.
const sampleMost = 60

// samples are the first cells of a column that hold something.
func (s ColumnsSpec) samples(column int) (out []string) {
	for _, row := range s.Rows {
		if column < len(row) && row[column] != "" {
			text := []rune(row[column])
			out = append(out, string(text[:min(len(text), sampleMost)]))
		}
	}
	return out
}

// ColumnName is the name of the field that says what the ith column means.
func ColumnName(i int) string { return "colonne-" + strconv.Itoa(i) }

// AtColumn sets a sentence about a field of an import at the last column that
// claims it; chosen are the fields by column, "" where one is ignored.
func AtColumn[F ~string](err error, chosen []F) error {
	e := fault.As(err)
	if e == nil {
		return err
	}
	for i, field := range slices.Backward(chosen) {
		if field != "" && string(field) == e.Field {
			return e.At(ColumnName(i))
		}
	}
	return e.At("")
}
