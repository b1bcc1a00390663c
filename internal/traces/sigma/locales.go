package sigma

import "embed"

// Locales holds the sentences of the engine.
//
//go:embed locales/*.yaml
var Locales embed.FS
