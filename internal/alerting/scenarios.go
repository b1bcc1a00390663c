package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Scenario is a scenario of the establishment, without its definition.
type Scenario struct {
	ID      uuid.UUID
	Title   Localized
	Family  string
	Profile Profile
	// Version is the current one, from 1.
	Version int
	// Library is the family of the library it was copied from; empty for its own.
	Library string
	// Improvised scenarios were written in one call, to be launched at once.
	Improvised bool
	Archived   bool
	Created    time.Time
	Updated    time.Time
	// LastLaunched is zero when it never left.
	LastLaunched time.Time
}

// ScenarioFilter chooses scenarios; the zero filter gives those that can be launched.
type ScenarioFilter struct {
	// Archived gives the archived ones instead, Improvised also the improvised ones.
	Archived, Improvised bool
	// Text is looked for in titles.
	Text string
}

// VersionInfo is one version of a scenario.
type VersionInfo struct {
	Number int
	At     time.Time
	By     string
	// Used tells that an alert was launched from it.
	Used bool
}

const scenarioColumns = `s.id, s.title_json, s.family, s.profile, s.version, s.library, s.improvised, s.archived, s.created_us, s.updated_us,
	COALESCE((SELECT MAX(l.launched_us) FROM alerting_launches l WHERE l.organisation_id = s.organisation_id AND l.scenario_id = s.id), 0)`

// Scenarios lists scenarios by title.
func (s *Service) Scenarios(ctx context.Context, scope access.Scope, f ScenarioFilter) ([]Scenario, error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	query := `SELECT ` + scenarioColumns + ` FROM alerting_scenarios s WHERE s.organisation_id = $1 AND s.archived = $2`
	args := []any{scope.Organisation(), f.Archived}
	if !f.Improvised {
		query += ` AND s.improvised = FALSE`
	}
	if f.Text != "" {
		args = append(args, "%"+storage.Like(storage.Fold(f.Text))+"%")
		query += ` AND s.title_folded LIKE $3 ESCAPE '\'`
	}
	var out []Scenario
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, query+` ORDER BY s.title_folded, s.id`, args, func(row func(...any) error) error {
			sc, err := scanScenario(row)
			out = append(out, sc)
			return err
		})
	})
	return out, err
}

// Scenario returns a scenario with its current definition. Errors: NotFound.
func (s *Service) Scenario(ctx context.Context, scope access.Scope, id uuid.UUID) (sc Scenario, def Definition, err error) {
	if err = s.guard.Check(scope, access.ScenarioRead); err != nil {
		return sc, def, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		sc, def, _, err = readScenario(ctx, tx, scope, id, 0)
		return err
	})
	return sc, def, err
}

// ScenarioVersion returns an older definition. Errors: NotFound.
func (s *Service) ScenarioVersion(ctx context.Context, scope access.Scope, id uuid.UUID, number int) (sc Scenario, def Definition, err error) {
	if err = s.guard.Check(scope, access.ScenarioRead); err != nil {
		return sc, def, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		sc, def, _, err = readScenario(ctx, tx, scope, id, number)
		return err
	})
	return sc, def, err
}

// Versions lists the versions of a scenario, the newest first.
func (s *Service) Versions(ctx context.Context, scope access.Scope, id uuid.UUID) ([]VersionInfo, error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	var out []VersionInfo
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT v.number, v.created_us, v.created_by,
			(SELECT COUNT(*) FROM alerting_launches l WHERE l.organisation_id = v.organisation_id AND l.version_id = v.id)
			FROM alerting_versions v WHERE v.organisation_id = $1 AND v.scenario_id = $2 ORDER BY v.number DESC`,
			[]any{scope.Organisation(), id}, func(row func(...any) error) error {
				var v VersionInfo
				var at int64
				var used int
				if err := row(&v.Number, &at, &v.By, &used); err != nil {
					return err
				}
				v.At, v.Used = storage.Time(at), used > 0
				out = append(out, v)
				return nil
			})
	})
	return out, err
}

// Library lists the scenarios that come with the program.
func (s *Service) Library(_ context.Context, scope access.Scope) ([]Definition, error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	return s.library()
}

// CopyFromLibrary makes the establishment's own copy of a scenario of the
// library; it can be adapted and launched. Errors: NotFound.
func (s *Service) CopyFromLibrary(ctx context.Context, scope access.Scope, now time.Time, family string) (Scenario, error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return Scenario{}, err
	}
	all, err := s.library()
	if err != nil {
		return Scenario{}, err
	}
	for _, def := range all {
		if def.Family == family {
			if def, err = s.withVoice(ctx, scope, def); err != nil {
				return Scenario{}, err
			}
			return s.insert(ctx, scope, now, Scenario{Library: family}, def, "scenario.copy")
		}
	}
	return Scenario{}, fault.New(fault.NotFound, "alerting.scenario.unknown")
}

// withVoice has the waves of a call-out ring after the SMS, where the establishment
// has a telephone line: without one they would wait for nothing.
func (s *Service) withVoice(ctx context.Context, scope access.Scope, def Definition) (Definition, error) {
	if def.Profile != Rappel {
		return def, nil
	}
	list, err := s.dispatch.Gateways(ctx, inside(scope))
	if err != nil || !slices.ContainsFunc(list, func(g dispatch.Gateway) bool { return g.Enabled && g.Medium == channels.Voice }) {
		return def, err
	}
	def.Waves = slices.Clone(def.Waves)
	for i, w := range def.Waves {
		at := slices.Index(w.Media, channels.SMS)
		if at >= 0 && !slices.Contains(w.Media, channels.Voice) {
			def.Waves[i].Media = slices.Insert(slices.Clone(w.Media), at+1, channels.Voice)
		}
	}
	return def, nil
}

// CreateScenario keeps a new scenario. It may still have faults (see
// Definition.Check): they forbid the launch, not the work in progress.
func (s *Service) CreateScenario(ctx context.Context, scope access.Scope, now time.Time, def Definition) (Scenario, error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return Scenario{}, err
	}
	return s.insert(ctx, scope, now, Scenario{}, def, "scenario.create")
}

// DuplicateScenario makes a new scenario from the current version of another. Errors: NotFound.
func (s *Service) DuplicateScenario(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (Scenario, error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return Scenario{}, err
	}
	from, def, err := s.Scenario(ctx, scope, id)
	if err != nil {
		return Scenario{}, err
	}
	for i := range def.Messages {
		def.Messages[i].Recording = uuid.Nil // whoever erases one of the two leaves the other alone
	}
	return s.insert(ctx, scope, now, Scenario{Library: from.Library}, def, "scenario.duplicate")
}

func (s *Service) insert(ctx context.Context, scope access.Scope, now time.Time, sc Scenario, def Definition, action string) (Scenario, error) {
	if err := named(def); err != nil {
		return Scenario{}, err
	}
	sc.ID, sc.Version, sc.Created, sc.Updated = storage.NewID(now), 1, now, now
	sc.Title, sc.Family, sc.Profile = def.Title, def.Family, def.Profile
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		title, err := json.Marshal(def.Title)
		if err != nil {
			return fmt.Errorf("write the title: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_scenarios (organisation_id, id, title_json, title_folded, family, profile, version, library,
			improvised, archived, created_us, updated_us) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, FALSE, $9, $9)`,
			scope.Organisation(), sc.ID, string(title), foldTitle(def.Title), def.Family, string(def.Profile), sc.Library, sc.Improvised,
			storage.Micros(now)); err != nil {
			return err
		}
		if err := insertVersion(ctx, tx, scope, now, sc.ID, 1, def); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "scenario", ObjectID: sc.ID.String(),
			ObjectName: def.Title.In("fr"), After: map[string]any{"family": def.Family, "profile": def.Profile, "version": 1},
		})
	})
	return sc, err
}

// SaveScenario keeps a new version; the older ones stay. base is the version
// the person edited: when it is no longer the current one nothing is kept and
// the error is Conflict. Saving what has not changed makes no version.
func (s *Service) SaveScenario(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, base int, def Definition) (sc Scenario, err error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return sc, err
	}
	if err := named(def); err != nil {
		return sc, err
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		var before Definition
		sc, before, _, err = readScenario(ctx, tx, scope, id, 0)
		if err != nil {
			return err
		}
		if sc.Version != base {
			return fault.New(fault.Conflict, "alerting.scenario.edited_meanwhile", "version", sc.Version)
		}
		if same(before, def) {
			return nil
		}
		sc.Version, sc.Title, sc.Family, sc.Profile, sc.Updated = base+1, def.Title, def.Family, def.Profile, now
		if err := s.eraseDropped(ctx, tx, scope, before, def); err != nil {
			return err
		}
		return saveVersion(ctx, tx, scope, now, sc, def)
	})
	return sc, err
}

func saveVersion(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, sc Scenario, def Definition) error {
	title, err := json.Marshal(def.Title)
	if err != nil {
		return fmt.Errorf("write the title: %w", err)
	}
	n, err := tx.Exec(ctx, `UPDATE alerting_scenarios SET title_json = $4, title_folded = $5, family = $6, profile = $7, version = $8, updated_us = $9
		WHERE organisation_id = $1 AND id = $2 AND version = $3`, scope.Organisation(), sc.ID, sc.Version-1,
		string(title), foldTitle(def.Title), def.Family, string(def.Profile), sc.Version, storage.Micros(now))
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "alerting.scenario.edited_meanwhile", "version", sc.Version)
	}
	if err := insertVersion(ctx, tx, scope, now, sc.ID, sc.Version, def); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "scenario.save", ObjectKind: "scenario", ObjectID: sc.ID.String(),
		ObjectName: def.Title.In("fr"), Before: map[string]any{"version": sc.Version - 1}, After: map[string]any{"version": sc.Version},
	})
}

// ArchiveScenario takes a scenario off the launch page, or puts it back.
func (s *Service) ArchiveScenario(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, archived bool) error {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return err
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		sc, _, _, err := readScenario(ctx, tx, scope, id, 0)
		if err != nil || sc.Archived == archived {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE alerting_scenarios SET archived = $3, updated_us = $4 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, archived, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "scenario.archive", ObjectKind: "scenario", ObjectID: id.String(),
			ObjectName: sc.Title.In("fr"), Before: map[string]bool{"archived": !archived}, After: map[string]bool{"archived": archived},
		})
	})
}

// named refuses what could not even be found again in a list.
func named(def Definition) error {
	if strings.TrimSpace(def.Title.In("fr")) == "" {
		return fault.New(fault.Invalid, "alerting.check.title").At("title")
	}
	return nil
}

func same(a, b Definition) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

func foldTitle(t Localized) string {
	return storage.Fold(t["fr"] + " " + t["en"])
}

func insertVersion(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, number int, def Definition) error {
	text, err := json.Marshal(def)
	if err != nil {
		return fmt.Errorf("write the definition: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO alerting_versions (organisation_id, id, scenario_id, number, definition_json, created_us, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, scope.Organisation(), storage.NewID(now), id, number, string(text), storage.Micros(now), scope.Actor().Name)
	return err
}

// readScenario reads a version of a scenario; number 0 is the current one.
func readScenario(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, number int) (sc Scenario, def Definition, version uuid.UUID, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+scenarioColumns+` FROM alerting_scenarios s WHERE s.organisation_id = $1 AND s.id = $2`,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			found = true
			sc, err = scanScenario(row)
			return err
		})
	if err != nil {
		return sc, def, version, err
	}
	if !found {
		return sc, def, version, fault.New(fault.NotFound, "alerting.scenario.unknown")
	}
	if number == 0 {
		number = sc.Version
	}
	var text string
	found, err = tx.Row(ctx, `SELECT id, definition_json FROM alerting_versions WHERE organisation_id = $1 AND scenario_id = $2 AND number = $3`,
		[]any{scope.Organisation(), id, number}, &version, &text)
	if err != nil {
		return sc, def, version, err
	}
	if !found {
		return sc, def, version, fault.New(fault.NotFound, "alerting.scenario.unknown")
	}
	if err := json.Unmarshal([]byte(text), &def); err != nil {
		return sc, def, version, fmt.Errorf("read scenario %s version %d: %w", id, number, err)
	}
	return sc, def, version, nil
}

func scanScenario(row func(...any) error) (sc Scenario, err error) {
	var title, profile string
	var created, updated, launched int64
	if err = row(&sc.ID, &title, &sc.Family, &profile, &sc.Version, &sc.Library, &sc.Improvised, &sc.Archived, &created, &updated, &launched); err != nil {
		return sc, err
	}
	if err = json.Unmarshal([]byte(title), &sc.Title); err != nil {
		return sc, fmt.Errorf("read the title of scenario %s: %w", sc.ID, err)
	}
	sc.Profile, sc.Created, sc.Updated = Profile(profile), storage.Time(created), storage.Time(updated)
	if launched > 0 {
		sc.LastLaunched = storage.Time(launched)
	}
	return sc, nil
}
