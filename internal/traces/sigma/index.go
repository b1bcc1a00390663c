package sigma

import (
	"math"
)

// access is how a program learns the answer of an atom.
type access uint8

const (
	direct  access = iota // the index says it
	guarded               // the index says when it is worth asking
	lazy                  // it is asked when a condition needs it
)

// where is the place a literal must stand at to answer an atom.
type where uint8

const (
	anywhere where = iota
	atStart
	atEnd
	perhaps // the atom is guarded: its literal is there, the rest is to be seen
)

// use is an atom that a literal speaks for.
type use struct {
	atom  int32
	where where
}

// fieldIndex answers all atoms of all rules on one field in one reading.
type fieldIndex struct {
	name  string
	exact map[string][]int32 // folded value → atoms
	auto  *automaton
	uses  [][]use // by literal of auto
	texts []string
	ids   map[string]int32
}

// asked is an atom in a program.
type asked struct {
	*atom
	access access
	field  int32 // in the program
	other  int32 // field it is compared with
	wakes  []int32
}

// step is a node of a condition over the atoms of a program.
type step struct {
	op   op
	atom int32
	kids []step
}

// program is the index of all rules of one log source.
type program struct {
	fields []fieldIndex // the first is keywords: all values
	atoms  []asked
	rules  []int32 // number in the set
	roots  []step
	always []int32 // rules that no value wakes
	byKey  map[string]int32
	byName map[string]int32
}

func newProgram() *program {
	p := &program{byKey: map[string]int32{}, byName: map[string]int32{}}
	p.field("")
	return p
}

func (p *program) field(name string) int32 {
	if i, ok := p.byName[name]; ok {
		return i
	}
	i := int32(len(p.fields))
	p.byName[name] = i
	p.fields = append(p.fields, fieldIndex{name: name, exact: map[string][]int32{}, ids: map[string]int32{}})
	return i
}

// add puts a rule in the program.
func (p *program) add(rule int32, root *node) {
	s := p.step(root)
	local := int32(len(p.rules))
	p.rules = append(p.rules, rule)
	p.roots = append(p.roots, s)
	clause, ok := p.clause(s)
	if !ok {
		p.always = append(p.always, local)
		return
	}
	for _, a := range clause.atoms {
		p.atoms[a].wakes = append(p.atoms[a].wakes, local)
	}
}

func (p *program) step(n *node) step {
	if n.op == opTest {
		return step{atom: p.atom(n.test)}
	}
	s := step{op: n.op, kids: make([]step, len(n.kids))}
	for i, k := range n.kids {
		s.kids[i] = p.step(k)
	}
	return s
}

// atom finds or makes the atom that asks the same.
func (p *program) atom(a *atom) int32 {
	key := a.key()
	if i, ok := p.byKey[key]; ok {
		return i
	}
	i := int32(len(p.atoms))
	p.byKey[key] = i
	q := asked{atom: a, access: lazy, field: p.field(a.field)}
	if a.kind == askField {
		q.other = p.field(a.other)
	}
	p.atoms = append(p.atoms, q)
	p.index(i)
	return i
}

// index puts the text of an atom where the reading of its field finds it.
func (p *program) index(i int32) {
	a := &p.atoms[i]
	f := &p.fields[a.field]
	switch a.kind {
	case askRegex:
		if a.needs != "" {
			a.access = guarded
			f.literal(a.needs, use{i, perhaps})
		}
	case askText:
		text, plain := a.pattern.plain()
		switch {
		case a.cased:
			if lit := foldText(a.pattern.longest()); lit != "" {
				a.access = guarded
				f.literal(lit, use{i, perhaps})
			}
		case plain:
			a.access = direct
			f.exact[text] = append(f.exact[text], i)
		default:
			a.access, text = literalOf(a.pattern)
			if a.access != lazy {
				f.literal(text, use{i, whereOf(a.pattern, a.access)})
			}
		}
	default:
	}
}

func literalOf(p pattern) (access, string) {
	lit := p.longest()
	switch {
	case lit == "":
		return lazy, ""
	case whereOf(p, direct) != perhaps:
		return direct, lit
	}
	return guarded, lit
}

func whereOf(p pattern, a access) where {
	left, right := p.opensLeft(), p.opensRight()
	switch {
	case a != direct:
	case len(p) == 3 && left && right && p[1].wild == literal:
		return anywhere
	case len(p) == 2 && left && p[1].wild == literal:
		return atEnd
	case len(p) == 2 && right && p[0].wild == literal:
		return atStart
	}
	return perhaps
}

func (f *fieldIndex) literal(text string, u use) {
	id, ok := f.ids[text]
	if !ok {
		id = int32(len(f.texts))
		f.ids[text] = id
		f.texts = append(f.texts, text)
		f.uses = append(f.uses, nil)
	}
	f.uses[id] = append(f.uses[id], u)
}

// seal builds the automata, and forgets what only served to build.
func (p *program) seal() {
	for i := range p.fields {
		f := &p.fields[i]
		if len(f.texts) > 0 {
			f.auto = newAutomaton(f.texts)
		}
		f.texts, f.ids = nil, nil
	}
	p.byKey = nil
}

// clause is a set of atoms, one of which at least is true when a rule hits.
type clause struct {
	atoms []int32
	cost  float64 // expected share of events that wake it
}

// clause chooses the atoms that wake a rule: of what is linked with AND the
// rarest, of what is linked with OR all. It says false when nothing is sure.
func (p *program) clause(s step) (clause, bool) {
	switch s.op {
	case opTest:
		a := &p.atoms[s.atom]
		if a.access == lazy {
			return clause{}, false
		}
		return clause{atoms: []int32{s.atom}, cost: rarity(a)}, true
	case opAnd:
		best, found := clause{}, false
		for _, k := range s.kids {
			if c, ok := p.clause(k); ok && (!found || c.cost < best.cost) {
				best, found = c, true
			}
		}
		return best, found
	case opOr:
		var all clause
		for _, k := range s.kids {
			c, ok := p.clause(k)
			if !ok {
				return clause{}, false
			}
			all.atoms = append(all.atoms, c.atoms...)
			all.cost += c.cost
		}
		return all, len(all.atoms) > 0
	case opNot:
	}
	return clause{}, false
}

// rarity guesses the share of events that hold the text of an atom: a letter
// more makes it a third rarer, a whole value or an end is rarer than a piece.
func rarity(a *asked) float64 {
	length := 0
	switch {
	case a.kind == askRegex:
		length = len(a.needs)
	default:
		length = len(a.pattern.longest())
	}
	share := math.Pow(0.7, float64(length))
	if a.kind == askText {
		if _, plain := a.pattern.plain(); plain {
			share *= 0.2
			if length <= 5 {
				share = max(share, 0.05) // numbers of events, words as true
			}
		}
	}
	if a.field == 0 {
		share *= 3
	}
	return share
}
