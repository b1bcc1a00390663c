// Package reply is « Réponses écrites »: what a person called by an alert meant
// by the few words he typed, in French or in English, at three in the morning.
//
// It promises to understand accents or none, capitals, typing errors, telephone
// slang and smileys, to leave the quoted message and the signature aside, to
// read a delay as minutes, never to panic, and to work in time proportional to
// the first 2,000 characters, which are all it reads.
//
// It prefers Unknown, which a person of the cell reads, to a guess: counting
// someone who will not come is the worst mistake it can make. It never decides
// what a digit means: the scenario does. It never stores nor logs a text.
package reply
