package sigma

import (
	"tocsin/internal/fault"
)

// Set is many rules compiled into one index. It does not change once compiled,
// and any number of Matchers may read it at once.
type Set struct {
	rules    []*Rule
	programs []*program
	routes   []route
	names    []string         // fields read, by number; the first is all values
	byName   map[string]int32 // and back
	dispatch []dispatch
	open     []int32 // routes that no given value opens
}

// route leads events of one kind to the program of a log source.
type route struct {
	program int32
	when    []routeCond
	fields  []int32 // for each field of the program, the field read in the event
}

// routeCond is one condition of a route: a field that has one of the values,
// or any when there are none.
type routeCond struct {
	field  int32
	values map[string]bool
}

// dispatch opens routes by the values of one field.
type dispatch struct {
	field  int32
	routes map[string][]int32
}

// Compile builds the index of the rules for events described by the pipeline;
// nil is the one we ship (DefaultPipeline). A rule whose status is deprecated
// or unsupported is compiled like others: who chooses rules is the caller.
func Compile(rules []*Rule, pipeline *Pipeline) (*Set, error) {
	if pipeline == nil {
		var err error
		if pipeline, err = DefaultPipeline(); err != nil {
			return nil, err
		}
	}
	s := &Set{rules: rules, byName: map[string]int32{}}
	s.name("")
	bySource := map[LogSource]int32{}
	for i, r := range rules {
		if r == nil || r.root == nil {
			return nil, fault.New(fault.Internal, "traces.sigma.not_parsed")
		}
		at, ok := bySource[r.Source]
		if !ok {
			at = int32(len(s.programs))
			bySource[r.Source] = at
			s.programs = append(s.programs, newProgram())
		}
		s.programs[at].add(int32(i), r.root)
	}
	for source, at := range bySource {
		s.programs[at].seal()
		for _, alt := range pipeline.alternatives(source) {
			s.route(at, alt)
		}
	}
	s.index()
	return s, nil
}

// Rules are the rules of the set, in the order given to Compile.
func (s *Set) Rules() []*Rule { return s.rules }

func (s *Set) name(field string) int32 {
	i, ok := s.byName[field]
	if !ok {
		i = int32(len(s.names))
		s.byName[field] = i
		s.names = append(s.names, field)
	}
	return i
}

func (s *Set) route(at int32, alt alternative) {
	r := route{program: at}
	for _, c := range alt.when {
		cond := routeCond{field: s.name(c.field)}
		if len(c.values) > 0 {
			cond.values = map[string]bool{}
			for _, v := range c.values {
				cond.values[foldText(v)] = true
			}
		}
		r.when = append(r.when, cond)
	}
	for i, f := range s.programs[at].fields {
		if i == 0 {
			r.fields = append(r.fields, 0)
			continue
		}
		name := f.name
		if mapped, ok := alt.fields[name]; ok {
			name = mapped
		}
		r.fields = append(r.fields, s.name(name))
	}
	s.routes = append(s.routes, r)
}

// index sorts the routes by the condition that the fewest share.
func (s *Set) index() {
	shared := map[string]int{}
	key := func(c routeCond, v string) string { return s.names[c.field] + "\x00" + v }
	for _, r := range s.routes {
		for _, c := range r.when {
			for v := range c.values {
				shared[key(c, v)]++
			}
		}
	}
	byField := map[int32]map[string][]int32{}
	for i, r := range s.routes {
		best, least := -1, 0
		for j, c := range r.when {
			most := 0
			for v := range c.values {
				most = max(most, shared[key(c, v)])
			}
			if most > 0 && (best < 0 || most < least) {
				best, least = j, most
			}
		}
		if best < 0 {
			s.open = append(s.open, int32(i))
			continue
		}
		c := r.when[best]
		if byField[c.field] == nil {
			byField[c.field] = map[string][]int32{}
		}
		for v := range c.values {
			byField[c.field][v] = append(byField[c.field][v], int32(i))
		}
	}
	for field, routes := range byField {
		s.dispatch = append(s.dispatch, dispatch{field: field, routes: routes})
	}
}

// Sources says how many rules read each log source, by its written form.
func (s *Set) Sources() map[string]int {
	out := map[string]int{}
	for _, r := range s.rules {
		out[r.Source.String()]++
	}
	return out
}
