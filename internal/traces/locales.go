package traces

import "embed"

// Locales holds the sentences of this room.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this room.
//
//go:embed migrations/*.sql
var Migrations embed.FS
