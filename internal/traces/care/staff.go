package care

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Worker is somebody of the staff, as the directory says.
type Worker struct {
	Person               uuid.UUID
	Name, Surname, Given string
	Function             string
	// Services are the codes and names of where the person works.
	Services        []string
	Matricule, RPPS string
	Mails           []string
	// Left is when the person left; zero for those who work here.
	Left time.Time
}

// Directory tells who works, or worked, in an establishment.
type Directory interface {
	Workers(ctx context.Context, organisation uuid.UUID, each func(Worker) error) error
}

// How an account is recognised as somebody's. The values are stored.
const (
	TiedByMatricule = "matricule"
	TiedByRPPS      = "rpps"
	TiedByMail      = "mail"
	TiedByHand      = "hand"
	TiedByFile      = "file"
)

// chunk is how many rows one transaction writes: a few tens of milliseconds.
const chunk = 200

// copyOf is a member as it was copied last.
type copyOf struct {
	print string
	left  bool
}

// Refresh copies who works in an establishment. Only what changed is written.
// Whoever is in the directory no more keeps the time at which that was seen.
func (s *Service) Refresh(ctx context.Context, organisation uuid.UUID) error {
	if s.opt.Directory == nil {
		return nil
	}
	scope, now := system(organisation), s.opt.Clock.Now()
	before, err := s.copies(ctx, organisation)
	if err != nil {
		return err
	}
	var changed []Worker
	err = s.opt.Directory.Workers(ctx, organisation, func(w Worker) error {
		old, known := before[w.Person]
		delete(before, w.Person)
		if known && old.print == w.print() {
			return nil
		}
		changed = append(changed, w)
		return nil
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(changed, chunk) {
		if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return copyWorkers(ctx, tx, scope, part) }); err != nil {
			return err
		}
	}
	return s.leave(ctx, scope, before, storage.Micros(now))
}

func (s *Service) copies(ctx context.Context, organisation uuid.UUID) (map[uuid.UUID]copyOf, error) {
	out := map[uuid.UUID]copyOf{}
	return out, s.read(ctx, organisation, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT person_id, print, left_us FROM traces_care_members WHERE organisation_id = $1`, []any{organisation}, func(row func(...any) error) error {
			var id uuid.UUID
			var c copyOf
			var left sql.NullInt64
			err := row(&id, &c.print, &left)
			c.left = left.Valid
			out[id] = c
			return err
		})
	})
}

// leave notes those whom the directory names no more.
func (s *Service) leave(ctx context.Context, scope access.Scope, gone map[uuid.UUID]copyOf, now int64) error {
	var ids []uuid.UUID
	for id, c := range gone {
		if !c.left {
			ids = append(ids, id)
		}
	}
	for part := range slices.Chunk(ids, chunk) {
		err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE traces_care_members SET left_us = $2, print = '' WHERE organisation_id = $1 AND person_id IN (`+storage.In(len(part), 3)+`)`, storage.Args(part, scope.Organisation(), now)...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// print is a short text that differs when anything of a worker does.
func (w Worker) print() string {
	text, err := json.Marshal(w)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// key is a word by which an account is recognised as somebody's.
type key struct{ shown, how string }

// keys are the words of a worker, folded.
func (w Worker) keys() map[string]key {
	out := map[string]key{}
	add := func(shown, how string) {
		if word := cut(fold(shown)); word != "" {
			out[word] = key{cut(strings.TrimSpace(shown)), how}
		}
	}
	for _, mail := range w.Mails {
		local, _, _ := strings.Cut(mail, "@")
		add(mail, TiedByMail)
		add(local, TiedByMail)
	}
	add(w.RPPS, TiedByRPPS)
	add(w.Matricule, TiedByMatricule)
	return out
}

func copyWorkers(ctx context.Context, tx *storage.Tx, scope access.Scope, list []Worker) error {
	for _, w := range list {
		if _, err := tx.Exec(ctx, `INSERT INTO traces_care_members (organisation_id, person_id, name, name_folded, surname, given, function, services, matricule, print, left_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (organisation_id, person_id) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, surname = excluded.surname,
			given = excluded.given, function = excluded.function, services = excluded.services, matricule = excluded.matricule, print = excluded.print, left_us = excluded.left_us`,
			scope.Organisation(), w.Person, cut(w.Name), cut(fold(w.Name)), cut(fold(w.Surname)), cut(fold(w.Given)), cut(w.Function), lines(folded(w.Services)), cut(fold(w.Matricule)), w.print(), storage.NullMicros(w.Left)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM traces_care_keys WHERE organisation_id = $1 AND person_id = $2`, scope.Organisation(), w.Person); err != nil {
			return err
		}
		rows := [][]any{}
		for word, k := range w.keys() {
			rows = append(rows, []any{scope.Organisation(), word, k.shown, w.Person, k.how})
		}
		if err := tx.InsertRows(ctx, "traces_care_keys", []string{"organisation_id", "word", "shown", "person_id", "how"}, rows); err != nil {
			return err
		}
	}
	return nil
}
