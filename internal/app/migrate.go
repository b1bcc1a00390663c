package app

import (
	"errors"

	"tocsin/internal/storage"
)

// status lists the steps of the schema without applying any.
func (m *migrateCommand) status(s *session) error {
	db, err := storage.Open(s.ctx, storage.Options{URL: m.DatabaseURL, Dir: m.Data})
	if err != nil {
		return err
	}
	steps, err := db.Migrations(s.ctx, Migrations()...)
	for _, step := range steps {
		state := "to do"
		if step.Applied {
			state = "applied"
		}
		s.printf("%-8s %s", state, step.Name)
	}
	return errors.Join(err, db.Close())
}
