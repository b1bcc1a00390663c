// Package duckdb is « Base des traces embarquée »: the base of traces of a site
// of one machine, in files that DuckDB writes.
//
// It promises that an event is stored once, with its original and the place of
// the spool in one commit, whatever dies and when; that the files of an
// establishment are its own, in its own folder, and a question opens no others;
// that a duration of retention drops files; that a damaged file is put aside and
// told, and the others serve; and that memory stays within what was given.
//
// It never writes a text of a person into SQL: values are bound, and names come
// from a closed table. It is C code: it runs in a process of its own, and a
// program built without cgo has none of it.
//
// One process opens a folder; any number of goroutines ask.
package duckdb

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS
