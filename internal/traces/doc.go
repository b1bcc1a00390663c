// Package traces is « Traces » : what the applications, servers and devices of
// the establishment say they did, and for whom, kept whole in one base to which
// anyone entitled can put a question.
//
// It promises that what was acknowledged is kept, once, word for word beside
// what was understood of it; that an establishment never sees another's traces;
// that no text from a person ever becomes a request to the base; and that every
// look at the traces is itself a trace.
//
// It never decides that somebody did wrong: it shows what was said, and people
// judge. It never reads the directory nor the inventory by itself: it keeps
// accounts and names as the sources wrote them.
package traces
