// Package vault is « Coffre »: it keeps secrets at rest (seeds of second
// factors, passwords of gateways) and the keys that sign links.
//
// It promises that a copy of the data folder or of the database alone opens
// nothing: the keyring is a file of its own, outside data and its backup, the
// same on all nodes. A sealed value is bound to its context (which column of
// which row), so that it cannot be moved elsewhere; and after a rotation the
// old values still open.
//
// It never writes a key or a plain secret to a log, an error or the database,
// and never accepts a keyring that other users of the machine can read.
package vault
