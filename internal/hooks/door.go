package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Form is what comes by a door.
type Form string

// The forms. The values are stored.
const (
	Own          Form = "tocsin"       // our own: a key and variables
	Alertmanager Form = "alertmanager" // Prometheus Alertmanager, version 4 of its webhook
	CAP          Form = "cap"          // the Common Alerting Protocol 1.2 of OASIS
)

// Act is what a door does.
type Act string

// The acts. The values are stored.
const (
	Launch  Act = "launch"  // the alert leaves
	Propose Act = "propose" // a person is asked to confirm
)

// Door is where another program starts one scenario that a person chose.
type Door struct {
	ID   uuid.UUID
	Name string
	Form Form
	// Scenario, Mode and Act say what starts, and how.
	Scenario uuid.UUID
	Mode     alerting.Mode
	Act      Act
	// Blanks fills a variable of the scenario: by a fixed text, in which {name}
	// is a variable of our form, or a label or an annotation of Alertmanager's.
	Blanks map[string]string
	// Progress tells the people when the monitor says that it is over.
	Progress bool
	// Gap is how long after it acted a door does nothing more.
	Gap time.Duration
	// Filter and Source are those of a door of CAP; Reading is how its feed goes.
	Filter    Filter
	Source    Source
	Reading   Reading
	Paused    bool
	OldUntil  time.Time
	Acted     time.Time
	CreatedBy string
	Created   time.Time
}

// DoorInput is what it takes to make a door.
type DoorInput struct {
	Name     string
	Form     Form
	Scenario uuid.UUID
	Mode     alerting.Mode
	Act      Act
	Blanks   map[string]string
	Progress bool
	// Gap is GapLeast to GapMost.
	Gap time.Duration
	// Filter and Source are for a door of CAP only.
	Filter Filter
	Source Source
}

// The limits of Gap: a monitor that flaps must never wake people twice in a row.
const (
	GapLeast = 5 * time.Minute
	GapMost  = 24 * time.Hour
)

func (in DoorInput) tidied() (DoorInput, error) {
	var err error
	if in.Name, err = newName(in.Name); err != nil {
		return in, err
	}
	switch {
	case !slices.Contains([]Form{Own, Alertmanager, CAP}, in.Form):
		return in, fault.New(fault.Invalid, "hooks.door.form").At("form")
	case !slices.Contains([]alerting.Mode{alerting.Real, alerting.Exercise, alerting.Test}, in.Mode):
		return in, fault.New(fault.Invalid, "alerting.launch.mode").At("mode")
	case !slices.Contains([]Act{Launch, Propose}, in.Act):
		return in, fault.New(fault.Invalid, "hooks.door.act").At("act")
	case in.Gap < GapLeast || in.Gap > GapMost:
		return in, fault.New(fault.Invalid, "hooks.door.gap").At("gap")
	}
	for name, text := range in.Blanks {
		if len(name) > 30 || len(text) > 200 || len(in.Blanks) > 30 {
			return in, fault.New(fault.Invalid, "hooks.door.blanks").At("blanks")
		}
	}
	if in.Form != CAP {
		in.Filter, in.Source = Filter{}, Source{}
		return in, nil
	}
	if in.Filter, err = in.Filter.tidied(); err != nil || in.Source.URL == "" {
		in.Source.Inside = in.Source.Inside && in.Source.URL != ""
		return in, err
	}
	in.Source.URL, err = newURL(in.Source.URL, in.Source.Inside)
	return in, err
}

// capDoor is what a door of CAP adds, as it is stored.
type capDoor struct {
	Filter
	Source
}

const doorColumns = `id, name, form, scenario_id, mode, act, blanks_json, progress, gap_us, paused, old_until_us, acted_us, created_by, created_us, cap_json`

func readDoors(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Door, err error) {
	err = tx.Query(ctx, `SELECT `+doorColumns+` FROM hooks_doors WHERE organisation_id = $1 AND deleted_us IS NULL `+tail, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var d Door
		var blanks, heard string
		var gap, old, acted, created int64
		if err := row(&d.ID, &d.Name, &d.Form, &d.Scenario, &d.Mode, &d.Act, &blanks, &d.Progress, &gap, &d.Paused, &old, &acted, &d.CreatedBy, &created, &heard); err != nil {
			return err
		}
		d.Gap, d.Created = time.Duration(gap)*time.Microsecond, storage.Time(created)
		if old > 0 {
			d.OldUntil = storage.Time(old)
		}
		if acted > 0 {
			d.Acted = storage.Time(acted)
		}
		var c capDoor
		err := errors.Join(json.Unmarshal([]byte(blanks), &d.Blanks), json.Unmarshal([]byte(heard), &c))
		d.Filter, d.Source = c.Filter, c.Source
		out = append(out, d)
		return err
	})
	for i := range out {
		if err == nil && out[i].Form == CAP {
			out[i].Reading, err = readReading(ctx, tx, scope, out[i].ID)
		}
	}
	return out, err
}

func readReading(ctx context.Context, tx *storage.Tx, scope access.Scope, door uuid.UUID) (r Reading, err error) {
	var last, well int64
	known, err := tx.Row(ctx, `SELECT last_us, well_us, error, failures FROM hooks_polls WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), door}, &last, &well, &r.Error, &r.Failures)
	if err != nil || !known {
		return r, err
	}
	r.Last = storage.Time(last)
	if well > 0 {
		r.Well = storage.Time(well)
	}
	return r, nil
}

// Doors lists those of the scope's establishment, by name. Needs access.ChannelRead.
func (s *Service) Doors(ctx context.Context, scope access.Scope) (out []Door, err error) {
	if err := s.opt.Guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readDoors(ctx, tx, scope, `ORDER BY name, id`)
		return err
	})
	return out, err
}

// Door gives one. Needs access.ChannelRead. Errors: NotFound.
func (s *Service) Door(ctx context.Context, scope access.Scope, id uuid.UUID) (Door, error) {
	list, err := s.Doors(ctx, scope)
	if err != nil {
		return Door{}, err
	}
	for _, d := range list {
		if d.ID == id {
			return d, nil
		}
	}
	return Door{}, fault.New(fault.NotFound, "hooks.unknown")
}

// OpenDoor makes a door and gives its secret, which nothing shows again. A
// person makes it: that is how its scenario is authorised. Needs
// access.ChannelWrite, which no program has. Errors: Invalid at a field,
// NotFound for the scenario, Conflict when there are too many.
func (s *Service) OpenDoor(ctx context.Context, scope access.Scope, now time.Time, in DoorInput) (Door, string, error) {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return Door{}, "", err
	}
	in, err := in.tidied()
	if err != nil {
		return Door{}, "", err
	}
	if _, _, err := s.opt.Alerting.Scenario(ctx, scope, in.Scenario); err != nil {
		return Door{}, "", err
	}
	if in.Blanks == nil {
		in.Blanks = map[string]string{}
	}
	secret := newSecret()
	d := Door{
		ID: storage.NewID(now), Name: in.Name, Form: in.Form, Scenario: in.Scenario, Mode: in.Mode, Act: in.Act, Blanks: in.Blanks, Progress: in.Progress, Gap: in.Gap,
		Filter: in.Filter, Source: in.Source,
		CreatedBy: scope.Actor().Name, Created: now,
	}
	sealed, err := s.opt.Vault.Seal([]byte(secret), secretOf(d.ID))
	if err != nil {
		return d, "", err
	}
	blanks, err := json.Marshal(d.Blanks)
	if err != nil {
		return d, "", fmt.Errorf("write a door: %w", err)
	}
	heard, err := json.Marshal(capDoor{d.Filter, d.Source})
	if err != nil {
		return d, "", fmt.Errorf("write a door: %w", err)
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readDoors(ctx, tx, scope, ``)
		if err != nil {
			return err
		}
		if len(list) >= most {
			return fault.New(fault.Conflict, "hooks.too_many", "most", most)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hooks_doors (organisation_id, id, name, form, scenario_id, mode, act, blanks_json, progress, gap_us, paused, secret, old_until_us, acted_us, created_by, created_us, cap_json)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $13, $14, $15)`, scope.Organisation(), d.ID, d.Name, string(d.Form), d.Scenario, string(d.Mode), string(d.Act),
			string(blanks), d.Progress, d.Gap.Microseconds(), false, sealed, d.CreatedBy, storage.Micros(now), string(heard)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.door.create", "door", d.ID, d.Name,
			map[string]any{"form": d.Form, "scenario": d.Scenario, "mode": d.Mode, "act": d.Act, "filter": d.Filter, "feed": d.Source.URL, "gap_s": int(d.Gap.Seconds())}))
	})
	return d, secret, err
}

// PauseDoor shuts a door for a while, or opens it again. Needs access.ChannelWrite.
func (s *Service) PauseDoor(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, paused bool) error {
	return s.changeDoor(ctx, scope, now, id, "hooks.door."+map[bool]string{true: "pause", false: "resume"}[paused], `paused = $3`, paused)
}

// CloseDoor takes a door away: its secret opens nothing any more. Needs access.ChannelWrite.
func (s *Service) CloseDoor(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	return s.changeDoor(ctx, scope, now, id, "hooks.door.delete", `deleted_us = $3`, storage.Micros(now))
}

// RotateDoor makes a new secret; the one before opens too for RotationLife. Needs access.ChannelWrite.
func (s *Service) RotateDoor(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (string, error) {
	secret := newSecret()
	sealed, err := s.opt.Vault.Seal([]byte(secret), secretOf(id))
	if err != nil {
		return "", err
	}
	err = s.changeDoor(ctx, scope, now, id, "hooks.door.rotate", `old_secret = secret, old_until_us = $4, secret = $3`, sealed, storage.Micros(now.Add(RotationLife)))
	return secret, err
}

func (s *Service) changeDoor(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, action, set string, args ...any) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readDoors(ctx, tx, scope, `AND id = $2`, id)
		if err == nil && len(list) == 0 {
			err = fault.New(fault.NotFound, "hooks.unknown")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE hooks_doors SET `+set+` WHERE organisation_id = $1 AND id = $2`, append([]any{scope.Organisation(), id}, args...)...); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry(action, "door", id, list[0].Name, nil))
	})
}
