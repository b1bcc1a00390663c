package spool

import "embed"

// Locales holds the sentences of this tool.
//
//go:embed locales/*.yaml
var Locales embed.FS
