package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/exports"
)

// openExports opens what leaves for justice or for a patient. Archives lie beside
// the base of traces, and no more than it in a backup.
func (h *House) openExports() {
	h.Exports = exports.New(exports.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Traces: h.Traces, Vault: h.Vault, Words: h.Catalog.For(i18n.French),
		Dir: filepath.Join(h.Settings.Data, "traces", "exports"), Version: Version, House: h.nameOf,
	})
}

// nameOf is the name of the establishment of a scope.
func (h *House) nameOf(ctx context.Context, scope access.Scope) (string, error) {
	e, err := h.Houses.Get(ctx, scope)
	return e.Name, err
}

// tracesArchive verifies an archive that was handed over, with no base and no
// database: whoever received it may run it too.
type tracesArchive struct {
	File      string `arg:"" type:"existingfile" help:"The archive (.zip)."`
	PublicKey string `required:"" type:"existingfile" help:"Public keys of the seal (PEM), from the page of the durations." placeholder:"FILE"`
}

// Run verifies. The status is 1 when something does not hold.
func (c *tracesArchive) Run(s *session) (err error) {
	text, err := os.ReadFile(c.PublicKey)
	if err != nil {
		return fmt.Errorf("read public keys: %w", err)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open an archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	about, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open an archive: %w", err)
	}
	v, err := exports.Verify(file, about.Size(), func(organisation uuid.UUID) ([]traces.PublicKey, error) {
		return traces.ReadPublicKeys(organisation, text)
	})
	if err != nil {
		return err
	}
	for _, flaw := range v.Flaws {
		s.printf("  %s", flaw)
	}
	if len(v.Flaws) > 0 {
		return fault.New(fault.Conflict, "app.traces.archive.altered", "n", len(v.Flaws))
	}
	s.printf("%s", s.words().T("app.traces.archive.well", "number", v.Manifest.Number, "lines", v.Manifest.Events, "proven", v.Proven))
	return nil
}
