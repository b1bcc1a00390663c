// Package administration is « Administration »: what was done in the house, and
// how the house is.
//
// It promises that every change can be found again in plain words, that an
// auditor takes the journal away as it is, and that a thing that does not work
// is said in one sentence with what to do about it.
//
// It never changes anything: rooms do, each in its own pages. It knows no room:
// the checks of its doctor are handed to it by app.
package administration

import "embed"

// Locales holds the sentences of this room.
//
//go:embed locales/*.yaml
var Locales embed.FS
