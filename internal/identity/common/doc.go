// Package common is « Mots de passe usés »: the passwords that everybody thinks
// of, so that nobody gets in by thinking of them.
//
// It promises that the list is our own: written from words and habits (build),
// not taken from the passwords of people. It looks behind the usual disguises:
// capitals, digits for letters, a year or a sign at the end.
//
// It never says that a password is good, only that it is worn.
package common
