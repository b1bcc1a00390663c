package exports

import "embed"

// Locales holds the sentences of these pages.
//
//go:embed locales/*.yaml
var Locales embed.FS
