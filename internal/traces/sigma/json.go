package sigma

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"tocsin/internal/fault"
)

// How large one JSON event may be.
const (
	maxEvent      = 4 << 20
	maxEventDepth = 32
)

// ParseEvents reads JSON events, one after another or in a list. A Windows
// event as exporters of .evtx write it ({"Event":{"System":…}}) gets the field
// names that rules use: those of System and EventData bare, attributes as
// Tag_Attribute. Any other object keeps its own names, nested ones joined by
// points; a list gives a field several values.
func ParseEvents(text []byte) ([]Record, error) {
	if len(text) > maxEvent {
		return nil, fault.New(fault.Invalid, "traces.sigma.event_long", "most", maxEvent, "depth", maxEventDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var out []Record
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "traces.sigma.event_bad")
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, item := range list {
			r, err := recordOf(item)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
}

func recordOf(v any) (Record, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "traces.sigma.event_bad")
	}
	r := Record{}
	if event, ok := object["Event"].(map[string]any); ok && event["System"] != nil {
		return r, r.windows(event)
	}
	for name, v := range object {
		if err := r.add(name, v, 0); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// windows takes System and what the provider wrote (EventData, UserData).
func (r Record) windows(event map[string]any) error {
	system, _ := event["System"].(map[string]any)
	for name, v := range system {
		if err := r.tag(name, v); err != nil {
			return err
		}
	}
	for _, part := range []string{"EventData", "UserData"} {
		data, ok := event[part].(map[string]any)
		if !ok {
			continue
		}
		for name, v := range data {
			inner, nested := v.(map[string]any)
			if !nested {
				inner = map[string]any{name: v}
			}
			for name, v := range inner {
				if name == "#attributes" {
					continue
				}
				// Rules write names without their spaces (« Field Usage »).
				if err := r.tag(strings.ReplaceAll(name, " ", ""), v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tag takes an XML element: its text under its name, its attributes under
// Tag_Attribute.
func (r Record) tag(name string, v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		return r.add(name, v, 0)
	}
	for key, v := range object {
		attributes, isAttributes := v.(map[string]any)
		var err error
		switch {
		case key == "#attributes" && isAttributes:
			for a, v := range attributes {
				if err = r.add(name+"_"+a, v, 0); err != nil {
					return err
				}
			}
		case key == "#text":
			err = r.add(name, v, 0)
		default:
			err = r.add(name+"."+key, v, 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r Record) add(name string, v any, depth int) error {
	if depth > maxEventDepth {
		return fault.New(fault.Invalid, "traces.sigma.event_long", "most", maxEvent, "depth", maxEventDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if err := r.add(name+"."+key, inner, depth+1); err != nil {
				return err
			}
		}
	case []any:
		if _, ok := r[name]; !ok {
			r[name] = nil
		}
		for _, inner := range v {
			if err := r.add(name, inner, depth+1); err != nil {
				return err
			}
		}
	default:
		r[name] = append(r[name], valueOf(v))
	}
	return nil
}

// valueOf reads a JSON scalar; whole numbers keep all their digits.
func valueOf(v any) Value {
	switch v := v.(type) {
	case string:
		return Text(v)
	case bool:
		return Bool(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return Integer(i)
		}
		f, err := v.Float64()
		if err != nil || strings.ContainsAny(string(v), "eE") {
			n := Number(f)
			return n
		}
		return Value{kind: numberValue, text: string(v), number: f}
	}
	return Null()
}
