// Package cap is « L'alerte commune »: messages of the Common Alerting Protocol
// 1.2 (OASIS, 2010), and the Atom and RSS feeds that lead to them.
//
// It promises that what it writes is valid against the schema of OASIS, with
// times that end in ±hh:mm; that what it reads declares no document type, no
// entity and no instruction, says each thing once, and costs no more than its
// length.
//
// It never decides what a message is worth here, never fetches anything, and
// reads no drawing of an area: only its words and codes.
package cap
