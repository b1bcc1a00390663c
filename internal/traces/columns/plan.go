package columns

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Plan is a mapping made ready for a header and a zone.
type Plan struct {
	collector string
	zone      *time.Location
	header    []string
	rules     []step
	taken     []bool // columns that a rule puts somewhere
	key       []int
}

// step is a rule with the columns found.
type step struct {
	Rule
	place   traces.Place
	columns []int
	name    string // under which what has no room is kept
	words   map[string]string
	times   []string
}

// Plan finds the columns of the mapping in a header. zone is that of times that
// say none; collector names what read. Errors: Invalid, naming a column that the
// header does not have.
func (m Mapping) Plan(header []string, zone *time.Location, collector string) (*Plan, error) {
	p := &Plan{collector: collector, zone: zone, header: header, taken: make([]bool, len(header))}
	at := make(map[string]int, len(header))
	for i, name := range header {
		at[storage.Fold(name)] = i
	}
	find := func(names []string) (out []int, err error) {
		for _, name := range names {
			i, ok := at[storage.Fold(name)]
			if !ok {
				return nil, fault.New(fault.Invalid, "traces.columns.missing", "column", name)
			}
			out = append(out, i)
		}
		return out, nil
	}
	for _, r := range m.Rules {
		columns, err := find(r.Columns)
		if err != nil {
			return nil, err
		}
		p.rules = append(p.rules, newStep(r, columns))
		for _, i := range columns {
			p.taken[i] = p.taken[i] || r.Part == Whole || r.Part == Natural
		}
	}
	var err error
	p.key, err = find(m.Key)
	return p, err
}

func newStep(r Rule, columns []int) step {
	place, _ := traces.ParsePlace(r.Place) // the mapping was checked
	s := step{Rule: r, place: place, columns: columns, name: r.Place, times: r.Times}
	if len(r.Columns) > 0 {
		s.name = strings.Join(r.Columns, " + ")
	}
	if len(r.Words) > 0 {
		s.words = make(map[string]string, len(r.Words))
		for from, to := range r.Words {
			s.words[storage.Fold(from)] = to
		}
	}
	if len(s.times) == 0 {
		s.times = []string{Auto}
	}
	return s
}

// Event puts a row into the model. What cannot be understood comes out all the
// same, with a fault that says why.
func (p *Plan) Event(row Row, received int64) (traces.Event, error) {
	if row.Problem != nil {
		e := traces.Begin(p.collector, row.Raw, received)
		e.Message = readable(p.text(row))
		e.Bound(max(row.Length, len(row.Raw)))
		return e, row.Problem
	}
	e := traces.Begin(p.collector, row.Raw, received)
	var unread error
	for i := range p.rules {
		if err := p.rules[i].put(&e, row.Cells, p.zone); err != nil && unread == nil {
			unread = err
		}
	}
	for i, value := range row.Cells {
		if value != "" && (i >= len(p.taken) || !p.taken[i]) {
			e.Add(p.column(i), value)
		}
	}
	if len(row.Cells) > len(p.header) && unread == nil && len(p.header) > 0 {
		unread = fault.New(fault.Invalid, "traces.columns.row.cells", "count", len(row.Cells), "expected", len(p.header))
	}
	e.Bound(max(row.Length, len(row.Raw)))
	return e, unread
}

// text is a row for a person.
func (p *Plan) text(row Row) string {
	if len(row.Cells) > 0 {
		return strings.Join(row.Cells, " ; ")
	}
	return traces.Readable(row.Raw[:min(len(row.Raw), traces.MaxText)])
}

func (p *Plan) column(i int) string {
	if i < len(p.header) {
		return p.header[i]
	}
	return letter(i)
}

// put fills the place of a step. Errors: Invalid, for a value that is not what
// the place wants; it is kept in Extra.
func (s *step) put(e *traces.Event, cells []string, zone *time.Location) error {
	value := s.value(cells)
	if value == "" {
		return nil
	}
	if s.place == traces.PlaceAt {
		return s.putTime(e, value, zone)
	}
	if to, ok := s.words[storage.Fold(value)]; ok {
		s.putWord(e, value, to)
		return nil
	}
	if !e.Put(s.place, s.name, value, zone) {
		return fault.New(fault.Invalid, "traces.columns.row.value", "column", s.name)
	}
	return nil
}

func (s *step) putTime(e *traces.Event, value string, zone *time.Location) error {
	at, ok := parseTime(value, s.times, zone)
	switch {
	case !ok:
		e.Add(s.name, value)
		return fault.New(fault.Invalid, "traces.columns.row.time", "column", s.name)
	case e.AtGuessed:
		e.Happened(at)
	default:
		e.Add(s.name, value)
	}
	return nil
}

// putWord puts what the table of a mapping says of a value, and keeps the value.
func (s *step) putWord(e *traces.Event, value, to string) {
	switch s.place {
	case traces.PlaceAction:
		if a, ok := traces.ParseAction(to); ok {
			e.Action = a
		}
		e.Fill(&e.Verb, s.name, value)
	case traces.PlaceOutcome:
		if o, ok := traces.ParseOutcome(to); ok {
			e.Outcome = o
		}
	case traces.PlaceSeverity:
		e.Severity = traces.SeverityOf(to)
	default:
		if text := e.Text(s.place); text != nil {
			e.Fill(text, s.name, to)
		}
	}
}

// value is what the columns of a step say.
func (s *step) value(cells []string) string {
	if len(s.columns) == 0 {
		return s.Constant
	}
	value := ""
	for _, i := range s.columns {
		if i < len(cells) && cells[i] != "" {
			if value != "" {
				value += " "
			}
			value += cells[i]
		}
	}
	if value == "" {
		return s.Constant // what stands for a cell that is empty
	}
	return part(value, s.Part, s.Separator)
}

// part takes a part of a cell; the whole when the cell is not made so.
func part(value, which, separator string) string {
	switch which {
	case Before, After:
		before, after, found := strings.Cut(value, separator)
		switch {
		case !found && which == After:
			return ""
		case which == Before:
			return strings.TrimSpace(before)
		}
		return strings.TrimSpace(after)
	case Within, Outside:
		open, end := strings.LastIndexByte(value, '('), strings.LastIndexByte(value, ')')
		switch {
		case open < 0 || end < open:
			if which == Within {
				return ""
			}
			return value
		case which == Within:
			return strings.TrimSpace(value[open+1 : end])
		}
		return strings.TrimSpace(value[:open])
	case Natural:
		return natural(value)
	}
	return value
}

// natural turns « DUPONT-MARTIN Jean Paul » into « Jean Paul DUPONT-MARTIN »: the
// words in capitals at the beginning are the name; « DUPONT, Jean » likewise.
// Without capitals to tell, the first word is the name.
func natural(value string) string {
	if name, first, ok := strings.Cut(value, ","); ok {
		return strings.TrimSpace(strings.TrimSpace(first) + " " + strings.TrimSpace(name))
	}
	words := strings.Fields(value)
	n := 0
	for n < len(words) && strings.ToUpper(words[n]) == words[n] {
		n++
	}
	switch {
	case len(words) < 2 || n == len(words):
		return strings.Join(words, " ")
	case n == 0:
		n = 1
	}
	return strings.Join(append(append([]string{}, words[n:]...), words[:n]...), " ")
}

// Identity is what tells a row from others: its key columns, or its original.
// counted tells that the file may say the same several times, and mean it.
func (p *Plan) Identity(row Row) (mark [32]byte, counted bool) {
	h := sha256.New()
	if len(p.key) == 0 || row.Problem != nil {
		_, _ = h.Write(row.Raw)                                                   // it never fails
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(row.Length))) // nor does it: of a line too long only the beginning is kept
		return [32]byte(h.Sum(nil)), true
	}
	for _, i := range p.key {
		if i < len(row.Cells) {
			_, _ = h.Write([]byte(row.Cells[i])) // it never fails
		}
		_, _ = h.Write([]byte{0})
	}
	return [32]byte(h.Sum(nil)), false
}

// Key writes an identity as the key of an event.
func Key(mark [32]byte, times int) string {
	key := hex.EncodeToString(mark[:16])
	if times > 1 {
		return key + "-" + strconv.Itoa(times)
	}
	return key
}
