package duckdb

import (
	"log/slog"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Options bound the base.
type Options struct {
	// MemoryMB is what the base may hold in memory, 320 when zero. Questions
	// that need more use the disk, up to TempMB, 4096 when zero; then they fail
	// and the base goes on.
	MemoryMB, TempMB int
	// Threads is the number of cores it may use; when zero all but one, which is
	// for the rest of the program, and two at least: questions need them. DuckDB
	// lets a thread turn in place while another does the work.
	Threads int
	// Files is how many files stay open while nobody asks for them, 48 when zero.
	Files int
	// Keys is how many ids of events are remembered to know a repetition, 16
	// million when zero (64 MiB); the oldest are forgotten first, and all after
	// a day.
	Keys int
	// Log is told of files put aside; nil is silence.
	Log *slog.Logger
}

// Aside is a file that could not be read.
type Aside struct {
	Organisation uuid.UUID
	// Class and Month ("2026-11") are of the events that are out of reach; Month
	// is empty when the file held the patients of the establishment.
	Class traces.Class
	Month string
	// Path is where the file now is, Reason what the base said of it.
	Path, Reason string
}
