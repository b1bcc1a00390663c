package alerting

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this package.
//
//go:embed migrations/*.sql
var Migrations embed.FS
