package app

import "embed"

// Locales holds the sentences of the assembly.
//
//go:embed locales/*.yaml
var Locales embed.FS
