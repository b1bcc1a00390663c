package ui

import (
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// ButtonSpec describes a button or a link that looks like one.
type ButtonSpec struct {
	Label, Icon string
	// Kind is "" (ordinary), "primary" (the safe way forward), "danger" (what
	// cannot be undone) or "plain" (looks like a link).
	Kind string
	// Name and Value are posted with the form. Href makes it a link.
	Name, Value, Href string
	Disabled          bool
	Attrs             templ.Attributes
}

// FieldSpec describes a field of a form. Name is what is posted.
type FieldSpec struct {
	Name, Label, Hint string
	// Type is text (when empty), email, tel, password, search, date, time,
	// datetime-local, url, file or number. A password is never shown again.
	Type     string
	Required bool
	// Sometimes is for a field that another one's choice makes required: its hint
	// says when, and it is not called optional.
	Sometimes bool
	// Rows makes it a text area of that height.
	Rows int
	// Autocomplete, InputMode, Min, Max and MaxLength go to the browser; the
	// operation checks again.
	Autocomplete, InputMode, Min, Max string
	MaxLength                         int
	// SMS adds the counter of characters and segments under a text area.
	SMS bool
	// Wide takes the width of the form instead of that of a line.
	Wide  bool
	Attrs templ.Attributes
}

// Choice is one possible value of a Select, Checks or RadioCards.
type Choice struct {
	Value, Label, Hint, Icon string
	// Group gathers the choices of a Select under a title.
	Group    string
	Disabled bool
}

// Column is a column of a table. Sort is the name to sort by, empty when it
// cannot be; Class "number" sets figures to the right.
type Column struct{ Label, Sort, Class string }

// TableSpec describes a table; its rows are the children.
type TableSpec struct {
	// Caption says what the table is, for those who hear it.
	Caption string
	Columns []Column
	// Query makes the headers sort links; the zero Query for none.
	Query Query
	// Rows is how many rows follow; 0 shows Empty instead.
	Rows  int
	Empty string
	// Filter adds a field that filters the rows shown, by script.
	Filter bool
	// ID, if set, lets a live piece replace the table.
	ID string
	// Stack puts the cells of a row under each other on a phone. Cells that say
	// nothing alone, such as figures, then carry their word in data-label.
	Stack bool
}

// StatSpec is a figure with its word.
type StatSpec struct {
	Label, Value, Detail string
	Tone                 Tone
	Href                 string
	// ID lets a live piece replace the figure.
	ID string
}

// MeterSpec is a bar: so many of so many, with the quota's line.
type MeterSpec struct {
	Label             string
	Value, Max, Quota int
	// Second is a lighter part after Value (coming, not yet arrived).
	Second int
	Tone   Tone
}

// Tab is one view of a page, at its own address.
type Tab struct {
	Label, Path string
	Current     bool
	// Count is shown beside the label; empty for none.
	Count string
}

// Crumb is one step of the way to a page. The last has no path.
type Crumb struct{ Label, Path string }

// Event is one line of a time line.
type Event struct {
	At          time.Time
	When        string // "il y a 3 min", or the hour
	Tone        Tone
	Title, Text string
}

// HoldSpec is an act that cannot be undone: hold the button, or type the word.
type HoldSpec struct {
	// Act is the verb on the button ("déclencher l’alerte"), Word what is
	// typed instead of holding ("DÉCLENCHER"). Name is the posted field.
	Act, Word, Name string
	Icon            string
}

// Confirmed tells whether the act was held or its word typed; otherwise it
// notes the error at the field.
func (f *Form) Confirmed(h HoldSpec) bool {
	if f.Value(h.Name+"-tenu") == "oui" || sameWord(f.Value(h.Name), h.Word) {
		return true
	}
	f.Add(h.Name, f.loc.T("ui.hold.refused", "word", h.Word))
	return false
}

// PasskeySpec is a sign-in or a registration with a passkey. Begin and Finish
// are the routes: the first answers the options of the standard in JSON, the
// second takes the credential and answers {"redirect": path}.
type PasskeySpec struct {
	Register             bool
	Label, Begin, Finish string
}

func passkeyMode(s PasskeySpec) string {
	if s.Register {
		return "register"
	}
	return "login"
}

func asFile(s FieldSpec) FieldSpec {
	s.Type = "file"
	return s
}

func (s FieldSpec) inputType() string {
	if s.Type == "" {
		return "text"
	}
	return s.Type
}

func (s FieldSpec) class(f *Form) string {
	class := "field"
	if s.Wide || s.Rows > 0 {
		class += " wide"
	}
	if len(f.Errors(s.Name)) > 0 {
		class += " wrong"
	}
	return class
}

// value is what the field shows: never a password.
func (s FieldSpec) value(f *Form) string {
	if s.Type == "password" || s.Type == "file" {
		return ""
	}
	return f.Value(s.Name)
}

// aria ties the field to its hint and its errors, and passes on the rest.
func (s FieldSpec) aria(f *Form) templ.Attributes {
	out := templ.Attributes{}
	for k, v := range s.Attrs {
		out[k] = v
	}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("autocomplete", s.Autocomplete)
	set("inputmode", s.InputMode)
	set("min", s.Min)
	set("max", s.Max)
	if s.MaxLength > 0 {
		out["maxlength"] = strconv.Itoa(s.MaxLength)
	}
	set("aria-describedby", described(f, s.Name, s.Hint != "", s.SMS))
	if len(f.Errors(s.Name)) > 0 {
		out["aria-invalid"] = "true"
	}
	return out
}

func described(f *Form, name string, hint, counter bool) string {
	id := f.FieldID(name)
	out := ""
	if hint {
		out += " " + id + "-hint"
	}
	if counter {
		out += " " + id + "-count"
	}
	if len(f.Errors(name)) > 0 {
		out += " " + id + "-error"
	}
	if out == "" {
		return ""
	}
	return out[1:]
}

// share is value in thousandths of most, for the width of a bar in a drawing
// 1000 wide.
func share(value, most int) string {
	if most <= 0 || value <= 0 {
		return "0"
	}
	return strconv.Itoa(min(1000, value*1000/most))
}

func (m MeterSpec) whole() int { return max(m.Max, m.Quota, m.Value+m.Second, 1) }
