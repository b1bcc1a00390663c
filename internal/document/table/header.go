package table

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// headerSample is how many rows are read to find the header: files start with
// a title, the name of the hospital, the date of the extraction.
const headerSample = 30

// findHeader chooses the row that names the columns: one of the first rows, as
// wide as the table, made of distinct short words, and preferably of words that
// staff files use. Without any such row the file has no header.
func findHeader(sample []Row) (at int, found bool) {
	width := usualWidth(sample)
	best := -1
	for i, row := range sample {
		if row.Problem != nil || !namesColumns(row.Cells, width) {
			continue
		}
		score := 1 + knownWords(row.Cells)*10
		if score > best {
			best, at, found = score, i, true
		}
	}
	if best == 1 && at > 0 && filled(sample[0].Cells) >= width && !namesColumns(sample[0].Cells, width) {
		return 0, false // ordinary data before the only candidate: a table of words without header
	}
	return at, found
}

// usualWidth is the most frequent number of filled cells, the larger on a tie.
func usualWidth(sample []Row) int {
	counts := map[int]int{}
	for _, row := range sample {
		counts[filled(row.Cells)]++
	}
	width, most := 1, 0
	for w, n := range counts {
		if n > most || n == most && w > width {
			width, most = w, n
		}
	}
	return width
}

func filled(cells []string) int {
	n := 0
	for _, c := range cells {
		if c != "" {
			n++
		}
	}
	return n
}

// namesColumns tells whether cells look like names of columns.
func namesColumns(cells []string, width int) bool {
	seen := map[string]bool{}
	for _, c := range cells {
		if c == "" {
			continue
		}
		if !isName(c) {
			return false
		}
		seen[fold(c)] = true
	}
	return len(seen)*10 >= width*6 && len(seen) > 0 && (width < 2 || len(seen) > 1) && len(seen)*10 >= filled(cells)*7
}

// isName tells whether a cell could name a column: letters first of all.
func isName(cell string) bool {
	letters, digits := 0, 0
	for _, r := range cell {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	return letters > digits && digits <= 4 && utf8.RuneCountInString(cell) <= 60 && !strings.Contains(cell, "@")
}

// knownWords counts the cells that hold a word of staff files.
func knownWords(cells []string) int {
	n := 0
	for _, c := range cells {
		for _, word := range strings.FieldsFunc(fold(c), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if isKnown(word) {
				n++
				break
			}
		}
	}
	return n
}

func isKnown(word string) bool {
	switch word {
	case "nom", "prenom", "matricule", "tel", "telephone", "telephones", "portable", "mobile", "gsm", "fixe", "poste",
		"mail", "mel", "email", "courriel", "messagerie", "service", "uf", "pole", "site", "metier", "fonction", "grade",
		"emploi", "statut", "civilite", "qualification", "qualifications", "specialite", "langue", "affectation", "adresse",
		"name", "surname", "firstname", "first", "last", "phone", "department", "ward", "job", "title", "role", "id", "code",
		"date", "debut", "fin", "libelle", "numero", "identifiant":
		return true
	}
	return false
}

// fold lowers a text and takes its accents off.
func fold(s string) string {
	t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	out, _, err := transform.String(t, strings.ToLower(s))
	if err != nil {
		return strings.ToLower(s)
	}
	return out
}

// tidyHeader keeps the names on one line, and drops the empty ones at the end.
func tidyHeader(cells []string) []string {
	out := make([]string, 0, len(cells))
	for _, c := range cells {
		out = append(out, strings.Join(strings.Fields(c), " "))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func widest(sample []Row) int {
	n := 0
	for _, row := range sample {
		n = max(n, len(row.Cells))
	}
	return n
}

// letters names columns as a spreadsheet does: A, B… Z, AA.
func letters(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = letter(i)
	}
	return out
}

func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return letter(i/26-1) + string(rune('A'+i%26))
}
