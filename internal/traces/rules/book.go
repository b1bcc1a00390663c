package rules

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"slices"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces/sigma"
)

// Prefix opens the key of a Sigma rule among those of all detection.
const Prefix = "sigma:"

// Refused is a file, a rule or a correlation that does not serve, and why.
type Refused struct {
	File string
	Err  error
}

// book is a state of the folder, compiled. It does not change.
type book struct {
	set          *sigma.Set
	correlations []*sigma.Correlation
	refused      []Refused
	// own tells of each rule of the set whether it came with the product.
	own map[string]bool
	// print tells two states of the folder apart.
	print uint64
}

// key names a rule in cases and figures: its id, or its title when its author
// gave none.
func key(m *sigma.Meta) string {
	if m.ID != "" {
		return Prefix + m.ID
	}
	return Prefix + strings.ToLower(strings.Join(strings.Fields(m.Ref()), "-"))
}

// fingerprint tells whether a folder changed: names, sizes and times.
func fingerprint(dir string) (uint64, error) {
	h := fnv.New64a()
	if dir == "" {
		return h.Sum64(), nil
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == "." {
			return fs.SkipAll
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it left while we looked
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%s\x00%d\x00%d\x00", path, info.Size(), info.ModTime().UnixNano())
		return err
	})
	return h.Sum64(), err
}

// read reads the rules that came with the product, then those of the folder. A
// folder that is not there holds none.
func read(own fs.FS, dir string) (*book, error) {
	print, err := fingerprint(dir)
	if err != nil {
		return nil, err
	}
	b := &book{own: map[string]bool{}, print: print}
	parser := sigma.Parser{}
	all, refusals, err := parser.ReadRules(own, ".")
	if err != nil {
		return nil, err
	}
	if len(refusals) > 0 {
		return nil, refusals[0].Err // ours are tried with the product
	}
	for _, r := range all.Rules {
		b.own[key(&r.Meta)] = true
	}
	for _, c := range all.Correlations {
		b.own[key(&c.Meta)] = true
	}
	if dir != "" {
		theirs, refusals, err := parser.ReadRules(os.DirFS(dir), ".")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, r := range refusals {
			b.refused = append(b.refused, Refused{r.File, r.Err})
		}
		b.join(&all, theirs)
	}
	return b, b.compile(all)
}

// join adds the rules of the folder, each id once: the first serves.
func (b *book) join(all *sigma.Collection, theirs sigma.Collection) {
	seen := map[string]bool{}
	for k := range b.own {
		seen[k] = true
	}
	twice := func(m *sigma.Meta) bool {
		k := key(m)
		if !seen[k] {
			seen[k] = true
			return false
		}
		b.refused = append(b.refused, Refused{m.File, fault.New(fault.Conflict, "traces.rules.twice", "file", m.File, "line", m.Line, "rule", m.Ref())})
		return true
	}
	for _, r := range theirs.Rules {
		if !twice(&r.Meta) {
			all.Rules = append(all.Rules, r)
		}
	}
	for _, c := range theirs.Correlations {
		if !twice(&c.Meta) {
			all.Correlations = append(all.Correlations, c)
		}
	}
}

// compile builds the index. A correlation that names what is not there is left
// out, and told.
func (b *book) compile(all sigma.Collection) (err error) {
	all.Rules = slices.DeleteFunc(all.Rules, func(r *sigma.Rule) bool { return r.Status == sigma.Deprecated || r.Status == sigma.Unsupported })
	if b.set, err = sigma.Compile(all.Rules, nil); err != nil {
		return err
	}
	// What one refuses may be what another counts: again until all that is left serves.
	left := all.Correlations
	for {
		if _, err = sigma.NewCorrelator(b.set, left, sigma.DefaultBounds()); err == nil {
			b.correlations = left
			return nil
		}
		n := len(left)
		for i, c := range left {
			without := slices.Delete(slices.Clone(left), i, i+1)
			_, other := sigma.NewCorrelator(b.set, without, sigma.DefaultBounds())
			if other == nil || other.Error() != err.Error() {
				b.refused = append(b.refused, Refused{c.File, err})
				left = without
				break
			}
		}
		if len(left) == n {
			return err
		}
	}
}
