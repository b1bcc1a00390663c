package columns

import (
	"slices"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// The formats of sources whose traces come in columns.
const (
	Files = "files" // exports of an application
	Pull  = "sql"   // its own table of audit
)

// Format describes sources whose traces come in columns. A message alone has no
// columns: it is kept as it is.
type Format struct{ Name string }

// Describe says what is understood without a mapping of one's own: the names of
// columns that are recognised.
func (f Format) Describe() traces.Description {
	d := traces.Description{Name: f.Name, Standard: "RFC 4180, ECMA-376"}
	if f.Name == Pull {
		d.Standard = "ISO/IEC 9075"
	}
	for place, words := range headerWords {
		d.Maps = append(d.Maps, traces.Mapping{From: strings.Join(words[:min(len(words), 6)], ", "), To: place.String()})
	}
	slices.SortFunc(d.Maps, func(a, b traces.Mapping) int { return strings.Compare(a.To, b.To) })
	d.Maps = append(d.Maps, traces.Mapping{From: "…", To: "Extra"})
	return d
}

// Parse keeps a message that came without its columns.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	return append(dst, traces.Unread(f.Name, message, received)), fault.New(fault.Invalid, "traces.columns.alone")
}
