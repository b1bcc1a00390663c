// Package api is « L’entrée des traces »: where sources bring by HTTP what they
// have to say.
//
// It promises that a source is told "taken" once its events are on the disk, and
// told by line what could not be understood, which is kept all the same; that a
// token speaks for one source of one establishment; and that what is too large
// is refused before it is read.
package api

import "embed"

// Locales holds the sentences of this counter.
//
//go:embed locales/*.yaml
var Locales embed.FS
