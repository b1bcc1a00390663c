// Package identity is « Identités et habilitations »: who a person is, how she
// proves it, in which establishments she works and with which roles.
//
// It promises that what a thief of the database finds opens nothing (passwords
// are stretched, tokens and links hashed, seeds sealed); that a password is
// never refused because others tried it from elsewhere; that a revoked session
// ends at once on every node; and that an establishment is never left without
// an administrator. It is the only place where the access.Scope of a person is
// made.
//
// It never says whether a login exists, and never decides what a role may do:
// the policies of access do.
package identity

import "embed"

// Locales holds the sentences of this room.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this room.
//
//go:embed migrations/*.sql
var Migrations embed.FS
