package ui

import (
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// Form keeps what was typed and what is wrong with it, for the page that
// shows it again: the error next to its field and in one summary.
type Form struct {
	loc    *i18n.Localizer
	values url.Values
	errors []FieldError
	prefix string
	// labels are the words of the fields, learnt as they are rendered.
	labels map[string]string
}

// FieldError is one sentence about one field; Field is empty when it is about
// the whole form.
type FieldError struct{ Field, Message string }

// As gives the ids of this form's fields a prefix, when one page has two forms.
func (f *Form) As(prefix string) *Form {
	f.prefix = prefix + "-"
	return f
}

// Value is what was typed, without the spaces around it.
func (f *Form) Value(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// List is every value of a field with several (checkboxes).
func (f *Form) List(name string) []string { return slices.Clone(f.values[name]) }

// Checked tells whether a checkbox or radio of that value was chosen.
func (f *Form) Checked(name, value string) bool { return slices.Contains(f.values[name], value) }

// Set changes what the field shows.
func (f *Form) Set(name, value string) { f.values.Set(name, value) }

// SetList is Set for a field with several values.
func (f *Form) SetList(name string, values []string) { f.values[name] = slices.Clone(values) }

// Int reads a whole number and notes an error when it is none or out of
// [least, most]. An empty field is 0 and no error: see Require.
func (f *Form) Int(name string, least, most int) int {
	text := strings.Map(dropSpaces, f.Value(name))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		f.Add(name, f.loc.T("ui.form.number", "least", least, "most", most))
		return 0
	}
	return n
}

// Cents reads an amount typed in euros as cents, 0 when empty; an amount that
// is none, or that is over most cents, is noted.
func (f *Form) Cents(name string, most int64) int64 {
	text := strings.Replace(strings.TrimSuffix(strings.Map(dropSpaces, f.Value(name)), "€"), ",", ".", 1)
	if text == "" {
		return 0
	}
	euros, err := strconv.ParseFloat(text, 64)
	if err != nil || !(euros >= 0 && euros*100 <= float64(most)) {
		f.Add(name, f.loc.T("ui.form.euros", "most", f.loc.Int(int(most/100))))
		return 0
	}
	return int64(math.Round(euros * 100))
}

// SetCents writes an amount as one types it in euros: « 250 », « 99,50 ».
func (f *Form) SetCents(name string, cents int64) {
	digits := 2
	if cents%100 == 0 {
		digits = 0
	}
	text := strconv.FormatFloat(float64(cents)/100, 'f', digits, 64)
	if f.loc.Language() == i18n.French {
		text = strings.Replace(text, ".", ",", 1)
	}
	f.Set(name, text)
}

func dropSpaces(r rune) rune {
	if r == ' ' || r == '\u00a0' || r == '\u202f' {
		return -1
	}
	return r
}

// Require notes an error for each of these fields left empty.
func (f *Form) Require(names ...string) {
	for _, name := range names {
		if f.Value(name) == "" {
			f.Add(name, f.loc.T("ui.form.required"))
		}
	}
}

// Add notes an error; field "" for the whole form.
func (f *Form) Add(field, message string) {
	f.errors = append(f.errors, FieldError{Field: field, Message: message})
}

// Take notes the sentences of a fault, or of several joined with errors.Join,
// each at its field.
func (f *Form) Take(err error) {
	for _, one := range leaves(err) {
		field := ""
		if e := fault.As(one); e != nil {
			field = e.Field
		}
		f.Add(field, f.loc.Fault(one))
	}
}

// Valid tells that nothing wrong was noted.
func (f *Form) Valid() bool { return len(f.errors) == 0 }

// Errors is what is wrong with one field.
func (f *Form) Errors(field string) []string {
	var out []string
	for _, e := range f.errors {
		if e.Field == field {
			out = append(out, e.Message)
		}
	}
	return out
}

// All is everything wrong, in the order it was noted.
func (f *Form) All() []FieldError { return slices.Clone(f.errors) }

// learn keeps the word of a field for the summary.
func (f *Form) learn(name, label string) {
	if f.labels == nil {
		f.labels = map[string]string{}
	}
	f.labels[name] = label
}

// summarised is an error as the summary says it: with the word of its field,
// since the person reads it before she sees the field.
func (f *Form) summarised(e FieldError) string {
	if label := f.labels[e.Field]; label != "" {
		return f.loc.T("ui.errors.at", "field", label, "message", e.Message)
	}
	return e.Message
}

// FieldID is the id of a field's element, the target of the summary's links.
func (f *Form) FieldID(name string) string { return f.prefix + "f-" + name }

// File returns an uploaded file (route option Upload); an Invalid fault at the
// field when none was chosen. The file is gone when the handler returns.
func (c *Context) File(name string) (multipart.File, *multipart.FileHeader, error) {
	file, header, err := c.Request.FormFile(name)
	if err == http.ErrMissingFile || (err != nil && c.Request.MultipartForm == nil) {
		return nil, nil, fault.Wrap(err, fault.Invalid, "ui.form.no_file").At(name)
	}
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "ui.form.unreadable").At(name)
	}
	return file, header, nil
}
