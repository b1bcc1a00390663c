package care

import "embed"

// Locales holds the sentences of who cares for whom.
//
//go:embed locales/*.yaml
var Locales embed.FS
