package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Outlined is an operation as a person reads it.
type Outlined struct {
	Operation
	Fields []Field
}

// Field is a parameter, or a field of the body.
type Field struct {
	// Where is path, query, header or body.
	Where, Name, Kind, Doc string
	Required               bool
}

// Outline says every operation for people, in the order of their registration.
func (d *Desk) Outline() []Outlined {
	out := make([]Outlined, 0, len(d.operations))
	for _, op := range d.operations {
		one := Outlined{Operation: op}
		if h := d.described(op); h != nil {
			for _, p := range h.Parameters {
				one.Fields = append(one.Fields, Field{p.In, p.Name, kindOf(p.Schema), p.Description, p.Required})
			}
			one.Fields = append(one.Fields, d.bodyOf(h)...)
		}
		out = append(out, one)
	}
	return out
}

func (d *Desk) described(op Operation) *huma.Operation {
	item := d.api.OpenAPI().Paths[op.Address()]
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[op.Method]
}

func (d *Desk) bodyOf(h *huma.Operation) (out []Field) {
	if h.RequestBody == nil || h.RequestBody.Content["application/json"] == nil {
		return nil
	}
	s := h.RequestBody.Content["application/json"].Schema
	if s != nil && s.Ref != "" {
		s = d.api.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	if s == nil {
		return nil
	}
	for name, p := range s.Properties {
		if p.Ref != "" {
			p = d.api.OpenAPI().Components.Schemas.SchemaFromRef(p.Ref)
		}
		out = append(out, Field{"body", name, kindOf(p), p.Description, slices.Contains(s.Required, name)})
	}
	slices.SortFunc(out, func(a, b Field) int {
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// kindOf is what a value looks like.
func kindOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case len(s.Enum) > 0:
		words := make([]string, 0, len(s.Enum))
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				words = append(words, text)
			}
		}
		return strings.Join(words, " | ")
	case s.Format != "":
		return s.Format
	case s.Type == huma.TypeArray && s.Items != nil:
		return "[" + kindOf(s.Items) + "]"
	}
	return s.Type
}
