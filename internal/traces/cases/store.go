package cases

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const caseColumns = `organisation_id, id, kind, grouping, rule, title, rules_json, state, weight, heaviest, hits, account, person, function_name, service, ipp, ins, patient_name,
	application, workstation, device, source_id, first_us, last_us, opened_us, changed_us, assigned_id, assigned_name, closed_us, closed_by, reason, followed, repeats, repeated_us,
	earlier_id, earlier_us, alert, alert_us, alert_error, launch_id`

func readCases(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Case, err error) {
	err = tx.Query(ctx, `SELECT `+caseColumns+` FROM traces_cases WHERE `+which, args, func(row func(...any) error) error {
		var c Case
		var rules string
		var source, assigned, earlier, launch uuid.NullUUID
		var first, last, opened, changed int64
		var closed, repeated, earlierAt, alertAt sql.NullInt64
		if err := row(&c.organisation, &c.ID, &c.Kind, &c.grouping, &c.Rule, &c.Title, &rules, &c.State, &c.Weight, &c.heaviest, &c.Hits, &c.Account, &c.Person, &c.Function, &c.Service,
			&c.IPP, &c.INS, &c.PatientName, &c.Application, &c.Workstation, &c.Device, &source, &first, &last, &opened, &changed, &assigned, &c.AssignedName, &closed, &c.ClosedBy, &c.Reason, &c.Followed,
			&c.Repeats, &repeated, &earlier, &earlierAt, &c.Alert, &alertAt, &c.AlertError, &launch); err != nil {
			return err
		}
		c.Source, c.AssignedID, c.Earlier, c.Launch = source.UUID, assigned.UUID, earlier.UUID, launch.UUID
		c.First, c.Last, c.Opened, c.Changed = storage.Time(first), storage.Time(last), storage.Time(opened), storage.Time(changed)
		c.Closed, c.Repeated, c.EarlierAt, c.AlertAt = storage.NullTime(closed), storage.NullTime(repeated), storage.NullTime(earlierAt), storage.NullTime(alertAt)
		err := json.Unmarshal([]byte(rules), &c.Rules)
		out = append(out, c)
		return err
	})
	return out, err
}

// readCase gives one of the scope's establishment. Errors: NotFound.
func readCase(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Case, error) {
	list, err := readCases(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return Case{}, err
	}
	if len(list) == 0 {
		return Case{}, fault.New(fault.NotFound, "traces.cases.unknown")
	}
	return list[0], nil
}

func (c *Case) insert(ctx context.Context, tx *storage.Tx) error {
	rules, err := json.Marshal(c.Rules)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_cases (organisation_id, id, kind, grouping, rule, title, rules_json, state, weight, heaviest, hits, account, person, function_name, service, ipp, ins, patient_name,
		application, workstation, device, source_id, first_us, last_us, opened_us, changed_us, assigned_name, closed_by, reason, followed, repeats, earlier_id, earlier_us, alert, alert_error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, '', '', '', '', 0, $27, $28, $29, '')`,
		c.organisation, c.ID, string(c.Kind), c.grouping, c.Rule, c.Title, string(rules), string(c.State), c.Weight, c.heaviest, c.Hits, c.Account, c.Person, c.Function, c.Service, c.IPP, c.INS, c.PatientName,
		c.Application, c.Workstation, c.Device, storage.NullID(c.Source), storage.Micros(c.First), storage.Micros(c.Last), storage.Micros(c.Opened), storage.Micros(c.Changed),
		storage.NullID(c.Earlier), storage.NullMicros(c.EarlierAt), string(c.Alert))
	return err
}

// update writes what hits change of a case.
func (c *Case) update(ctx context.Context, tx *storage.Tx) error {
	rules, err := json.Marshal(c.Rules)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE traces_cases SET rule = $3, title = $4, rules_json = $5, weight = $6, heaviest = $7, hits = $8, account = $9, person = $10, function_name = $11, service = $12,
		ipp = $13, ins = $14, patient_name = $15, application = $16, workstation = $17, device = $18, source_id = $19, first_us = $20, last_us = $21, changed_us = $22, alert = $23
		WHERE organisation_id = $1 AND id = $2`,
		c.organisation, c.ID, c.Rule, c.Title, string(rules), c.Weight, c.heaviest, c.Hits, c.Account, c.Person, c.Function, c.Service, c.IPP, c.INS, c.PatientName,
		c.Application, c.Workstation, c.Device, storage.NullID(c.Source), storage.Micros(c.First), storage.Micros(c.Last), storage.Micros(c.Changed), string(c.Alert))
	return err
}

// settle writes what a person decided of a case.
func (c *Case) settle(ctx context.Context, tx *storage.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE traces_cases SET state = $3, changed_us = $4, assigned_id = $5, assigned_name = $6, closed_us = $7, closed_by = $8, reason = $9, followed = $10
		WHERE organisation_id = $1 AND id = $2`,
		c.organisation, c.ID, string(c.State), storage.Micros(c.Changed), storage.NullID(c.AssignedID), c.AssignedName, storage.NullMicros(c.Closed), c.ClosedBy, c.Reason, c.Followed)
	return err
}

func readReasons(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (out []Reason, err error) {
	err = tx.Query(ctx, `SELECT rule, sentence, args_json, hits, first_us, last_us FROM traces_case_evidence WHERE organisation_id = $1 AND case_id = $2 ORDER BY place, id`,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			var r Reason
			var args string
			var first, last int64
			if err := row(&r.Rule, &r.Key, &args, &r.Hits, &first, &last); err != nil {
				return err
			}
			r.First, r.Last = storage.Time(first), storage.Time(last)
			err := json.Unmarshal([]byte(args), &r.Args)
			out = append(out, r)
			return err
		})
	return out, err
}

func readSteps(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (out []Step, err error) {
	err = tx.Query(ctx, `SELECT at_us, by_name, act, words FROM traces_case_steps WHERE organisation_id = $1 AND case_id = $2 ORDER BY at_us, id`,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			var s Step
			var at int64
			err := row(&at, &s.By, &s.Act, &s.Said)
			s.At = storage.Time(at)
			out = append(out, s)
			return err
		})
	return out, err
}

func (c *Case) step(ctx context.Context, tx *storage.Tx, now time.Time, by, act, words string) error {
	_, err := tx.Exec(ctx, `INSERT INTO traces_case_steps (organisation_id, case_id, id, at_us, by_name, act, words) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.organisation, c.ID, storage.NewID(now), storage.Micros(now), by, act, words)
	return err
}
