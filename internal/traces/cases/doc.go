// Package cases is « Dossiers d’alerte »: what stood out becomes a case that a
// person opens, understands in one sentence, and closes by saying what it was.
//
// It promises that what belongs together is one case, however many times it was
// seen; that a case is seen by those who answer for it and by nobody else; that
// what somebody justified weighs less for a time, and never nothing; that each
// look at a case is itself a trace; that the journal names no patient; and that
// the behaviour of staff is looked at only once the law's three steps are on
// record.
//
// It never accuses: a case says what was seen and why it is unusual. It keeps no
// figure about a person, and no page adds up the cases of one.
package cases
