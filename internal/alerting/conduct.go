package alerting

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// To chooses who gets a message of the cell.
type To string

// The addressees of a progress message. Nobody is written to whose wave has not left.
const (
	ToAll        To = "all"
	ToComing     To = "coming"
	ToUnanswered To = "unanswered"
)

// during runs an act of the cell on an alert that runs: right first, then the
// alert under lock, then the journal, in one transaction.
func (s *Service) during(ctx context.Context, scope access.Scope, now time.Time, action access.Action, launch uuid.UUID,
	act func(tx *storage.Tx, l Launch, p *plan) (journal.Entry, error),
) error {
	// An end message that should not leave can be stopped too.
	open := func(l Launch) bool { return l.State == Running || action == access.AlertKill && l.State == Ended }
	return s.conducted(ctx, scope, now, action, launch, open, act)
}

// conducted is during for an act that may be done on an alert as open says.
func (s *Service) conducted(ctx context.Context, scope access.Scope, now time.Time, action access.Action, launch uuid.UUID, open func(Launch) bool,
	act func(tx *storage.Tx, l Launch, p *plan) (journal.Entry, error),
) error {
	if err := s.guard.Check(scope, action); err != nil {
		return err
	}
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		l, err := lockLaunch(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		if !open(l) {
			return fault.New(fault.Conflict, "alerting.alert.over")
		}
		p, err := s.planOf(ctx, tx, scope, l)
		if err != nil {
			return err
		}
		e, err := act(tx, l, p)
		if err != nil || e.Action == "" {
			return err
		}
		e.ObjectKind, e.ObjectID, e.ObjectName = "alert", l.ID.String(), l.Title.In("fr")
		return journal.Append(ctx, tx, scope, now, e)
	})
	if err != nil {
		return err
	}
	s.moved(launch, scope)
	s.dispatch.Wake()
	return nil
}

// Progress sends a message of the cell, marked with the mode; text is by
// language, French required, and may use the program's own variables. Needs
// access.AlertConduct. Errors: Invalid, Conflict when the alert is over.
func (s *Service) Progress(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, to To, text Localized) error {
	if !slices.Contains([]To{ToAll, ToComing, ToUnanswered}, to) {
		return fault.New(fault.Invalid, "alerting.progress.to").At("to")
	}
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, p *plan) (journal.Entry, error) {
		m := mailing{ID: storage.NewID(now), Launch: l.ID, Kind: mailProgress, To: to}
		if err := s.ownWords(ctx, tx, scope, now, p, m, UseProgress, text); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.progress", After: map[string]any{"to": to, "text": text}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventProgress, By: scope.Actor().Name, Text: text.In("fr")})
	})
}

// ownWords keeps a message written now and opens its mailing.
func (s *Service) ownWords(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, p *plan, m mailing, use Use, text Localized) error {
	if strings.TrimSpace(text.In("fr")) == "" {
		return fault.New(fault.Invalid, "alerting.progress.empty").At("text")
	}
	texts := map[contentKey]composed{}
	for _, language := range languages() {
		body := text.In(language)
		if utf8.RuneCountInString(body) > 600 {
			return fault.New(fault.Invalid, "alerting.check.body_long", "limit", 600).At("text")
		}
		values, err := p.Definition.filled(p.Values, language)
		if err != nil {
			return err
		}
		vars := p.Setting.variables(values, p.Mode, language, p.Setting.Site, p.LaunchedAt)
		for _, medium := range Media() {
			t := Text{Use: use, Medium: medium, Language: language, Subject: strings.NewReplacer("{", "", "}", "").Replace(p.Definition.Title.In(language)), Body: body}
			subject, composedBody, err := t.compose(vars, p.Mode)
			if err != nil {
				return err
			}
			texts[contentKey{Use: use, Medium: medium, Language: language}] = composed{Subject: subject, Body: composedBody, Linkless: p.Definition.linkless(t, composedBody), Answers: p.Definition.byKeys(t), Cover: p.cover(t)}
		}
	}
	if err := s.writeContents(ctx, tx, scope, now, m.Launch, m.ID, texts); err != nil {
		return err
	}
	return insertMailing(ctx, tx, scope, now, m)
}

// StopWave holds a wave for good: those not called will not be, and those
// called are not called again. wave is from 1. Needs access.AlertConduct.
func (s *Service) StopWave(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, wave int) error {
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		n, err := tx.Exec(ctx, `UPDATE alerting_waves SET state = 'stopped' WHERE organisation_id = $1 AND launch_id = $2 AND number = $3 AND state <> 'stopped'`,
			scope.Organisation(), l.ID, wave-1)
		if err != nil {
			return journal.Entry{}, err
		}
		if n == 0 {
			return journal.Entry{}, fault.New(fault.Conflict, "alerting.wave.stopped", "wave", wave)
		}
		if _, err := tx.Exec(ctx, `UPDATE alerting_mailings SET done_us = $4 WHERE organisation_id = $1 AND launch_id = $2 AND kind = 'wave' AND wave = $3 AND done_us IS NULL`,
			scope.Organisation(), l.ID, wave-1, storage.Micros(now)); err != nil {
			return journal.Entry{}, err
		}
		sel := dispatch.Selection{Purposes: callPurposes(), Waves: rounds(wave - 1)}
		withdrawn, err := s.dispatch.Withdraw(ctx, tx, scope, now, l.ID, sel)
		if err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.stop_wave", After: map[string]any{"wave": wave, "withdrawn": withdrawn}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventWaveStopped, By: scope.Actor().Name, Wave: wave, People: int(withdrawn)})
	})
}

// ManualCall notes a call made by hand and its answer; an empty meaning notes
// that nobody answered, and the calls go on. minutes is -1 when not said.
// Needs access.AlertConduct.
func (s *Service) ManualCall(ctx context.Context, scope access.Scope, now time.Time, launch, recipient uuid.UUID, meaning Meaning, minutes int, note string) error {
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		if meaning != "" && !slices.Contains(Meanings(), meaning) {
			return journal.Entry{}, fault.New(fault.Invalid, "alerting.answer.meaning").At("meaning")
		}
		if minutes < -1 || minutes > 24*60 {
			return journal.Entry{}, fault.New(fault.Invalid, "alerting.answer.minutes").At("minutes")
		}
		in := s.intake(tx, scope, now)
		who, err := in.person(ctx, recipient)
		if err != nil {
			return journal.Entry{}, err
		}
		if who == nil || who.Launch != l.ID {
			return journal.Entry{}, fault.New(fault.NotFound, "alerting.recipient.unknown")
		}
		who.Marks |= markByHand
		g := given{Answer: Answer{ID: storage.NewID(now), At: now, Source: ByHand, Meaning: meaning, Minutes: minutes, Text: shortened(note), By: scope.Actor().Name}}
		if err := in.call(ctx, l.ID, who, g); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.manual_call", After: map[string]any{"recipient": recipient}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventManualCall, By: scope.Actor().Name, People: 1, Text: who.First + " " + who.Last})
	})
}

// call records a call made by hand; one that nobody answered is only kept.
func (in *intake) call(ctx context.Context, launch uuid.UUID, p *person, g given) error {
	if g.Meaning == "" {
		if err := in.insert(ctx, launch, p.ID, g); err != nil {
			return err
		}
		return in.flush(ctx)
	}
	return in.take(ctx, p, g)
}

// recipientOf reads one person of an alert; tail may lock him. Errors: NotFound.
func recipientOf(ctx context.Context, tx *storage.Tx, scope access.Scope, launch, id uuid.UUID, tail string) (*person, error) {
	people, err := peopleByID(ctx, tx, scope, []uuid.UUID{id}, tail)
	if err != nil {
		return nil, err
	}
	if p := people[id]; p != nil && p.Launch == launch {
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "alerting.recipient.unknown")
}

// Arrive ticks a person at the door, also one who comes back, or takes the last
// tick back. Ticked twice changes nothing. Needs access.AlertConduct.
func (s *Service) Arrive(ctx context.Context, scope access.Scope, now time.Time, launch, recipient uuid.UUID, arrived bool) error {
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, pl *plan) (journal.Entry, error) {
		p, err := recipientOf(ctx, tx, scope, l.ID, recipient, lockInOrder)
		if err != nil {
			return journal.Entry{}, err
		}
		t := tally{}
		changed, err := s.cross(ctx, tx, scope, now, l, p, arrived, t)
		if err != nil || !changed {
			return journal.Entry{}, err
		}
		after := p.standing()
		t.state(p.State, after)
		p.State = after
		if err := savePeople(ctx, tx, scope, []*person{p}); err != nil {
			return journal.Entry{}, err
		}
		if arrived {
			if err := s.spare(ctx, tx, scope, now, l.ID, []uuid.UUID{p.ID}); err != nil {
				return journal.Entry{}, err
			}
		}
		sites, err := sitesOf(ctx, tx, scope, l.ID)
		if err != nil {
			return journal.Entry{}, err
		}
		if err := s.placeInQuota(ctx, tx, scope, l, pl, p, sites[p.Unit], now); err != nil {
			return journal.Entry{}, err
		}
		if err := t.write(ctx, tx, scope, l.ID); err != nil {
			return journal.Entry{}, err
		}
		n := 1
		if !arrived {
			n = -1
		}
		return journal.Entry{Action: "alert.arrival", After: map[string]any{"recipient": recipient, "arrived": arrived}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventArrival, By: scope.Actor().Name, People: n, Text: p.First + " " + p.Last})
	})
}

// cross opens a stay, or takes the open one back; false when there is nothing to
// change. Who came once stays counted as arrived, whatever he does after.
func (s *Service) cross(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, p *person, arrived bool, t tally) (bool, error) {
	stays, err := p.stays(ctx, tx, scope)
	if err != nil {
		return false, err
	}
	inside := len(stays) > 0 && stays[len(stays)-1].LeftAt.IsZero()
	if inside == arrived {
		return false, nil
	}
	if arrived {
		if len(stays) > 0 {
			t.add("left", -1)
		} else {
			p.Arrived, p.Due = now, time.Time{}
			t.curve("arrived", l.LaunchedAt, now, 1)
		}
		return true, openStay(ctx, tx, scope, now, p)
	}
	if len(stays) > 1 {
		t.add("left", 1)
	} else {
		t.curve("arrived", l.LaunchedAt, now, -1)
		p.Arrived = time.Time{}
	}
	return true, undoStay(ctx, tx, scope, now, stays[len(stays)-1])
}

// End ends the alert: nothing more is called, queued calls are taken back, and
// those who were called are told. text nil sends the scenario's words, an empty
// French text sends nothing. Needs access.AlertConduct.
func (s *Service) End(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, text Localized) error {
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, p *plan) (journal.Entry, error) {
		if err := s.over(ctx, tx, scope, now, l, Ended); err != nil {
			return journal.Entry{}, err
		}
		sel := dispatch.Selection{Purposes: append(callPurposes(), string(UseStandDown))}
		if _, err := s.dispatch.Withdraw(ctx, tx, scope, now, l.ID, sel); err != nil {
			return journal.Entry{}, err
		}
		m := mailing{ID: storage.NewID(now), Launch: l.ID, Kind: mailEnd}
		var err error
		switch {
		case text == nil:
			err = insertMailing(ctx, tx, scope, now, m)
		case strings.TrimSpace(text["fr"]) != "":
			m.To = toOwnWords
			err = s.ownWords(ctx, tx, scope, now, p, m, UseEnd, text)
		}
		if err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.end", Before: map[string]any{"state": Running}, After: map[string]any{"state": Ended, "text": text}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventEnded, By: scope.Actor().Name})
	})
}

// Kill is the kill switch: nothing that is queued, here or in dispatch, leaves
// any more, and nobody is told. Needs access.AlertKill.
func (s *Service) Kill(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, why string) error {
	return s.during(ctx, scope, now, access.AlertKill, launch, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		stopped, err := s.dispatch.Kill(ctx, tx, scope, now, l.ID)
		if err != nil {
			return journal.Entry{}, err
		}
		if err := s.over(ctx, tx, scope, now, l, Killed); err != nil {
			return journal.Entry{}, err
		}
		why = shortened(why)
		return journal.Entry{Action: "alert.kill", Before: map[string]any{"state": Running}, After: map[string]any{"state": Killed, "stopped": stopped, "why": why}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventKilled, By: scope.Actor().Name, People: int(stopped), Text: why})
	})
}

// over closes an alert; the same thing may be launched again at once.
func (s *Service) over(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, state LaunchState) error {
	if _, err := tx.Exec(ctx, `UPDATE alerting_launches SET state = $3, ended_us = $4, ended_by = $5 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), l.ID, string(state), storage.Micros(now), scope.Actor().Name); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM alerting_launch_keys WHERE organisation_id = $1 AND launch_id = $2 AND id LIKE 'thing:%'`,
		scope.Organisation(), l.ID); err != nil {
		return err
	}
	return closeMailings(ctx, tx, scope, now, l.ID, "")
}
