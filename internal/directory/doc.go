// Package directory is « Annuaire »: who works here, what each can do, and by
// which means each can be reached at night.
//
// It promises that a person is counted once whatever the number of lists he is
// on, that every contact point says how it was last proven, that nothing of an
// import is dropped in silence and that it can be undone, and that an import
// never delays an alert.
//
// It never keeps the reason of an absence, never shows a private number whole
// without the right to see it, and never lets one establishment read another's
// people.
package directory
