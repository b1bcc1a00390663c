// Package sigma is « Règles Sigma »: our own engine for the rules that the
// world writes about system logs, after the Sigma specification 2.1.
//
// It reads rules and correlations (Parser), compiles thousands of them into
// one index (Compile), says which of them an event hits (Matcher), counts hits
// over time (Correlator), and tries rules against events kept beside them
// (TestFolder, Regress). Log sources are tied to events by data (Pipeline).
//
// It promises that the index answers exactly what reading each rule would
// answer; that a hostile rule is refused in bounded time and memory with one
// sentence that names its line; that memory of the Correlator is bounded and
// that what it had to forget is counted; that the time is always the event's.
//
// It never opens a file, a database or the network by itself, never reads the
// machine's clock but to measure (the clock is given), never holds a rule of
// others, and never takes a rule it would understand otherwise than its
// author: what it cannot do it refuses (see the decision record on the index).
//
// What a field name means is the event's own business: names are compared as
// they are written. Values are compared without case, by Unicode's simple
// folding; regular expressions and values marked « cased » with it.
package sigma
