// Package columns is « Les colonnes d’une application » : it cuts the exports of
// applications (CSV, workbooks, fixed width) into rows, and puts the columns of a
// row, of a file or of a table of audit, into the model of traces by a mapping
// that a person saved.
//
// It promises that a file of any size is read with the memory of one row, that
// each row keeps its original, that a row which cannot be understood comes out
// all the same with the reason, that reading may go on from any row boundary,
// and that a column nobody mapped stays searchable.
//
// It never opens a file or a database by itself, never runs a formula, and never
// decides by a guess: a guess is a proposal that a person saves.
package columns

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS
