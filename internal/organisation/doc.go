// Package organisation is « Établissements »: who we are: establishments, the
// bodies they belong to, their sites and their care services, as a dated graph.
//
// It promises that an establishment never sees another's nodes, that FINESS
// numbers are checked before they are kept, that the graph has no cycle, and
// that closing a link keeps what was true before.
//
// It never knows a person, and never deletes history.
package organisation

import "embed"

// Locales holds the sentences of this room.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this room.
//
//go:embed migrations/*.sql
var Migrations embed.FS
