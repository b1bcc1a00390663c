package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

// Calling lists, by title, the scenarios that can be launched and address an on-call
// function, by their audience or by a wave.
func (s *Service) Calling(ctx context.Context, scope access.Scope, function uuid.UUID) (out []Localized, err error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT v.definition_json FROM alerting_scenarios s
			JOIN alerting_versions v ON v.organisation_id = s.organisation_id AND v.scenario_id = s.id AND v.number = s.version
			WHERE s.organisation_id = $1 AND s.archived = FALSE AND s.improvised = FALSE ORDER BY s.title_folded, s.id`,
			[]any{scope.Organisation()}, func(row func(...any) error) error {
				var text string
				if err := row(&text); err != nil {
					return err
				}
				var def Definition
				if err := json.Unmarshal([]byte(text), &def); err != nil {
					return fmt.Errorf("read a scenario: %w", err)
				}
				if def.addresses(function) {
					out = append(out, def.Title)
				}
				return nil
			})
	})
	return out, err
}

// addresses tells whether who holds an on-call function is called by the scenario.
func (d Definition) addresses(function uuid.UUID) bool {
	names := func(r directory.Rule) bool { return slices.Contains(r.OnCall, function) }
	return names(d.Audience.Include) || slices.ContainsFunc(d.Waves, func(w Wave) bool { return names(w.Who) })
}
