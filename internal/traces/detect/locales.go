package detect

import "embed"

// Locales holds the reasons of what stands out, as sentences.
//
//go:embed locales/*.yaml
var Locales embed.FS
