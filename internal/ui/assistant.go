package ui

// ColumnsSpec describes the table in which a person says what each column of a
// file is.
type ColumnsSpec struct {
	// Caption says what the table is; Column, Means and Sample are its titles.
	Caption, Column, Means, Sample string
	// Header are the columns of the file, Rows its first rows.
	Header []string
	Rows   [][]string
	// Name is what the choice of a column posts; MeansOf labels it for those who hear it.
	Name    func(column int) string
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
