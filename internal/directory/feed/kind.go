package feed

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// KeyColumn heads the column by which a server names an entry for good.
const KeyColumn = "Clé du serveur"

// Rows is an open reading of a server.
type Rows interface {
	directory.Rows
	Close()
}

// Kind is a way to read a sort of server. It describes itself; forms,
// validation and documentation follow from the description.
type Kind interface {
	Describe() Description
	// Check connects and reads one entry; the fault is one sentence for the person.
	Check(ctx context.Context, s Settings) error
	// Open begins a reading with settings already validated.
	Open(ctx context.Context, s Settings) (Rows, error)
}

// Description is what a kind says of itself.
type Description struct {
	Kind string
	// Fields are its settings, in the order of the form.
	Fields []Field
}

// FieldType is how a setting is typed and checked.
type FieldType string

// The types of settings.
const (
	Text     FieldType = "text"
	LongText FieldType = "long_text"
	Secret   FieldType = "secret"
	Number   FieldType = "number"
	Bool     FieldType = "bool"
	Choice   FieldType = "choice"
)

// Field is one setting. Its label is "directory.feed.<kind>.<name>" and its
// help "directory.feed.<kind>.<name>.help".
type Field struct {
	Name     string
	Type     FieldType
	Required bool
	Default  string
	// Min and Max bound a Number.
	Min, Max int
	Choices  []string
}

// Settings are the values of a server's fields, by name.
type Settings map[string]string

// Validate fills defaults in and checks every field; the fault names the first
// wrong one.
func (d Description) Validate(in Settings) (Settings, error) {
	out := make(Settings, len(d.Fields))
	for _, f := range d.Fields {
		v := in[f.Name]
		if v == "" {
			v = f.Default
		}
		if err := f.check(v); err != nil {
			return nil, err
		}
		out[f.Name] = v
	}
	return out, nil
}

func (f Field) check(v string) error {
	if v == "" {
		if f.Required {
			return fault.New(fault.Invalid, "directory.feed.required").At(f.Name)
		}
		return nil
	}
	switch f.Type {
	case Number:
		if n, err := strconv.Atoi(v); err != nil || n < f.Min || n > f.Max {
			return fault.New(fault.Invalid, "directory.feed.range", "min", f.Min, "max", f.Max).At(f.Name)
		}
	case Bool:
		if v != "true" && v != "false" {
			return fault.New(fault.Invalid, "directory.feed.choice").At(f.Name)
		}
	case Choice:
		if !slices.Contains(f.Choices, v) {
			return fault.New(fault.Invalid, "directory.feed.choice").At(f.Name)
		}
	case Text, LongText, Secret:
	}
	return nil
}

// parted puts the secret settings apart.
func (d Description) parted(all Settings) (open, secret Settings) {
	open, secret = maps.Clone(all), Settings{}
	for _, f := range d.Fields {
		if f.Type == Secret {
			secret[f.Name] = all[f.Name]
			delete(open, f.Name)
		}
	}
	return open, secret
}
