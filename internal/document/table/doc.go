// Package table is « La lecture des fichiers »: it reads the staff files that
// hospitals really have, CSV or XLSX, row by row.
//
// It promises that every row of the file comes out: read, or with the problem
// that prevents reading it and its raw text. Encoding, delimiter, header line
// and sheet are found without asking, and said afterwards. Memory stays flat
// whatever the size, and a hostile file meets limits, not the end of memory.
//
// It never understands what the cells mean, never changes the file, and never
// runs a formula, a macro or an external link.
package table

import "embed"

// Locales are the sentences of the problems.
//
//go:embed locales/*.yaml
var Locales embed.FS
