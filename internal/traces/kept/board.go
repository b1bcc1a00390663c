package kept

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Form is how a tile shows its answer.
type Form string

// The forms.
const (
	Number Form = "nombre"
	Table  Form = "tableau"
	Curve  Form = "courbe"
)

// Forms lists them.
func Forms() []Form { return []Form{Number, Table, Curve} }

// The bounds of dashboards: a page that is looked at asks every question of its
// tiles.
const (
	boardsMost = 50
	TilesMost  = 12
)

// Board is kept questions side by side.
type Board struct {
	ID               uuid.UUID
	Name             string
	Role             access.Role
	Shared           bool
	OwnerID          uuid.UUID
	OwnerName, Why   string
	Created, Changed time.Time
	Tiles            []Tile
}

// Tile is one question of a board. Name is that of the question, empty when
// whoever looks may not see it.
type Tile struct {
	ID, SavedID uuid.UUID
	Form        Form
	Name        string
}

// WantedBoard is what a person says of a board.
type WantedBoard struct {
	Name, Why string
	Shared    bool
}

func (w WantedBoard) check() (WantedBoard, error) {
	w.Name, w.Why = strings.Join(strings.Fields(w.Name), " "), strings.TrimSpace(w.Why)
	if w.Name == "" || len([]rune(w.Name)) > NameMost {
		return w, fault.New(fault.Invalid, "traces.kept.name", "most", NameMost).At("nom")
	}
	if w.Why == "" || len([]rune(w.Why)) > WhyMost {
		return w, fault.New(fault.Invalid, "traces.kept.why", "most", WhyMost).At("motif")
	}
	return w, nil
}

func (b Board) mine(scope access.Scope) bool {
	return b.OwnerID == scope.Actor().ID || b.Shared && scope.Has(b.Role)
}

func readBoards(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Board, err error) {
	err = tx.Query(ctx, `SELECT id, name, role, shared, owner_id, owner_name, why, created_us, changed_us FROM traces_boards WHERE `+which, args, func(row func(...any) error) error {
		var b Board
		var created, changed int64
		err := row(&b.ID, &b.Name, &b.Role, &b.Shared, &b.OwnerID, &b.OwnerName, &b.Why, &created, &changed)
		b.Created, b.Changed = storage.Time(created), storage.Time(changed)
		out = append(out, b)
		return err
	})
	return out, err
}

func oneBoard(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Board, error) {
	list, err := readBoards(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return Board{}, err
	}
	if len(list) == 0 || !list[0].mine(scope) {
		return Board{}, fault.New(fault.NotFound, "traces.kept.no_board")
	}
	b := list[0]
	if b.Tiles, err = readTiles(ctx, tx, scope, id); err != nil {
		return Board{}, err
	}
	saved, err := readSaved(ctx, tx, `s.organisation_id = $1`, scope.Organisation())
	for i, t := range b.Tiles {
		for _, q := range saved {
			if q.ID == t.SavedID && q.seen(scope) {
				b.Tiles[i].Name = q.Name
			}
		}
	}
	return b, err
}

func readTiles(ctx context.Context, tx *storage.Tx, scope access.Scope, board uuid.UUID) (out []Tile, err error) {
	err = tx.Query(ctx, `SELECT id, saved_id, form FROM traces_tiles WHERE organisation_id = $1 AND board_id = $2 ORDER BY place, id`, []any{scope.Organisation(), board}, func(row func(...any) error) error {
		var t Tile
		err := row(&t.ID, &t.SavedID, &t.Form)
		out = append(out, t)
		return err
	})
	return out, err
}

// Boards lists those that somebody sees, by name, without their tiles. Needs
// access.TracesAsk.
func (s *Service) Boards(ctx context.Context, scope access.Scope) (out []Board, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := readBoards(ctx, tx, `organisation_id = $1`, scope.Organisation())
		out = slices.DeleteFunc(all, func(b Board) bool { return !b.mine(scope) })
		return err
	})
	slices.SortFunc(out, func(a, b Board) int { return strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name)) })
	return out, err
}

// Board gives one with its tiles. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Board(ctx context.Context, scope access.Scope, id uuid.UUID) (out Board, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = oneBoard(ctx, tx, scope, id)
		return err
	})
	return out, err
}

func (b Board) entry(action string, after any) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "trace_board", ObjectID: b.ID.String(), ObjectName: b.ID.String(), After: after}
}

// AddBoard makes a board. Needs access.TracesAsk. Errors: Invalid with its field,
// TooMany.
func (s *Service) AddBoard(ctx context.Context, scope access.Scope, w WantedBoard) (out Board, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	if w, err = w.check(); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	out = Board{ID: storage.NewID(now), Name: w.Name, Why: w.Why, Shared: w.Shared, Role: s.role(scope), OwnerID: scope.Actor().ID, OwnerName: scope.Actor().Name, Created: now, Changed: now}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_boards WHERE organisation_id = $1`, []any{scope.Organisation()}, &n); err != nil {
			return err
		}
		if n >= boardsMost {
			return fault.New(fault.TooMany, "traces.kept.too_many_boards", "most", boardsMost)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_boards (organisation_id, id, name, role, shared, owner_id, owner_name, why, created_us, changed_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
			scope.Organisation(), out.ID, out.Name, string(out.Role), out.Shared, out.OwnerID, out.OwnerName, out.Why, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, out.entry("traces.board.add", map[string]any{"shared": out.Shared}))
	})
	return out, err
}

// onBoard does one thing to a board.
func (s *Service) onBoard(ctx context.Context, scope access.Scope, id uuid.UUID, do func(tx *storage.Tx, now time.Time, b Board) (journal.Entry, error)) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		b, err := oneBoard(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		e, err := do(tx, now, b)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE traces_boards SET changed_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, e)
	})
}

// ChangeBoard renames a board, or changes its reason and sharing. Needs
// access.TracesAsk. Errors: NotFound, Invalid with its field.
func (s *Service) ChangeBoard(ctx context.Context, scope access.Scope, id uuid.UUID, w WantedBoard) error {
	return s.onBoard(ctx, scope, id, func(tx *storage.Tx, _ time.Time, b Board) (journal.Entry, error) {
		w, err := w.check()
		if err != nil {
			return journal.Entry{}, err
		}
		_, err = tx.Exec(ctx, `UPDATE traces_boards SET name = $3, why = $4, shared = $5 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, w.Name, w.Why, w.Shared)
		return b.entry("traces.board.change", map[string]any{"shared": w.Shared}), err
	})
}

// DropBoard deletes a board; its questions stay. Needs access.TracesAsk. Errors:
// NotFound.
func (s *Service) DropBoard(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.onBoard(ctx, scope, id, func(tx *storage.Tx, _ time.Time, b Board) (journal.Entry, error) {
		_, err := tx.Exec(ctx, `DELETE FROM traces_tiles WHERE organisation_id = $1 AND board_id = $2`, scope.Organisation(), id)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM traces_boards WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		}
		return b.entry("traces.board.drop", nil), err
	})
}

// AddTile puts a kept question at the end of a board. Needs access.TracesAsk.
// Errors: NotFound, Invalid with its field, TooMany.
func (s *Service) AddTile(ctx context.Context, scope access.Scope, id, saved uuid.UUID, form Form) error {
	return s.onBoard(ctx, scope, id, func(tx *storage.Tx, now time.Time, b Board) (journal.Entry, error) {
		if !slices.Contains(Forms(), form) {
			return journal.Entry{}, fault.New(fault.Invalid, "traces.phrase.choice").At("forme")
		}
		if _, err := one(ctx, tx, scope, saved); err != nil {
			return journal.Entry{}, fault.Wrap(err, fault.Invalid, "traces.kept.unknown").At("question")
		}
		if len(b.Tiles) >= TilesMost {
			return journal.Entry{}, fault.New(fault.TooMany, "traces.kept.too_many_tiles", "most", TilesMost)
		}
		_, err := tx.Exec(ctx, `INSERT INTO traces_tiles (organisation_id, board_id, id, place, saved_id, form) VALUES ($1, $2, $3, (SELECT COALESCE(MAX(place), 0) + 1 FROM traces_tiles WHERE organisation_id = $1 AND board_id = $2), $4, $5)`,
			scope.Organisation(), id, storage.NewID(now), saved, string(form))
		return b.entry("traces.board.tile", map[string]any{"question": saved.String(), "form": string(form)}), err
	})
}

// Move is what is done to a tile.
type Move string

// The moves.
const (
	Up     Move = "monter"
	Down   Move = "descendre"
	Remove Move = "retirer"
)

// MoveTile puts a tile before the one before it, after the one after it, or takes
// it off. Needs access.TracesAsk. Errors: NotFound, Invalid.
func (s *Service) MoveTile(ctx context.Context, scope access.Scope, id, tile uuid.UUID, m Move) error {
	return s.onBoard(ctx, scope, id, func(tx *storage.Tx, _ time.Time, b Board) (journal.Entry, error) {
		at := slices.IndexFunc(b.Tiles, func(t Tile) bool { return t.ID == tile })
		if at < 0 {
			return journal.Entry{}, fault.New(fault.NotFound, "traces.kept.no_tile")
		}
		switch to := at + map[Move]int{Up: -1, Down: 1}[m]; {
		case m == Remove:
			b.Tiles = slices.Delete(b.Tiles, at, at+1)
		case m != Up && m != Down:
			return journal.Entry{}, fault.New(fault.Invalid, "traces.phrase.choice")
		case to >= 0 && to < len(b.Tiles):
			b.Tiles[at], b.Tiles[to] = b.Tiles[to], b.Tiles[at]
		}
		if _, err := tx.Exec(ctx, `DELETE FROM traces_tiles WHERE organisation_id = $1 AND board_id = $2`, scope.Organisation(), id); err != nil {
			return journal.Entry{}, err
		}
		for i, t := range b.Tiles {
			if _, err := tx.Exec(ctx, `INSERT INTO traces_tiles (organisation_id, board_id, id, place, saved_id, form) VALUES ($1, $2, $3, $4, $5, $6)`, scope.Organisation(), id, t.ID, i+1, t.SavedID, string(t.Form)); err != nil {
				return journal.Entry{}, err
			}
		}
		return b.entry("traces.board.tile", map[string]any{"tile": tile.String(), "move": string(m)}), nil
	})
}

// Shown is what a tile shows: its answer, or why there is none.
type Shown struct {
	Tile
	Saved Saved
	Reply traces.Reply
	Err   error
}

// Show asks the question of every tile as of now: one look is traced for each,
// under the reason of the board, so that whoever asks who looked at a patient finds
// this one too. A question that fails fails alone. Needs access.TracesAsk. Errors:
// NotFound.
func (s *Service) Show(ctx context.Context, scope access.Scope, id uuid.UUID, zone *time.Location, takes string) (b Board, out []Shown, err error) {
	if b, err = s.Board(ctx, scope, id); err != nil {
		return b, nil, err
	}
	now := s.opt.Clock.Now()
	for _, t := range b.Tiles {
		one := Shown{Tile: t}
		if one.Saved, one.Err = s.Find(ctx, scope, t.SavedID); one.Err == nil {
			one.Reply, one.Err = s.opt.Traces.Inquire(ctx, scope, traces.Look{Why: b.Why, Takes: takes}, one.Saved.Inquiry, one.Saved.Span.Period(now, zone))
		}
		if ctx.Err() != nil {
			return b, nil, ctx.Err()
		}
		if one.Err != nil && fault.As(one.Err) == nil {
			s.opt.Log.Error("a tile of a dashboard", "board", id, "tile", t.ID, "err", one.Err)
		}
		out = append(out, one)
	}
	return b, out, nil
}
