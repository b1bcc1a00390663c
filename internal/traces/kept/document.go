package kept

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/vault"
)

// Document is the answer as a file.
type Document struct {
	Format, Number string
	// SHA256 is that of the file, as hexadecimal.
	SHA256 string
	Bytes  int

	sealed []byte
}

func sealContext(run uuid.UUID) string { return "traces.document " + run.String() }

// Reseal seals the documents again that an older key of the vault sealed, and
// tells how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	return vault.Reseal(ctx, s.opt.DB, scope, s.opt.Vault, vault.Column{Table: "traces_documents", Name: "sealed", Key: []string{"organisation_id", "run_id"}, Context: sealContext})
}

func (d Document) write(ctx context.Context, tx *storage.Tx, r *Run) error {
	_, err := tx.Exec(ctx, `INSERT INTO traces_documents (organisation_id, run_id, format, number, sha256, bytes, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.organisation, r.ID, d.Format, d.Number, d.SHA256, d.Bytes, d.sealed)
	return err
}

// Runs lists what became of the answers of a question, the latest first, with the
// documents that are still kept. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Runs(ctx context.Context, scope access.Scope, saved uuid.UUID) (out []Run, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, err := one(ctx, tx, scope, saved); err != nil {
			return err
		}
		if out, err = readRuns(ctx, tx, `organisation_id = $1 AND saved_id = $2 ORDER BY due_us DESC LIMIT 60`, scope.Organisation(), saved); err != nil {
			return err
		}
		for i := range out {
			if err := out[i].readDocuments(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (r *Run) readDocuments(ctx context.Context, tx *storage.Tx) error {
	return tx.Query(ctx, `SELECT format, number, sha256, bytes FROM traces_documents WHERE organisation_id = $1 AND run_id = $2 ORDER BY format DESC`, []any{r.organisation, r.ID}, func(row func(...any) error) error {
		var d Document
		err := row(&d.Format, &d.Number, &d.SHA256, &d.Bytes)
		r.Documents = append(r.Documents, d)
		return err
	})
}

// Open gives a document that was kept, once its opening is traced. It is for those
// who see the question, and for those it was sent to. Needs access.TracesAsk.
// Errors: NotFound, when it is over too; Unavailable.
func (s *Service) Open(ctx context.Context, scope access.Scope, run uuid.UUID, format string) (d Document, plain []byte, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return d, nil, err
	}
	gone := fault.New(fault.NotFound, "traces.kept.document")
	now := s.opt.Clock.Now()
	var q Saved
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readRuns(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), run)
		if err != nil {
			return err
		}
		if len(list) == 0 || !list[0].Expires.After(now) {
			return gone
		}
		q, err = one(ctx, tx, scope, list[0].SavedID)
		if err != nil && !(fault.Is(err, fault.NotFound) && slices.Contains(list[0].Recipients, scope.Actor().ID)) {
			return err
		}
		found, err := tx.Row(ctx, `SELECT format, number, sha256, bytes, sealed FROM traces_documents WHERE organisation_id = $1 AND run_id = $2 AND format = $3`,
			[]any{scope.Organisation(), run, format}, &d.Format, &d.Number, &d.SHA256, &d.Bytes, &d.sealed)
		if err == nil && !found {
			return gone
		}
		return err
	})
	if err != nil {
		return Document{}, nil, err
	}
	if plain, err = s.opt.Vault.Open(d.sealed, sealContext(run)); err != nil {
		return Document{}, nil, err
	}
	key := ""
	if q.Inquiry.Search == nil {
		key = q.Inquiry.Phrase
	}
	if err := s.opt.Traces.NoteOpening(ctx, scope, traces.Look{Phrase: key, Why: q.Why, Takes: format}, d.Number, d.SHA256); err != nil {
		return Document{}, nil, err
	}
	return d, plain, nil
}

// Sweep forgets documents that were kept as long as was said, and what became of
// answers long ago.
func (s *Service) Sweep(ctx context.Context, now time.Time) (more bool, err error) {
	var over []Run
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) (err error) {
		over, err = readRuns(ctx, tx, `expires_us <= $1 OR due_us <= $2 ORDER BY due_us LIMIT 200`, storage.Micros(now), storage.Micros(now.Add(-runsKept)))
		return err
	})
	var errs []error
	for i := range over {
		errs = append(errs, s.forget(ctx, now, &over[i]))
	}
	return len(over) == 200, errors.Join(append(errs, err)...)
}

func (s *Service) forget(ctx context.Context, now time.Time, r *Run) error {
	scope := access.System(r.organisation, "traces")
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM traces_documents WHERE organisation_id = $1 AND run_id = $2`, r.organisation, r.ID)
		if err != nil {
			return err
		}
		query := `UPDATE traces_runs SET expires_us = NULL WHERE organisation_id = $1 AND id = $2`
		if !r.At.After(now.Add(-runsKept)) {
			query = `DELETE FROM traces_runs WHERE organisation_id = $1 AND id = $2`
		}
		if _, err := tx.Exec(ctx, query, r.organisation, r.ID); err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.kept.expire", ObjectKind: "trace_document", ObjectID: r.ID.String(), ObjectName: r.SavedID.String(), After: map[string]any{"documents": n}})
	})
}
