package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Outcome is what a call did. The values are stored and sent.
type Outcome string

// The outcomes.
const (
	Started   Outcome = "launched"
	Proposed  Outcome = "proposed"  // a person is asked
	Duplicate Outcome = "duplicate" // this key acted before
	Updated   Outcome = "updated"   // it says more of what acted before
	HeldBack  Outcome = "held_back" // the door acted too little ago
	Over      Outcome = "resolved"  // the monitor says that it is over
	Ignored   Outcome = "ignored"   // nothing to do
)

// Result is the answer to a call.
type Result struct {
	Outcome Outcome
	// Launch is the alert, or the request that waits; Nil without one.
	Launch uuid.UUID
}

// signal is what a call says, whatever its form.
type signal struct {
	key    string
	firing bool
	words  map[string]string
	// refs are the messages it updates or cancels, mode how true it is at most,
	// and silent tells that it asks for nothing. Only CAP has them.
	refs   []string
	mode   alerting.Mode
	silent bool
}

// Knock hears what came by a door. Errors: Unauthenticated, the same for a door
// that never was, one that is shut and a proof that does not hold; Invalid for
// what cannot be read; those of a launch.
func (s *Service) Knock(ctx context.Context, now time.Time, door uuid.UUID, p Proof, body []byte, from string) (Result, error) {
	d, here, err := s.recognise(ctx, now, door, p, body)
	if err != nil {
		return Result{}, err
	}
	return s.hear(ctx, now, here, d, p, body, from)
}

// hear reads what came by a door, and does what it asks.
func (s *Service) hear(ctx context.Context, now time.Time, here uuid.UUID, d Door, p Proof, body []byte, from string) (Result, error) {
	var sig signal
	var err error
	switch d.Form {
	case Alertmanager:
		sig, err = readAlertmanager(body)
	case CAP:
		sig, err = readCAP(body, d, now)
	case Own:
		sig, err = readOwn(body, p)
	}
	if err != nil {
		return Result{}, err
	}
	if sig.silent {
		return Result{Outcome: Ignored}, nil
	}
	scope := access.ForProgram(here, access.Actor{ID: d.ID, Name: d.Name, From: from}, []access.Action{access.AlertLaunch, access.AlertConduct, access.AlertRead}, access.Launcher)
	w, err := s.weigh(ctx, scope, now, d, sig)
	sig.key = w.key
	switch {
	case err != nil:
		return Result{}, err
	case w.outcome == Started:
		return s.act(ctx, scope, now, d, sig, w.begun)
	case w.outcome == Over:
		return Result{Over, w.launch}, s.over(ctx, scope, now, d, w.launch)
	}
	return Result{w.outcome, w.launch}, nil
}

// recognise finds the door and checks the proof.
func (s *Service) recognise(ctx context.Context, now time.Time, door uuid.UUID, p Proof, body []byte) (d Door, here uuid.UUID, err error) {
	refused := fault.New(fault.Unauthenticated, "hooks.door.refused")
	var sealed, old []byte
	var oldUntil int64
	found := false
	err = s.opt.DB.Read(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, secret, old_secret, old_until_us FROM hooks_doors WHERE id = $1 AND deleted_us IS NULL AND NOT paused`,
			[]any{door}, &here, &sealed, &old, &oldUntil)
		if err != nil || !found {
			return err
		}
		list, err := readDoors(ctx, tx, access.System(here, "hooks"), `AND id = $2`, door)
		if err == nil && len(list) == 1 {
			d = list[0]
		}
		return err
	})
	if err != nil {
		return d, here, err
	}
	if !found {
		return d, here, refused
	}
	secrets, err := s.secrets(door, sealed, old, oldUntil, now)
	if err != nil {
		return d, here, err
	}
	if !p.holds(secrets, body, now) {
		return d, here, refused
	}
	return d, here, nil
}

// weighed is what weigh decided.
type weighed struct {
	outcome Outcome
	// launch is the alert of this key, Nil without one.
	launch uuid.UUID
	// begun names this start among those of the same key.
	begun int64
	// key is that of the call: the thread of a message of CAP.
	key string
}

// weigh decides, in one transaction, whether a call acts: once a key, and at
// most once a Gap for the door. A call that died before it acted is weighed
// again, and acts under the same name.
func (s *Service) weigh(ctx context.Context, scope access.Scope, now time.Time, d Door, sig signal) (w weighed, err error) {
	us := storage.Micros(now)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var acted, begun int64
		key, again := sig.key, false
		if _, err := tx.Row(ctx, `SELECT acted_us FROM hooks_doors WHERE organisation_id = $1 AND id = $2 {{for_update}}`, []any{scope.Organisation(), d.ID}, &acted); err != nil {
			return err
		}
		if d.Form == CAP {
			var err error
			if key, again, err = thread(ctx, tx, scope, now, d.ID, sig); err != nil {
				return err
			}
		}
		var c past
		var launch uuid.NullUUID
		if c.known, err = tx.Row(ctx, `SELECT outcome, firing, launch_id, begun_us FROM hooks_calls WHERE organisation_id = $1 AND door_id = $2 AND id = $3`,
			[]any{scope.Organisation(), d.ID, key}, &c.last, &c.firing, &launch, &begun); err != nil {
			return err
		}
		c.launched = launch.Valid
		w = weighed{c.decide(sig.firing, acted > 0 && now.Sub(storage.Time(acted)) < d.Gap), launch.UUID, begun, key}
		if again && !c.died(sig.firing) && c.last != HeldBack {
			w.outcome = Duplicate
		} else if w.outcome == Duplicate && len(sig.refs) > 0 {
			w.outcome = Updated
		}
		kept := w.outcome
		switch {
		case w.outcome == Duplicate && !c.known:
			return nil // cancelled before it came
		case len(sig.refs) > 0 && !sig.firing && c.known:
			kept = Over // even what had not acted yet
		case w.outcome == Ignored && !c.known:
			return nil
		case w.outcome == Duplicate || w.outcome == Updated || w.outcome == Ignored:
			kept = c.last
		case w.outcome == Started && !c.died(sig.firing):
			w.begun, launch = us, uuid.NullUUID{}
			if _, err := tx.Exec(ctx, `UPDATE hooks_doors SET acted_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), d.ID, us); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO hooks_calls (organisation_id, door_id, id, at_us, outcome, firing, launch_id, begun_us, heard) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
			ON CONFLICT (organisation_id, door_id, id) DO UPDATE SET at_us = excluded.at_us, outcome = excluded.outcome, firing = excluded.firing, launch_id = excluded.launch_id,
			begun_us = excluded.begun_us, heard = hooks_calls.heard + 1`, scope.Organisation(), d.ID, key, us, string(kept), sig.firing && w.outcome != Duplicate || c.firing && w.outcome == Duplicate, launch, w.begun)
		if err != nil || c.known && kept == c.last && w.outcome != Updated {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.door.call", "door", d.ID, d.Name, map[string]any{"outcome": w.outcome}))
	})
	return w, err
}

// past is what a key did before.
type past struct {
	known, firing, launched bool
	last                    Outcome
}

// died tells a call that was to act, and whose alert nobody wrote down.
func (c past) died(firing bool) bool {
	return firing && c.known && c.firing && c.last == Started && !c.launched
}

// decide is the rule of doors. Started means that the door acts now.
func (c past) decide(firing, tooSoon bool) Outcome {
	switch {
	case !firing && c.known && c.firing && c.launched && c.last != HeldBack:
		return Over
	case !firing:
		return Ignored
	case c.died(firing):
		return Started
	case c.known && c.firing && c.last != HeldBack:
		return Duplicate
	case tooSoon:
		return HeldBack
	}
	return Started
}

// act launches or proposes, and writes what it made beside the call.
func (s *Service) act(ctx context.Context, scope access.Scope, now time.Time, d Door, sig signal, begun int64) (Result, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", d.ID, sig.key, begun))
	mode := d.Mode
	if sig.mode != "" {
		mode = lesser(mode, sig.mode)
	}
	draft := alerting.Draft{
		Scenario: d.Scenario, Mode: mode, Values: sig.fill(d.Blanks), OrderedBy: d.Name, IdempotencyKey: "door-" + hex.EncodeToString(sum[:16]), Propose: d.Act == Propose,
	}
	l, _, err := s.opt.Alerting.Launch(ctx, scope, now, draft)
	if err != nil {
		// What was refused is no call: the same one may come again once somebody mended the scenario.
		return Result{}, s.forget(ctx, scope, d, sig, fmt.Errorf("door %s: %w", d.ID, err))
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE hooks_calls SET launch_id = $4 WHERE organisation_id = $1 AND door_id = $2 AND id = $3`, scope.Organisation(), d.ID, sig.key, l.ID)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	if l.State == alerting.Awaiting {
		return Result{Proposed, l.ID}, nil
	}
	return Result{Started, l.ID}, nil
}

func (s *Service) forget(ctx context.Context, scope access.Scope, d Door, sig signal, cause error) error {
	if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM hooks_calls WHERE organisation_id = $1 AND door_id = $2 AND id = $3 AND launch_id IS NULL`, scope.Organisation(), d.ID, sig.key); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM hooks_heard WHERE organisation_id = $1 AND door_id = $2 AND thread = $3`, scope.Organisation(), d.ID, sig.key); err != nil {
			return err
		}
		var acted int64
		if !d.Acted.IsZero() {
			acted = storage.Micros(d.Acted)
		}
		_, err := tx.Exec(ctx, `UPDATE hooks_doors SET acted_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), d.ID, acted)
		return err
	}); err != nil {
		s.opt.Log.Error("forget a call", "door", d.ID.String(), "error", err)
	}
	return cause
}

// over tells the people of an alert that the monitor sees the end, when the
// door says so and the alert still runs. A person ends the alert.
func (s *Service) over(ctx context.Context, scope access.Scope, now time.Time, d Door, launch uuid.UUID) error {
	if !d.Progress {
		return nil
	}
	err := s.opt.Alerting.Progress(ctx, scope, now, launch, alerting.ToAll, alerting.Localized{
		"fr": "Retour à la normale signalé par la surveillance. Attendez la fin d'alerte.", "en": "Monitoring reports a return to normal. Wait for the end of the alert.",
	})
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil // it is over already, or was never confirmed
	}
	return err
}

// fill writes the variables of the scenario.
func (sig signal) fill(blanks map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range blanks {
		for word, value := range sig.words {
			text = strings.ReplaceAll(text, "{"+word+"}", value)
		}
		for _, word := range alerting.Blanks(text) { // what was not received says nothing
			text = strings.ReplaceAll(text, "{"+word+"}", "")
		}
		out[name] = strings.TrimSpace(text)
	}
	return out
}

// clean makes of a value from outside one short line without braces: no
// variable can hide in it.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '{' || r == '}' {
			return -1
		}
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), 200)])
}

// readOwn reads our own form.
func readOwn(body []byte, p Proof) (signal, error) {
	var in struct {
		Key       string            `json:"key"`
		Variables map[string]string `json:"variables"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return signal{}, fault.Wrap(err, fault.Invalid, "hooks.door.unreadable")
	}
	if in.Key == "" {
		in.Key = p.ID
	}
	if len(in.Key) < 8 || len(in.Key) > 200 || len(in.Variables) > 50 {
		return signal{}, fault.New(fault.Invalid, "hooks.door.key").At("key")
	}
	sig := signal{key: in.Key, firing: true, words: map[string]string{}}
	for name, value := range in.Variables {
		sig.words[name] = clean(value)
	}
	return sig, nil
}

// readAlertmanager reads version 4 of the webhook of Alertmanager. A group is one
// key: it repeats itself while it fires, and says when it is over.
func readAlertmanager(body []byte) (signal, error) {
	var in struct {
		Version           string            `json:"version"`
		GroupKey          string            `json:"groupKey"`
		Status            string            `json:"status"`
		CommonLabels      map[string]string `json:"commonLabels"`
		CommonAnnotations map[string]string `json:"commonAnnotations"`
		GroupLabels       map[string]string `json:"groupLabels"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return signal{}, fault.Wrap(err, fault.Invalid, "hooks.door.unreadable")
	}
	if in.Version != "4" || in.GroupKey == "" || in.Status != "firing" && in.Status != "resolved" {
		return signal{}, fault.New(fault.Invalid, "hooks.door.alertmanager")
	}
	sum := sha256.Sum256([]byte(in.GroupKey))
	sig := signal{key: hex.EncodeToString(sum[:]), firing: in.Status == "firing", words: map[string]string{}}
	for _, labels := range []map[string]string{in.GroupLabels, in.CommonLabels, in.CommonAnnotations} {
		for name, value := range labels {
			sig.words[name] = clean(value)
		}
	}
	return sig, nil
}
