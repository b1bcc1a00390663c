package sigma

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind is what an atom asks of a value.
type kind uint8

const (
	askText kind = iota
	askRegex
	askCIDR
	askNumber
	askExists
	askNull
	askField
	askTime
)

// atom is one question on one field: the smallest part of a rule. It does not
// change once made, and two atoms with the same key ask the same.
type atom struct {
	field   string // "" for keywords: any value of the event
	kind    kind
	cased   bool
	pattern pattern // folded unless cased
	expr    *regexp.Regexp
	needs   string // a text, folded, that every match of expr holds
	network netip.Prefix
	compare string // lt, lte, gt, gte
	number  float64
	want    bool   // exists
	other   string // field to compare with
	left    bool   // field reference: anything may stand before
	right   bool   // … or after
	unit    string // minute … year
}

// key is equal for atoms that ask the same.
func (a *atom) key() string {
	parts := []string{strconv.Itoa(int(a.kind)), a.field}
	switch a.kind {
	case askText:
		parts = append(parts, strconv.FormatBool(a.cased), a.pattern.key())
	case askRegex:
		parts = append(parts, a.expr.String())
	case askCIDR:
		parts = append(parts, a.network.String())
	case askNumber:
		parts = append(parts, a.compare, strconv.FormatFloat(a.number, 'g', -1, 64))
	case askExists:
		parts = append(parts, strconv.FormatBool(a.want))
	case askField:
		parts = append(parts, a.other, strconv.FormatBool(a.left), strconv.FormatBool(a.right))
	case askTime:
		parts = append(parts, a.unit, strconv.FormatFloat(a.number, 'g', -1, 64))
	case askNull:
	}
	return strings.Join(parts, "\x00")
}

// ask answers the question for one value, given with its folded text. Presence
// (exists, null) and references to fields are asked of the field, not here.
func (a *atom) ask(v Value, folded []byte) bool {
	if v.kind == nullValue {
		return false
	}
	switch a.kind {
	case askText:
		if a.cased {
			return a.pattern.match([]byte(v.text))
		}
		return a.pattern.match(folded)
	case askRegex:
		return a.expr.MatchString(v.text)
	case askCIDR:
		addr, err := netip.ParseAddr(strings.TrimSpace(v.text))
		return err == nil && a.network.Contains(addr.WithZone("").Unmap())
	case askNumber:
		n, ok := v.float()
		return ok && compares(n, a.compare, a.number)
	case askTime:
		n, ok := timePart(v.text, a.unit)
		return ok && float64(n) == a.number
	case askExists, askNull, askField:
	}
	return false
}

func compares(n float64, op string, limit float64) bool {
	switch op {
	case "lt":
		return n < limit
	case "lte":
		return n <= limit
	case "gt":
		return n > limit
	case "gte":
		return n >= limit
	case "eq":
		return n == limit
	case "neq":
		return n != limit
	}
	return false
}

// refers compares two values of fields, folded: equal, or held at the start,
// at the end or anywhere.
func (a *atom) refers(mine, other []byte) bool {
	p := literalPattern(string(other)).open(a.left, a.right)
	if !a.left && !a.right {
		return string(mine) == string(other)
	}
	return p.match(mine)
}

// timePart reads a part of a date as it is written, without moving it to
// another zone: hours 0–23, ISO weeks 1–53.
func timePart(text, unit string) (int, bool) {
	t, ok := parseTime(strings.TrimSpace(text))
	if !ok {
		return 0, false
	}
	switch unit {
	case "minute":
		return t.Minute(), true
	case "hour":
		return t.Hour(), true
	case "day":
		return t.Day(), true
	case "week":
		_, week := t.ISOWeek()
		return week, true
	case "month":
		return int(t.Month()), true
	case "year":
		return t.Year(), true
	}
	return 0, false
}

func parseTime(text string) (time.Time, bool) {
	if len(text) < len("2006-01-02") || len(text) > 40 {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
