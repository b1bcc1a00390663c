// Package pull is « La table d’audit » : what an application writes down of itself
// in a table of its own database, fetched by SQL.
//
// It promises that it reads and never writes, that no text of a person is ever
// SQL (names are those that the catalogue of the database gives, quoted by its
// rules, and values are bound), that a row is acknowledged before the place in
// the table moves, that rows committed late are found again, and that the
// database is asked no faster, and at no other hours, than was allowed.
//
// It never keeps a password but sealed, and never says one in a log or a page.
package pull

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS
