package alerting

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// cover is what anybody who picks up may hear of a reserved text: who calls, and that
// something waits for somebody. It is empty for any other text.
func (p *plan) cover(t Text) string {
	if !p.Definition.Reserved || t.Medium != channels.Voice {
		return ""
	}
	waits := Localized{
		"fr": "Un message vous attend. Il n’est dit qu’à la personne à qui il est destiné.",
		"en": "A message is waiting for you. It is only spoken to the person it is meant for.",
	}
	return Mark(p.Mode, t.Language, Vouched(t.Medium, "", p.Setting.Establishment+". "+waits.In(t.Language), p.Setting.Word))
}

// Coded tells who chose a personal code: a room above knows it.
type Coded interface {
	Coded(ctx context.Context, scope access.Scope) ([]uuid.UUID, error)
}

// speak counts who would be told a reserved text by telephone.
func (c *census) speak(m member) {
	if c.plan.Definition.Reserved && slices.ContainsFunc(m.Ladder, func(r rung) bool { return r.Medium == channels.Voice }) {
		c.spoken = append(c.spoken, m.Target.Person)
	}
}

// warnCodeless says how many of them a call will not tell it, having no code.
func (s *Service) warnCodeless(ctx context.Context, scope access.Scope, c *census, sheet *Sheet) error {
	if len(c.spoken) == 0 {
		return nil
	}
	have := map[uuid.UUID]bool{}
	if s.coded != nil {
		list, err := s.coded.Coded(ctx, inside(scope))
		if err != nil {
			return err
		}
		for _, id := range list {
			have[id] = true
		}
	}
	without := 0
	for _, id := range c.spoken {
		if !have[id] {
			without++
		}
	}
	if without > 0 {
		sheet.Warnings = append(sheet.Warnings, Warning{"alerting.warning.no_code", []any{"n", without, "all", len(c.spoken)}})
	}
	return nil
}

// Addressee is the person that a recipient of an alert is. Only the program itself
// may ask. Errors: NotFound.
func (s *Service) Addressee(ctx context.Context, scope access.Scope, launch, recipient uuid.UUID) (person uuid.UUID, err error) {
	if !scope.IsSystem() {
		return uuid.Nil, fault.New(fault.Denied, "access.denied")
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		found, err := tx.Row(ctx, `SELECT person_id FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2 AND id = $3`,
			[]any{scope.Organisation(), launch, recipient}, &person)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "alerting.recipient.unknown")
		}
		return err
	})
	return person, err
}
