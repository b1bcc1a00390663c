// Package jsonl is « Le JSON des programmes »: events as objects of JSON, one a
// line, one after the other or in an array, put into the model by a mapping of
// paths.
//
// It promises that what the mapping does not name stays searchable, that one
// bad line costs no other, and one walk over the bytes.
//
// It never guesses what a name means beyond its mapping.
package jsonl

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/jsonscan"
)

// Name is the key of the format.
const Name = "jsonl"

// Mapping tells which place of the model the value at a path fills: names of
// objects joined by dots, "user.name".
type Mapping map[string]traces.Place

// Format reads objects of JSON.
type Format struct {
	mapping Mapping
	zone    *time.Location
}

// New gives the format of a mapping, nil being Default. zone is that of dates
// without one, nil being UTC.
func New(mapping Mapping, zone *time.Location) *Format {
	if mapping == nil {
		mapping = Default()
	}
	return &Format{mapping, zone}
}

// Fits tells whether a content looks like an object of JSON.
func Fits(content string) bool {
	return len(content) > 1 && content[0] == '{' && strings.IndexByte(" \t\r\n\"}", content[1]) >= 0
}

// Describe says what is understood.
func (f *Format) Describe() traces.Description {
	d := traces.Description{Name: Name, Standard: "RFC 8259, JSON Lines, Elastic Common Schema 8"}
	for path, place := range f.mapping {
		d.Maps = append(d.Maps, traces.Mapping{From: path, To: place.String()})
	}
	slices.SortFunc(d.Maps, func(a, b traces.Mapping) int {
		return strings.Compare(a.To+"\x00"+a.From, b.To+"\x00"+b.From)
	})
	d.Maps = append(d.Maps, traces.Mapping{From: "…", To: "Extra"})
	return d
}

// MaxEvents bounds the events of one message: an event takes more room in memory
// than the two bytes of an empty object. What follows is kept as it is.
const MaxEvents = 20000

// maxFaults bounds what is said of one message: the rest is the same again.
const maxFaults = 100

// Parse reads a message: an object, objects one after the other, on lines or
// not, or an array of them. A line that cannot be read is an event that says so.
func (f *Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	r := reader{f: f, text: traces.Readable(message), message: message, received: received, dst: dst, begin: len(dst)}
	r.same = len(r.text) == len(message)
	r.read()
	switch {
	case len(r.dst) == len(dst):
		r.dst = append(r.dst, traces.Unread(Name, message, received))
		r.fault(fault.New(fault.Invalid, "traces.jsonl.empty"))
	case len(r.dst) == len(dst)+1:
		// A message of one event is its original, blanks and all.
		r.dst[len(dst)].Raw = message[:min(len(message), traces.MaxRaw)]
	}
	switch len(r.faults) {
	case 0:
		return r.dst, nil
	case 1:
		return r.dst, r.faults[0]
	}
	return r.dst, errors.Join(r.faults...)
}

// reader is one message on its way into events.
type reader struct {
	f        *Format
	text     string
	message  []byte
	same     bool // text has the bytes of message
	received int64
	dst      []traces.Event
	begin    int // how many events there were before
	faults   []error
	scan     jsonscan.Scanner
}

func (r *reader) fault(err error) {
	if err != nil && len(r.faults) < maxFaults {
		r.faults = append(r.faults, err)
	}
}

// raw is the part of the message that a part of the text was read from.
func (r *reader) raw(from, to int) []byte {
	if !r.same {
		return r.message
	}
	return r.message[from:to]
}

func (r *reader) read() {
	array := first(r.text) == '['
	i := 0
	if array {
		i = blanks(r.text, 0) + 1
		if c := blanks(r.text, i); c < len(r.text) && r.text[c] == ']' {
			i = c
		}
	}
	for i = blanks(r.text, i); i < len(r.text); i = blanks(r.text, i) {
		if array && r.text[i] == ']' {
			array = false
			i++
			continue
		}
		if len(r.dst)-r.begin == MaxEvents {
			r.fault(fault.New(fault.Invalid, "traces.jsonl.many", "max", MaxEvents))
			r.skip(i, true)
			return
		}
		end, ok := r.one(i)
		if !ok {
			i = r.skip(i, array)
			continue
		}
		i = blanks(r.text, end)
		if !array {
			continue
		}
		switch {
		case i == len(r.text):
			r.fault(fault.New(fault.Invalid, "traces.jsonl.cut"))
		case r.text[i] == ',':
			i++
		case r.text[i] != ']':
			r.fault(fault.New(fault.Invalid, "traces.jsonl.syntax"))
			i = r.skip(i, array)
		}
	}
}

// skip keeps what cannot be read: to the end of its line, when there are lines.
func (r *reader) skip(from int, array bool) int {
	end := len(r.text)
	if i := strings.IndexByte(r.text[from:], '\n'); i >= 0 && !array {
		end = from + i
	}
	r.dst = append(r.dst, traces.Unread(Name, trimmed(r.raw(from, end)), r.received))
	return end
}

func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return i
}

func first(text string) byte {
	text = strings.TrimLeft(text, " \t\r\n")
	if text == "" {
		return 0
	}
	return text[0]
}

func trimmed(raw []byte) []byte {
	for len(raw) > 0 && (raw[len(raw)-1] == '\n' || raw[len(raw)-1] == '\r') {
		raw = raw[:len(raw)-1]
	}
	return raw
}

func problem(err error) error {
	switch {
	case errors.Is(err, jsonscan.ErrCut):
		return fault.Wrap(err, fault.Invalid, "traces.jsonl.cut")
	case errors.Is(err, jsonscan.ErrDeep):
		return fault.Wrap(err, fault.Invalid, "traces.jsonl.deep")
	}
	return fault.Wrap(err, fault.Invalid, "traces.jsonl.syntax")
}

// one reads the value at from and tells where it ends, or that it is none.
func (r *reader) one(from int) (end int, ok bool) {
	c := &r.scan
	c.Reset(r.text, from)
	begin := len(r.dst)
	r.dst = append(r.dst, traces.Begin(Name, r.message, r.received))
	e := &r.dst[begin]
	bad, extra := r.fill(e)
	end = c.Pos()
	if err := c.Err(); err != nil {
		r.dst = r.dst[:begin]
		r.fault(problem(err))
		return from, false
	}
	raw := r.raw(from, end)
	if r.text[from] != '{' {
		r.dst[begin] = traces.Unread(Name, raw, r.received)
		r.fault(fault.New(fault.Invalid, "traces.jsonl.no_object"))
		return end, true
	}
	e.Raw = raw[:min(len(raw), traces.MaxRaw)]
	if extra >= traces.MaxExtra {
		e.Extra = append(e.Extra[:traces.MaxExtra-1], traces.Pair{Name: traces.CutName, Value: "extra"})
	}
	settle(e)
	e.Bound(len(raw))
	if bad != "" {
		r.fault(fault.New(fault.Invalid, "traces.jsonl.value", "path", bad).At(bad))
	}
	return end, true
}

// fill puts every scalar where it belongs, and tells the path of the first that
// could not be read and how many had no place.
func (r *reader) fill(e *traces.Event) (bad string, extra int) {
	c := &r.scan
	for c.Next() {
		if c.Kind() == jsonscan.Null || len(c.Text()) == 0 {
			continue
		}
		if place := r.f.mapping[string(c.Path())]; place != traces.PlaceNone && !taken(e, place, c.Text()) {
			if len(e.Extra) < traces.MaxExtra && !e.Put(place, "", c.Text(), r.f.zone) {
				e.Extra[len(e.Extra)-1].Name = c.Name() // what could not be read
				if bad == "" {
					bad = c.Name()
				}
			}
			continue
		}
		if extra++; extra >= traces.MaxExtra {
			continue // counted: Bound could not keep it
		}
		if e.Extra == nil {
			e.Extra = make([]traces.Pair, 0, 8)
		}
		e.Extra = append(e.Extra, traces.Pair{Name: c.Name(), Value: c.Text()})
	}
	return bad, extra
}

// taken tells that a place holds something else already: the second value is
// kept under its own path.
func taken(e *traces.Event, place traces.Place, value string) bool {
	switch place {
	case traces.PlaceAt:
		return !e.AtGuessed
	case traces.PlaceOutcome:
		return e.Outcome != traces.OutcomeUnsaid
	case traces.PlaceSeverity:
		return e.Severity >= 0
	case traces.PlaceAction:
		return e.Verb != "" && e.Verb != value
	}
	t := e.Text(place)
	return t != nil && *t != "" && *t != value
}

// settle reads what ECS spreads over several fields.
func settle(e *traces.Event) {
	if e.Action == traces.Unsaid && e.Verb == "" {
		category, kind := "", ""
		for _, p := range e.Extra {
			switch p.Name {
			case "event.category":
				category = p.Value
			case "event.type":
				kind = p.Value
			}
		}
		switch {
		case category == "authentication" && kind == "end":
			e.Action = traces.Logout
		case category == "authentication" || category == "session" && kind == "start":
			e.Action = traces.Login
		}
	}
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
}
