// Package demo is « La démonstration »: the Centre hospitalier Sainte-Aurore, a
// hospital that does not exist, with its 4,300 people, three sites and forty
// services, its accounts, and the fence that keeps it from the world.
//
// It promises that the same seed gives the same hospital, that every number is
// in a range that the ARCEP reserves for fiction and every mail address in a
// domain reserved for examples, and that it is loaded by the same import as a
// real staff file, dirt included.
//
// It never opens a channel to anything but this machine, and holds nobody real:
// names are put together from lists.
package demo

import "embed"

// Locales are the sentences of the fence.
//
//go:embed locales/*.yaml
var Locales embed.FS

//go:embed lists/*.txt
var lists embed.FS
