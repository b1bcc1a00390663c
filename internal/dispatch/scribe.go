package dispatch

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// scribe gathers what one transaction says beside its rows: facts for the
// sink, counts by state, what was accepted in which second.
type scribe struct {
	facts   []Fact
	tallies map[tally]int64
	pace    map[pace]int64
	// spending is what was accepted at a known price.
	spending map[spent]expense
}

type tally struct {
	campaign uuid.UUID
	medium   channels.Medium
	state    string
}

type pace struct {
	campaign uuid.UUID
	medium   channels.Medium
	second   int64
}

// tallyDouble counts deliveries that may have left twice, beside their state.
const tallyDouble = "double"

func newScribe() *scribe {
	return &scribe{tallies: make(map[tally]int64), pace: make(map[pace]int64), spending: make(map[spent]expense)}
}

func (s *scribe) count(campaign uuid.UUID, m channels.Medium, state string, n int64) {
	s.tallies[tally{campaign, m, state}] += n
}

// moved counts a delivery that changed its state.
func (s *scribe) moved(campaign uuid.UUID, m channels.Medium, from, to State) {
	s.count(campaign, m, string(from), -1)
	s.count(campaign, m, string(to), 1)
}

func (s *scribe) passed(campaign uuid.UUID, m channels.Medium, at time.Time) {
	s.pace[pace{campaign, m, at.Unix()}]++
}

func (s *scribe) tell(f Fact) { s.facts = append(s.facts, f) }

// write puts everything gathered into the transaction.
func (s *scribe) write(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, node string) error {
	if err := writeFacts(ctx, tx, scope, now, s.facts); err != nil {
		return err
	}
	if err := s.writeTallies(ctx, tx, scope, node); err != nil {
		return err
	}
	if err := s.writePace(ctx, tx, scope, node); err != nil {
		return err
	}
	return s.writeSpending(ctx, tx, scope, node)
}

func (s *scribe) writeTallies(ctx context.Context, tx *storage.Tx, scope access.Scope, node string) error {
	keys := make([]tally, 0, len(s.tallies))
	for k, n := range s.tallies {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	// Always in the same order, so that two transactions never wait for each other crosswise.
	slices.SortFunc(keys, func(a, b tally) int {
		return strings.Compare(a.campaign.String()+string(a.medium)+a.state, b.campaign.String()+string(b.medium)+b.state)
	})
	for _, k := range keys {
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_tallies (organisation_id, campaign_id, medium, state, node, n) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (organisation_id, campaign_id, medium, state, node) DO UPDATE SET n = dispatch_tallies.n + excluded.n`,
			scope.Organisation(), k.campaign, string(k.medium), k.state, node, s.tallies[k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *scribe) writePace(ctx context.Context, tx *storage.Tx, scope access.Scope, node string) error {
	keys := make([]pace, 0, len(s.pace))
	for k := range s.pace {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b pace) int {
		if c := strings.Compare(a.campaign.String()+string(a.medium), b.campaign.String()+string(b.medium)); c != 0 {
			return c
		}
		return int(a.second - b.second)
	})
	for _, k := range keys {
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_pace (organisation_id, campaign_id, medium, second, node, n) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (organisation_id, campaign_id, medium, second, node) DO UPDATE SET n = dispatch_pace.n + excluded.n`,
			scope.Organisation(), k.campaign, string(k.medium), k.second, node, s.pace[k]); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many values one statement takes. Lists are padded to powers of
// two by repeating their last value: few different texts, each prepared once.
const chunk = 256

// eachChunk calls fn with parts of values, padded.
func eachChunk[T any](values []T, fn func(part []T) error) error {
	for len(values) > 0 {
		n := min(chunk, len(values))
		part := values[:n]
		size := 1
		for size < n {
			size *= 2
		}
		if size > n {
			part = slices.Clone(part)
			for len(part) < size {
				part = append(part, part[n-1])
			}
		}
		if err := fn(part); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// clean makes a text of a peer fit for any database and bounded: valid UTF-8,
// no NUL, at most limit bytes.
func clean(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "")
	return strings.ReplaceAll(s, "\x00", "")
}
