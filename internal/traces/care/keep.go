package care

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// stepsMost bounds the movements of one stay that are kept: the oldest go first.
const stepsMost = 1000

// Keep writes what a message of a source says, once: it returns nil when it is
// on the disk, also when it was there before. It is called by the listener, for
// the establishment of the source. Errors: Invalid when the message names nobody.
func (s *Service) Keep(ctx context.Context, organisation, source uuid.UUID, n traces.News) error {
	scope, now := system(organisation), storage.Micros(s.opt.Clock.Now())
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		fresh, err := first(ctx, tx, scope, source, n, now)
		if err != nil || !fresh {
			return err
		}
		if err := heard(ctx, tx, scope, source, n, now); err != nil || n.Empty() {
			return err
		}
		return write(ctx, tx, scope, n, now)
	})
}

// first tells whether a message is new, and remembers it. The numbers of some
// senders begin again: the time at which it was said is part of its name.
func first(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID, said traces.News, now int64) (bool, error) {
	if said.Control == "" {
		return true, nil
	}
	control := said.Control + "@" + strconv.FormatInt(said.Sent, 36)
	n, err := tx.Exec(ctx, `INSERT INTO traces_care_messages (organisation_id, source_id, control, kept_us) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organisation_id, source_id, control) DO NOTHING`, scope.Organisation(), source, control, now)
	return n > 0, err
}

// heard counts the messages of a source by kind.
func heard(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID, n traces.News, now int64) error {
	kept, aside := 1, 0
	if n.Empty() {
		kept, aside = 0, 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO traces_care_heard (organisation_id, source_id, what, kept, aside, last_us) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (organisation_id, source_id, what) DO UPDATE SET kept = traces_care_heard.kept + excluded.kept, aside = traces_care_heard.aside + excluded.aside, last_us = excluded.last_us`,
		scope.Organisation(), source, cut(n.What), kept, aside, now)
	return err
}

// write keeps what is said of one patient.
func write(ctx context.Context, tx *storage.Tx, scope access.Scope, n traces.News, now int64) error {
	if len(folded(n.Patient.IPP)) == 0 && fold(n.Patient.INS) == "" {
		return fault.New(fault.Invalid, "traces.care.nobody")
	}
	id, err := identify(ctx, tx, scope, n.Patient, n.Sent, now)
	if err != nil {
		return err
	}
	for _, prior := range n.Prior {
		if err := unite(ctx, tx, scope, id, prior, now); err != nil {
			return err
		}
	}
	var visits []string
	for _, m := range n.Moves {
		if err := move(ctx, tx, scope, id, m, n.Sent, now); err != nil {
			return err
		}
		if visit := cut(fold(m.Visit)); !slices.Contains(visits, visit) {
			visits = append(visits, visit)
		}
	}
	for _, visit := range visits {
		if err := derive(ctx, tx, scope, id, visit, now); err != nil {
			return err
		}
	}
	for _, d := range n.Dates {
		if err := date(ctx, tx, scope, id, d, n.Sent, now); err != nil {
			return err
		}
	}
	return nil
}

// unite gives a patient the numbers that were of another record, and what it held.
func unite(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, prior traces.Identity, now int64) error {
	for _, shown := range prior.IPP {
		n := cut(fold(shown))
		if n == "" {
			continue
		}
		other, err := known(ctx, tx, scope, byIPP, n)
		if err != nil {
			return err
		}
		if err := absorb(ctx, tx, scope, id, other, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_care_numbers (organisation_id, kind, number, shown, patient_id) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organisation_id, kind, number) DO UPDATE SET patient_id = excluded.patient_id`, scope.Organisation(), byIPP, n, cut(strings.TrimSpace(shown)), id); err != nil {
			return err
		}
	}
	return nil
}

// move keeps one movement, unless something newer was said of it.
func move(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, m traces.Move, said, now int64) error {
	visit, id := cut(fold(m.Visit)), cut(fold(m.ID))
	if m.Cancelled && id == "" {
		return cancelLast(ctx, tx, scope, patient, visit, m.Kind, said, now)
	}
	if m.Missing {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_care_moves WHERE organisation_id = $1 AND patient_id = $2 AND visit = $3 AND move <> $4`,
			[]any{scope.Organisation(), patient, visit, id}, &n); err != nil || n > 0 {
			return err
		}
	}
	services, people := lines(folded(m.Services)), lines(numbersOf(m.People))
	_, err := tx.Exec(ctx, `INSERT INTO traces_care_moves (organisation_id, patient_id, visit, move, kind, class, cancelled, at_us, said_us, services, people, touched_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (organisation_id, patient_id, visit, move) DO UPDATE SET kind = excluded.kind, class = excluded.class, cancelled = excluded.cancelled, at_us = excluded.at_us, said_us = excluded.said_us,
			services = CASE WHEN excluded.services = '' THEN traces_care_moves.services ELSE excluded.services END,
			people = CASE WHEN excluded.people = '' THEN traces_care_moves.people ELSE excluded.people END, touched_us = excluded.touched_us
		WHERE excluded.said_us >= traces_care_moves.said_us`,
		scope.Organisation(), patient, visit, id, string(m.Kind), string(m.Class), m.Cancelled, m.At, said, services, people, now)
	return err
}

// cancelLast takes the last movement of a kind back, for senders that give
// movements no number.
func cancelLast(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, visit string, kind traces.MoveKind, said, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE traces_care_moves SET cancelled = TRUE, said_us = $5, touched_us = $6 WHERE organisation_id = $1 AND patient_id = $2 AND visit = $3 AND move =
		(SELECT move FROM traces_care_moves WHERE organisation_id = $1 AND patient_id = $2 AND visit = $3 AND kind = $4 AND cancelled = FALSE AND said_us <= $5 ORDER BY at_us DESC, move DESC LIMIT 1)`,
		scope.Organisation(), patient, visit, string(kind), said, now)
	return err
}

// numbersOf are the words by which professionals may be known.
func numbersOf(people []traces.Professional) []string {
	var out []string
	for _, p := range people {
		out = append(out, p.RPPS, p.ID)
	}
	return folded(out)
}

// derive writes the relations of one stay again.
func derive(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, visit string, now int64) error {
	var steps []step
	err := tx.Query(ctx, `SELECT move, kind, class, at_us, said_us, services, people FROM traces_care_moves WHERE organisation_id = $1 AND patient_id = $2 AND visit = $3 AND cancelled = FALSE
		ORDER BY at_us DESC LIMIT $4`, []any{scope.Organisation(), patient, visit, stepsMost}, func(row func(...any) error) error {
		var s step
		var services, people string
		err := row(&s.id, &s.kind, &s.class, &s.at, &s.said, &services, &people)
		s.services, s.people = unlines(services), unlines(people)
		steps = append(steps, s)
		return err
	})
	if err != nil {
		return err
	}
	return relate(ctx, tx, scope, patient, "v:"+visit, spans(steps), now, now)
}

// relate replaces the relations of one origin.
func relate(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, origin string, list []span, said, now int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM traces_care_relations WHERE organisation_id = $1 AND patient_id = $2 AND origin = $3`, scope.Organisation(), patient, origin); err != nil {
		return err
	}
	rows := make([][]any, 0, len(list))
	for i, r := range list {
		rows = append(rows, []any{scope.Organisation(), patient, origin, i, string(r.kind), r.service, r.who, r.from, null(r.to), said, now})
	}
	return tx.InsertRows(ctx, "traces_care_relations", []string{"organisation_id", "patient_id", "origin", "seq", "kind", "service", "who", "from_us", "to_us", "said_us", "touched_us"}, rows)
}

// gone marks the place of what was cancelled, so that an older message that comes
// late does not bring it back.
const gone = traces.RelationKind("")

// date keeps an appointment, a prescription or a team, unless something newer was
// said of it.
func date(ctx context.Context, tx *storage.Tx, scope access.Scope, patient uuid.UUID, d traces.Date, said, now int64) error {
	origin := string(d.Kind) + ":" + cut(fold(d.ID))
	var newest int64
	if _, err := tx.Row(ctx, `SELECT COALESCE(MAX(said_us), 0) FROM traces_care_relations WHERE organisation_id = $1 AND patient_id = $2 AND origin = $3`, []any{scope.Organisation(), patient, origin}, &newest); err != nil || newest > said {
		return err
	}
	if d.Cancelled {
		return relate(ctx, tx, scope, patient, origin, []span{{kind: gone, from: said, to: said}}, said, now)
	}
	var list []span
	for _, service := range folded(d.Services) {
		list = append(list, span{kind: d.Kind, service: service, from: d.From, to: d.To})
	}
	for _, who := range numbersOf(d.People) {
		list = append(list, span{kind: d.Kind, who: who, from: d.From, to: d.To})
	}
	return relate(ctx, tx, scope, patient, origin, list, said, now)
}
