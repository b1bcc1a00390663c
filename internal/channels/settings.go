package channels

import (
	"slices"
	"strconv"

	"tocsin/internal/fault"
)

// Settings are the values of a channel's fields, by name.
type Settings map[string]string

// Get returns a text setting.
func (s Settings) Get(name string) string { return s[name] }

// Int returns a number setting, or 0. Validate has checked it before.
func (s Settings) Int(name string) int {
	n, err := strconv.Atoi(s[name])
	if err != nil {
		return 0
	}
	return n
}

// Bool returns a yes/no setting.
func (s Settings) Bool(name string) bool { return s[name] == "true" }

// Validate fills defaults in and checks every field; the fault names the first
// wrong field. Unknown names are refused, so that a typing error is not ignored.
func (d Description) Validate(in Settings) (Settings, error) {
	out := make(Settings, len(d.Fields))
	known := make(map[string]bool, len(d.Fields))
	for _, f := range d.Fields {
		known[f.Name] = true
		v, given := in[f.Name]
		if !given || v == "" {
			v = f.Default
		}
		if err := f.check(d.Kind, v); err != nil {
			return nil, err
		}
		out[f.Name] = v
	}
	for name := range in {
		if !known[name] {
			return nil, fault.New(fault.Invalid, "channels.field.unknown", "field", name).At(name)
		}
	}
	return out, nil
}

func (f Field) check(kind, v string) error {
	if v == "" {
		if f.Required {
			return fault.New(fault.Invalid, "channels.field.required").At(f.Name)
		}
		return nil
	}
	switch f.Type {
	case Number:
		n, err := strconv.Atoi(v)
		if err != nil {
			return fault.New(fault.Invalid, "channels.field.number").At(f.Name)
		}
		if f.Min == 0 && f.Max == 0 {
			return nil
		}
		if n < f.Min || n > f.Max {
			return fault.New(fault.Invalid, "channels.field.range", "min", f.Min, "max", f.Max).At(f.Name)
		}
	case Bool:
		if v != "true" && v != "false" {
			return fault.New(fault.Invalid, "channels.field.bool").At(f.Name)
		}
	case Choice:
		if !slices.Contains(f.Choices, v) {
			return fault.New(fault.Invalid, "channels.field.choice").At(f.Name)
		}
	case Text, Secret, Area:
	}
	return nil
}
