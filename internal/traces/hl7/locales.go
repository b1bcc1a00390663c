package hl7

import "embed"

// Locales holds the sentences of this format.
//
//go:embed locales/*.yaml
var Locales embed.FS
