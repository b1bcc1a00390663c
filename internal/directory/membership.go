package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// membershipChunk groups are asked about in one question.
const membershipChunk = 40

// GroupsOf lists the groups a person is in, by list or by rule, on leave or not.
func (d *Directory) GroupsOf(ctx context.Context, scope access.Scope, id uuid.UUID) (out []Group, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := groups(ctx, tx, scope)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(all, membershipChunk) {
			in, err := d.among(ctx, tx, scope, id, chunk)
			if err != nil {
				return err
			}
			out = append(out, in...)
		}
		return nil
	})
	return out, err
}

// among keeps the groups that hold the person.
func (d *Directory) among(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, list []Group) (out []Group, err error) {
	c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
	if err != nil {
		return nil, err
	}
	columns := make([]string, len(list))
	for i, g := range list {
		condition, err := c.group(g.ID, 0)
		if err != nil {
			return nil, err
		}
		columns[i] = "CASE WHEN " + condition + " THEN 1 ELSE 0 END"
	}
	err = tx.Query(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM directory_people p WHERE `+working+` AND p.id = `+c.arg(id), c.args, func(row func(...any) error) error {
		in := make([]int, len(list))
		into := make([]any, len(list))
		for i := range in {
			into[i] = &in[i]
		}
		if err := row(into...); err != nil {
			return err
		}
		for i, g := range list {
			if in[i] == 1 {
				out = append(out, g)
			}
		}
		return nil
	})
	return out, err
}
