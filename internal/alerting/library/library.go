package library

import (
	"bytes"
	"embed"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
)

//go:embed scenarios/*.yaml
var files embed.FS

// Families lists the scenarios of the library in the order they are shown: all
// the families of alerting, but for the one of improvised scenarios.
func Families() []string {
	return slices.DeleteFunc(alerting.Families(), func(f string) bool { return f == "autre" })
}

// All returns the scenarios, in the order of Families. Each call gives copies
// the caller may change.
func All() ([]alerting.Definition, error) {
	var out []alerting.Definition
	for _, family := range Families() {
		def, err := Get(family)
		if err != nil {
			return nil, err
		}
		out = append(out, def)
	}
	return out, nil
}

// Get returns the scenario of a family. Errors: NotFound for a family the
// library does not have.
func Get(family string) (alerting.Definition, error) {
	if !slices.Contains(Families(), family) {
		return alerting.Definition{}, fault.New(fault.NotFound, "alerting.scenario.unknown")
	}
	text, err := files.ReadFile("scenarios/" + family + ".yaml")
	if err != nil {
		return alerting.Definition{}, fmt.Errorf("library: %w", err)
	}
	def, err := read(text)
	if err != nil {
		return alerting.Definition{}, fmt.Errorf("library: scenario %s: %w", family, err)
	}
	return def, nil
}

// read parses one scenario; an unknown field is an error, so that a slip of the
// pen in a file never loses a text in silence.
func read(text []byte) (alerting.Definition, error) {
	var def alerting.Definition
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	err := d.Decode(&def)
	return def, err
}
