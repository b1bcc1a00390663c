//go:build cgo

package duckdb

import (
	"strings"

	"tocsin/internal/traces/terms"
)

// firstColumns come before the texts, in the order that store writes them.
const firstColumns = "seq, happened, received, guessed, action, outcome, severity, patient, key_hash, source"

// eventColumns are all columns of the table of events.
func eventColumns() string {
	var b strings.Builder
	b.WriteString(firstColumns)
	for _, c := range terms.Columns() {
		b.WriteString(", " + c.Name)
	}
	return b.String() + ", extra"
}

// fileSchema makes the tables of a file:
//
//   - events, by order of arrival (seq);
//   - raw, blocks of about a mebibyte of originals and keys, and tail, what does
//     not fill a block yet: merged into one as soon as it does. Each block bears
//     the root of the digests of its events (seal.go), the bounds of their times,
//     and what a purge left in the places of those it took (cut);
//   - slices, the bytes of those blocks in rows of sliceBytes;
//   - identities, who the numbers of its events are: a copy of part of the
//     dictionary, from which that is made again when it is lost;
//   - mark, one row: whose file it is, and up to where it holds the spool.
func fileSchema(alias string) []string {
	var texts strings.Builder
	for _, c := range terms.Columns() {
		texts.WriteString(", " + c.Name + " VARCHAR")
	}
	in := func(s string) string { return strings.ReplaceAll(s, "@", alias+".") }
	return []string{
		in(`CREATE TABLE IF NOT EXISTS @events (seq BIGINT, happened BIGINT, received BIGINT, guessed BOOLEAN, action UTINYINT, outcome UTINYINT,
			severity TINYINT, patient INTEGER, key_hash UBIGINT, source VARCHAR` + texts.String() + `, extra VARCHAR)`),
		in(`CREATE TABLE IF NOT EXISTS @raw (first BIGINT, events BIGINT, lo BIGINT, hi BIGINT, root BLOB, salt BLOB, cut BLOB)`),
		in(`CREATE TABLE IF NOT EXISTS @slices (first BIGINT, place INTEGER, data BLOB USING COMPRESSION uncompressed)`),
		in(`CREATE TABLE IF NOT EXISTS @tail (first BIGINT, events BIGINT, lo BIGINT, hi BIGINT, salt BLOB,
			digests BLOB USING COMPRESSION uncompressed, data BLOB USING COMPRESSION uncompressed)`),
		in(`CREATE TABLE IF NOT EXISTS @identities (id INTEGER, ipp VARCHAR, ins VARCHAR)`),
		in(`CREATE TABLE IF NOT EXISTS @mark (version INTEGER, organisation VARCHAR, segment UBIGINT, place BIGINT, next BIGINT,
			events BIGINT, lo BIGINT, hi BIGINT, heard BIGINT)`),
	}
}

// patientSchema makes the table of the patients of an establishment. A row is an
// identity as an event told it, a number, a national identity or both; root is
// the identity that stands for the patient.
func patientSchema(alias string) []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS ` + alias + `.patients (id INTEGER, ipp VARCHAR, ins VARCHAR, root INTEGER)`,
		`CREATE TABLE IF NOT EXISTS ` + alias + `.mark (version INTEGER, organisation VARCHAR)`,
	}
}

// schemaVersion is written in each file; a file with another is put aside.
const schemaVersion = 3
