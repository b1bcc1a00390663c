package traces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// ledgerLine is a line of a copy of the log: an entry, or a checkpoint.
type ledgerLine struct {
	Organisation uuid.UUID   `json:"organisation"`
	Number       int64       `json:"number"`
	Entry        string      `json:"entry,omitempty"`
	Gone         bool        `json:"gone,omitempty"`
	Checkpoint   *Checkpoint `json:"checkpoint,omitempty"`
}

// WriteLedger writes the log of the scope's establishment and its checkpoints, a
// line each: with it a copy of the base verifies wherever it is put back. Needs
// access.TracesRead.
func (s *Service) WriteLedger(ctx context.Context, scope access.Scope, to io.Writer) error {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return err
	}
	out := json.NewEncoder(to)
	return s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if err := tx.Query(ctx, `SELECT number, entry, gone FROM traces_log WHERE organisation_id = $1 ORDER BY number`, []any{scope.Organisation()}, func(row func(...any) error) error {
			l := ledgerLine{Organisation: scope.Organisation()}
			if err := row(&l.Number, &l.Entry, &l.Gone); err != nil {
				return err
			}
			return out.Encode(l)
		}); err != nil {
			return err
		}
		all, err := checkpoints(ctx, tx, scope, 0)
		for i := range all {
			if err == nil {
				err = out.Encode(ledgerLine{Organisation: scope.Organisation(), Checkpoint: &all[i]})
			}
		}
		return err
	})
}

// ReadLedger adds to the logs what a copy knows and they do not: the database may
// come from an older backup than the base. What both know must be the same; a log
// that goes on further than the copy stays as it is. It gives how many entries
// were added. Needs access.TracesSource. Errors: Conflict for another log, Invalid.
func (s *Service) ReadLedger(ctx context.Context, scope access.Scope, from io.Reader) (added int64, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return 0, err
	}
	lines := json.NewDecoder(from)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		joined := joinedLedgers{tx: tx, scope: scope, of: map[uuid.UUID]*ledger{}}
		for {
			var line ledgerLine
			switch err := lines.Decode(&line); {
			case errors.Is(err, io.EOF):
				added = joined.added
				return nil
			case err != nil:
				return fault.Wrap(err, fault.Invalid, "traces.copy.ledger_unread")
			}
			if err := joined.join(ctx, line); err != nil {
				return err
			}
		}
	})
	return added, err
}

// joinedLedgers are the logs that a copy is added to.
type joinedLedgers struct {
	tx    *storage.Tx
	scope access.Scope
	of    map[uuid.UUID]*ledger
	added int64
}

func (j *joinedLedgers) join(ctx context.Context, line ledgerLine) error {
	scope := j.scope.Within(line.Organisation)
	l := j.of[line.Organisation]
	if l == nil {
		var err error
		if l, err = openLedger(ctx, j.tx, scope); err != nil {
			return err
		}
		j.of[line.Organisation] = l
	}
	switch {
	case line.Checkpoint != nil:
		return joinCheckpoint(ctx, j.tx, scope, line.Checkpoint)
	case line.Number < l.size:
		var known string
		_, err := j.tx.Row(ctx, `SELECT entry FROM traces_log WHERE organisation_id = $1 AND number = $2`, []any{line.Organisation, line.Number}, &known)
		if err == nil && known != line.Entry {
			err = fault.New(fault.Conflict, "traces.copy.other_ledger", "entry", line.Number)
		}
		return err
	case line.Number > l.size:
		return fault.New(fault.Invalid, "traces.copy.ledger_unread")
	}
	e, err := parseEntry(line.Organisation, line.Number, line.Entry)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.copy.ledger_unread")
	}
	if err := l.add(e); err != nil {
		return err
	}
	j.added++
	if line.Gone {
		return markGone(ctx, j.tx, scope, line.Number)
	}
	return nil
}

// joinCheckpoint keeps one that is not known. Whether it is signed, and of this
// log, is for the verification to say.
func joinCheckpoint(ctx context.Context, tx *storage.Tx, scope access.Scope, c *Checkpoint) error {
	if _, err := tx.Exec(ctx, `INSERT INTO traces_checkpoints (organisation_id, id, size, at_us, key_id, note, stamp, stamped_us, copied_us, problem) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT DO NOTHING`, scope.Organisation(), c.ID, c.Size, storage.Micros(c.At), c.Key, c.Note, c.Stamp, storage.NullMicros(c.Stamped), storage.NullMicros(c.Copied), c.Problem); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	return nil
}
