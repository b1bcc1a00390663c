// Package rest is « Le guichet des programmes »: what every room's api/ has in
// common.
//
// It promises that no operation can be registered without saying which right
// it needs; that a program is known by its token before a byte of what it sends
// is read; that a POST repeated under the same Idempotency-Key is done once,
// whatever node answers; that every refusal is a problem (RFC 9457) in the
// caller's language, one sentence, with the field named; and that the
// description it serves (OpenAPI 3.1) is made from the code that answers.
//
// It never reads a cookie, never takes a token from an address, never echoes
// what was sent, and knows no room.
package rest

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this package.
//
//go:embed migrations/*.sql
var Migrations embed.FS
