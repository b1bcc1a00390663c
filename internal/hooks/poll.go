package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/wire/cap"
)

// Fetcher reads an address of outside, under the rules of a Carrier. It bounds
// what it reads and how long it waits.
type Fetcher interface {
	// Fetch gives what a 200 answers; err says in one of our words why not.
	Fetch(ctx context.Context, address string, inside bool) ([]byte, error)
}

// Source is the feed that a door reads by itself; no URL reads none.
type Source struct {
	URL    string `json:"url,omitempty"`
	Inside bool   `json:"inside,omitempty"`
}

// Reading is how the reading of a feed goes.
type Reading struct {
	// Last is the last reading, zero before the first; Well the last that was read whole.
	Last, Well time.Time
	// Error is one of our words, empty when all is well.
	Error string
	// Failures counts those in a row.
	Failures int
}

// The rhythm of reading: a feed that fails is left alone longer and longer.
const (
	PollEvery = 2 * time.Minute
	pollMost  = 30 * time.Minute
	// perPoll bounds the messages fetched in one reading.
	perPoll = 20
)

// polled is a door whose feed is due.
type polled struct {
	door    Door
	here    uuid.UUID
	reading Reading
}

// Poll reads the feeds that are due. One node does it at a time.
func (s *Service) Poll(ctx context.Context, now time.Time) (bool, error) {
	list, err := s.due(ctx, now)
	for _, p := range list {
		bounded, cancel := context.WithTimeout(ctx, sendLimit*2)
		failure := s.pollOne(bounded, now, p)
		cancel()
		if ctx.Err() != nil {
			return false, err // we are stopping: it is read again
		}
		err = errors.Join(err, s.settlePoll(ctx, now, p, failure))
	}
	return false, err
}

func (s *Service) due(ctx context.Context, now time.Time) (out []polled, err error) {
	err = s.opt.DB.Read(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		out = nil
		at := map[uuid.UUID]uuid.UUID{}
		var ids []uuid.UUID
		if err := tx.Query(ctx, `SELECT d.organisation_id, d.id FROM hooks_doors d LEFT JOIN hooks_polls p ON p.organisation_id = d.organisation_id AND p.id = d.id
			WHERE d.form = 'cap' AND d.deleted_us IS NULL AND NOT d.paused AND COALESCE(p.due_us, 0) <= $1 ORDER BY d.organisation_id, d.id`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var here, id uuid.UUID
			err := row(&here, &id)
			at[id], ids = here, append(ids, id)
			return err
		}); err != nil {
			return err
		}
		for _, id := range ids {
			list, err := readDoors(ctx, tx, access.System(at[id], "hooks"), `AND id = $2`, id)
			if err != nil {
				return err
			}
			if len(list) == 1 && list[0].Source.URL != "" {
				out = append(out, polled{list[0], at[id], list[0].Reading})
			}
		}
		return nil
	})
	return out, err
}

// settlePoll writes how it went, and when to come again.
func (s *Service) settlePoll(ctx context.Context, now time.Time, p polled, failure error) error {
	r := Reading{Last: now, Well: now}
	wait := PollEvery
	if failure != nil {
		s.opt.Log.Warn("read a feed", "door", p.door.ID.String(), "error", failure)
		r = Reading{Last: now, Well: p.reading.Well, Error: wordOf(failure), Failures: p.reading.Failures + 1}
		wait = min(PollEvery<<min(r.Failures, 5), pollMost)
	}
	var well int64
	if !r.Well.IsZero() {
		well = storage.Micros(r.Well)
	}
	scope := access.System(p.here, "hooks")
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO hooks_polls (organisation_id, id, due_us, last_us, well_us, error, failures) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (organisation_id, id) DO UPDATE SET due_us = excluded.due_us, last_us = excluded.last_us, well_us = excluded.well_us, error = excluded.error, failures = excluded.failures`,
			p.here, p.door.ID, storage.Micros(now.Add(wait)), storage.Micros(now), well, r.Error, r.Failures)
		return err
	})
}

// wordOf is a word of ours for what failed: addresses may be secrets.
func wordOf(err error) string {
	if f := fault.As(err); f != nil {
		return "refused"
	}
	for _, word := range []string{"inside", "redirect", "timeout", "status", "big", "elsewhere", "form"} {
		if err.Error() == word {
			return word
		}
	}
	return "network"
}

var (
	errForm      = errors.New("form")      // neither a feed nor a message
	errElsewhere = errors.New("elsewhere") // a feed of the inside leads to another machine
)

// pollOne reads one feed, and what it leads to that was not read before.
func (s *Service) pollOne(ctx context.Context, now time.Time, p polled) error {
	body, err := s.opt.Fetcher.Fetch(ctx, p.door.Source.URL, p.door.Source.Inside)
	if err != nil {
		return err
	}
	links, alone, err := cap.Links(body)
	if err != nil {
		return errForm
	}
	if alone {
		_, err = s.heard(ctx, now, p, body)
		return err
	}
	links, err = s.fresh(ctx, p, links)
	if err != nil {
		return err
	}
	var failure error
	// A feed begins with the newest: the oldest is heard first.
	for i := len(links) - 1; i >= 0; i-- {
		done := false
		body, err := s.opt.Fetcher.Fetch(ctx, links[i], p.door.Source.Inside)
		if err == nil {
			done, err = s.heard(ctx, now, p, body)
		}
		if err == nil && done {
			err = s.read(ctx, now, p, links[i])
		}
		if err != nil {
			failure = err // the others may hold
		}
	}
	return failure
}

// heard hears a message of a feed. What will never be worth anything is no
// failure; done is false for what could not act yet, and is read again.
func (s *Service) heard(ctx context.Context, now time.Time, p polled, body []byte) (done bool, err error) {
	from := ""
	if u, err := url.Parse(p.door.Source.URL); err == nil {
		from = u.Hostname()
	}
	r, err := s.hear(ctx, now, p.here, p.door, Proof{}, body, from)
	if f := fault.As(err); f != nil && strings.HasPrefix(f.Key, "hooks.cap.") {
		return true, nil
	}
	return err == nil && r.Outcome != HeldBack, err
}

// fresh keeps the links not read before, perPoll at most, whole and allowed.
func (s *Service) fresh(ctx context.Context, p polled, links []string) (out []string, err error) {
	base, err := url.Parse(p.door.Source.URL)
	if err != nil {
		return nil, errForm
	}
	scope := access.System(p.here, "hooks")
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		for _, link := range links {
			u, err := base.Parse(link)
			if err != nil || u.Scheme != "https" && (!p.door.Source.Inside || u.Scheme != "http") || u.User != nil || len(link) > urlLimit {
				continue // such a link is never followed
			}
			if p.door.Source.Inside && u.Host != base.Host {
				return errElsewhere
			}
			known, err := tx.Row(ctx, `SELECT 1 FROM hooks_heard WHERE organisation_id = $1 AND door_id = $2 AND id = $3`, []any{p.here, p.door.ID, linkKey(u.String())}, new(int))
			if err != nil {
				return err
			}
			if !known && len(out) < perPoll {
				out = append(out, u.String())
			}
		}
		return nil
	})
	return out, err
}

// read notes that a link was heard.
func (s *Service) read(ctx context.Context, now time.Time, p polled, link string) error {
	return s.opt.DB.Write(ctx, access.System(p.here, "hooks"), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO hooks_heard (organisation_id, door_id, id, thread, at_us) VALUES ($1, $2, $3, '', $4) ON CONFLICT (organisation_id, door_id, id) DO NOTHING`,
			p.here, p.door.ID, linkKey(link), storage.Micros(now))
		return err
	})
}

func linkKey(link string) string {
	sum := sha256.Sum256([]byte(link))
	return "link:" + hex.EncodeToString(sum[:])
}
