package channels

// Completer is a kind that makes what its settings need and nobody can type, such as a
// key. It is asked before settings are kept; what is given already stays.
type Completer interface {
	Complete(Settings) (Settings, error)
}

// Publisher is a kind whose settings need something published in the DNS.
type Publisher interface {
	Records(Settings) ([]Record, error)
}

// Record is one record of the DNS.
type Record struct{ Name, Type, Value string }
