package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// linkBatch is how many people are linked in one transaction.
const linkBatch = 400

// LinkHumans recognises rows that are one human being: same RPPS number, or
// same name with the same mobile or e-mail. It looks at rows that changed and
// returns how many it looked at. Only keyed hashes are compared, with an
// Instance scope: no establishment learns anything of another's people.
func (d *Directory) LinkHumans(ctx context.Context, scope access.Scope) (int, error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return 0, err
	}
	if err := d.rekey(ctx, scope); err != nil {
		return 0, fmt.Errorf("link humans: %w", err)
	}
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n := 0
		err := d.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
			n, err = d.linkSome(ctx, tx)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("link humans: %w", err)
		}
		total += n
		if n < linkBatch {
			return total, nil
		}
	}
}

// rekey marks the evidence that an older key hashed, once per start: the
// keyring may have been rotated while the program was off.
func (d *Directory) rekey(ctx context.Context, scope access.Scope) error {
	if d.rekeyed.Load() {
		return nil
	}
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE directory_people SET human_by = '' WHERE human_by <> '' AND human_by <> $1`, d.key.Key)
		return err
	})
	d.rekeyed.Store(err == nil)
	return err
}

// member is a row of people as linking sees it.
type member struct {
	organisation, id, human uuid.UUID
	keys                    []uuid.UUID
}

func (d *Directory) linkSome(ctx context.Context, tx *storage.Tx) (int, error) {
	fresh, err := d.evidence(ctx, tx)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	if err := d.keepEvidence(ctx, tx, fresh); err != nil {
		return 0, err
	}
	all, err := closure(ctx, tx, fresh)
	if err != nil {
		return 0, err
	}
	return len(fresh), relink(ctx, tx, all)
}

// evidence reads some rows that changed and hashes what identifies them.
func (d *Directory) evidence(ctx context.Context, tx *storage.Tx) ([]*member, error) {
	var out []*member
	names := map[uuid.UUID]string{}
	byID := map[uuid.UUID]*member{}
	err := tx.Query(ctx, `SELECT organisation_id, id, human_id, name_folded, rpps FROM directory_people
		WHERE human_by = '' AND until_gen = $1 ORDER BY organisation_id, id LIMIT $2`, []any{int64(forever), linkBatch}, func(row func(...any) error) error {
		m := &member{}
		var name, rpps string
		if err := row(&m.organisation, &m.id, &m.human, &name, &rpps); err != nil {
			return err
		}
		if rpps != "" {
			m.keys = append(m.keys, d.hash("rpps", rpps))
		}
		names[m.id], byID[m.id] = name, m
		out = append(out, m)
		return nil
	})
	if err != nil || len(out) == 0 {
		return out, err
	}
	args := make([]any, 0, len(out)+1)
	args = append(args, int64(forever))
	for _, m := range out {
		args = append(args, m.id)
	}
	err = tx.Query(ctx, `SELECT organisation_id, person_id, kind, address FROM directory_contacts WHERE until_gen = $1 AND kind IN ('mobile', 'email')
		AND organisation_id IN (`+orgs(out, &args)+`) AND person_id IN (`+storage.In(len(out), 2)+`)`, args, func(row func(...any) error) error {
		var organisation, id uuid.UUID
		var kind, address string
		if err := row(&organisation, &id, &kind, &address); err != nil {
			return err
		}
		if m := byID[id]; m.organisation == organisation {
			m.keys = append(m.keys, d.hash(kind, names[id], address))
		}
		return nil
	})
	return out, err
}

// orgs adds the establishments of some rows to the parameters, so that the query follows an index.
func orgs(list []*member, args *[]any) string {
	var seen []uuid.UUID
	for _, m := range list {
		if !slices.Contains(seen, m.organisation) {
			seen = append(seen, m.organisation)
		}
	}
	from := len(*args) + 1
	for _, id := range seen {
		*args = append(*args, id)
	}
	return storage.In(len(seen), from)
}

// hash is HMAC-SHA-256 of the parts, cut to 128 bits: enough that no two of a
// country's professionals meet, and it cannot be turned back without the key.
func (d *Directory) hash(parts ...string) uuid.UUID {
	mac := hmac.New(sha256.New, d.key.Secret[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return uuid.UUID(mac.Sum(nil)[:16])
}

func (d *Directory) keepEvidence(ctx context.Context, tx *storage.Tx, fresh []*member) error {
	var rows [][]any
	args := []any{}
	in := orgs(fresh, &args)
	from := len(args) + 1
	for _, m := range fresh {
		args = append(args, m.id)
		slices.SortFunc(m.keys, compareID)
		m.keys = slices.Compact(m.keys)
		for _, k := range m.keys {
			rows = append(rows, []any{m.organisation, m.id, k})
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM directory_humans WHERE organisation_id IN (`+in+`) AND person_id IN (`+storage.In(len(fresh), from)+`)`, args...); err != nil {
		return err
	}
	if err := tx.InsertNewRows(ctx, "directory_humans", []string{"organisation_id", "person_id", "human_key"}, rows); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE directory_people SET human_by = $`+fmt.Sprint(len(args)+1)+` WHERE human_by = '' AND organisation_id IN (`+in+`) AND id IN (`+
		storage.In(len(fresh), from)+`)`, append(args, d.key.Key)...)
	return err
}

// closure adds to some rows all that share evidence or a former human with
// them, directly or not: what was one may have become two.
func closure(ctx context.Context, tx *storage.Tx, fresh []*member) (map[[2]uuid.UUID]*member, error) {
	all := map[[2]uuid.UUID]*member{}
	var keys, humans []uuid.UUID
	seen := map[uuid.UUID]bool{}
	note := func(m *member) {
		all[[2]uuid.UUID{m.organisation, m.id}] = m
		for _, k := range m.keys {
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
		if !seen[m.human] {
			seen[m.human] = true
			humans = append(humans, m.human)
		}
	}
	for _, m := range fresh {
		note(m)
	}
	for len(keys)+len(humans) > 0 {
		found, err := neighbours(ctx, tx, keys, humans, all)
		if err != nil {
			return nil, err
		}
		keys, humans = nil, nil
		for _, m := range found {
			note(m)
		}
	}
	return all, nil
}

// neighbours reads the rows that bear some keys or humans and are not known yet, with their keys.
func neighbours(ctx context.Context, tx *storage.Tx, keys, humans []uuid.UUID, known map[[2]uuid.UUID]*member) ([]*member, error) {
	found := map[[2]uuid.UUID]*member{}
	read := func(row func(...any) error) error {
		m := &member{}
		if err := row(&m.organisation, &m.id, &m.human); err != nil {
			return err
		}
		id := [2]uuid.UUID{m.organisation, m.id}
		if known[id] == nil {
			found[id] = m
		}
		return nil
	}
	if len(keys) > 0 {
		if err := tx.Query(ctx, `SELECT p.organisation_id, p.id, p.human_id FROM directory_humans h JOIN directory_people p
			ON p.organisation_id = h.organisation_id AND p.id = h.person_id AND p.until_gen = $1
			WHERE h.human_key IN (`+storage.In(len(keys), 2)+`)`, storage.Args(keys, int64(forever)), read); err != nil {
			return nil, err
		}
	}
	if len(humans) > 0 {
		if err := tx.Query(ctx, `SELECT organisation_id, id, human_id FROM directory_people WHERE until_gen = $1 AND human_id IN (`+
			storage.In(len(humans), 2)+`)`, storage.Args(humans, int64(forever)), read); err != nil {
			return nil, err
		}
	}
	var out []*member
	var args []any
	for _, m := range found {
		out = append(out, m)
		args = append(args, m.id)
	}
	if len(out) == 0 {
		return nil, nil
	}
	in := orgs(out, &args)
	return out, tx.Query(ctx, `SELECT organisation_id, person_id, human_key FROM directory_humans WHERE organisation_id IN (`+in+
		`) AND person_id IN (`+storage.In(len(out), 1)+`)`, args, func(row func(...any) error) error {
		var organisation, id, key uuid.UUID
		if err := row(&organisation, &id, &key); err != nil {
			return err
		}
		if m := found[[2]uuid.UUID{organisation, id}]; m != nil {
			m.keys = append(m.keys, key)
		}
		return nil
	})
}

// relink gives every set of rows joined by evidence one human: the oldest row's id.
func relink(ctx context.Context, tx *storage.Tx, all map[[2]uuid.UUID]*member) error {
	leader := map[*member]*member{}
	var find func(m *member) *member
	find = func(m *member) *member {
		if leader[m] == nil || leader[m] == m {
			return m
		}
		leader[m] = find(leader[m])
		return leader[m]
	}
	bearer := map[uuid.UUID]*member{}
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
			rows = append(rows, []any{m.organisation, m.id, int64(forever), human})
		}
	}
	_, err := tx.UpdateRows(ctx, "directory_people", 3, []storage.Column{{Name: "organisation_id", Type: "uuid"}, {Name: "id", Type: "uuid"},
		{Name: "until_gen", Type: "bigint"}, {Name: "human_id", Type: "uuid"}}, rows)
	return err
}

func compareID(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) }

// linkScope is the scope under which an establishment's change is linked to the rest.
func linkScope() access.Scope { return access.Instance("directory.link") }
