// Package pages is « Annuaire, à l’écran »: the people, how each can be
// reached and how well that is proven, groups, absences, and the import.
//
// It promises that a private number is masked until somebody who may see it
// asks for it, which the journal keeps; that every figure leads to its list;
// that an import says what it will do before it does it; and that all of it
// works without script.
//
// It never asks for the reason of an absence.
package pages
