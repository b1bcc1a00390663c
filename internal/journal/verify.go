package journal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Break is what is wrong with a chain.
type Break string

// The breaks, the empty one for a chain that holds.
const (
	Changed   Break = "changed"   // an entry is not what was sealed
	Missing   Break = "missing"   // a number is skipped, or the end is cut off
	Rechained Break = "rechained" // the chain does not lead to this entry
	Unsigned  Break = "unsigned"  // a head's signature is not ours
)

// Verdict is what Verify found.
type Verdict struct {
	// Sealed, Erased and Waiting count entries: in the chain, of those without
	// their words, and not chained yet. OldestWaiting is zero when none waits.
	Sealed, Erased, Waiting int64
	OldestWaiting           time.Time
	// Break is empty when the chain holds; then nothing follows. Number and ID
	// name the first entry at fault.
	Break  Break
	Number int64
	ID     uuid.UUID
}

// Verify reads the chain of the scope's establishment from its beginning, or
// only its last entries, and the signed heads. Needs access.JournalRead.
func (r *Reader) Verify(ctx context.Context, scope access.Scope, v *vault.Vault, last int64) (out Verdict, err error) {
	if err := r.guard.Check(scope, access.JournalRead); err != nil {
		return out, err
	}
	keys, err := publicKeys(v)
	if err != nil {
		return out, err
	}
	err = r.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c := checker{Verdict: &out, organisation: scope.Organisation(), keys: keys, chain: start(), ends: map[int64][]byte{}}
		return c.run(ctx, tx, last)
	})
	return out, err
}

// checker walks a chain.
type checker struct {
	*Verdict
	organisation uuid.UUID
	keys         map[string]ed25519.PublicKey
	// number and chain are those of the entry before.
	number int64
	chain  []byte
	// heads are to be met on the way, ends are the chains met there.
	heads []head
	ends  map[int64][]byte
}

func (c *checker) run(ctx context.Context, tx *storage.Tx, last int64) error {
	if err := c.readHeads(ctx, tx); err != nil {
		return err
	}
	if err := c.count(ctx, tx); err != nil {
		return err
	}
	if last > 0 && c.Sealed > last {
		if err := c.skip(ctx, tx, c.Sealed-last); err != nil {
			return err
		}
	}
	from := c.number
	if err := eachSealed(ctx, tx, c.organisation, `seal_number > $2 ORDER BY seal_number`, []any{from}, func(e sealed) error {
		c.look(e)
		return nil
	}); err != nil {
		return err
	}
	c.lookAtHeads(from)
	return nil
}

func (c *checker) count(ctx context.Context, tx *storage.Tx) error {
	var oldest int64
	if _, err := tx.Row(ctx, `SELECT COUNT(*), CAST(COALESCE(MIN(at_us), 0) AS BIGINT) FROM journal_entries WHERE organisation_id = $1 AND seal_number IS NULL`,
		[]any{c.organisation}, &c.Waiting, &oldest); err != nil {
		return err
	}
	if c.Waiting > 0 {
		c.OldestWaiting = storage.Time(oldest)
	}
	_, err := tx.Row(ctx, `SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND seal_number IS NOT NULL`, []any{c.organisation}, &c.Sealed)
	return err
}

// skip begins after a number, taking the chain there as it is.
func (c *checker) skip(ctx context.Context, tx *storage.Tx, number int64) error {
	found, err := tx.Row(ctx, `SELECT seal_chain FROM journal_entries WHERE organisation_id = $1 AND seal_number = $2`, []any{c.organisation, number}, &c.chain)
	if err == nil && found {
		c.number = number
	}
	return err
}

func (c *checker) look(e sealed) {
	if c.Break != "" {
		return
	}
	fail := func(b Break) { c.Break, c.Number, c.ID = b, e.number, e.ID }
	switch {
	case e.number != c.number+1:
		fail(Missing)
		c.Number, c.ID = c.number+1, uuid.Nil
	case e.erased:
		c.Erased++
	case !bytes.Equal(digestOf(e), e.digest):
		fail(Changed)
	}
	if c.Break == "" && !bytes.Equal(chainOf(c.chain, e.digest), e.chain) {
		fail(Rechained)
	}
	c.number, c.chain = e.number, e.chain
	c.ends[e.number] = e.chain
}

func (c *checker) readHeads(ctx context.Context, tx *storage.Tx) error {
	return tx.Query(ctx, `SELECT number, chain, at_us, key_id, signature FROM journal_heads WHERE organisation_id = $1 ORDER BY number`,
		[]any{c.organisation}, func(row func(...any) error) error {
			var h head
			err := row(&h.number, &h.chain, &h.atMicros, &h.key, &h.signature)
			c.heads = append(c.heads, h)
			return err
		})
}

// lookAtHeads holds the signed heads against the chain that was read.
func (c *checker) lookAtHeads(from int64) {
	for _, h := range c.heads {
		if c.Break != "" {
			return
		}
		if key, known := c.keys[h.key]; !known || !ed25519.Verify(key, h.said(c.organisation), h.signature) {
			c.Break, c.Number = Unsigned, h.number
			return
		}
		if h.number <= from {
			continue
		}
		if met, there := c.ends[h.number]; !there {
			c.Break, c.Number = Missing, h.number
		} else if !bytes.Equal(met, h.chain) {
			c.Break, c.Number = Rechained, h.number
		}
	}
	if c.Break == "" && c.number > 0 && (len(c.heads) == 0 || c.heads[len(c.heads)-1].number != c.number) {
		c.Break, c.Number = Unsigned, c.number
	}
}
