package bench

import "embed"

// Locales holds the sentences of the bench.
//
//go:embed locales/*.yaml
var Locales embed.FS
