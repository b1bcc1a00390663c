package sigma

// Level says how grave a hit is, in the words of the specification.
type Level string

// The levels.
const (
	Informational Level = "informational"
	Low           Level = "low"
	Medium        Level = "medium"
	High          Level = "high"
	Critical      Level = "critical"
)

// Status says how proven a rule is.
type Status string

// The statuses.
const (
	Stable       Status = "stable"
	Test         Status = "test"
	Experimental Status = "experimental"
	Deprecated   Status = "deprecated"
	Unsupported  Status = "unsupported"
)

// LogSource says which logs a rule reads. An empty part is any.
type LogSource struct {
	Category, Product, Service string
}

// String writes the parts that are given: "windows/process_creation".
func (l LogSource) String() string {
	out := ""
	for _, part := range []string{l.Product, l.Category, l.Service} {
		if part != "" && out != "" {
			out += "/"
		}
		out += part
	}
	return out
}

// Related is a rule that this one comes from, replaces or resembles.
type Related struct {
	ID, Type string
}

// Meta is what a rule says of itself.
type Meta struct {
	ID, Name, Title, Description string
	Author, License              string
	Date, Modified, Taxonomy     string
	Status                       Status
	Level                        Level
	Tags, References             []string
	FalsePositives, Fields       []string
	Scope                        []string
	Related                      []Related
	// File and Line say where the rule is written.
	File string
	Line int
}

// Ref is how a person names the rule: its title, or else its name, id or file.
func (m *Meta) Ref() string {
	for _, s := range []string{m.Title, m.Name, m.ID} {
		if s != "" {
			return s
		}
	}
	return m.File
}

// Rule is a detection, read and understood. It does not change once parsed.
type Rule struct {
	Meta
	Source LogSource
	// root is the condition, spread into tests on fields.
	root *node
}

// Collection is what files of rules hold.
type Collection struct {
	Rules        []*Rule
	Correlations []*Correlation
}

// Add joins the rules of another file.
func (c *Collection) Add(o Collection) {
	c.Rules = append(c.Rules, o.Rules...)
	c.Correlations = append(c.Correlations, o.Correlations...)
}

// op is what a node of a condition does with its kids.
type op uint8

const (
	opTest op = iota
	opAnd
	opOr
	opNot
)

// node is one step of a condition. Nodes are shared between selections that
// are named twice, and never change.
type node struct {
	op   op
	test *atom
	kids []*node
	size int // tests below, shared ones counted each time
}

func leaf(a *atom) *node { return &node{op: opTest, test: a, size: 1} }

func join(o op, kids []*node) *node {
	if len(kids) == 1 && o != opNot {
		return kids[0]
	}
	n := &node{op: o, kids: kids}
	for _, k := range kids {
		n.size = min(n.size+k.size, maxTests+1)
	}
	return n
}

func not(n *node) *node { return join(opNot, []*node{n}) }
