package main

import "embed"

//go:embed locales/*.yaml
var guideLocales embed.FS
