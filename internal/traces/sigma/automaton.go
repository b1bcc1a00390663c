package sigma

import "slices"

// automaton finds every place of many texts in one reading (Aho and Corasick,
// 1975). States near the root, where nearly all the time is spent, have a full
// row of transitions; the deeper ones have their few edges only, so that a
// hundred thousand texts stay in some megabytes.
type automaton struct {
	class   [256]uint8 // of each byte; 0 for bytes in no text
	width   int        // classes
	rows    []int32    // full transitions of the states below full
	full    int32
	first   []int32 // first edge of each state, and one more
	labels  []uint8
	to      []int32
	fail    []int32
	report  []int32 // nearest state, itself or a suffix, that ends a text; 0 none
	shorter []int32 // next such state after report
	ends    []int32 // text that ends at a state
}

// maxFullRows keeps the rows of a field in the processor's cache: 4 bytes ×
// classes each. With thousands of rows reading was slower by a fifth.
const maxFullRows = 128

type trieNode struct {
	kids []trieEdge
	end  int32 // text + 1
}

type trieEdge struct {
	class uint8
	to    int32
}

// newAutomaton builds the automaton of folded texts, distinct and not empty.
func newAutomaton(texts []string) *automaton {
	a := &automaton{width: 1}
	for _, t := range texts {
		for i := range len(t) {
			if a.class[t[i]] == 0 {
				// Folded texts hold no capital letter: 230 bytes at most.
				a.class[t[i]] = uint8(a.width)
				a.width++
			}
		}
	}
	a.flatten(a.trie(texts))
	return a
}

func (a *automaton) trie(texts []string) []trieNode {
	nodes := []trieNode{{}}
	for id, t := range texts {
		at := int32(0)
		for i := range len(t) {
			c := a.class[t[i]]
			k := slices.IndexFunc(nodes[at].kids, func(e trieEdge) bool { return e.class == c })
			if k < 0 {
				nodes = append(nodes, trieNode{})
				nodes[at].kids = append(nodes[at].kids, trieEdge{class: c, to: int32(len(nodes) - 1)})
				at = int32(len(nodes) - 1)
				continue
			}
			at = nodes[at].kids[k].to
		}
		nodes[at].end = int32(id) + 1
	}
	return nodes
}

// flatten numbers the states by depth and computes failures, reports and rows.
func (a *automaton) flatten(nodes []trieNode) {
	order := make([]int32, 1, len(nodes)) // new number → node
	for i := 0; i < len(order); i++ {
		for _, e := range nodes[order[i]].kids {
			order = append(order, e.to)
		}
	}
	number := make([]int32, len(nodes))
	for n, node := range order {
		number[node] = int32(n)
	}
	count := len(order)
	a.first, a.fail = make([]int32, count+1), make([]int32, count)
	a.report, a.shorter, a.ends = make([]int32, count), make([]int32, count), make([]int32, count)
	for n, node := range order {
		a.first[n] = int32(len(a.labels))
		slices.SortFunc(nodes[node].kids, func(x, y trieEdge) int { return int(x.class) - int(y.class) })
		for _, e := range nodes[node].kids {
			a.labels = append(a.labels, e.class)
			a.to = append(a.to, number[e.to])
		}
		a.ends[n] = nodes[node].end - 1
	}
	a.first[count] = int32(len(a.labels))
	a.full = int32(min(count, maxFullRows))
	a.rows = make([]int32, int(a.full)*a.width)
	for n := range int32(count) {
		a.link(n)
	}
	a.flag(a.rows)
	a.flag(a.to)
}

// ending marks a transition to a state where texts end, so that reading looks
// at no other table while there are none.
const ending = 1 << 30

func (a *automaton) flag(to []int32) {
	for i, s := range to {
		if a.report[s] != 0 {
			to[i] |= ending
		}
	}
}

// link computes the row of a state and the failures of its children; states
// are linked by depth, so that all it needs is known.
func (a *automaton) link(n int32) {
	if n > 0 {
		a.shorter[n] = a.report[a.fail[n]]
		a.report[n] = a.shorter[n]
		if a.ends[n] >= 0 {
			a.report[n] = n
		}
	}
	if n < a.full {
		row := a.rows[int(n)*a.width : int(n+1)*a.width]
		if n > 0 {
			f := int(a.fail[n])
			copy(row, a.rows[f*a.width:(f+1)*a.width])
		}
	}
	for e := a.first[n]; e < a.first[n+1]; e++ {
		kid := a.to[e]
		if n > 0 {
			a.fail[kid] = a.next(a.fail[n], a.labels[e])
		}
		if n < a.full {
			a.rows[int(n)*a.width+int(a.labels[e])] = kid
		}
	}
}

// next is the state after a byte of class c, marked with ending when texts end
// there; s is not marked.
func (a *automaton) next(s int32, c uint8) int32 {
	for s >= a.full {
		for e := a.first[s]; e < a.first[s+1]; e++ {
			if a.labels[e] == c {
				return a.to[e]
			}
		}
		s = a.fail[s]
	}
	return a.rows[int(s)*a.width+int(c)]
}
