// Package phone is « Les numéros »: it understands what people really type in
// the telephone column of a staff file.
//
// It promises that every cell is understood or explained: numbers come out in
// E.164 with their kind and label, and whatever could not be read comes out as
// a problem with a sentence. A number outside the allocated ranges is kept with
// a warning, because the numbering plan changes faster than programs do.
//
// It never calls, never looks a number up anywhere, and never puts a number in
// an error or a log.
package phone

import "embed"

// Locales are the sentences of the problems and warnings.
//
//go:embed locales/*.yaml
var Locales embed.FS
