package traces

// Format reads one way of writing traces. It describes itself: the pages, the
// guide and the list of sources follow from the description, so that adding a
// format is a folder and a line.
type Format interface {
	Describe() Description
	// Parse reads one message (a datagram, a frame, a line, an element) and adds
	// what it says to dst. Each event carries its part of the message in Raw,
	// sharing its bytes, its times, its class left to Classify by the desk, and
	// neither organisation nor source. received is UTC microseconds.
	// What cannot be understood is no reason to lose it: Parse then returns an
	// event with Raw, Message and At guessed, and an error of kind Invalid with
	// a sentence that says what was wrong; the caller keeps both.
	Parse(dst []Event, message []byte, received int64) ([]Event, error)
}

// Description is what a format says of itself.
type Description struct {
	// Name is its key, stored with events: "syslog", "atna", "fhir"…
	Name string
	// Standard names the documents it follows.
	Standard string
	// Maps tells which field of the model each element of the format fills, for
	// the guide.
	Maps []Mapping
}

// Mapping is one line of the table of a format.
type Mapping struct {
	From string // in the format's own words
	To   string // Event field
}
