package ui

import "embed"

// Locales are the sentences of the frame, French and English.
//
//go:embed locales/*.yaml
var Locales embed.FS
