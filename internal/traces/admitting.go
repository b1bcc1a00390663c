package traces

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// consumerToken begins the tokens of consumers, sourceToken those of sources:
// who pastes one where the other is wanted is told so.
const (
	consumerToken = "csm_"
	sourceToken   = "src_"
)

// Consumers lists those admitted, those that serve first. Needs access.TracesAsk.
func (s *Service) Consumers(ctx context.Context, scope access.Scope) (out []Consumer, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	now := storage.Micros(s.opt.Clock.Now())
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readConsumers(ctx, tx, `organisation_id = $1 ORDER BY CASE WHEN revoked_us IS NULL AND until_us > $2 THEN 0 ELSE 1 END, name_folded, id`, scope.Organisation(), now)
		for _, c := range list {
			out = append(out, c.Consumer)
		}
		return err
	})
	return out, err
}

// Consumer gives one. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Consumer(ctx context.Context, scope access.Scope, id uuid.UUID) (out Consumer, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readConsumer(ctx, tx, scope, id)
		return err
	})
	return out, err
}

// Admit lets an application search the traces, and gives its token, which is
// shown this once. Needs access.TracesAsk: nobody lets another ask what he may
// not ask himself. Errors: Invalid with its field, Conflict, TooMany.
func (s *Service) Admit(ctx context.Context, scope access.Scope, w WantedConsumer) (out Consumer, token string, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, "", err
	}
	now := s.opt.Clock.Now()
	if out, err = w.consumer(now); err != nil {
		return out, "", err
	}
	out.ID, out.By, token = storage.NewID(now), scope.Actor().Name, newToken(consumerToken)
	return out, token, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		serving, err := readConsumers(ctx, tx, `organisation_id = $1 AND revoked_us IS NULL AND until_us > $2`, scope.Organisation(), storage.Micros(now))
		if err != nil {
			return err
		}
		if len(serving) >= consumersMost {
			return fault.New(fault.TooMany, "traces.consumer.too_many", "most", consumersMost)
		}
		for _, other := range serving {
			if storage.Fold(other.Name) == storage.Fold(out.Name) {
				return fault.New(fault.Conflict, "traces.consumer.taken", "name", out.Name).At("name")
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_consumers (organisation_id, id, name, name_folded, reason, addresses, token_hash, admitted_by, created_us, until_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			scope.Organisation(), out.ID, out.Name, storage.Fold(out.Name), out.Reason, WriteAddresses(out.Addresses), vault.Digest(token), out.By, storage.Micros(now), storage.Micros(out.Until)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.consumer.admit", ObjectKind: "trace_consumer", ObjectID: out.ID.String(), ObjectName: out.Name, After: out.noted()})
	})
}

// Revoke has a consumer refused from its next search on; its looks stay. Needs
// access.TracesAsk. Errors: NotFound.
func (s *Service) Revoke(ctx context.Context, scope access.Scope, id uuid.UUID) (out Consumer, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if out, err = readConsumer(ctx, tx, scope, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE traces_consumers SET revoked_us = $3 WHERE organisation_id = $1 AND id = $2 AND revoked_us IS NULL`, scope.Organisation(), id, storage.Micros(now))
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.consumer.revoke", ObjectKind: "trace_consumer", ObjectID: id.String(), ObjectName: out.Name})
	})
}
