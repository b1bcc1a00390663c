// Package space is « Mon espace »: what a member of staff sees of the alerts
// that called him, of his own on-call duties and of what is held about him,
// on his own telephone, without an account.
//
// It promises that an invitation opens one device once, that what is kept of a
// device opens nothing, that a device shows and does only what is its owner's,
// in one establishment; that a stolen one is taken back from another device or
// by who keeps the directory, at once; and that leaving the establishment ends them all.
//
// It never takes an answer link for a key: whoever holds one may only have an
// invitation sent to the number that the directory knows.
package space
