// Package storage is « Le coffre »: one way to read and write, on SQLite and on
// PostgreSQL, with one SQL text for both.
//
// It promises that no query runs without an access.Scope; that on SQLite there
// is one writer at a time and every commit is on the disk (WAL,
// synchronous=FULL); that on PostgreSQL row-level security is a second wall
// between establishments; that a transaction which fails leaves nothing.
//
// It never knows a room: their tables arrive as migrations.
package storage
