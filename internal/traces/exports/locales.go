package exports

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS
