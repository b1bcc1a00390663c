package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// frozen is what an alert keeps of its house and its narrowing.
type frozen struct {
	Setting   setting   `json:"setting"`
	Narrowing narrowing `json:"narrowing"`
	Shows     []Show    `json:"shows,omitempty"`
	// Rest is due before a relief.
	Rest Duration `json:"rest,omitempty"`
}

func insertLaunch(ctx context.Context, tx *storage.Tx, scope access.Scope, pr *prepared, l Launch, list *roll) error {
	title, errTitle := json.Marshal(l.Title)
	values, errValues := json.Marshal(l.Values)
	kept, errKept := json.Marshal(frozen{pr.plan.Setting, pr.narrow, pr.plan.shows, Duration(pr.plan.rest)})
	for _, err := range []error{errTitle, errValues, errKept} {
		if err != nil {
			return fmt.Errorf("write the alert: %w", err)
		}
	}
	var repeat time.Time
	if every := pr.plan.Definition.Limits.RepeatEvery.Std(); every > 0 {
		repeat = l.LaunchedAt.Add(every)
	}
	_, err := tx.Exec(ctx, `INSERT INTO alerting_launches (organisation_id, id, scenario_id, version_id, version, title_json, family, profile, mode, state,
		launched_us, ordered_by, launched_by, ended_by, values_json, setting_json, people, left_out, repeat_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14, $15, $16, $17, $18)`,
		scope.Organisation(), l.ID, l.Scenario, pr.version, l.Version, string(title), l.Family, string(l.Profile), string(l.Mode), string(l.State),
		storage.Micros(l.LaunchedAt), l.OrderedBy, l.LaunchedBy, string(values), string(kept), l.People, l.LeftOut, storage.NullMicros(repeat))
	if err != nil {
		return err
	}
	return insertUnits(ctx, tx, scope, l.ID, 0, list.units)
}

func insertUnits(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, from int, units []unitKey) error {
	rows := make([][]any, len(units))
	for i, u := range units {
		rows[i] = []any{scope.Organisation(), launch, from + i, storage.NullID(u.site), storage.NullID(u.service), u.siteName, u.serviceName}
	}
	return tx.InsertRows(ctx, "alerting_units", []string{"organisation_id", "launch_id", "number", "site_id", "service_id", "site_name", "service_name"}, rows)
}

func rollColumns() []string {
	return []string{
		"organisation_id", "id", "launch_id", "person_id", "unit", "wave", "state", "left_out", "last_name", "first_name", "name_folded",
		"language", "skills", "ladder", "code", "rung", "tried", "sent", "current_id", "called_us", "due_us",
	}
}

// rollBatch bounds what is copied at once for the driver.
const rollBatch = 512

// insertRoll writes the frozen list. Rows are made batch by batch: a hundred
// thousand of them at once would weigh more than the list itself.
func insertRoll(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, p *plan, list *roll, now time.Time) error {
	org, launched := any(scope.Organisation()), any(launch)
	due := make(map[int]any, len(p.Definition.Waves))
	for i := range p.Definition.Waves {
		due[i] = firstDue(p, i, now)
	}
	columns := rollColumns()
	values := make([]any, rollBatch*len(columns))
	rows := make([][]any, 0, rollBatch)
	for i := range list.entries {
		e := &list.entries[i]
		row := values[len(rows)*len(columns) : len(rows)*len(columns) : (len(rows)+1)*len(columns)]
		rows = append(rows, e.row(row, org, launched, storage.Micros(now), due[e.Wave]))
		if len(rows) < rollBatch && i < len(list.entries)-1 {
			continue
		}
		if err := tx.InsertRows(ctx, "alerting_recipients", columns, rows); err != nil {
			return err
		}
		rows = rows[:0]
	}
	return nil
}

func (e *entry) row(row []any, org, launch any, now int64, due any) []any {
	state, rungs, code, order, called := Waiting, "", any(nil), any(nil), any(nil)
	sent, tried := 0, 0
	if e.Why != "" {
		state, due = LeftAside, nil
	} else {
		rungs, code = writeLadder(e.Ladder), e.Code
	}
	if e.Order != uuid.Nil {
		state, order, called, sent, tried = Called, e.Order, now, 1, 1
	} else {
		due = nil
	}
	return append(row, org, e.ID, launch, e.Person, e.Unit, e.Wave, string(state), string(e.Why), e.Last, e.First, e.Folded,
		e.Language, e.Skills, rungs, code, 0, tried, sent, order, called, due)
}

// firstDue is when to look at the people of a wave again after its first
// message; nil when the clock alone has nothing to say about them.
func firstDue(p *plan, wave int, now time.Time) any {
	w := p.wave(wave)
	if w.Escalate <= 0 || p.Definition.Profile == Diffusion {
		return nil
	}
	return storage.Micros(now.Add(w.Escalate.Std()))
}

// writeLadder and readLadder keep the addresses as "medium<TAB>address" lines:
// a tenth of the cost of JSON for a hundred thousand people.
func writeLadder(rungs []rung) string {
	var b strings.Builder
	for i, r := range rungs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(r.Medium))
		b.WriteByte('\t')
		b.WriteString(r.Address)
	}
	return b.String()
}

func readLadder(text string) []rung {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	out := make([]rung, 0, len(lines))
	for _, line := range lines {
		medium, address, _ := strings.Cut(line, "\t")
		out = append(out, rung{channels.Medium(medium), address})
	}
	return out
}

func insertWaves(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, p *plan, people map[int]int) error {
	rows := make([][]any, len(p.Definition.Waves))
	for i, w := range p.Definition.Waves {
		state, opened := WavePending, sql.NullInt64{}
		if i == 0 {
			state, opened = WaveOpen, storage.NullMicros(l.LaunchedAt)
		}
		rows[i] = []any{scope.Organisation(), l.ID, i, string(state), people[i], storage.Micros(l.LaunchedAt.Add(w.After.Std())), opened}
	}
	return tx.InsertRows(ctx, "alerting_waves", []string{"organisation_id", "launch_id", "number", "state", "people", "due_us", "opened_us"}, rows)
}

const launchColumns = `id, scenario_id, version, title_json, family, profile, mode, state, launched_us, ended_us, ordered_by, launched_by, ended_by,
	values_json, people, left_out, quota_met_us`

func scanLaunch(row func(...any) error) (l Launch, err error) {
	var title, values string
	var launched int64
	var ended, met sql.NullInt64
	if err = row(&l.ID, &l.Scenario, &l.Version, &title, &l.Family, &l.Profile, &l.Mode, &l.State, &launched, &ended, &l.OrderedBy, &l.LaunchedBy,
		&l.EndedBy, &values, &l.People, &l.LeftOut, &met); err != nil {
		return l, err
	}
	l.LaunchedAt, l.EndedAt, l.QuotaMet = storage.Time(launched), storage.NullTime(ended), storage.NullTime(met)
	if err = json.Unmarshal([]byte(title), &l.Title); err != nil {
		return l, fmt.Errorf("read the title of alert %s: %w", l.ID, err)
	}
	if err = json.Unmarshal([]byte(values), &l.Values); err != nil {
		return l, fmt.Errorf("read the values of alert %s: %w", l.ID, err)
	}
	return l, nil
}

func readLaunch(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Launch, error) {
	return launchRow(ctx, tx, scope, id, "")
}

// lockLaunch reads an alert and keeps other transactions from deciding about it meanwhile.
func lockLaunch(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Launch, error) {
	return launchRow(ctx, tx, scope, id, " {{for_update}}")
}

func launchRow(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, tail string) (l Launch, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+launchColumns+` FROM alerting_launches WHERE organisation_id = $1 AND id = $2`+tail,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			found = true
			l, err = scanLaunch(row)
			return err
		})
	if err == nil && !found {
		return l, fault.New(fault.NotFound, "alerting.alert.unknown")
	}
	return l, err
}

// planOf reads the plan of an alert; it does not change while the alert lives,
// so it is read once by this process.
func (s *Service) planOf(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch) (*plan, error) {
	s.mu.Lock()
	p := s.plans[l.ID]
	s.mu.Unlock()
	if p != nil {
		return p, nil
	}
	var definition, kept string
	found, err := tx.Row(ctx, `SELECT v.definition_json, l.setting_json FROM alerting_launches l JOIN alerting_versions v
		ON v.organisation_id = l.organisation_id AND v.id = l.version_id WHERE l.organisation_id = $1 AND l.id = $2`,
		[]any{scope.Organisation(), l.ID}, &definition, &kept)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.New(fault.NotFound, "alerting.alert.unknown")
	}
	var f frozen
	p = &plan{Mode: l.Mode, Values: l.Values, LaunchedAt: l.LaunchedAt}
	if err := json.Unmarshal([]byte(definition), &p.Definition); err != nil {
		return nil, fmt.Errorf("read the scenario of alert %s: %w", l.ID, err)
	}
	if err := json.Unmarshal([]byte(kept), &f); err != nil {
		return nil, fmt.Errorf("read the setting of alert %s: %w", l.ID, err)
	}
	p.Setting, p.zone, p.shows, p.rest = f.Setting, f.Setting.location(), f.Shows, f.Rest.Std()
	if p.expected, err = expectedOf(ctx, tx, scope, l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.plans) >= keptPlans {
		clear(s.plans)
	}
	s.plans[l.ID] = p
	return p, nil
}

// keptPlans bounds the plans in memory; few alerts run at once.
const keptPlans = 64

// Launches lists alerts, the newest first, before the id of the last one seen.
func (s *Service) Launches(ctx context.Context, scope access.Scope, p Page) ([]Launch, error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	query, args := ``, []any{scope.Organisation()}
	if p.After != uuid.Nil {
		query, args = ` AND id < $2`, append(args, p.After)
	}
	return s.listLaunches(ctx, scope, query+` ORDER BY id DESC LIMIT `+strconv.Itoa(p.limit()), args)
}

// LaunchByID returns one alert. Errors: NotFound.
func (s *Service) LaunchByID(ctx context.Context, scope access.Scope, id uuid.UUID) (l Launch, err error) {
	if err = s.guard.Check(scope, access.AlertRead); err != nil {
		return l, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		l, err = readLaunch(ctx, tx, scope, id)
		return err
	})
	return l, err
}

// Active lists the alerts that run, for the banner, the oldest first.
func (s *Service) Active(ctx context.Context, scope access.Scope) ([]Launch, error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	return s.listLaunches(ctx, scope, ` AND state = 'running' ORDER BY id`, []any{scope.Organisation()})
}

func (s *Service) listLaunches(ctx context.Context, scope access.Scope, tail string, args []any) ([]Launch, error) {
	var out []Launch
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT `+launchColumns+` FROM alerting_launches WHERE organisation_id = $1`+tail, args, func(row func(...any) error) error {
			l, err := scanLaunch(row)
			out = append(out, l)
			return err
		})
	})
	return out, err
}

// limit is the number of lines of a page.
func (p Page) limit() int {
	if p.Limit <= 0 || p.Limit > 500 {
		return 50
	}
	return p.Limit
}
