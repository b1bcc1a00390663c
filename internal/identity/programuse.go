package identity

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Program is somebody else's program that proved to hold a token.
type Program struct {
	Token Token
	// Scope lets it do in its establishment what the token names, no more.
	Scope access.Scope
}

// Program finds who holds a key. Errors: Unauthenticated, the same for a key
// that never was, one taken back and one too old: whoever tries learns nothing.
func (s *Service) Program(ctx context.Context, key string, c Client) (p Program, err error) {
	refused := fault.New(fault.Unauthenticated, "identity.token.refused")
	if len(key) != len(tokenPrefix)+43 || key[:len(tokenPrefix)] != tokenPrefix {
		return p, refused
	}
	var here uuid.UUID
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		found, err := tx.Row(ctx, `SELECT organisation_id FROM identity_tokens WHERE token_hash = $1`, []any{vault.Digest(key)}, &here)
		if err != nil || !found {
			return orElse(err, refused)
		}
		p.Token, err = oneToken(ctx, tx, `organisation_id = $1 AND token_hash = $2`, here, vault.Digest(key))
		return err
	})
	if err != nil {
		return Program{}, err
	}
	if !p.Token.Live(s.clock.Now()) {
		return Program{}, refused
	}
	actor := access.Actor{ID: p.Token.ID, Name: p.Token.Name, From: c.Address}
	p.Scope = access.ForProgram(here, actor, p.Token.Actions, rolesOf(p.Token.Actions)...)
	return p, nil
}

// How often the same use is written down: a supervision that asks every five
// seconds is one line an hour in the journal.
const (
	useTouched = time.Minute
	useNoted   = time.Hour
	usesKept   = 10_000
)

// uses remembers what was written down of late, on this node.
type uses struct {
	mu   sync.Mutex
	seen map[use]time.Time
}

// use is one thing a token does from one address; operation is empty for the touch.
type use struct {
	token              uuid.UUID
	operation, address string
	refused            bool
}

// fresh tells that a use was not seen for that long, and remembers it.
func (u *uses) fresh(k use, now time.Time, wait time.Duration) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, known := u.seen[k]; known && now.Sub(last) < wait {
		return false
	}
	if u.seen == nil || len(u.seen) >= usesKept {
		u.seen = map[use]time.Time{}
	}
	u.seen[k] = now
	return true
}

// NoteUse writes down that a program did an operation, or was refused it: the
// last use of its token once a minute, a line of the journal the first time
// and then once an hour. What the operation changes has its own line.
func (s *Service) NoteUse(ctx context.Context, p Program, operation string, refused bool) error {
	now, from := s.clock.Now(), p.Scope.Actor().From
	touch := s.uses.fresh(use{token: p.Token.ID}, now, useTouched)
	note := s.uses.fresh(use{p.Token.ID, operation, from, refused}, now, useNoted)
	if !touch && !note {
		return nil
	}
	return s.db.Write(ctx, p.Scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE identity_tokens SET used_us = $3, used_from = $4 WHERE organisation_id = $1 AND id = $2`,
			p.Scope.Organisation(), p.Token.ID, storage.Micros(now), from); err != nil || !note {
			return err
		}
		e := tokenEntry("identity.token.use", p.Token)
		if refused {
			e.Action = "identity.token.denied"
		}
		e.After = map[string]string{"operation": operation}
		return journal.Append(ctx, tx, p.Scope, now, e)
	})
}
