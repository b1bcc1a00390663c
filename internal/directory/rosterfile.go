package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	digest "hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// longestShift bounds what is believed of one line: beyond it, two hours were confused.
const longestShift = 26 * time.Hour

// rosterListed is how many problems of a planning are kept in words.
const rosterListed = 200

// rosterColumns are where a planning file says what; -1 where it does not.
type rosterColumns struct{ person, day, from, to, hours int }

// rosterNames are the headers of planning programs, folded.
func rosterNames() map[string][]string {
	return map[string][]string{
		"person": {"matricule", "agent", "identifiant", "numero agent", "code agent", "id agent", "employee", "employee id"},
		"day":    {"date", "jour", "date du poste", "date poste", "day"},
		"from":   {"debut", "heure debut", "heure de debut", "debut du poste", "debut poste", "de", "arrivee", "start", "from"},
		"to":     {"fin", "heure fin", "heure de fin", "fin du poste", "fin poste", "a", "depart", "end", "to"},
		"hours":  {"horaire", "horaires", "poste", "plage", "plage horaire", "vacation", "hours", "shift"},
	}
}

// findRosterColumns reads the header. Errors: Invalid, with the columns it lacks.
func findRosterColumns(header []string) (rosterColumns, error) {
	names := rosterNames()
	find := func(what string) int {
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names[what], storage.Fold(oneLine(h))) })
	}
	c := rosterColumns{find("person"), find("day"), find("from"), find("to"), find("hours")}
	switch {
	case c.person < 0:
		return c, fault.New(fault.Invalid, "directory.roster.no_person")
	case c.hours < 0 && (c.from < 0 || c.to < 0):
		return c, fault.New(fault.Invalid, "directory.roster.no_hours")
	}
	return c, nil
}

// shift is a stretch of work of somebody; a day of rest begins and ends together.
type shift struct {
	person   uuid.UUID
	from, to time.Time
}

// rosterReading understands the rows of one file.
type rosterReading struct {
	columns rosterColumns
	zone    *time.Location
	people  map[string]uuid.UUID // by match key
	known   map[uuid.UUID]bool
	taken   map[shift]bool // by person and beginning
	// sum is of all that was understood: the same file twice is told.
	sum digest.Hash
	out Roster
}

// row reads one row: a shift, a day of rest (ok without hours), or a problem.
func (r *rosterReading) row(row table.Row) (s shift, ok bool) {
	r.out.Rows++
	if row.Problem != nil {
		return s, r.refuse(row.Line, "", row.Problem.Key, row.Problem.Args...)
	}
	cell := func(i int) string {
		if i < 0 || i >= len(row.Cells) {
			return ""
		}
		return oneLine(assist.Harmed(row.Cells[i]))
	}
	matricule := cell(r.columns.person)
	if matricule == "" {
		return s, r.refuse(row.Line, "", "directory.roster.no_matricule")
	}
	person, found := r.people[matchKey(matricule, "", "", "", 0)]
	if !found {
		return s, r.refuse(row.Line, "", "directory.roster.unknown_person", "matricule", matricule)
	}
	day, dated := ReadDay(firstWord(cell(r.columns.day)), r.zone)
	if r.columns.day >= 0 && !dated {
		return s, r.refuse(row.Line, "date", "directory.roster.no_day", "value", cell(r.columns.day))
	}
	from, to := cell(r.columns.from), cell(r.columns.to)
	if r.columns.hours >= 0 && (from == "" || to == "") {
		from, to = CutHours(cell(r.columns.hours))
	}
	s.person = person
	if from == "" && to == "" || resting(from) {
		s.from, s.to = day, day
		return s, r.take(s, dated)
	}
	if s.from, ok = ReadMoment(from, day, r.zone); !ok {
		return s, r.refuse(row.Line, "debut", "directory.roster.no_hour", "value", from)
	}
	if s.to, ok = ReadMoment(to, startOfDay(s.from), r.zone); !ok {
		return s, r.refuse(row.Line, "fin", "directory.roster.no_hour", "value", to)
	}
	if !s.to.After(s.from) { // a night: it ends on the next day of the calendar
		s.to = s.to.AddDate(0, 0, 1)
	}
	if !s.to.After(s.from) || s.to.Sub(s.from) > longestShift {
		return s, r.refuse(row.Line, "", "directory.roster.too_long", "from", from, "to", to)
	}
	if key := (shift{person: person, from: s.from}); r.taken[key] {
		return s, r.refuse(row.Line, "", "directory.roster.twice", "matricule", matricule)
	}
	return s, r.take(s, true)
}

// take counts a row that was understood.
func (r *rosterReading) take(s shift, dated bool) bool {
	if !r.known[s.person] {
		r.known[s.person] = true
		r.out.People++
	}
	if dated {
		r.cover(startOfDay(s.from), startOfDay(s.from).AddDate(0, 0, 1))
	}
	if s.to.After(s.from) {
		r.taken[shift{person: s.person, from: s.from}] = true
		r.out.Shifts++
		r.cover(startOfDay(s.from), s.to)
	}
	var b [32]byte
	copy(b[:], s.person[:])
	binary.BigEndian.PutUint64(b[16:], uint64(s.from.Unix()))
	binary.BigEndian.PutUint64(b[24:], uint64(s.to.Unix()))
	r.sum.Write(b[:])
	return true
}

// cover widens the days the planning speaks of.
func (r *rosterReading) cover(from, to time.Time) {
	if r.out.From.IsZero() || from.Before(r.out.From) {
		r.out.From = from
	}
	if to.After(r.out.To) {
		r.out.To = to
	}
}

// refuse notes a row that is left out; it is always false.
func (r *rosterReading) refuse(line int, column, key string, args ...any) bool {
	r.out.Refused++
	if len(r.out.Problems) < rosterListed {
		r.out.Problems = append(r.out.Problems, RosterProblem{Line: line, Problem: Problem{Column: column, Key: key, Args: args, Error: true}})
	}
	return false
}

func newRosterReading(header []string, zone *time.Location, people map[string]uuid.UUID) (*rosterReading, error) {
	columns, err := findRosterColumns(header)
	if err != nil {
		return nil, err
	}
	return &rosterReading{columns: columns, zone: zone, people: people, known: map[uuid.UUID]bool{}, taken: map[shift]bool{}, sum: sha256.New()}, nil
}

func (r *rosterReading) digest() string { return hex.EncodeToString(r.sum.Sum(nil)[:16]) }

func firstWord(cell string) string {
	word, _, _ := strings.Cut(strings.ReplaceAll(cell, "T", " "), " ")
	return word
}

func startOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// CutHours cuts "07:00-14:30", "7h à 14h30" or "19:00/07:00".
func CutHours(cell string) (from, to string) {
	for _, mark := range []string{" à ", " a ", "–", "—", "/", "-", " "} {
		if before, after, found := strings.Cut(cell, mark); found {
			return strings.TrimSpace(before), strings.TrimSpace(after)
		}
	}
	return cell, ""
}

// resting tells the codes of a day without work. Which of them is nobody's
// business here: a reason of absence is not kept.
func resting(cell string) bool {
	return slices.Contains([]string{"repos", "rh", "rtt", "ca", "cp", "rc", "rf", "r", "off", "conge", "conges", "absent", "absence", "abs", "am"}, storage.Fold(cell))
}

// ReadMoment reads "07:00", "7h30", "24:00" of a day, or a date and an hour.
func ReadMoment(cell string, day time.Time, zone *time.Location) (time.Time, bool) {
	if date, clock, both := strings.Cut(strings.Replace(cell, "T", " ", 1), " "); both {
		if on, ok := ReadDay(date, zone); ok {
			day, cell = on, clock
		}
	}
	if day.IsZero() {
		return day, false
	}
	hour, minute, found := strings.Cut(strings.NewReplacer("h", ":", "H", ":").Replace(strings.TrimSpace(cell)), ":")
	minute, _, _ = strings.Cut(minute, ":") // seconds
	if !found || minute == "" {
		minute = "0"
	}
	h, herr := strconv.Atoi(strings.TrimSpace(hour))
	m, merr := strconv.Atoi(strings.TrimSpace(minute))
	if herr != nil || merr != nil || h < 0 || h > 24 || m < 0 || m > 59 || h == 24 && m > 0 {
		return day, false
	}
	return time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, day.Location()), true
}
