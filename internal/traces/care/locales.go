package care

import "embed"

// Locales holds the sentences of who cares for whom, and those of its pages.
//
//go:embed locales/*.yaml
var Locales embed.FS
