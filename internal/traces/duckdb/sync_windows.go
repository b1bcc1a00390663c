//go:build cgo

package duckdb

// syncPath does nothing: Windows syncs no folder, and DuckDB has synced the file.
func syncPath(string) error { return nil }
