// Package i18ntest is « Le relecteur »: it reads the code of a room, or of the
// whole house, and holds it against the catalogues.
//
// It promises that a key written in Go or templ code exists, and that a
// sentence nobody says any more is found.
//
// It never runs in the program: tests only.
package i18ntest
