package sigma

import "slices"

// bits is a set of small numbers that forgets quickly.
type bits struct {
	words []uint64
	dirty []int32
}

func (b *bits) grow(n int) {
	if want := (n + 63) / 64; want > len(b.words) {
		b.words = append(b.words, make([]uint64, want-len(b.words))...)
	}
}

func (b *bits) has(i int32) bool { return b.words[i>>6]&(1<<(i&63)) != 0 }

// set puts i in, and tells whether it is new.
func (b *bits) set(i int32) bool {
	w, m := i>>6, uint64(1)<<(i&63)
	old := b.words[w]
	if old&m != 0 {
		return false
	}
	if old == 0 {
		b.dirty = append(b.dirty, w)
	}
	b.words[w] = old | m
	return true
}

func (b *bits) clear() {
	for _, w := range b.dirty {
		b.words[w] = 0
	}
	b.dirty = b.dirty[:0]
}

// loaded is a field of the event in hand.
type loaded struct {
	turn     uint64
	present  bool
	from, to int32 // in Matcher.values
}

// maxKept is how many bytes of folded text are kept from one event to the next.
const maxKept = 1 << 20

// Matcher asks a Set about one event after another. It keeps its memory from
// one to the next: one Matcher serves one goroutine.
type Matcher struct {
	set    *Set
	turn   uint64
	fields []loaded
	values []Value
	folds  []int32 // end of each value's folded text in folded
	folded []byte

	event Event
	// Of the program in hand:
	program *program
	route   *route
	hits    bits // atoms the index has answered yes
	maybe   bits // guarded atoms worth asking
	known   bits // guarded and lazy atoms asked
	truth   bits
	woken   bits
	queue   []int32
	done    bits // programs already asked about the event
	out     []int32
}

// NewMatcher returns a Matcher of the set.
func (s *Set) NewMatcher() *Matcher {
	m := &Matcher{set: s, fields: make([]loaded, len(s.names))}
	for _, p := range s.programs {
		for _, b := range []*bits{&m.hits, &m.maybe, &m.known, &m.truth} {
			b.grow(len(p.atoms))
		}
		m.woken.grow(len(p.rules))
	}
	m.done.grow(len(s.programs))
	return m
}

// Match appends the numbers of the rules that the event hits, in order, to
// dst[:0] and returns it: positions in Rules.
func (m *Matcher) Match(ev Event, dst []int32) []int32 {
	m.begin(ev)
	m.out = dst[:0]
	for i := range m.set.dispatch {
		d := &m.set.dispatch[i]
		f := m.load(d.field)
		for v := f.from; v < f.to; v++ {
			if m.values[v].kind == nullValue {
				continue
			}
			for _, r := range d.routes[string(m.fold(v))] {
				m.follow(&m.set.routes[r])
			}
		}
	}
	for _, r := range m.set.open {
		m.follow(&m.set.routes[r])
	}
	m.done.clear()
	m.end()
	slices.Sort(m.out)
	return m.out
}

// begin takes an event in hand, and end lets it go.
func (m *Matcher) begin(ev Event) {
	m.turn++
	m.event, m.values, m.folds, m.folded = ev, m.values[:0], m.folds[:0], m.folded[:0]
}

func (m *Matcher) end() {
	m.event = nil
	if cap(m.folded) > maxKept {
		m.folded = nil
	}
}

// follow asks a program about the event when the route's conditions are met.
func (m *Matcher) follow(r *route) {
	if m.done.has(r.program) {
		return
	}
	if m.leads(r) {
		m.done.set(r.program)
		m.run(r)
	}
}

// leads tells whether the event meets every condition of a route.
func (m *Matcher) leads(r *route) bool {
	for i := range r.when {
		if !m.meets(&r.when[i]) {
			return false
		}
	}
	return true
}

func (m *Matcher) meets(c *routeCond) bool {
	f := m.load(c.field)
	for v := f.from; v < f.to; v++ {
		if m.values[v].kind != nullValue && (c.values == nil || c.values[string(m.fold(v))]) {
			return true
		}
	}
	return false
}

// load reads a field of the event, once.
func (m *Matcher) load(field int32) *loaded {
	f := &m.fields[field]
	if f.turn == m.turn {
		return f
	}
	f.turn, f.from = m.turn, int32(len(m.values))
	if field == 0 {
		f.present = true
		m.event.Each(func(v Value) bool {
			m.values = append(m.values, v)
			return true
		})
	} else {
		m.values, f.present = m.event.Values(m.set.names[field], m.values)
	}
	f.to = int32(len(m.values))
	for _, v := range m.values[f.from:f.to] {
		m.folded = appendFold(m.folded, v.text)
		m.folds = append(m.folds, int32(len(m.folded)))
	}
	return f
}

// fold is the folded text of a value loaded.
func (m *Matcher) fold(v int32) []byte {
	from := int32(0)
	if v > 0 {
		from = m.folds[v-1]
	}
	return m.folded[from:m.folds[v]]
}

// run asks all rules of a program: one reading of each field wakes those that
// may hit, and only their conditions are looked at.
func (m *Matcher) run(r *route) {
	p := m.open(r)
	for _, rule := range m.queue {
		if m.holds(&p.roots[rule]) {
			m.out = append(m.out, p.rules[rule])
		}
	}
	m.shut()
}

// open reads the fields of the event with the index of a program.
func (m *Matcher) open(r *route) *program {
	p := m.set.programs[r.program]
	m.program, m.route = p, r
	m.queue = append(m.queue[:0], p.always...)
	for i := range p.fields {
		f := &p.fields[i]
		if f.auto == nil && len(f.exact) == 0 {
			continue
		}
		l := m.load(r.fields[i])
		for v := l.from; v < l.to; v++ {
			if m.values[v].kind != nullValue {
				m.read(f, m.fold(v))
			}
		}
	}
	return p
}

// shut forgets what the index of a program said.
func (m *Matcher) shut() {
	m.hits.clear()
	m.maybe.clear()
	m.known.clear()
	m.truth.clear()
	m.woken.clear()
}

// read finds all texts of a field's index in one value.
func (m *Matcher) read(f *fieldIndex, text []byte) {
	for _, a := range f.exact[string(text)] {
		if m.hits.set(a) {
			m.wake(a)
		}
	}
	auto := f.auto
	if auto == nil {
		return
	}
	s := int32(0)
	for i, b := range text {
		if s = auto.next(s, auto.class[b]); s&ending == 0 {
			continue
		}
		s &^= ending
		for e := auto.report[s]; e != 0; e = auto.shorter[e] {
			m.found(f, auto.ends[e], i+1, text)
		}
	}
}

// found tells the atoms of a literal that it stands in a value, up to end.
func (m *Matcher) found(f *fieldIndex, literal int32, end int, text []byte) {
	for _, u := range f.uses[literal] {
		switch u.where {
		case atStart:
			if end != len(m.program.atoms[u.atom].pattern[0].text) {
				continue
			}
		case atEnd:
			if end != len(text) {
				continue
			}
		case perhaps:
			if m.maybe.set(u.atom) {
				m.wake(u.atom)
			}
			continue
		case anywhere:
		}
		if m.hits.set(u.atom) {
			m.wake(u.atom)
		}
	}
}

func (m *Matcher) wake(a int32) {
	for _, rule := range m.program.atoms[a].wakes {
		if m.woken.set(rule) {
			m.queue = append(m.queue, rule)
		}
	}
}

// holds evaluates a condition.
func (m *Matcher) holds(s *step) bool {
	switch s.op {
	case opTest:
		return m.answer(s.atom)
	case opAnd:
		for i := range s.kids {
			if !m.holds(&s.kids[i]) {
				return false
			}
		}
		return true
	case opOr:
		for i := range s.kids {
			if m.holds(&s.kids[i]) {
				return true
			}
		}
		return false
	case opNot:
		return !m.holds(&s.kids[0])
	}
	return false
}

// answer is the answer of an atom, asked at most once an event.
func (m *Matcher) answer(i int32) bool {
	a := &m.program.atoms[i]
	switch a.access {
	case direct:
		return m.hits.has(i)
	case guarded:
		if !m.maybe.has(i) {
			return false
		}
	case lazy:
	}
	if m.known.set(i) && m.ask(a) {
		m.truth.set(i)
	}
	return m.truth.has(i)
}

func (m *Matcher) ask(a *asked) bool {
	f := m.load(m.route.fields[a.field])
	switch a.kind {
	case askExists:
		return f.present == a.want
	case askNull:
		return m.isNull(f)
	case askField:
		other := *m.load(m.route.fields[a.other])
		f = m.load(m.route.fields[a.field])
		return m.anyRefers(a, *f, other)
	default:
	}
	for v := f.from; v < f.to; v++ {
		if a.atom.ask(m.values[v], m.fold(v)) {
			return true
		}
	}
	return false
}

// isNull tells a field that is absent, empty, or null somewhere.
func (m *Matcher) isNull(f *loaded) bool {
	return f.from == f.to || slices.ContainsFunc(m.values[f.from:f.to], Value.IsNull)
}

func (m *Matcher) anyRefers(a *asked, mine, other loaded) bool {
	for v := mine.from; v < mine.to; v++ {
		for w := other.from; w < other.to; w++ {
			if m.values[v].kind != nullValue && m.values[w].kind != nullValue && a.refers(m.fold(v), m.fold(w)) {
				return true
			}
		}
	}
	return false
}
