// Package web is « Appels HTTP décrits »: requests to the services of others,
// described by settings and made once.
//
// It promises that a value never breaks out of the place a template gives it;
// that no redirection is followed, no answer is read beyond its bound, and no
// address of this machine or of a cloud's metadata is called, whatever a name
// resolves to; that it is told whether a request may have left; and that errors
// never hold the address that was called.
//
// It never repeats a request by itself, never uses a proxy of the environment,
// keeps no cookie, and knows no room: what an answer means for a message is its
// caller's to say.
package web

import "embed"

// Locales holds the sentences of this tool.
//
//go:embed locales/*.yaml
var Locales embed.FS
