// Package copies is « La copie des traces »: the embedded base of traces in a
// folder, sealed by the passphrase of the backups, and back.
//
// It promises that a copy holds every trace acknowledged before it began, while
// the base works; that it holds the log of the seal, so that what is put back
// verifies; that a file which did not change is there once, whatever the number of
// copies; that a copy has its name only once all of it is on the disk, and that a
// full disk or an interruption leaves none that is half made; that what is put
// back is, byte for byte, what was copied, or nothing is.
//
// It never writes into the base it copies, and holds neither what waits to be read
// (files given, the rules of a house) nor the archives that await their download.
//
// The folder, for whoever must read it without this program:
//
//	tocsin-traces.json       {"tocsin_traces":1,"lock":{…}}: the lock of a backup
//	objects/<name>           a file of the base, or the log
//	<instant>.copie          what a copy is made of
//
// The last two are 32 bytes drawn at random, then pieces sealed as those of a backup
// are (package backup), for the label "tocsin-traces-object" or "tocsin-traces-copy"
// followed by these 32 bytes. The name of an object is the HMAC-SHA256, under the key
// of the folder, of the SHA-256 of what it holds. Opened, a copy is JSON.
//
// What a copy uses again is marked as written now: a rule that deletes what is old
// deletes nothing that a young copy needs.
package copies
