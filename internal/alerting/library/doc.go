// Package library is « Bibliothèque de scénarios »: eleven alerts of a hospital,
// written in French and in English, ready to be copied and adapted.
//
// It promises that each is complete: texts for every use, medium and language,
// an audience, waves, quotas where people are called in, a launch authority,
// the outside duties, and limits; that a first SMS is short, says who speaks and
// what to do, and costs no more than the alphabet of telephones; and that Lint
// finds what is missing, in the tests of this package as in an adapted copy.
//
// It never launches anything, and never claims that a duty written from memory
// is the law: such a duty is marked to be verified. Tocsin informs of a fire
// evacuation and never replaces the fire-safety system; it never pays nor
// negotiates a ransom.
package library
