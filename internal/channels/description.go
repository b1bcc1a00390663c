package channels

import (
	"sort"

	"tocsin/internal/fault"
)

// Kind is a way to speak to a sort of peer: "smpp", "smtp". It describes
// itself; forms, validation and documentation follow from the description.
type Kind interface {
	Describe() Description
	// Open builds a channel from settings already validated against the description.
	Open(Opening) (Channel, error)
}

// Description is what a kind says of itself.
type Description struct {
	// Kind is the stored name: "smpp".
	Kind string
	// Medium is what it carries.
	Medium Medium
	// Fields are its settings, in the order of the form.
	Fields []Field
	// Concurrency is the number of Send calls worth making at once with these settings.
	Concurrency func(Settings) int
	// Limits are what the contract with the peer allows; nil means nothing to
	// divide between several nodes.
	Limits func(Settings) Limits
	// Receipts and Replies tell whether the medium brings back news and answers.
	Receipts bool
	Replies  bool
}

// Limits are what a contract allows to all the nodes together.
type Limits struct {
	// PerSecond is messages per second, as a Weigher counts them; 0 means no limit.
	PerSecond float64
	// Links are connections at once; 0 means that the peer does not count them.
	Links int
	// Calls tells that a link is a call: it lasts as long as it lasts, so that a node
	// that should have fewer begins no other instead of cutting one.
	Calls bool
}

// FieldType is how a setting is typed and checked.
type FieldType string

// The types of settings.
const (
	Text   FieldType = "text"
	Secret FieldType = "secret"
	Number FieldType = "number"
	Bool   FieldType = "bool"
	Choice FieldType = "choice"
	// Area is a text of several lines.
	Area FieldType = "area"
)

// Field is one setting. Its label is the catalogue key
// "channels.<kind>.<name>" and its help "channels.<kind>.<name>.help".
type Field struct {
	Name     string
	Type     FieldType
	Required bool
	Default  string
	// Min and Max bound a Number; both zero means unbounded.
	Min, Max int
	Choices  []string
	// Drawn tells a value that the kind makes where nobody gives one.
	Drawn bool
}

// Registry holds the kinds this program knows.
type Registry struct{ kinds map[string]Kind }

// NewRegistry returns a registry of the given kinds.
func NewRegistry(kinds ...Kind) *Registry {
	r := &Registry{kinds: make(map[string]Kind, len(kinds))}
	for _, k := range kinds {
		r.kinds[k.Describe().Kind] = k
	}
	return r
}

// Kind returns the kind of that name, or a NotFound fault.
func (r *Registry) Kind(name string) (Kind, error) {
	k, ok := r.kinds[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "channels.unknown_kind", "kind", name)
	}
	return k, nil
}

// Descriptions returns every kind's description, sorted by name.
func (r *Registry) Descriptions() []Description {
	out := make([]Description, 0, len(r.kinds))
	for _, k := range r.kinds {
		out = append(out, k.Describe())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Kind < out[j].Kind })
	return out
}
