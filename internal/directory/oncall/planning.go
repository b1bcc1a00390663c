package oncall

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"tocsin/internal/directory"
	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// planningColumns are where an export of a planning says what; -1 where it does not.
type planningColumns struct{ person, function, day, from, to, hours int }

// findPlanningColumns reads the header. Errors: Invalid, with what it lacks.
func findPlanningColumns(header []string) (planningColumns, error) {
	find := func(names ...string) int {
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, storage.Fold(oneLine(h))) })
	}
	c := planningColumns{
		person:   find("matricule", "agent", "personne", "nom", "nom prenom", "nom et prenom", "identifiant", "person", "name", "employee"),
		function: find("fonction", "astreinte", "garde", "poste", "ligne", "function", "role"),
		day:      find("date", "jour", "date debut", "day"),
		from:     find("debut", "heure debut", "heure de debut", "de", "start", "from"),
		to:       find("fin", "heure fin", "heure de fin", "a", "end", "to"),
		hours:    find("horaire", "horaires", "plage", "hours"),
	}
	switch {
	case c.person < 0:
		return c, fault.New(fault.Invalid, "directory.oncall.import.no_person")
	case c.hours < 0 && (c.from < 0 || c.to < 0):
		return c, fault.New(fault.Invalid, "directory.oncall.import.no_hours")
	}
	return c, nil
}

// readPlanning reads an export, a line a turn, as claims.
func readPlanning(rows directory.Rows, zone *time.Location) (out []claim, err error) {
	columns, err := findPlanningColumns(rows.Header())
	if err != nil {
		return nil, err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(out) >= eventsMost {
			return nil, fault.New(fault.Invalid, "directory.oncall.import.many", "limit", eventsMost)
		}
		out = append(out, columns.claim(row, zone))
	}
}

func (k planningColumns) claim(row table.Row, zone *time.Location) claim {
	c := claim{line: row.Line}
	if row.Problem != nil {
		c.key, c.args = row.Problem.Key, row.Problem.Args
		return c
	}
	cell := func(i int) string {
		if i < 0 || i >= len(row.Cells) {
			return ""
		}
		return oneLine(assist.Harmed(row.Cells[i]))
	}
	c.person, c.function = cell(k.person), cell(k.function)
	wrong := func(key string, args ...any) claim {
		c.key, c.args = key, args
		return c
	}
	date, _, _ := strings.Cut(strings.ReplaceAll(cell(k.day), "T", " "), " ")
	day, dated := directory.ReadDay(date, zone)
	if k.day >= 0 && !dated {
		return wrong("directory.oncall.import.no_day", "value", cell(k.day))
	}
	from, to := cell(k.from), cell(k.to)
	if k.hours >= 0 && (from == "" || to == "") {
		from, to = directory.CutHours(cell(k.hours))
	}
	var ok bool
	if c.from, ok = directory.ReadMoment(from, day, zone); !ok {
		return wrong("directory.oncall.import.no_hour", "value", from)
	}
	began := time.Date(c.from.Year(), c.from.Month(), c.from.Day(), 0, 0, 0, 0, zone)
	if c.to, ok = directory.ReadMoment(to, began, zone); !ok {
		return wrong("directory.oncall.import.no_hour", "value", to)
	}
	if !c.to.After(c.from) { // a night ends on the next day of the calendar
		c.to = c.to.AddDate(0, 0, 1)
	}
	if !c.to.After(c.from) || c.to.Sub(c.from) > replacementMost {
		return wrong("directory.oncall.import.no_end")
	}
	return c
}
