package journal

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// exportHead is the first line of an export: the keys that signed.
type exportHead struct {
	Journal       int               `json:"tocsin_journal"`
	Establishment string            `json:"establishment"`
	Exported      time.Time         `json:"exported"`
	Keys          map[string]string `json:"keys"`
}

// exportEntry is a line of an export; its fields are in the order of the digest.
type exportEntry struct {
	Number     int64  `json:"number"`
	ID         string `json:"id"`
	At         int64  `json:"at_us"`
	ActorKind  string `json:"actor_kind"`
	ActorID    string `json:"actor_id"`
	ActorName  string `json:"actor_name"`
	ActorFrom  string `json:"actor_from"`
	Action     string `json:"action"`
	ObjectKind string `json:"object_kind"`
	ObjectID   string `json:"object_id"`
	ObjectName string `json:"object_name"`
	Before     string `json:"before"`
	After      string `json:"after"`
	Erased     bool   `json:"erased,omitempty"`
	Salt       string `json:"salt,omitempty"`
	Digest     string `json:"digest"`
	Chain      string `json:"chain"`
}

// exportSignature is a line for each signed head.
type exportSignature struct {
	Number    int64  `json:"head"`
	Chain     string `json:"chain"`
	At        int64  `json:"at_us"`
	Key       string `json:"key"`
	Signature string `json:"signature"`
}

// Export writes the sealed journal of the scope's establishment as JSON lines:
// keys, entries in their order, signed heads. docs/verifier-journal.mjs reads it
// without this program. Needs access.JournalRead.
func (r *Reader) Export(ctx context.Context, scope access.Scope, v *vault.Vault, now time.Time, to io.Writer) (n int64, err error) {
	if err := r.guard.Check(scope, access.JournalRead); err != nil {
		return 0, err
	}
	keys, err := publicKeys(v)
	if err != nil {
		return 0, err
	}
	first := exportHead{Journal: 1, Establishment: scope.Organisation().String(), Exported: now.UTC(), Keys: map[string]string{}}
	for id, key := range keys {
		first.Keys[id] = hex.EncodeToString(key)
	}
	out := bufio.NewWriterSize(to, 1<<16)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(first); err != nil {
		return 0, err
	}
	err = r.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if err := eachSealed(ctx, tx, scope.Organisation(), `seal_number IS NOT NULL ORDER BY seal_number`, nil, func(e sealed) error {
			n++
			return lines.Encode(lineOf(e))
		}); err != nil {
			return err
		}
		c := checker{organisation: scope.Organisation()}
		if err := c.readHeads(ctx, tx); err != nil {
			return err
		}
		for _, h := range c.heads {
			if err := lines.Encode(exportSignature{h.number, hex.EncodeToString(h.chain), h.atMicros, h.key, hex.EncodeToString(h.signature)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	return n, out.Flush()
}

func lineOf(e sealed) exportEntry {
	actor := ""
	if e.Actor.ID != uuid.Nil {
		actor = e.Actor.ID.String()
	}
	return exportEntry{
		Number: e.number, ID: e.ID.String(), At: e.At.UnixMicro(), ActorKind: string(e.Actor.Kind), ActorID: actor, ActorName: e.Actor.Name, ActorFrom: e.Actor.From,
		Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, ObjectName: e.ObjectName, Before: e.Before, After: e.After,
		Erased: e.erased, Salt: hex.EncodeToString(e.salt), Digest: hex.EncodeToString(e.digest), Chain: hex.EncodeToString(e.chain),
	}
}

// Erase takes away the words of a sealed entry about a person who asked for it:
// the object's name and id, before and after, and the salt by which they could be
// guessed. Who did what kind of thing, and when, stays, and so does the chain.
// Needs access.JournalErase. Errors: NotFound, Conflict while the entry waits for
// its seal, Invalid at "reason".
func (r *Reader) Erase(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, reason string) error {
	if err := r.guard.Check(scope, access.JournalErase); err != nil {
		return err
	}
	if reason == "" {
		return fault.New(fault.Invalid, "journal.erase.reason").At("reason")
	}
	return r.db.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSealed(ctx, tx, scope.Organisation(), `id = $2`, id)
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return fault.New(fault.NotFound, "journal.erase.unknown")
		case list[0].number == 0:
			return fault.New(fault.Conflict, "journal.erase.unsealed")
		case list[0].erased:
			return nil
		}
		if _, err := tx.Exec(ctx, `UPDATE journal_entries SET object_id = '', object_name = '', before_json = '', after_json = '', search_folded = '',
			seal_salt = NULL, erased_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, storage.Micros(now)); err != nil {
			return err
		}
		return Append(ctx, tx, scope, now, Entry{Action: "journal.erase", ObjectKind: "entry", ObjectID: id.String(), After: map[string]string{"reason": reason}})
	})
}
