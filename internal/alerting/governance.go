package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Governance is what an establishment decides about its alerts once for all.
type Governance struct {
	// SecondAbove is the number of people above which a launch waits for a second
	// person; 0 asks for none.
	SecondAbove int
	// KeepDays is how long the answers keep a name after the end of their alert.
	KeepDays int
	// Ceiling is what one alert may cost, in cents of a euro; 0 is no ceiling. A
	// scenario may have its own.
	Ceiling int64
	// Silence is when our links are thought closed.
	Silence Silence
	// Rest is due to those who came, before a relief counts them.
	Rest Rest
	// Recall is what the recall order says of the way in.
	Recall Recall
}

// Rest is a time of rest, in hours: RestLeast to RestMost; 0 is RestDefault.
type Rest int

// span is the time itself.
func (r Rest) span() time.Duration { return time.Duration(r) * time.Hour }

// Recall is what somebody who comes, and the police who stop him, must know.
type Recall struct {
	Entrance Localized `json:"entrance,omitempty"`
	Roads    Localized `json:"roads,omitempty"`
	Parking  Localized `json:"parking,omitempty"`
}

// The limits and the default of Governance. A year covers the complaint about a
// night worked; after it a name serves nobody.
const (
	SecondMost      = 1_000_000
	KeepDaysDefault = 365
	KeepDaysLeast   = 30
	KeepDaysMost    = 5 * 365
	recallLimit     = 300
)

// checked gives the rules without stray spaces, or the first field that is wrong.
func (g Governance) checked() (Governance, error) {
	if g.SecondAbove < 0 || g.SecondAbove > SecondMost {
		return g, fault.New(fault.Invalid, "alerting.governance.second", "most", SecondMost).At("second")
	}
	if g.KeepDays < KeepDaysLeast || g.KeepDays > KeepDaysMost {
		return g, fault.New(fault.Invalid, "alerting.governance.keep", "least", KeepDaysLeast, "most", KeepDaysMost).At("keep")
	}
	if g.Ceiling < 0 || g.Ceiling > CeilingMost {
		return g, fault.New(fault.Invalid, "alerting.check.ceiling").At("ceiling")
	}
	if g.Rest == 0 {
		g.Rest = RestDefault
	}
	if g.Rest < RestLeast || g.Rest > RestMost {
		return g, fault.New(fault.Invalid, "alerting.governance.rest", "least", RestLeast, "most", RestMost).At("rest")
	}
	if err := g.Silence.check(); err != nil {
		return g, err
	}
	for field, text := range map[string]*Localized{"entrance": &g.Recall.Entrance, "roads": &g.Recall.Roads, "parking": &g.Recall.Parking} {
		kept := Localized{}
		for _, language := range languages() {
			said := strings.Join(strings.Fields((*text)[language]), " ")
			if utf8.RuneCountInString(said) > recallLimit {
				return g, fault.New(fault.Invalid, "alerting.governance.long", "limit", recallLimit).At(field)
			}
			if said != "" {
				kept[language] = said
			}
		}
		*text = kept
	}
	return g, nil
}

// Governance gives the rules of the scope's establishment. Needs access.AlertRead.
func (s *Service) Governance(ctx context.Context, scope access.Scope) (g Governance, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return g, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		g, err = readGovernance(ctx, tx, scope)
		return err
	})
	return g, err
}

func readGovernance(ctx context.Context, tx *storage.Tx, scope access.Scope) (Governance, error) {
	g := Governance{KeepDays: KeepDaysDefault, Rest: RestDefault, Silence: Silence{Minutes: SilenceMinutesDefault, People: SilencePeopleDefault}}
	var recall string
	found, err := tx.Row(ctx, `SELECT second_above, keep_days, ceiling_cents, silence_minutes, silence_people, recall_json, rest_hours FROM alerting_governance WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, &g.SecondAbove, &g.KeepDays, &g.Ceiling, &g.Silence.Minutes, &g.Silence.People, &recall, &g.Rest)
	if err != nil || !found {
		return g, err
	}
	if err := json.Unmarshal([]byte(recall), &g.Recall); err != nil {
		return g, fmt.Errorf("read the rules of alerts: %w", err)
	}
	return g, nil
}

// SetGovernance changes the rules. What already waits or runs keeps those it
// began with. Needs access.AlertGovern. Errors: Invalid at a field.
func (s *Service) SetGovernance(ctx context.Context, scope access.Scope, now time.Time, g Governance) error {
	if err := s.guard.Check(scope, access.AlertGovern); err != nil {
		return err
	}
	g, err := g.checked()
	if err != nil {
		return err
	}
	recall, err := json.Marshal(g.Recall)
	if err != nil {
		return fmt.Errorf("write the rules of alerts: %w", err)
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readGovernance(ctx, tx, scope)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_governance (organisation_id, second_above, keep_days, recall_json, updated_us, ceiling_cents, silence_minutes, silence_people, rest_hours) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (organisation_id) DO UPDATE SET second_above = $2, keep_days = $3, recall_json = $4, updated_us = $5, ceiling_cents = $6, silence_minutes = $7, silence_people = $8, rest_hours = $9`,
			scope.Organisation(), g.SecondAbove, g.KeepDays, string(recall), storage.Micros(now), g.Ceiling, g.Silence.Minutes, g.Silence.People, int(g.Rest)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "alert.govern", ObjectKind: "establishment", ObjectID: scope.Organisation().String(), Before: before, After: g})
	})
}
