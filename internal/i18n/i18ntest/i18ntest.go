package i18ntest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/i18n"
)

// Catalog loads the shared words and the given rooms' or fails the test.
func Catalog(t testing.TB, rooms ...fs.FS) *i18n.Catalog {
	t.Helper()
	catalog, err := i18n.Load(append([]fs.FS{i18n.Locales}, rooms...)...)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

// Localizer is the voice in lang of the shared words and the given rooms'.
func Localizer(t testing.TB, lang i18n.Language, rooms ...fs.FS) *i18n.Localizer {
	t.Helper()
	return Catalog(t, rooms...).For(lang)
}

// Room fails the test on every key that the code under dir says and that
// neither the shared words nor the given locales hold. A room's test calls
// Room(t, ".", room.Locales) and adds the locales of the rooms it quotes.
func Room(t testing.TB, dir string, locales ...fs.FS) {
	t.Helper()
	found, err := scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.required) == 0 {
		t.Errorf("%s: no key found in the code; is it the right folder?", dir)
	}
	for _, fault := range unknown(found, Catalog(t, locales...)) {
		t.Error(fault)
	}
}

// Tree fails the test on every unknown key of the whole tree under root, and
// on every sentence of the catalogue that no code says. Keys that begin with
// one of the spared prefixes may stay unsaid (the shared words, or keys read
// from data).
func Tree(t testing.TB, root string, catalog *i18n.Catalog, spared ...string) {
	t.Helper()
	found, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range append(unknown(found, catalog), unsaid(found, catalog, spared)...) {
		t.Error(fault)
	}
}

// House is Tree with the locales of every folder under root: the test of the
// whole house needs to import no room.
func House(t testing.TB, root string, spared ...string) {
	t.Helper()
	var rooms []fs.FS
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if foreign(entry.Name()) && path != root {
			return fs.SkipDir
		}
		if entry.Name() != "locales" {
			return nil
		}
		for _, lang := range i18n.Languages() {
			if _, err := os.Stat(filepath.Join(path, string(lang)+".yaml")); err != nil {
				t.Error(err)
				return nil
			}
		}
		rooms = append(rooms, os.DirFS(filepath.Dir(path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := i18n.Load(rooms...)
	if err != nil {
		t.Fatal(err)
	}
	Tree(t, root, catalog, spared...)
}

func unknown(found uses, catalog *i18n.Catalog) []string {
	keys := catalog.Keys()
	var out []string
	for _, u := range found.required {
		switch {
		case u.prefix && !hasPrefix(keys, u.key):
			out = append(out, fmt.Sprintf("%s: no sentence begins with %q", u.at, u.key))
		case !u.prefix && !catalog.Has(u.key):
			out = append(out, fmt.Sprintf("%s: no sentence for %q", u.at, u.key))
		}
	}
	return out
}

func unsaid(found uses, catalog *i18n.Catalog, spared []string) []string {
	said := make(map[string]bool)
	prefixes := slices.Clone(spared)
	for _, u := range slices.Concat(found.required, found.mentioned) {
		switch {
		case !u.prefix:
			said[u.key] = true
		case strings.ContainsRune(u.key, '.') && hasPrefix(catalog.Keys(), u.key):
			prefixes = append(prefixes, u.key)
		}
	}
	var out []string
	for _, key := range catalog.Keys() {
		if !said[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			out = append(out, fmt.Sprintf("%s: no code says this sentence", key))
		}
	}
	return out
}

// hasPrefix tells whether one of the sorted keys begins with prefix.
func hasPrefix(keys []string, prefix string) bool {
	i, _ := slices.BinarySearch(keys, prefix)
	return i < len(keys) && strings.HasPrefix(keys[i], prefix)
}
