package proof

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// freezeChunk people are written in one transaction.
	freezeChunk = 500
	// sendChunk messages leave in one transaction.
	sendChunk = 100
)

// due is a campaign that may have something to do.
type due struct {
	scope access.Scope
	Campaign
}

// Tick does what is due: begins, sends a portion, ends, and gives people the
// numbers they proved. more is true when another portion waits. It suits
// jobs.Task, under a lease.
func (s *Service) Tick(ctx context.Context, now time.Time) (more bool, err error) {
	instance := access.Instance("proof")
	if err := s.applyProven(ctx, instance, now); err != nil {
		return false, err
	}
	var list []due
	if err := s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, `+campaignColumns+` FROM directory_campaigns WHERE state IN ('planned', 'running') AND from_us <= $1`,
			[]any{storage.Micros(now)}, func(row func(...any) error) error {
				var org uuid.UUID
				c, err := scanCampaign(func(into ...any) error { return row(append([]any{&org}, into...)...) })
				list = append(list, due{instance.Within(org), c})
				return err
			})
	}); err != nil {
		return false, err
	}
	for _, d := range list {
		again, err := s.advance(ctx, d, now)
		if err != nil {
			return false, fmt.Errorf("campaign %s: %w", d.ID, err)
		}
		more = more || again
	}
	return more, nil
}

func (s *Service) advance(ctx context.Context, d due, now time.Time) (more bool, err error) {
	if !d.Until.After(now) {
		return false, s.db.Write(ctx, d.scope, func(tx *storage.Tx) error {
			c, err := campaign(ctx, tx, d.scope, d.ID)
			if err != nil || !c.Open() {
				return err
			}
			if c.frozen {
				if _, err := s.dispatch.Kill(ctx, tx, d.scope, now, c.ID); err != nil {
					return err
				}
			}
			return s.close(ctx, tx, d.scope, now, c, Ended)
		})
	}
	if !d.frozen {
		return true, s.freeze(ctx, d, now)
	}
	if s.alarms != nil {
		// During an alert, every answer is to the alert.
		if alerted, err := s.alarms.Alerted(ctx, d.scope); err != nil || alerted {
			return false, err
		}
	}
	e, err := s.houses.Get(ctx, d.scope)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, d.scope, func(tx *storage.Tx) error {
		more, err = s.send(ctx, tx, d.scope, now, e, d.ID)
		return err
	})
	if more {
		s.dispatch.Wake()
	}
	return more, err
}

// freeze writes the list of whom the campaign asks, once. Cut by a crash, it
// begins again: who is on the list already keeps his place and his link.
func (s *Service) freeze(ctx context.Context, d due, now time.Time) error {
	var rows [][]any
	if err := s.db.Read(ctx, d.scope, func(tx *storage.Tx) error {
		return s.people.Resolve(ctx, tx, d.scope, d.Audience, directory.Rule{}, now, func(t directory.Target) error {
			if t.Absent {
				return nil // nobody is disturbed on leave
			}
			rows = append(rows, []any{
				d.scope.Organisation(), uuid.NewSHA1(d.ID, t.Person[:]), d.ID, t.Person, storage.NullID(t.Service), t.SiteZone, t.Language,
				string(Waiting), "", "", 0, storage.Micros(d.From),
			})
			return nil
		})
	}); err != nil {
		return err
	}
	for n, code := range vault.NewLinkCodes(len(rows)) {
		rows[n][8] = code
	}
	for chunk := range slices.Chunk(rows, freezeChunk) {
		if err := s.db.Write(ctx, d.scope, func(tx *storage.Tx) error {
			return tx.InsertNewRows(ctx, "directory_asked", []string{
				"organisation_id", "id", "campaign_id", "person_id", "service_id", "zone", "language", "state", "code", "failed", "sent", "next_us",
			}, chunk)
		}); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, d.scope, func(tx *storage.Tx) error {
		if err := s.dispatch.OpenCampaign(ctx, tx, d.scope, now, s.outbox(d.Campaign)); err != nil {
			return err
		}
		// A campaign stopped meanwhile stays stopped.
		_, err := tx.Exec(ctx, `UPDATE directory_campaigns SET frozen = TRUE, state = 'running' WHERE organisation_id = $1 AND id = $2 AND state = 'planned'`,
			d.scope.Organisation(), d.ID)
		return err
	})
}
