// Package backup is « La sauvegarde »: all the data in one file that no engine
// owns, and back into SQLite or PostgreSQL.
//
// It promises that the file is one instant of the data, taken while the program
// works; that no table is forgotten, since they are found in the schema and not
// in a list; that the file opens nothing without its passphrase, and that a
// damaged, cut or newer file is refused in one sentence before anything is
// touched; that a restore is whole or has not happened, and was read again
// before it said so.
//
// It never deletes the data it replaces, and it knows no room: what a table
// means is not its affair.
//
// The file, for whoever must read it without this program:
//
//	TOCSIN-BACKUP 1 ⏎
//	{header: what a Header is, in JSON} ⏎
//	pieces of 64 KiB, each followed by the 16 bytes of its seal
//	⏎ sha256 ⎵ <hexadecimal digest of everything before this line break> ⏎
//
// The pieces are sealed by ChaCha20-Poly1305 (RFC 8439); the nonce is the number
// of the piece in 11 bytes, then 1 for the last piece and 0 for others. Their key
// is HKDF-SHA256 of the key of the file, salted by the SHA-256 of the header's
// line, for "tocsin/backup". The key of the file is in the header, sealed by
// XChaCha20-Poly1305 (nonce first) under argon2id of the passphrase. Opened and
// put end to end the pieces are a gzip stream of records:
//
//	K length bytes             the keyring
//	T length JSON              a table: its name, its columns with their kinds
//	R count values             so many rows of it; each value is 0 for NULL, or 1 and
//	                           length+bytes (text, bytes, uuid), signed varint
//	                           (bigint), one byte (boolean), 8 bytes big-endian (double)
//	E count                    the table ends, after so many rows
//	Z count                    the backup ends, after so many rows
//
// Lengths and counts are unsigned LEB128.
package backup
