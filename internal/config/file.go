package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/fault"
)

// fileLimit bounds the configuration file.
const fileLimit = 1 << 20

// assignment is one line of the file: an option and its value as written.
type assignment struct{ name, value string }

func find(written []assignment, name string) string {
	for _, a := range written {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// readFile reads the YAML file. Every key it does not know is a fault with its line.
func readFile(path string) ([]assignment, []error) {
	text, err := readLimited(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, []error{fault.Wrap(err, fault.Invalid, "config.file_missing", "path", path).At("config")}
	}
	if err != nil {
		return nil, []error{broken(path, err)}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil // empty, or comments only
		}
		return nil, []error{broken(path, err)}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, []error{broken(path, errors.New("more than one document"))}
	}
	table := root.Content[0]
	if table.Kind == yaml.ScalarNode && table.Tag == "!!null" {
		return nil, nil
	}
	if table.Kind != yaml.MappingNode {
		return nil, []error{broken(path, fmt.Errorf("line %d: not a list of options and values", table.Line))}
	}
	return readTable(path, table)
}

func readTable(path string, table *yaml.Node) (out []assignment, faults []error) {
	known := settings()
	for i := 0; i+1 < len(table.Content); i += 2 {
		key := table.Content[i]
		// database_url and database-url are the same to a tired reader.
		name := strings.ReplaceAll(key.Value, "_", "-")
		refuse := func(f *fault.Error) { faults = append(faults, f.At(name)) }
		kind, ok := known[name]
		if base, file := strings.CutSuffix(name, "-file"); !ok && file {
			kind, ok = known[base]
			ok = ok && kind == "secret"
		}
		if !ok || kind == "environment" {
			refuse(fault.New(fault.Invalid, "config.unknown", "name", key.Value, "path", path, "line", key.Line))
			continue
		}
		if seen(out, name) {
			refuse(fault.New(fault.Invalid, "config.twice", "name", key.Value, "path", path, "line", key.Line))
			continue
		}
		value, ok := readValue(table.Content[i+1])
		if !ok {
			refuse(fault.New(fault.Invalid, "config.not_a_value", "name", key.Value, "path", path, "line", key.Line))
			continue
		}
		out = append(out, assignment{name, value})
	}
	return out, faults
}

func seen(written []assignment, name string) bool {
	for _, a := range written {
		if a.name == name {
			return true
		}
	}
	return false
}

// readValue takes a scalar as it is written, or a list of them joined by commas.
func readValue(node *yaml.Node) (string, bool) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return "", true
		}
		return node.Value, true
	case yaml.SequenceNode:
		parts := make([]string, 0, len(node.Content))
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return "", false
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), true
	case yaml.DocumentNode, yaml.MappingNode, yaml.AliasNode:
	}
	return "", false
}

func readLimited(path string) (_ []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > fileLimit {
		return nil, errors.New("not a file, or larger than 1 MB")
	}
	return os.ReadFile(path)
}

func broken(path string, err error) error {
	detail := strings.TrimPrefix(err.Error(), "yaml: ")
	return fault.Wrap(err, fault.Invalid, "config.file_broken", "path", path, "detail", detail).At("config")
}
