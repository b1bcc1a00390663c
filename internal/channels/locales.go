package channels

import "embed"

// Locales holds the sentences common to every channel; each kind brings its own.
//
//go:embed locales/*.yaml
var Locales embed.FS
