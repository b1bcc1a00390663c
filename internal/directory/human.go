package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// evidence hashes what identifies a human being: the RPPS number, and the name
// with each mobile and e-mail. A number that several people share proves nothing.
func evidence(key vault.Derived, p Person) string {
	var keys []string
	if p.RPPS != "" {
		keys = append(keys, hash(key, "rpps", p.RPPS))
	}
	name := storage.Fold(p.LastName + " " + p.FirstName)
	for _, k := range p.Contacts {
		if k.Kind == Mobile || k.Kind == Email {
			keys = append(keys, hash(key, k.Kind, name, k.Address))
		}
	}
	return packed(keys)
}

// hash is HMAC-SHA-256 of the parts, cut to 96 bits: enough that no two of a
// country's professionals meet, and nobody turns it back without the key.
func hash(key vault.Derived, parts ...string) string {
	mac := hmac.New(sha256.New, key.Secret[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// linkBatch is how many people change in one transaction.
const linkBatch = 400

// member is a row of people as linking sees it.
type member struct {
	organisation, id, human uuid.UUID
	since                   int64
	keys                    []string
}

// LinkHumans recognises rows that are one human being: same RPPS number, or
// same name with the same mobile or e-mail. It does nothing when nobody changed
// since the last time, and returns how many rows got another human. Only keyed
// hashes are compared, with an Instance scope: no establishment learns anything
// of another's people.
func (d *Directory) LinkHumans(ctx context.Context, scope access.Scope) (int, error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return 0, err
	}
	if !d.unlinked.CompareAndSwap(true, false) {
		return 0, nil
	}
	n, err := d.linkAll(ctx, scope)
	if err != nil {
		d.unlinked.Store(true)
		return n, fmt.Errorf("link humans: %w", err)
	}
	return n, nil
}

func (d *Directory) linkAll(ctx context.Context, scope access.Scope) (int, error) {
	if err := d.rekey(ctx, scope); err != nil {
		return 0, err
	}
	var all []*member
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		all, err = several(ctx, tx)
		return err
	}); err != nil {
		return 0, err
	}
	rows := regroup(all)
	for chunk := range slices.Chunk(rows, linkBatch) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			_, err := tx.UpdateRows(ctx, "directory_people", 3, []storage.Column{
				{Name: "organisation_id", Type: "uuid"},
				{Name: "id", Type: "uuid"},
				{Name: "since_gen", Type: "bigint"},
				{Name: "human_id", Type: "uuid"},
			}, chunk)
			return err
		}); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// several reads the rows that share a hash with another row, and those that
// were once linked to another. Two sweeps: the first only counts hashes, so that
// memory holds a few bytes for each.
func several(ctx context.Context, tx *storage.Tx) ([]*member, error) {
	seed := maphash.MakeSeed()
	seen := map[uint64]bool{} // true: more than once
	sweep := func(each func(m *member) error) error {
		return tx.Query(ctx, `SELECT organisation_id, id, since_gen, human_id, human_keys FROM directory_people WHERE until_gen = $1`, []any{int64(forever)},
			func(row func(...any) error) error {
				m := &member{}
				var keys string
				if err := row(&m.organisation, &m.id, &m.since, &m.human, &keys); err != nil {
					return err
				}
				m.keys = unpacked(keys)
				return each(m)
			})
	}
	if err := sweep(func(m *member) error {
		for _, k := range m.keys {
			h := maphash.String(seed, k)
			_, again := seen[h]
			seen[h] = again
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var out []*member
	err := sweep(func(m *member) error {
		if m.human != m.id || slices.ContainsFunc(m.keys, func(k string) bool { return seen[maphash.String(seed, k)] }) {
			out = append(out, m)
		}
		return nil
	})
	return out, err
}

// regroup gives every set of rows joined by evidence one human, the oldest
// row's id, and returns the rows to be changed.
func regroup(all []*member) [][]any {
	leader := make(map[*member]*member, len(all))
	find := func(m *member) *member {
		for leader[m] != nil {
			m = leader[m]
		}
		return m
	}
	bearer := map[string]*member{}
	for _, m := range all {
		for _, k := range m.keys {
			other := bearer[k]
			if other == nil {
				bearer[k] = m
				continue
			}
			if a, b := find(m), find(other); a != b {
				if compareID(a.id, b.id) < 0 {
					a, b = b, a
				}
				leader[a] = b
			}
		}
	}
	var rows [][]any
	for _, m := range all {
		if human := find(m).id; human != m.human {
			rows = append(rows, []any{m.organisation, m.id, m.since, human})
		}
	}
	return rows
}

func compareID(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) }

// rekey computes again the evidence that another key hashed: the keyring was rotated.
func (d *Directory) rekey(ctx context.Context, scope access.Scope) error {
	for {
		var old []*member
		if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
			return tx.Query(ctx, `SELECT organisation_id, id FROM directory_people WHERE until_gen = $1 AND human_by <> $2 LIMIT $3`,
				[]any{int64(forever), d.key.Key, linkBatch}, func(row func(...any) error) error {
					m := &member{}
					err := row(&m.organisation, &m.id)
					old = append(old, m)
					return err
				})
		}); err != nil || len(old) == 0 {
			return err
		}
		for _, m := range old {
			inside := scope.Within(m.organisation)
			if err := d.db.Write(ctx, inside, func(tx *storage.Tx) error { return d.hashAgain(ctx, tx, inside, m.id) }); err != nil {
				return err
			}
		}
	}
}

func (d *Directory) hashAgain(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) error {
	p, _, err := person(ctx, tx, scope, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE directory_people SET human_keys = $3, human_by = $4 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), id, evidence(d.key, p.Person), d.key.Key)
	return err
}

// linkScope is the scope under which an establishment's change is linked to the rest.
func linkScope() access.Scope { return access.Instance("directory.link") }
