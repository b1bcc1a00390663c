package directory

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
)

// confidential tells the columns that must not be read at all.
func confidential(header string) bool {
	words := strings.Split(assist.Slug(header), "_")
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
	}
	return has("motif", "motifs", "raison", "cause", "reason", "naissance", "naiss", "birth", "birthdate", "dob", "age",
		"secu", "nir", "nss", "ss", "insee", "ssn", "iban", "rib", "bic", "salaire", "indice", "salary",
		"medical", "medicale", "diagnostic", "handicap", "rqth", "nationalite", "nationality", "conjoint", "enfants", "syndicat") ||
		has("securite") && has("sociale") || has("social") && has("security") ||
		has("absence", "absences", "conge", "conges", "arret", "leave") && has("type", "nature", "libelle", "code", "commentaire", "kind")
}

// postal tells the columns of home addresses. "Adresse" alone may be that of a
// mailbox: its cells tell.
func postal(header string) bool {
	s := assist.Slug(header)
	words := strings.Split(s, "_")
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
	}
	return (has("adresse", "adresses", "address") && !has("mail", "email", "mel", "courriel", "messagerie", "electronique", "ip")) ||
		has("postal", "postale", "postcode", "zip", "rue", "street")
}

// unreadableWord stands for what an absence column says instead of a date, so
// that the row is still complained of.
const unreadableWord = "?"

// veil takes from the rows of one file what must not even wait in the database.
type veil struct {
	width                    int
	confidential, postal, on []bool // on: absence columns
	// first is the first column that may hide something; width without any.
	first int
}

func newVeil(header []string) veil {
	v := veil{width: len(header), first: len(header)}
	for i, h := range header {
		f := fieldOf(h)
		v.confidential, v.postal = append(v.confidential, confidential(h)), append(v.postal, postal(h))
		v.on = append(v.on, f == FieldAbsentFrom || f == FieldAbsentTo)
		if (v.confidential[i] || v.postal[i] || v.on[i]) && v.first == len(header) {
			v.first = i
		}
	}
	return v
}

// cover blanks the cells in place. The text of an unreadable row is only kept
// when nothing in the file is confidential; where the cells have moved, nothing
// from the first such column on is kept.
func (v veil) cover(row *table.Row) {
	if v.first == v.width {
		return
	}
	row.Raw = ""
	if row.Problem != nil && (len(row.Cells) > v.width || row.Problem.Key == "table.row.unclosed_quote") {
		clear(row.Cells[min(v.first, len(row.Cells)):])
		return
	}
	for i, cell := range row.Cells {
		switch {
		case i >= v.width || v.confidential[i] || v.postal[i] && !strings.Contains(cell, "@"):
			row.Cells[i] = ""
		case v.on[i]:
			row.Cells[i] = dayOnly(cell)
		}
	}
}

// dayOnly keeps the date of a cell and nothing that is written beside it.
func dayOnly(cell string) string {
	if cell = oneLine(cell); cell == "" {
		return ""
	}
	day, _, _ := strings.Cut(cell, " ")
	if _, ok := ReadDay(assist.Harmed(day), time.UTC); !ok {
		return unreadableWord
	}
	return day
}

// ReadDay reads a day as staff files write them.
func ReadDay(day string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "02/01/2006", "2/1/2006", "02-01-2006", "02.01.2006", "20060102", "02/01/06"} {
		if t, err := time.ParseInLocation(layout, day, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
