package administration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/i18n"
	"tocsin/internal/journal"
)

// Change is one line of what an entry of the journal changed.
type Change struct {
	// Field is in words where we have some.
	Field, Before, After string
}

// Changes reads before and after as a small table, a line for each thing that
// differs. What cannot be read is shown as it was written.
func Changes(loc *i18n.Localizer, r journal.Record) []Change {
	before, after := flat(loc, r.Before), flat(loc, r.After)
	var names []string
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []Change
	for _, name := range names {
		if before[name] != after[name] {
			out = append(out, Change{fieldWord(loc, name), before[name], after[name]})
		}
	}
	return out
}

// flat makes of a JSON text one value in words for each path ("address.city").
func flat(loc *i18n.Localizer, text string) map[string]string {
	out := map[string]string{}
	if text == "" {
		return out
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		out[""] = text
		return out
	}
	spread(loc, "", v, out)
	return out
}

func spread(loc *i18n.Localizer, path string, v any, out map[string]string) {
	switch x := v.(type) {
	case map[string]any:
		for name, inner := range x {
			spread(loc, join(path, name), inner, out)
		}
	case []any:
		var words []string
		for i, inner := range x {
			if _, nested := inner.(map[string]any); nested {
				spread(loc, join(path, strconv.Itoa(i+1)), inner, out)
				continue
			}
			words = append(words, valueWord(loc, path, inner))
		}
		if len(words) > 0 {
			out[path] = strings.Join(words, ", ")
		}
	default:
		if word := valueWord(loc, path, x); word != "" {
			out[path] = word
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// valueWord says a value; those that are codes of ours have their words under
// the name of their field.
func valueWord(loc *i18n.Localizer, field string, v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case bool:
		if x {
			return loc.T("common.yes")
		}
		return loc.T("common.no")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case string:
		if key := "access.role." + x; field == "roles" && loc.Has(key) {
			return loc.T(key)
		}
		if key := "administration.value." + field + "." + x; loc.Has(key) {
			return loc.T("administration.value." + field + "." + x)
		}
		return x
	}
	return fmt.Sprint(v)
}

func fieldWord(loc *i18n.Localizer, path string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if key := "administration.field." + last; loc.Has(key) {
		return loc.T("administration.field." + last)
	}
	return path
}

// ActionWord says an action in words; one we have no words for as it is written.
func ActionWord(loc *i18n.Localizer, action string) string {
	if key := "administration.action." + action; loc.Has(key) {
		return loc.T("administration.action." + action)
	}
	return action
}
