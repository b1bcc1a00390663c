package space

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Way is how a code is tried. Each has a counter of its own: whoever calls us and
// forges a number makes its owner wait neither on his telephone nor in his space.
type Way string

// The ways.
const (
	ByCall     Way = "call"     // a call of ours, at a number of the person
	ByCallback Way = "callback" // a call that came in
	ByPage     Way = "page"     // the space, to choose another code
)

// Wrong codes that cost nothing, and after how long they are forgotten.
const (
	codeFree   = 5
	codeForget = 24 * time.Hour
)

// codeContext binds a sealed code to whose it is.
func codeContext(person uuid.UUID) string { return "space.code:" + person.String() }

// CodeSince is when a person chose the code he has; zero without one. Needs
// access.DirectoryRead.
func (s *Service) CodeSince(ctx context.Context, scope access.Scope, person uuid.UUID) (time.Time, error) {
	if err := s.opt.Guard.Check(scope, access.DirectoryRead); err != nil {
		return time.Time{}, err
	}
	k, err := s.readCode(ctx, scope, person)
	return k.since, err
}

// OwnCodeSince is when the holder chose the code he has; zero without one.
func (s *Service) OwnCodeSince(ctx context.Context, h Holder) (time.Time, error) {
	k, err := s.readCode(ctx, h.scope, h.Device.Person)
	return k.since, err
}

// kept is a code as it is kept.
type kept struct {
	sealed []byte
	since  time.Time
}

func (s *Service) readCode(ctx context.Context, scope access.Scope, person uuid.UUID) (k kept, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		var since int64
		found, err := tx.Row(ctx, `SELECT sealed, set_us FROM space_codes WHERE organisation_id = $1 AND person_id = $2`,
			[]any{scope.Organisation(), person}, &k.sealed, &since)
		if found {
			k.since = storage.Time(since)
		}
		return err
	})
	return k, err
}

// newCode refuses what anybody tries first. Errors: Invalid at "code".
func newCode(text string) (string, error) {
	code := strings.Join(strings.Fields(text), "")
	if len(code) < channels.CodeLeast || len(code) > channels.CodeMost || strings.Trim(code, "0123456789") != "" {
		return "", fault.New(fault.Invalid, "space.code.digits", "least", channels.CodeLeast, "most", channels.CodeMost).At("code")
	}
	if vault.Guessable(code) {
		return "", fault.New(fault.Invalid, "space.code.easy").At("code")
	}
	return code, nil
}

// SetCode chooses the holder's code; one who has a code gives it first. Errors:
// Invalid at "code" or "current", TooMany after too many wrong ones.
func (s *Service) SetCode(ctx context.Context, h Holder, current, text, from string) error {
	person := h.Device.Person
	k, err := s.readCode(ctx, h.scope, person)
	if err != nil {
		return err
	}
	if len(k.sealed) > 0 {
		if err := s.judge(ctx, h.scope, person, strings.Join(strings.Fields(current), ""), ByPage); err != nil {
			return err
		}
	}
	code, err := newCode(text)
	if err != nil {
		return err
	}
	sealed, err := s.opt.Vault.Seal([]byte(code), codeContext(person))
	if err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, h.scope, func(tx *storage.Tx) error {
		// Only the code that was judged is changed: of two that choose at once, one does.
		n, err := tx.Exec(ctx, `INSERT INTO space_codes (organisation_id, person_id, sealed, set_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation_id, person_id) DO UPDATE SET sealed = excluded.sealed, set_us = excluded.set_us WHERE space_codes.sealed = $5`,
			h.scope.Organisation(), person, sealed, storage.Micros(now), k.sealed)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "space.code.changed")
		}
		return journal.Append(ctx, tx, h.agent(from), now, journal.Entry{Action: "space.code.set", ObjectKind: "person", ObjectID: person.String()})
	})
}

// EraseCode forgets the code of a person, who chooses another one. Needs
// access.DirectoryWrite. Errors: NotFound.
func (s *Service) EraseCode(ctx context.Context, scope access.Scope, person uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return s.eraseCode(ctx, scope, scope, person)
}

func (s *Service) eraseCode(ctx context.Context, scope, as access.Scope, person uuid.UUID) error {
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM space_codes WHERE organisation_id = $1 AND person_id = $2`, scope.Organisation(), person)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "space.code.none")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM space_code_tries WHERE organisation_id = $1 AND person_id = $2`, scope.Organisation(), person); err != nil {
			return err
		}
		return journal.Append(ctx, tx, as, now, journal.Entry{Action: "space.code.erase", ObjectKind: "person", ObjectID: person.String()})
	})
}

// HasCode tells whether somebody who belongs to the establishment chose a code. Only
// the program itself may ask.
func (s *Service) HasCode(ctx context.Context, scope access.Scope, person uuid.UUID) (bool, error) {
	if !scope.IsSystem() {
		return false, fault.New(fault.Denied, "access.denied")
	}
	k, err := s.readCode(ctx, scope, person)
	if err != nil || len(k.sealed) == 0 {
		return false, err
	}
	return s.works(ctx, scope, person, s.opt.Clock.Now())
}

// Coded lists those who chose a code. Only the program itself may ask.
func (s *Service) Coded(ctx context.Context, scope access.Scope) (out []uuid.UUID, err error) {
	if !scope.IsSystem() {
		return nil, fault.New(fault.Denied, "access.denied")
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT person_id FROM space_codes WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out = append(out, id)
			return err
		})
	})
	return out, err
}

// JudgeCode returns nil for the code of a person; wrong ones cost time. Only the
// program itself may ask. Errors: Invalid, TooMany.
func (s *Service) JudgeCode(ctx context.Context, scope access.Scope, person uuid.UUID, code string, way Way) error {
	if !scope.IsSystem() {
		return fault.New(fault.Denied, "access.denied")
	}
	return s.judge(ctx, scope, person, code, way)
}

// judge compares, and says nothing before what it found is kept: whoever has a
// program killed, or tries a hundred codes at once, learns no more.
func (s *Service) judge(ctx context.Context, scope access.Scope, person uuid.UUID, code string, way Way) error {
	k, err := s.readCode(ctx, scope, person)
	if err != nil {
		return err
	}
	right := false
	if len(k.sealed) > 0 {
		plain, err := s.opt.Vault.Open(k.sealed, codeContext(person))
		if err != nil {
			return err
		}
		right = subtle.ConstantTimeCompare(plain, []byte(code)) == 1
	}
	now := s.opt.Clock.Now()
	verdict := error(nil)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) (err error) {
		verdict, err = s.settleTry(ctx, tx, scope, person, way, right, now)
		return err
	})
	if err != nil {
		return err
	}
	return verdict
}

// settleTry counts a try and says what it is worth.
func (s *Service) settleTry(ctx context.Context, tx *storage.Tx, scope access.Scope, person uuid.UUID, way Way, right bool, now time.Time) (verdict, err error) {
	args := []any{scope.Organisation(), person, string(way)}
	if right {
		// Waiting is for the right one too: else a wrong one could be told from it.
		var until int64
		if _, err := tx.Row(ctx, `SELECT until_us FROM space_code_tries WHERE organisation_id = $1 AND person_id = $2 AND way = $3`, args, &until); err != nil {
			return nil, err
		}
		if wait := storage.Time(until).Sub(now); wait > 0 {
			return fault.New(fault.TooMany, "space.code.wait", "wait", wait.Round(time.Second)), nil
		}
		_, err := tx.Exec(ctx, `DELETE FROM space_code_tries WHERE organisation_id = $1 AND person_id = $2 AND way = $3`, args...)
		return nil, err
	}
	return s.settleWrong(ctx, tx, scope, person, way, now)
}

// settleWrong counts a wrong code, unless one must wait.
func (s *Service) settleWrong(ctx context.Context, tx *storage.Tx, scope access.Scope, person uuid.UUID, way Way, now time.Time) (verdict, err error) {
	var failures, until int64
	counted, err := tx.Row(ctx, `INSERT INTO space_code_tries (organisation_id, person_id, way, failures, last_us, until_us) VALUES ($1, $2, $3, 1, $4, 0)
		ON CONFLICT (organisation_id, person_id, way) DO UPDATE SET last_us = excluded.last_us,
		failures = CASE WHEN space_code_tries.last_us < $5 THEN 1 ELSE space_code_tries.failures + 1 END
		WHERE space_code_tries.until_us <= $4 RETURNING failures`,
		[]any{scope.Organisation(), person, string(way), storage.Micros(now), storage.Micros(now.Add(-codeForget))}, &failures)
	if err != nil {
		return nil, err
	}
	if !counted {
		_, err := tx.Row(ctx, `SELECT until_us FROM space_code_tries WHERE organisation_id = $1 AND person_id = $2 AND way = $3`,
			[]any{scope.Organisation(), person, string(way)}, &until)
		return fault.New(fault.TooMany, "space.code.wait", "wait", storage.Time(until).Sub(now).Round(time.Second)), err
	}
	if wait := vault.Wait(failures, codeFree); wait > 0 {
		if _, err := tx.Exec(ctx, `UPDATE space_code_tries SET until_us = $4 WHERE organisation_id = $1 AND person_id = $2 AND way = $3`,
			scope.Organisation(), person, string(way), storage.Micros(now.Add(wait))); err != nil {
			return nil, err
		}
	}
	wrong := fault.New(fault.Invalid, "space.code.wrong").At("current")
	if !vault.WorthNoting(failures, codeFree) {
		return wrong, nil
	}
	return wrong, journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "space.code.wrong", ObjectKind: "person", ObjectID: person.String(), After: map[string]any{"way": way, "failures": failures},
	})
}

// sweepCodes forgets the codes of those who left.
func (s *Service) sweepCodes(ctx context.Context, now time.Time) error {
	type row struct{ organisation, person uuid.UUID }
	var list []row
	if err := s.opt.DB.Read(ctx, access.Instance(worker), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, person_id FROM space_codes`, nil, func(read func(...any) error) error {
			var r row
			err := read(&r.organisation, &r.person)
			list = append(list, r)
			return err
		})
	}); err != nil {
		return err
	}
	for _, r := range list {
		scope := access.System(r.organisation, worker)
		here, err := s.works(ctx, scope, r.person, now)
		if err != nil {
			return err
		}
		if here {
			continue
		}
		if err := s.eraseCode(ctx, scope, scope, r.person); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}
