package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// apply does one step of an alert. The alert is locked by the caller.
func (s *Service) apply(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, step AlertStep) error {
	switch step.Kind {
	case AlertMet:
		return s.quotaMet(ctx, tx, scope, now, l, step.Wave)
	case AlertReopen:
		return s.reopen(ctx, tx, scope, now, l, step.Wave)
	case AlertHoldWave:
		return setWave(ctx, tx, scope, l.ID, step.Wave, WaveHeld)
	case AlertFreeWave:
		return setWave(ctx, tx, scope, l.ID, step.Wave, WavePending)
	case AlertOpenWave:
		return s.openWave(ctx, tx, scope, now, l, step.Wave)
	case AlertRepeat:
		return s.repeat(ctx, tx, scope, now, l)
	}
	return fmt.Errorf("alerting: unknown step %q", step.Kind)
}

func setWave(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, wave int, state WaveState) error {
	_, err := tx.Exec(ctx, `UPDATE alerting_waves SET state = $4 WHERE organisation_id = $1 AND launch_id = $2 AND number = $3`,
		scope.Organisation(), launch, wave, string(state))
	return err
}

func (s *Service) openWave(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, wave int) error {
	var people int
	_, err := tx.Row(ctx, `UPDATE alerting_waves SET state = 'open', opened_us = COALESCE(opened_us, $4) WHERE organisation_id = $1 AND launch_id = $2
		AND number = $3 RETURNING people`, []any{scope.Organisation(), l.ID, wave, storage.Micros(now)}, &people)
	if err != nil {
		return err
	}
	if err := s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventWaveOpened, Wave: wave + 1, People: people}); err != nil {
		return err
	}
	return insertMailing(ctx, tx, scope, now, mailing{Launch: l.ID, Kind: mailWave, Wave: wave})
}

// markMet keeps since when the turn of a wave has its people; zero says that it misses
// some. What it tells is an event of the first turn, or of a relief.
func (s *Service) markMet(ctx context.Context, tx *storage.Tx, scope access.Scope, now, since time.Time, l Launch, turn time.Duration, wave int, first, relief EventKind) error {
	if turn == 0 {
		if _, err := tx.Exec(ctx, `UPDATE alerting_launches SET quota_met_us = $3 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), l.ID, storage.NullMicros(since)); err != nil {
			return err
		}
		return s.event(ctx, tx, scope, now, l.ID, Event{Kind: first})
	}
	if _, err := tx.Exec(ctx, `UPDATE alerting_waves SET met_us = $4 WHERE organisation_id = $1 AND launch_id = $2 AND number = $3`,
		scope.Organisation(), l.ID, wave, storage.NullMicros(since)); err != nil {
		return err
	}
	return s.event(ctx, tx, scope, now, l.ID, Event{Kind: relief, Wave: wave + 1})
}

// quotaMet stops what a turn does not need any more: queued calls are taken back,
// waves that were leaving are held, and those who were called in vain are told.
func (s *Service) quotaMet(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, first int) error {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return err
	}
	turn := p.wave(first).turn()
	if err := s.markMet(ctx, tx, scope, now, now, l, turn, first, EventQuotaMet, EventReliefMet); err != nil {
		return err
	}
	if err := closeTurn(ctx, tx, scope, now, l.ID, mailRecall, p.Definition.wavesOf(turn)); err != nil {
		return err
	}
	for _, wave := range p.Definition.wavesOf(turn) {
		if !p.conditional(wave) {
			continue
		}
		if err := s.holdLeaving(ctx, tx, scope, now, l.ID, wave); err != nil {
			return err
		}
	}
	sel := dispatch.Selection{Purposes: []string{string(UseAlert), string(UseReminder), string(UseRelief)}, Waves: heldWaves(p, turn)}
	if _, err := s.dispatch.Withdraw(ctx, tx, scope, now, l.ID, sel); err != nil {
		return err
	}
	if !p.Definition.Limits.StandDown {
		return nil
	}
	return insertMailing(ctx, tx, scope, now, mailing{Launch: l.ID, Kind: mailStandDown, Wave: first, From: now.Add(standDownWait)})
}

// holdLeaving holds a wave whose people are not all called yet.
func (s *Service) holdLeaving(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, wave int) error {
	n, err := tx.Exec(ctx, `UPDATE alerting_mailings SET done_us = $4 WHERE organisation_id = $1 AND launch_id = $2 AND kind = 'wave' AND wave = $3 AND done_us IS NULL`,
		scope.Organisation(), launch, wave, storage.Micros(now))
	if err != nil || n == 0 {
		return err
	}
	return setWave(ctx, tx, scope, launch, wave, WaveHeld)
}

// heldWaves are the waves of a turn, in every round, whose queued messages a reached
// quota takes back; nil when that is all the waves of the alert.
func heldWaves(p *plan, turn time.Duration) []int {
	var out []int
	all := true
	for wave := range p.Definition.Waves {
		if p.wave(wave).turn() != turn || wave > 0 && !p.conditional(wave) {
			all = false
			continue
		}
		out = append(out, rounds(wave)...)
	}
	if all {
		return nil
	}
	return out
}

// rounds are the numbers under which dispatch knows a wave: see roundStep.
func rounds(wave int) []int {
	out := make([]int, 0, 51)
	for round := 0; round <= 50; round++ {
		out = append(out, wave+roundStep*round)
	}
	return out
}

// reopen takes the calls of a turn up again because announced people did not come.
// Waves that were held leave by their own step; when none is left, those who were
// called and said nothing are called again.
func (s *Service) reopen(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, first int) error {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return err
	}
	turn := p.wave(first).turn()
	if err := s.markMet(ctx, tx, scope, now, time.Time{}, l, turn, first, EventReopened, EventReliefOpen); err != nil {
		return err
	}
	if err := closeTurn(ctx, tx, scope, now, l.ID, mailStandDown, p.Definition.wavesOf(turn)); err != nil {
		return err
	}
	waves, err := readWaves(ctx, tx, scope, l.ID)
	if err != nil {
		return err
	}
	for _, w := range waves {
		if p.wave(w.Number).turn() == turn && (w.State == WaveHeld || w.State == WavePending) {
			return nil
		}
	}
	return insertMailing(ctx, tx, scope, now, mailing{Launch: l.ID, Kind: mailRecall, Wave: first})
}

// repeat says a diffusion again. The next hour is counted from the last one, so
// that a late tick does not shift those that follow; hours missed are not made up.
func (s *Service) repeat(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch) error {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return err
	}
	every := p.Definition.Limits.RepeatEvery.Std()
	next := l.LaunchedAt.Add((now.Sub(l.LaunchedAt)/every + 1) * every)
	if _, err := tx.Exec(ctx, `UPDATE alerting_launches SET repeat_us = $3 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), l.ID, storage.Micros(next)); err != nil {
		return err
	}
	if err := closeMailings(ctx, tx, scope, now, l.ID, mailRepeat); err != nil {
		return err
	}
	if err := s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventRepeated}); err != nil {
		return err
	}
	return insertMailing(ctx, tx, scope, now, mailing{Launch: l.ID, Kind: mailRepeat})
}

// met are the turns of an alert that were found to have enough people.
func (p *plan) met(l Launch, waves []waveFacts) turns {
	var out turns
	if !l.QuotaMet.IsZero() {
		out = append(out, 0)
	}
	for _, w := range waves {
		if w.Met {
			out = append(out, p.wave(w.Number).turn())
		}
	}
	return out
}

// calling are the waves whose turn still misses people.
func (s *Service) calling(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch) ([]int, error) {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return nil, err
	}
	waves, err := readWaves(ctx, tx, scope, l.ID)
	met := p.met(l, waves)
	var out []int
	for i, w := range p.Definition.Waves {
		if !met.has(w.turn()) {
			out = append(out, i)
		}
	}
	return out, err
}
