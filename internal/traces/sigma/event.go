package sigma

import (
	"math"
	"strconv"
	"strings"
)

type valueKind uint8

const (
	nullValue valueKind = iota
	textValue
	numberValue
	boolValue
)

// Value is one value of a field. The zero Value is null.
type Value struct {
	kind   valueKind
	text   string
	number float64
}

// Text is a value of characters.
func Text(s string) Value { return Value{kind: textValue, text: s} }

// Number is a number; whole ones are written without a point.
func Number(n float64) Value {
	return Value{kind: numberValue, text: strconv.FormatFloat(n, 'f', -1, 64), number: n}
}

// Integer is a whole number, exact whatever its size.
func Integer(n int64) Value {
	return Value{kind: numberValue, text: strconv.FormatInt(n, 10), number: float64(n)}
}

// Bool is true or false, in these words.
func Bool(b bool) Value { return Value{kind: boolValue, text: strconv.FormatBool(b)} }

// Null is a field that is there and holds nothing.
func Null() Value { return Value{} }

// IsNull tells whether the value is null.
func (v Value) IsNull() bool { return v.kind == nullValue }

// String is what rules compare; "" for null.
func (v Value) String() string { return v.text }

// float reads a number, or a text that is one.
func (v Value) float() (float64, bool) {
	switch v.kind {
	case numberValue:
		return v.number, true
	case textValue:
		t := strings.TrimSpace(v.text)
		if t == "" || len(t) > 64 {
			return 0, false
		}
		n, err := strconv.ParseFloat(t, 64)
		return n, err == nil && !math.IsNaN(n)
	case nullValue, boolValue:
	}
	return 0, false
}

// Event is what rules are asked of. An event is read by one Matcher at a time.
type Event interface {
	// Values appends the values of a field to dst. The second result is false
	// when the event has no such field; a field may be there without a value.
	Values(field string, dst []Value) ([]Value, bool)
	// Each gives every value of every field, in any order, until yield says
	// false: keywords are looked for in all of them.
	Each(yield func(Value) bool)
}

// Record is an event kept as a table of fields.
type Record map[string][]Value

// Values implements Event.
func (r Record) Values(field string, dst []Value) ([]Value, bool) {
	v, ok := r[field]
	return append(dst, v...), ok
}

// Each implements Event.
func (r Record) Each(yield func(Value) bool) {
	for _, vs := range r {
		for _, v := range vs {
			if !yield(v) {
				return
			}
		}
	}
}
