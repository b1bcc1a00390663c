package identity

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// A wrong answer costs time to whoever gave it: to this device if we know it,
// else to this network. Never to the account, so that nobody can lock a
// colleague out by trying her login.
const (
	freeTries   = 5
	forgetAfter = 24 * time.Hour
	// factorTries is how many wrong codes strangers together may give on one
	// account before each new one waits. They know the password already: here
	// the account matters more than their comfort, and known devices pass by.
	factorTries = 20
)

// brake is one counter of failures.
type brake struct {
	key  []byte
	free int64
}

// newBrake names a counter: what was tried, by which device or network.
func newBrake(free int64, what, on, by string) brake {
	sum := sha256.Sum256([]byte(what + "\x00" + on + "\x00" + by))
	return brake{key: sum[:], free: free}
}

// brakesOf is who pays for a failure.
func brakesOf(what, on string, c Client, known bool) []brake {
	if known {
		return []brake{newBrake(freeTries, what, on, "device "+c.Known)}
	}
	out := []brake{newBrake(freeTries, what, on, "network "+networkOf(c.Address))}
	if what == "factor" || what == "telephone" { // the account matters more than the comfort of strangers
		out = append(out, newBrake(factorTries, what, on, "strangers"))
	}
	return out
}

// networkOf is the /24 or the /64 of an address: who holds one address of it
// holds the others.
func networkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}

// braked gives how long is still to wait; zero when one may try.
func braked(ctx context.Context, tx *storage.Tx, brakes []brake, now time.Time) (wait time.Duration, err error) {
	for _, b := range brakes {
		var until int64
		if _, err := tx.Row(ctx, `SELECT until_us FROM identity_throttles WHERE key_hash = $1`, []any{b.key}, &until); err != nil {
			return 0, err
		}
		wait = max(wait, storage.Time(until).Sub(now))
	}
	return wait, nil
}

// countTry counts a try as a failure before it is judged, so that a hundred
// tries at the same instant count as a hundred; release takes it back. It
// returns the largest count.
func countTry(ctx context.Context, tx *storage.Tx, brakes []brake, now time.Time) (most int64, err error) {
	for _, b := range brakes {
		var failures int64
		if _, err := tx.Row(ctx, `INSERT INTO identity_throttles (key_hash, failures, last_us, until_us) VALUES ($1, 1, $2, 0)
			ON CONFLICT (key_hash) DO UPDATE SET last_us = $2,
			failures = CASE WHEN identity_throttles.last_us < $3 THEN 1 ELSE identity_throttles.failures + 1 END RETURNING failures`,
			[]any{b.key, storage.Micros(now), storage.Micros(now.Add(-forgetAfter))}, &failures); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_throttles SET until_us = $2 WHERE key_hash = $1`,
			b.key, storage.Micros(now.Add(vault.Wait(failures, b.free)))); err != nil {
			return 0, err
		}
		most = max(most, failures)
	}
	return most, nil
}

// release forgets the failures of who proved to be right. What strangers did
// together is not forgotten for one of them.
func release(ctx context.Context, tx *storage.Tx, brakes []brake) error {
	for i, b := range brakes {
		query := `DELETE FROM identity_throttles WHERE key_hash = $1`
		if i > 0 {
			query = `UPDATE identity_throttles SET failures = failures - 1 WHERE key_hash = $1`
		}
		if _, err := tx.Exec(ctx, query, b.key); err != nil {
			return err
		}
	}
	return nil
}
