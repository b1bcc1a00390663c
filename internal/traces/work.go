package traces

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// WriteEvery is how often what sources say is written down; an event is in the
// base long before.
const WriteEvery = 5 * time.Second

// WriteDown writes what this program heard since the last time. What fails is
// kept for the next time.
func (s *Service) WriteDown(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	heard := s.heard
	s.heard = map[uuid.UUID]*hearing{}
	s.mu.Unlock()
	var errs []error
	for source, h := range heard {
		if err := s.writeDown(ctx, now, source, h); err != nil {
			errs = append(errs, err)
			s.hearAgain(source, h)
		}
	}
	return errors.Join(errs...)
}

// hearAgain puts back what could not be written.
func (s *Service) hearAgain(source uuid.UUID, h *hearing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newer := s.heard[source]
	s.heard[source] = h
	if newer == nil {
		return
	}
	h.events, h.failures, h.ahead, h.timed = h.events+newer.events, h.failures+newer.failures, h.ahead+newer.ahead, h.timed+newer.timed
	h.last, h.at = max(h.last, newer.last), max(h.at, newer.at)
	for at, hour := range newer.hours {
		if mine := h.hours[at]; mine != nil {
			hour.Events, hour.Failures = hour.Events+mine.Events, hour.Failures+mine.Failures
		}
		h.hours[at] = hour
	}
	h.samples = append(h.samples, newer.samples...)
	h.samples = h.samples[max(0, len(h.samples)-samplesKept):]
}

func (s *Service) writeDown(ctx context.Context, now time.Time, source uuid.UUID, h *hearing) error {
	scope := access.System(h.organisation, "traces")
	var at, skew sql.NullInt64
	if h.timed > 0 {
		at = sql.NullInt64{Int64: h.at, Valid: true}
		skew = sql.NullInt64{Int64: h.ahead / h.timed / int64(time.Second/time.Microsecond), Valid: true}
	}
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_sources SET events = events + $3, failures = failures + $4, first_received_us = COALESCE(first_received_us, $5),
			last_received_us = CASE WHEN last_received_us > $6 THEN last_received_us ELSE $6 END,
			last_at_us = CASE WHEN last_at_us > $7 THEN last_at_us ELSE COALESCE($7, last_at_us) END, skew_s = COALESCE($8, skew_s)
			WHERE organisation_id = $1 AND id = $2`, h.organisation, source, h.events, h.failures, h.first, h.last, at, skew); err != nil {
			return err
		}
		for at, hour := range h.hours {
			if _, err := tx.Exec(ctx, `INSERT INTO traces_hours (organisation_id, source_id, hour_us, events, failures) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (organisation_id, source_id, hour_us) DO UPDATE SET events = traces_hours.events + excluded.events, failures = traces_hours.failures + excluded.failures`,
				h.organisation, source, at, hour.Events, hour.Failures); err != nil {
				return err
			}
		}
		return writeSamples(ctx, tx, scope, now, source, h.samples)
	})
	if err != nil {
		return fmt.Errorf("write down what source %s said: %w", source, err)
	}
	return nil
}

// writeSamples keeps the last samplesKept.
func writeSamples(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, source uuid.UUID, samples []Sample) error {
	if len(samples) == 0 {
		return nil
	}
	for _, x := range samples {
		// Bytes that are no text cannot be kept as one; the base has the original.
		text := strings.ToValidUTF8(strings.ReplaceAll(x.Text, "\x00", ""), string(utf8.RuneError))
		if _, err := tx.Exec(ctx, `INSERT INTO traces_samples (organisation_id, source_id, id, received_us, reason, sample) VALUES ($1, $2, $3, $4, $5, $6)`,
			scope.Organisation(), source, storage.NewID(now), storage.Micros(x.Received), x.Reason, text); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM traces_samples WHERE organisation_id = $1 AND source_id = $2 AND id NOT IN
		(SELECT id FROM traces_samples WHERE organisation_id = $1 AND source_id = $2 ORDER BY id DESC LIMIT $3)`, scope.Organisation(), source, samplesKept)
	return err
}

// Watch tells of sources that fall silent, and of those that speak again.
func (s *Service) Watch(ctx context.Context, now time.Time) (bool, error) {
	var list []placed
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		list, err = readSources(ctx, tx, `retired_us IS NULL AND (quiet_minutes > 0 OR silent_us IS NOT NULL)`)
		return err
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, p := range list {
		if silent := p.quiet(now); silent != !p.Silent.IsZero() {
			errs = append(errs, s.tellSilence(ctx, now, p, silent))
		}
	}
	return false, errors.Join(errs...)
}

// quiet tells whether a source has been silent for longer than it may.
func (s Source) quiet(now time.Time) bool {
	since := s.Last
	if since.IsZero() {
		since = s.Created
	}
	return s.Quiet > 0 && now.Sub(since) >= s.Quiet
}

func (s *Service) tellSilence(ctx context.Context, now time.Time, p placed, silent bool) error {
	scope := access.System(p.organisation, "traces")
	since := p.Last
	if since.IsZero() {
		since = p.Created
	}
	mark, id := storage.NullMicros(now), uuid.NewSHA1(p.ID, fmt.Appendf(nil, "silent %d", since.Unix()))
	if !silent {
		mark = storage.NullMicros(time.Time{})
		id = uuid.NewSHA1(p.ID, fmt.Appendf(nil, "back %d", p.Silent.Unix()))
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_sources SET silent_us = $3 WHERE organisation_id = $1 AND id = $2`, p.organisation, p.ID, mark); err != nil {
			return err
		}
		if s.opt.Watchman == nil {
			return nil
		}
		return s.opt.Watchman.Silent(ctx, tx, scope, now, id, func(loc *i18n.Localizer) (string, string) {
			ago := loc.Duration(now.Sub(since))
			if !silent {
				return loc.T("traces.notice.back.subject", "name", p.Name), loc.T("traces.notice.back.text", "name", p.Name, "since", ago)
			}
			return loc.T("traces.notice.silent.subject", "name", p.Name), loc.T("traces.notice.silent.text", "name", p.Name, "since", ago)
		})
	})
}
