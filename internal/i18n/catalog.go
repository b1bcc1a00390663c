package i18n

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Catalog holds every sentence in every language. It does not change once loaded.
type Catalog struct {
	entries map[Language]map[string]entry
}

// entry is one sentence, or the two forms of a plural.
type entry struct {
	one, other sentence
	plural     bool
	// plain sentences keep ordinary spaces (text messages).
	plain bool
	file  int
}

// Load merges locales/fr.yaml and locales/en.yaml of each file system. A file
// is a flat map: key to sentence, or key to {one, other}. {name} is an
// argument, {{ and }} are braces.
//
// The error lists every fault at once, one per line: a key missing in one
// language, written twice, or whose arguments or plural differ between the languages.
func Load(fsys ...fs.FS) (*Catalog, error) {
	c := &Catalog{entries: make(map[Language]map[string]entry)}
	var faults []string
	for _, lang := range Languages() {
		c.entries[lang] = make(map[string]entry)
		for i, f := range fsys {
			found, err := c.merge(lang, i, f)
			if err != nil {
				return nil, fmt.Errorf("locales of file system %d in %s: %w", i, lang, err)
			}
			faults = append(faults, found...)
		}
	}
	faults = append(faults, c.compare()...)
	if len(faults) > 0 {
		slices.Sort(faults)
		return nil, errors.New("translations:\n  " + strings.Join(faults, "\n  "))
	}
	return c, nil
}

// Keys returns every key, sorted.
func (c *Catalog) Keys() []string {
	return slices.Sorted(maps.Keys(c.entries[French]))
}

// Has tells whether the key exists.
func (c *Catalog) Has(key string) bool {
	_, ok := c.entries[French][key]
	return ok
}

// For returns the voice of the catalogue in that language; French for a
// language we do not speak.
func (c *Catalog) For(lang Language) *Localizer {
	if _, ok := c.entries[lang]; !ok {
		lang = French
	}
	return &Localizer{catalog: c, lang: lang, entries: c.entries[lang]}
}

func (c *Catalog) merge(lang Language, file int, fsys fs.FS) ([]string, error) {
	text, err := fs.ReadFile(fsys, "locales/"+string(lang)+".yaml")
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if len(root.Content) == 0 {
		return nil, nil
	}
	table := root.Content[0]
	if table.Kind != yaml.MappingNode {
		return nil, errors.New("the file is not a map from key to sentence")
	}
	var faults []string
	for i := 0; i+1 < len(table.Content); i += 2 {
		key := table.Content[i].Value
		e, err := readEntry(lang, key, table.Content[i+1])
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %s line %d: %v", key, lang, table.Content[i].Line, err))
			continue
		}
		e.file = file
		if before, twice := c.entries[lang][key]; twice {
			faults = append(faults, fmt.Sprintf("%s: written twice in %s (file systems %d and %d)", key, lang, before.file, file))
			continue
		}
		c.entries[lang][key] = e
	}
	return faults, nil
}

// readEntry parses the value of a key.
func readEntry(lang Language, key string, value *yaml.Node) (entry, error) {
	e := entry{plain: slices.Contains(strings.Split(key, "."), "sms")}
	parse := func(text string) (sentence, error) {
		if lang == French && !e.plain {
			text = typeset(text)
		}
		return parseSentence(text)
	}
	var err error
	switch value.Kind {
	case yaml.ScalarNode:
		e.other, err = parse(value.Value)
		return e, err
	case yaml.MappingNode:
		var forms map[string]string
		if err := value.Decode(&forms); err != nil {
			return e, err
		}
		one, hasOne := forms["one"]
		other, hasOther := forms["other"]
		if !hasOne || !hasOther || len(forms) != 2 {
			return e, errors.New("a plural has exactly the forms one and other")
		}
		e.plural = true
		if e.one, err = parse(one); err != nil {
			return e, err
		}
		e.other, err = parse(other)
		return e, err
	case yaml.DocumentNode, yaml.SequenceNode, yaml.AliasNode:
	}
	return e, errors.New("neither a sentence nor a plural")
}

// compare finds the differences between the languages.
func (c *Catalog) compare() []string {
	var faults []string
	french, english := c.entries[French], c.entries[English]
	for key, fr := range french {
		en, ok := english[key]
		switch {
		case !ok:
			faults = append(faults, key+": missing in en")
		case fr.plural != en.plural:
			faults = append(faults, key+": a plural in one language only")
		case !slices.Equal(fr.args(), en.args()):
			faults = append(faults, fmt.Sprintf("%s: arguments differ: fr %v, en %v", key, fr.args(), en.args()))
		}
	}
	for key := range english {
		if _, ok := french[key]; !ok {
			faults = append(faults, key+": missing in fr")
		}
	}
	return faults
}

// args are the names the sentence needs, sorted. A plural need not say its
// number in words: {n} is left out.
func (e entry) args() []string {
	names := make(map[string]bool)
	for _, s := range []sentence{e.one, e.other} {
		for _, p := range s {
			if p.arg != "" && !(e.plural && p.arg == "n") {
				names[p.arg] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
