package directory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Matricules gives the matricule of each of these people, as the staff file has
// it today; those who have none, or who are not on this list, are left out.
func (d *Directory) Matricules(ctx context.Context, tx *storage.Tx, scope access.Scope, people []uuid.UUID) (map[uuid.UUID]string, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]string, len(people))
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(people, lookupPage) {
		args := append([]any{scope.Organisation(), g}, storage.Args(chunk)...)
		err := tx.Query(ctx, `SELECT id, matricule FROM directory_people WHERE organisation_id = $1 AND since_gen <= $2 AND until_gen > $2 AND matricule <> ''
			AND id IN (`+storage.In(len(chunk), 3)+`)`, args, func(row func(...any) error) error {
			var id uuid.UUID
			var matricule string
			err := row(&id, &matricule)
			out[id] = matricule
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Team lists the people of one service who work here, by name, without their
// contact points: who is ticked when a service calls its roll. Nil gives those
// who are in no service.
func (d *Directory) Team(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, service uuid.UUID) ([]Target, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	c, err := d.newCompiler(ctx, tx, scope, now)
	if err != nil {
		return nil, err
	}
	where := working + " AND p.service_id IS NULL"
	if service != uuid.Nil {
		where = working + " AND p.service_id = " + c.arg(service)
	}
	var out []Target
	err = tx.Query(ctx, `SELECT p.id, p.human_id, p.last_name, p.first_name, p.metier, p.qualifications, p.site_id
		FROM directory_people p WHERE `+where+` ORDER BY p.name_folded, p.id`, c.args, func(row func(...any) error) error {
		t := Target{Service: service}
		var site uuid.NullUUID
		var qualifications string
		err := row(&t.Person, &t.Human, &t.LastName, &t.FirstName, &t.Metier, &qualifications, &site)
		t.Site, t.Qualifications = site.UUID, unpacked(qualifications)
		c.place(&t)
		out = append(out, t)
		return err
	})
	return out, err
}
