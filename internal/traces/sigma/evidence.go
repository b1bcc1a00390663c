package sigma

import "slices"

// Evidence is a field of an event, by its name there, and the value for which
// a rule hit.
type Evidence struct {
	Field, Value string
}

// Reads tells whether an event is of the log source of a rule.
func (m *Matcher) Reads(rule int32, ev Event) bool {
	m.begin(ev)
	defer m.end()
	return m.wayTo(rule) != nil
}

// wayTo finds the route that leads the event in hand to a rule.
func (m *Matcher) wayTo(rule int32) *route {
	for i := range m.set.routes {
		r := &m.set.routes[i]
		if slices.Contains(m.set.programs[r.program].rules, rule) && m.leads(r) {
			return r
		}
	}
	return nil
}

// Evidence says what an event was hit for by a rule: the values that the
// condition looked for and found, each once, in the order of the rule. It is
// empty when the rule does not hit. What the rule excludes is no evidence.
func (m *Matcher) Evidence(rule int32, ev Event) []Evidence {
	m.begin(ev)
	defer m.end()
	r := m.wayTo(rule)
	if r == nil {
		return nil
	}
	p := m.open(r)
	defer m.shut()
	root := &p.roots[slices.Index(p.rules, rule)]
	if !m.holds(root) {
		return nil
	}
	var out []Evidence
	m.collect(root, &out)
	return out
}

// collect walks what holds of a condition, but what is negated.
func (m *Matcher) collect(s *step, out *[]Evidence) {
	switch s.op {
	case opNot:
		return
	case opAnd, opOr:
		for i := range s.kids {
			if m.holds(&s.kids[i]) {
				m.collect(&s.kids[i], out)
			}
		}
		return
	case opTest:
	}
	a := &m.program.atoms[s.atom]
	name := m.set.names[m.route.fields[a.field]]
	f := *m.load(m.route.fields[a.field])
	for v := f.from; v < f.to; v++ {
		found := Evidence{Field: name, Value: m.values[v].text}
		of := a.kind == askExists || a.kind == askNull || a.kind == askField || a.atom.ask(m.values[v], m.fold(v))
		if of && !slices.Contains(*out, found) {
			*out = append(*out, found)
		}
	}
}
