package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// applyChunk people are written in one transaction of a few tens of milliseconds.
const applyChunk = 400

// Request marks an import to be previewed, confirmed or undone by the next
// Work: for pages, which do not wait. next is Previewing, Applying or Undoing.
func (d *Directory) Request(ctx context.Context, scope access.Scope, id uuid.UUID, next ImportState) (Import, error) {
	from := map[ImportState][]ImportState{Previewing: {Staged, Ready}, Applying: {Ready}, Undoing: {Applied}}[next]
	i, err := d.inState(ctx, scope, id, from...)
	if err != nil {
		return i, err
	}
	switch next {
	case Previewing:
		if err := i.Mapping.check(len(i.Header)); err != nil {
			return i, err
		}
		i.State, i.Done = Previewing, 0
		return i, d.keep(ctx, scope, i)
	case Applying:
		return i, d.begin(ctx, scope, &i, Applying, "directory.import.confirm")
	}
	return i, d.begin(ctx, scope, &i, Undoing, "directory.import.undo")
}

// Work takes one import that waits, or that a crash cut, and goes on with it.
// more is true when another may wait. It suits jobs.Task; scope is an Instance scope.
func (d *Directory) Work(ctx context.Context, scope access.Scope) (more bool, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return false, err
	}
	var organisation, id uuid.UUID
	var state ImportState
	found := false
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id, state FROM directory_imports WHERE state IN ('previewing', 'applying', 'undoing')
			ORDER BY created_us LIMIT 1`, nil, &organisation, &id, &state)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	inside := scope.Within(organisation)
	switch state {
	case Previewing:
		err = d.carryOn(ctx, inside, id)
	case Applying:
		_, err = d.Confirm(ctx, inside, id)
	default:
		_, err = d.Undo(ctx, inside, id, true)
	}
	return err == nil, err
}

// ClearCut abandons the imports whose file was being read when the program
// stopped: the rest of the file is lost, and nothing of it was seen. Call it at the start.
func (d *Directory) ClearCut(ctx context.Context, scope access.Scope) error {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	type cut struct{ organisation, id uuid.UUID }
	var list []cut
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id FROM directory_imports WHERE state = 'staging'`, nil, func(row func(...any) error) error {
			var c cut
			err := row(&c.organisation, &c.id)
			list = append(list, c)
			return err
		})
	}); err != nil {
		return err
	}
	for _, c := range list {
		if err := d.Abandon(ctx, scope.Within(c.organisation), c.id); err != nil {
			return err
		}
	}
	return nil
}

// Confirm writes the next generation of the directory beside the present one,
// then shows it by one short transaction. Cut by a crash, it goes on where it
// was when called again. Until the end everybody sees the directory of before.
func (d *Directory) Confirm(ctx context.Context, scope access.Scope, id uuid.UUID) (Import, error) {
	i, err := d.inState(ctx, scope, id, Ready, Applying)
	if err != nil {
		return i, err
	}
	if !d.working.TryLock() {
		return i, fault.New(fault.Conflict, "directory.import.busy")
	}
	defer d.working.Unlock()
	if i.State == Ready {
		if err := d.begin(ctx, scope, &i, Applying, "directory.import.confirm"); err != nil {
			return i, err
		}
	}
	a := &application{Directory: d, scope: scope, i: &i}
	if err := a.run(ctx); err != nil {
		return i, fmt.Errorf("apply import %s: %w", id, err)
	}
	return i, d.settleAfter(ctx, scope, i)
}

// begin takes the establishment's turn to write a generation. One import at a time.
func (d *Directory) begin(ctx context.Context, scope access.Scope, i *Import, state ImportState, action string) error {
	now := d.clock.Now()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := markStale(ctx, tx, scope); err != nil {
			return err
		}
		// The row is read again: two people may have confirmed at once.
		current, err := readImport(ctx, tx, scope, i.ID)
		if err != nil {
			return err
		}
		if current.State != i.State {
			return fault.New(fault.Conflict, "directory.import.state", "state", string(current.State))
		}
		n, err := tx.Exec(ctx, `UPDATE directory_state SET applying = $2, last_generation = last_generation + 1 WHERE organisation_id = $1 AND applying IS NULL`,
			scope.Organisation(), i.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "directory.import.other_running")
		}
		i.State, i.Done = state, 0
		if state == Applying {
			i.Applied = storage.Time(storage.Micros(now))
			if _, err := tx.Row(ctx, `SELECT last_generation FROM directory_state WHERE organisation_id = $1`, []any{scope.Organisation()}, &i.generation); err != nil {
				return err
			}
		}
		if err := writeImport(ctx, tx, scope, *i, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "import", ObjectID: i.ID.String(), ObjectName: i.FileName,
			After: map[string]any{"source": i.Source, "new": i.Summary.New, "changed": i.Summary.Changed, "gone": i.Summary.Gone, "refused": i.Summary.Refused},
		})
	})
}

// application is the writing of one generation.
type application struct {
	*Directory
	scope   access.Scope
	i       *Import
	reading *reading
}

// result is a row of directory_import_results to be applied.
type result struct {
	seq    int
	person uuid.UUID
	entry  *entry
}

func (a *application) run(ctx context.Context) error {
	if err := a.readPlaces(ctx, nil); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk, err := a.next(ctx)
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			return a.show(ctx)
		}
		if err := a.readPlaces(ctx, chunk); err != nil {
			return err
		}
		if err := a.db.Write(ctx, a.scope, func(tx *storage.Tx) error { return a.write(ctx, tx, chunk) }); err != nil {
			return err
		}
	}
}

func (a *application) next(ctx context.Context) (out []result, err error) {
	err = a.db.Read(ctx, a.scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT seq, person_id, entry FROM directory_import_results WHERE organisation_id = $1 AND import_id = $2 AND seq > $3
			AND (kind IN ('new', 'changed', 'gone') OR kind = 'same' AND entry <> '') ORDER BY seq LIMIT $4`, []any{a.scope.Organisation(), a.i.ID, a.i.Done, applyChunk},
			func(row func(...any) error) error {
				var r result
				var id uuid.NullUUID
				var text string
				if err := row(&r.seq, &id, &text); err != nil {
					return err
				}
				if r.person = id.UUID; text != "" {
					r.entry = new(entry)
					if err := json.Unmarshal([]byte(text), r.entry); err != nil {
						return err
					}
				}
				out = append(out, r)
				return nil
			})
	})
	return out, err
}

// readPlaces creates the sites and services that a chunk names and that do not exist.
func (a *application) readPlaces(ctx context.Context, chunk []result) error {
	if a.reading == nil {
		return a.db.Read(ctx, a.scope, func(tx *storage.Tx) error {
			places, err := a.organisation.Places(ctx, tx, a.scope, a.clock.Now())
			if err != nil {
				return err
			}
			a.reading, err = newReading(a.i.Header, a.i.Mapping, a.i.Source, places, a.reference)
			if err != nil {
				return err
			}
			a.reading.secret = a.key.Secret
			a.reading.rules, err = readFieldRules(ctx, tx, a.scope)
			return err
		})
	}
	var missing []organisation.PlaceName
	for _, r := range chunk {
		if r.entry == nil {
			continue
		}
		site, service := a.reading.places.Find(r.entry.Place)
		if site == uuid.Nil && r.entry.Place.Site != "" || service == uuid.Nil && r.entry.Place.Service+r.entry.Place.Code != "" {
			missing = append(missing, r.entry.Place)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return a.db.Write(ctx, a.scope, func(tx *storage.Tx) (err error) {
		a.reading.places, err = a.organisation.EnsurePlaces(ctx, tx, a.scope, a.clock.Now(), missing)
		return err
	})
}

// write makes the next version of the people of a chunk. What each is today is
// read again here: somebody may have edited since the preview.
func (a *application) write(ctx context.Context, tx *storage.Tx, chunk []result) error {
	var keys []string
	var gone []uuid.UUID
	for _, r := range chunk {
		if r.entry != nil {
			keys = append(keys, r.entry.Match)
		} else {
			gone = append(gone, r.person)
		}
	}
	known, err := a.known(ctx, tx, a.scope, keys)
	if err != nil {
		return err
	}
	b := &batch{scope: a.scope, key: a.key, generation: a.i.generation}
	for _, r := range chunk {
		if r.entry == nil {
			continue
		}
		old := known[r.entry.Match]
		p := a.reading.merge(r.entry, old, a.i.Applied)
		if old != nil && len(changedFields(old.Person, p.Person)) == 0 && maps.Equal(old.hand, p.hand) {
			continue
		}
		b.add(p, old != nil, a.i.Applied)
	}
	for _, id := range gone {
		p, found, err := person(ctx, tx, a.scope, id)
		if err != nil {
			return err
		}
		if found && p.Departed.IsZero() && p.Source == a.i.Source {
			p.Departed = a.i.Applied
			b.add(p, true, a.i.Applied)
		}
	}
	if err := b.flush(ctx, tx); err != nil {
		return err
	}
	conflicts := a.reading.conflicts
	a.reading.conflicts = nil
	if err := keepConflicts(ctx, tx, a.scope, a.i.Applied, a.i.ID, conflicts); err != nil {
		return err
	}
	a.i.Done = chunk[len(chunk)-1].seq
	return progress(ctx, tx, a.scope, a.i.ID, a.i.Done, a.clock.Now())
}

// batch is a set of versions to be written together.
type batch struct {
	scope            access.Scope
	key              vault.Derived
	generation       int64
	replaced         []uuid.UUID
	people, contacts [][]any
}

func (b *batch) add(p record, replaces bool, at time.Time) {
	p.since, p.Updated = b.generation, at
	if replaces {
		b.replaced = append(b.replaced, p.ID)
		p.Revision++
	}
	b.people = append(b.people, p.values(b.scope, b.key))
	for _, k := range p.Contacts {
		b.contacts = append(b.contacts, point{k, p.ID, b.generation}.values(b.scope))
	}
}

func (b *batch) flush(ctx context.Context, tx *storage.Tx) error {
	if len(b.replaced) > 0 {
		args := storage.Args(b.replaced, b.scope.Organisation(), b.generation, int64(forever))
		for table, column := range map[string]string{"directory_people": "id", "directory_contacts": "person_id"} {
			if _, err := tx.Exec(ctx, `UPDATE `+table+` SET until_gen = $2 WHERE organisation_id = $1 AND until_gen = $3 AND `+column+` IN (`+
				storage.In(len(b.replaced), 4)+`)`, args...); err != nil {
				return err
			}
		}
	}
	if err := tx.InsertRows(ctx, "directory_people", personInsert, b.people); err != nil {
		return err
	}
	return tx.InsertRows(ctx, "directory_contacts", contactInsert, b.contacts)
}

// show makes the new generation the one that is seen: the switch.
func (a *application) show(ctx context.Context) error {
	now := a.clock.Now()
	a.i.State, a.i.Done = Applied, a.i.Total
	return a.db.Write(ctx, a.scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE directory_state SET generation = $2, applying = NULL, quality_stale = TRUE WHERE organisation_id = $1`,
			a.scope.Organisation(), a.i.generation); err != nil {
			return err
		}
		if err := remember(ctx, tx, a.scope, *a.i, now); err != nil {
			return err
		}
		return writeImport(ctx, tx, a.scope, *a.i, now)
	})
}

// settleAfter does what may wait until the generation is shown: the file goes,
// rows that were refused excepted, and people are linked again to the humans they are.
func (d *Directory) settleAfter(ctx context.Context, scope access.Scope, i Import) error {
	if err := d.drain(ctx, scope, i, "directory_import_rows", ` AND seq NOT IN (SELECT r.seq FROM directory_import_results r
		WHERE r.organisation_id = $1 AND r.import_id = $2 AND r.seq > $3 AND r.seq <= $4 AND r.kind = 'refused')`); err != nil {
		return err
	}
	d.unlinked.Store(true)
	_, err := d.LinkHumans(ctx, linkScope())
	return err
}
