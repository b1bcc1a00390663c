// Package pages is « Les pages de la cartographie »: the list, the sheet of
// one thing, its form, the import and the export.
//
// It promises that every list is in its address, that nothing is retired or
// imported before its page has said what and how many, and that what cannot be
// done is not shown.
//
// It never decides who may: the operations do.
package pages
