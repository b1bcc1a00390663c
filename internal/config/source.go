package config

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tocsin/internal/fault"
)

// Locales holds the sentences of the faults of the configuration.
//
//go:embed locales/*.yaml
var Locales embed.FS

// secretLimit bounds the file of a secret: a secret is a line, not a disk.
const secretLimit = 64 << 10

// Source is what the file and the environment say. It is a resolver of kong.
type Source struct {
	values map[string]string
	// err is reported when a command that has settings is parsed, so that help
	// and version still work beside a broken file.
	err error
}

// Find reads the file and the environment. The file is the one of --config,
// else of TOCSIN_CONFIG, else ./tocsin.yaml, else /etc/tocsin/tocsin.yaml, else none.
// What is wrong in them comes out of kong's Parse, as faults.
func Find(args []string, lookup func(string) (string, bool)) *Source {
	path, chosen := chosenFile(args, lookup)
	if !chosen {
		path = usualFile("tocsin.yaml", "/etc/tocsin/tocsin.yaml")
	}
	s := &Source{values: map[string]string{"config": path}}
	var written []assignment
	var faults []error
	if path != "" {
		written, faults = readFile(path)
	}
	s.values["key-file"] = filepath.Join(filepath.Dir(path), "tocsin.key")
	known := settings()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		kind := known[name]
		if kind == "environment" {
			continue
		}
		value, err := resolve(name, kind, written, lookup)
		if err != nil {
			faults = append(faults, err)
		}
		if value != "" {
			s.values[name] = value
		}
	}
	s.err = errors.Join(faults...)
	return s
}

// Options are what kong needs to know of the source: where values come from,
// and the variables to name in the help.
func (s *Source) Options() []kong.Option {
	return []kong.Option{kong.Resolvers(s), kong.ValueFormatter(describe)}
}

// Validate has nothing to check: unknown keys were found while reading.
func (s *Source) Validate(*kong.Application) error { return nil }

// Resolve gives kong the value of an option that is not on the command line.
func (s *Source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !flag.Tag.Has("setting") {
		return nil, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	if value, ok := s.values[flag.Name]; ok {
		return value, nil
	}
	return nil, nil
}

// describe adds the variables to the help of an option.
func describe(value *kong.Value) string {
	help := kong.DefaultHelpValueFormatter(value)
	if !value.Tag.Has("setting") {
		return help
	}
	names := "$" + variable(value.Name)
	if value.Tag.Get("setting") == "secret" {
		names += ", or a file that holds it: $" + variable(value.Name) + "_FILE"
	}
	return help + " (" + names + ")"
}

// variable is the environment variable of an option.
func variable(name string) string {
	return "TOCSIN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// settings lists the options of Server by name, with the value of their tag.
func settings() map[string]string {
	out := make(map[string]string)
	for field := range reflect.TypeFor[Server]().Fields() {
		if kind, ok := field.Tag.Lookup("setting"); ok {
			out[field.Tag.Get("name")] = kind
		}
	}
	return out
}

func chosenFile(args []string, lookup func(string) (string, bool)) (string, bool) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			return value, true
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1], true
		}
	}
	value, ok := lookup(variable("config"))
	return value, ok && value != ""
}

// usualFile returns the first that exists, or nothing. One that exists and
// cannot be read is still the file: its fault is shown when it is opened.
func usualFile(paths ...string) string {
	for _, path := range paths {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// resolve finds the value of one option in the environment and then in the file.
func resolve(name, kind string, written []assignment, lookup func(string) (string, bool)) (string, error) {
	value, _ := lookup(variable(name))
	var file string
	if kind == "secret" {
		file, _ = lookup(variable(name) + "_FILE")
	}
	if value == "" && file == "" {
		value = find(written, name)
		if kind == "secret" {
			file = find(written, name+"-file")
		}
	}
	if file == "" {
		return value, nil
	}
	if value != "" {
		return "", fault.New(fault.Invalid, "config.secret_twice", "name", name).At(name)
	}
	secret, err := readSecret(file)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "config.secret_unreadable", "name", name, "path", file).At(name)
	}
	return secret, nil
}

// readSecret returns the content of a file without the line break that editors add.
func readSecret(path string) (_ string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, secretLimit+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if len(text) > secretLimit || secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return "", errors.New("not one line of text")
	}
	return secret, nil
}
