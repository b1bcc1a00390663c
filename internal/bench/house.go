package bench

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/backup"
	"tocsin/internal/config"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/organisation"
	"tocsin/internal/traces"
)

// House is the product as app builds it.
type House struct {
	Organisations *organisation.Service
	Directory     *directory.Directory
	Dispatch      *dispatch.Dispatch
	Alerting      *alerting.Service
	Traces        *traces.Service
	// Doors makes an account for each role and returns the paths that sign them
	// in; to be called before Serve.
	Doors func(ctx context.Context, e organisation.Establishment) ([]string, error)
	// Serve serves pages and sends until ctx ends; ready receives the address.
	Serve func(ctx context.Context, ready chan<- net.Addr) error
	Close func() error
	// Backup writes all the data.
	Backup func(ctx context.Context, w io.Writer) error
	// BackUp does all that the command of that name does, but its line in the journal.
	BackUp func(ctx context.Context, path string) (backup.Summary, error)
	// Jump moves the clock of a house that Program.Traces built.
	Jump func(time.Duration)
	// Unwatched is how many bytes of the queue of traces nobody looked at yet.
	Unwatched func() int64
}

// Builder builds the house of a process to measure.
type Builder func(ctx context.Context, settings *config.Server) (House, error)

// Program is what the steps of a measurement run.
type Program struct {
	Build Builder
	// Traces is Build for a house that keeps traces and whose clock can be moved;
	// Base is its engine, nil in a program without one.
	Traces Builder
	Base   *TraceBase
	// Restore does all that the command of that name does, until the rows are in
	// the base of the settings and were read again.
	Restore func(ctx context.Context, settings *config.Server, path string) error
}

// settings are those of a house that listens on this machine only; without a
// database its data are an SQLite file.
func settings(folder, listen, url, database string) (*config.Server, error) {
	s := &config.Server{
		Listen: listen, PublicURL: url, Data: filepath.Join(folder, "data"), KeyFile: filepath.Join(folder, "tocsin.key"), DatabaseURL: database,
		LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris", BackupPassphrase: "banc d'essai de Tocsin",
	}
	return s, s.Validate()
}
