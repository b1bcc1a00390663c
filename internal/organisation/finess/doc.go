// Package finess is « Le numéro FINESS »: the national number of a health or
// social establishment, read once at the door and valid ever after.
//
// It promises that a Number is well formed and that its key is right, and it
// tells the department. It knows both levels of the register: the legal entity
// (EJ) and the geographic establishment (ET); the number alone does not say
// which one it is.
//
// It never asks the national register whether the number was issued.
package finess

import "embed"

// Locales are the sentences of the refusals.
//
//go:embed locales/*.yaml
var Locales embed.FS
