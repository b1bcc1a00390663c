package sigma

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/fault"
)

// Report says how our engine does on the public rules and their events.
type Report struct {
	Rules    int // read and compiled
	Refused  []Refusal
	Outcomes []Outcome
}

// Refusal is a file of rules we do not take, and why.
type Refusal struct {
	File string
	Err  error
}

// Outcome is a rule tried against the event kept for it.
type Outcome struct {
	Rule, Title, File string
	Events            int // events read
	Hits              int // of them, those the rule hit
	Want              int // as its author counted, 0 when he did not
	Why               string
}

// Hit tells whether the rule hit one event at least, and as many as its author
// counted: like the authors' own runner, more is no fault.
func (o Outcome) Hit() bool { return o.Hits >= max(o.Want, 1) }

// Hits counts the rules that hit.
func (r Report) Hits() int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Hit() {
			n++
		}
	}
	return n
}

// Why, in a word of the machine: the reasons of an Outcome that did not hit.
const (
	WhyNoRule   = "no rule of that id"
	WhyNoEvent  = "no event that can be read"
	WhyNoSource = "the events are of no log source of the rule"
	WhyNoHit    = "the rule does not hit"
	WhyFewer    = "the rule hits fewer events than its author counted"
)

// Corpus is a folder of rules with the events kept to try them.
type Corpus struct {
	Collection
	Refused []Refusal
	Trials  []Trial
}

// Trial is the events kept for a rule.
type Trial struct {
	Rule, Title, File string
	Events            []Record
	Want              int
}

// ReadRules reads every rule under the given folders of a file system. A file
// with a fault is refused alone.
func (ps Parser) ReadRules(fsys fs.FS, folders ...string) (Collection, []Refusal, error) {
	var out Collection
	var refused []Refusal
	for _, folder := range folders {
		err := fs.WalkDir(fsys, folder, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isNamed(file) {
				return err
			}
			text, err := fs.ReadFile(fsys, file)
			if err != nil {
				return err
			}
			found, err := ps.Parse(file, text)
			if err != nil {
				refused = append(refused, Refusal{File: file, Err: err})
				return nil
			}
			out.Add(found)
			return nil
		})
		if err != nil {
			return out, refused, err
		}
	}
	return out, refused, nil
}

// ReadCorpus reads a checkout of the public rules: the folders whose name
// begins with « rules », and regression_data. Events are read from JSON: .evtx
// files stand beside their JSON form.
func ReadCorpus(fsys fs.FS, ps Parser) (Corpus, error) {
	var c Corpus
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return c, err
	}
	var folders []string
	for _, d := range top {
		if d.IsDir() && strings.HasPrefix(d.Name(), "rules") {
			folders = append(folders, d.Name())
		}
	}
	if c.Collection, c.Refused, err = ps.ReadRules(fsys, folders...); err != nil {
		return c, err
	}
	err = fs.WalkDir(fsys, "regression_data", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(file) != "info.yml" {
			return err
		}
		trials, err := readTrials(fsys, file)
		c.Trials = append(c.Trials, trials...)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && (len(folders) == 0 || len(c.Trials) == 0) {
		return c, fault.New(fault.Invalid, "traces.sigma.no_regression")
	}
	return c, err
}

// info is the description of a trial, beside its events.
type info struct {
	Rules []struct {
		ID    string `yaml:"id"`
		Title string `yaml:"title"`
	} `yaml:"rule_metadata"`
	Tests []struct {
		Type  string `yaml:"type"`
		Path  string `yaml:"path"`
		Count int    `yaml:"match_count"`
	} `yaml:"regression_tests_info"`
}

func readTrials(fsys fs.FS, file string) ([]Trial, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var in info
	if err := yaml.Unmarshal(text, &in); err != nil || len(in.Rules) == 0 {
		return nil, nil // a description we cannot read asks for nothing
	}
	var out []Trial
	for _, t := range in.Tests {
		trial := Trial{Rule: in.Rules[0].ID, Title: in.Rules[0].Title, File: t.Path, Want: t.Count}
		name := strings.TrimSuffix(path.Base(strings.ReplaceAll(t.Path, `\`, "/")), path.Ext(t.Path))
		text, err := fs.ReadFile(fsys, path.Join(path.Dir(file), name+".json"))
		if err == nil {
			// Events that cannot be read are said in the outcome.
			trial.Events, err = ParseEvents(text)
		}
		if err != nil {
			trial.Events = nil
		}
		out = append(out, trial)
	}
	return out, nil
}

// Regress tries the rules of a checkout of the public rules against the events
// kept for them there.
func Regress(fsys fs.FS) (Report, error) {
	c, err := ReadCorpus(fsys, Parser{})
	if err != nil {
		return Report{}, err
	}
	set, err := Compile(c.Rules, nil)
	if err != nil {
		return Report{}, err
	}
	out := Report{Rules: len(c.Rules), Refused: c.Refused}
	byID := map[string]int32{}
	for i, r := range c.Rules {
		byID[r.ID] = int32(i)
	}
	m := set.NewMatcher()
	for _, t := range c.Trials {
		out.Outcomes = append(out.Outcomes, set.try(m, t, byID))
	}
	slices.SortFunc(out.Outcomes, func(a, b Outcome) int { return strings.Compare(a.File+a.Rule, b.File+b.Rule) })
	return out, nil
}

func (s *Set) try(m *Matcher, t Trial, byID map[string]int32) Outcome {
	o := Outcome{Rule: t.Rule, Title: t.Title, File: t.File, Events: len(t.Events), Want: t.Want}
	rule, ok := byID[t.Rule]
	if !ok {
		o.Why = WhyNoRule
		return o
	}
	read := false
	var got []int32
	for _, e := range t.Events {
		got = m.Match(e, got)
		if slices.Contains(got, rule) {
			o.Hits++
		}
		read = read || m.Reads(rule, e)
	}
	switch {
	case len(t.Events) == 0:
		o.Why = WhyNoEvent
	case !read:
		o.Why = WhyNoSource
	case o.Hits == 0:
		o.Why = WhyNoHit
	case !o.Hit():
		o.Why = WhyFewer
	}
	return o
}
