package sigma

import "embed"

//go:embed testdata/rules
var testdata embed.FS
