package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// storedFact is a Fact as it waits in dispatch_facts: short names, because one
// row holds hundreds.
type storedFact struct {
	Delivery uuid.UUID       `json:"d"`
	Campaign uuid.UUID       `json:"c"`
	Subject  uuid.UUID       `json:"s"`
	Medium   channels.Medium `json:"m"`
	Address  string          `json:"a"`
	Kind     FactKind        `json:"k"`
	Reason   channels.Reason `json:"r,omitempty"`
	Purpose  string          `json:"p,omitempty"`
	Wave     int             `json:"w,omitempty"`
	At       int64           `json:"t"`
}

// factsPerRow is also the most a Sink receives in one call.
const factsPerRow = 500

// writeFacts puts facts in the row of their transaction: a row per event and
// message would double the work of a launch.
func writeFacts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, facts []Fact) error {
	for len(facts) > 0 {
		n := min(factsPerRow, len(facts))
		stored := make([]storedFact, n)
		for i, f := range facts[:n] {
			stored[i] = storedFact{f.Delivery, f.Campaign, f.Subject, f.Medium, f.Address, f.Kind, f.Reason, f.Purpose, f.Wave, storage.Micros(f.At)}
		}
		text, err := json.Marshal(stored)
		if err != nil {
			return fmt.Errorf("encode facts: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_facts (organisation_id, id, facts) VALUES ($1, $2, $3)`,
			scope.Organisation(), storage.NewID(now), string(text)); err != nil {
			return err
		}
		facts = facts[n:]
	}
	return nil
}

func readFacts(text string) ([]Fact, error) {
	var stored []storedFact
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	out := make([]Fact, len(stored))
	for i, s := range stored {
		out[i] = Fact{factID(s.Delivery, s.Kind), s.Campaign, s.Subject, s.Delivery, s.Medium, s.Address, s.Kind, s.Reason, s.Purpose, s.Wave, storage.Time(s.At)}
	}
	return out, nil
}

// factID names the one fact of a kind that a delivery can have. Version 8
// (RFC 9562 § 5.8) keeps it apart from the delivery's own id.
func factID(delivery uuid.UUID, k FactKind) uuid.UUID {
	id := delivery
	id[6] = id[6]&0x0f | 0x80
	id[15] ^= k.code()
	return id
}

func (k FactKind) code() byte {
	switch k {
	case FactAccepted:
		return 1
	case FactDelivered:
		return 2
	case FactFailed:
		return 3
	case FactExpired:
		return 4
	case FactWithdrawn:
		return 5
	case FactGuarded:
		return 6
	case FactMerged:
		return 7
	case FactDoublePossible:
		return 8
	}
	return 0
}
