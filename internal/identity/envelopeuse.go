package identity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// sealedCode is an envelope as a typed code found it.
type sealedCode struct {
	id, establishment uuid.UUID
	label, hash       string
	// house is the name of the establishment.
	house string
}

// alarmLife is how long the message of an alarm may wait to leave.
const alarmLife = 24 * time.Hour

// ProveEnvelope is the second step of a sign-in without any second factor: the
// code of a sealed envelope of an establishment the person works for. It opens a
// session there, of the roles of the night, and alarms its administrators.
// Errors: as ProveCode, and Denied when the person has no role that an envelope
// gives.
func (s *Service) ProveEnvelope(ctx context.Context, c Client, token, typed string) (step Step, err error) {
	row, err := s.halfSession(ctx, token)
	if err != nil {
		return step, err
	}
	brakes, err := s.factorBrakes(ctx, c, row)
	if err != nil {
		return step, err
	}
	leave, err := s.hasher.lane(len(brakes) == 1).enter(ctx)
	if err != nil {
		return step, err
	}
	defer leave()
	if _, err := s.admit(ctx, brakes); err != nil {
		return step, err
	}
	found, post, err := s.findEnvelope(ctx, row, typed)
	if err != nil {
		return step, err
	}
	// Whoever guesses waits as long for a selector that exists as for one that does not.
	ok, _, err := s.hasher.matches(plainCode(typed), found.hash)
	if err != nil {
		return step, err
	}
	if ok && len(post.roles) == 0 {
		return step, fault.New(fault.Denied, "identity.envelope.role")
	}
	now := s.clock.Now()
	proved := false
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		proved = false
		if ok {
			n, err := tx.Exec(ctx, `UPDATE identity_envelopes SET used_us = $3, used_name = $4, used_from = $5, pending = NULL
				WHERE organisation_id = $1 AND id = $2 AND used_us IS NULL AND revoked_us IS NULL`,
				found.establishment, found.id, storage.Micros(now), row.account.Name, c.Address)
			if err != nil {
				return err
			}
			proved = n == 1
		}
		if !proved {
			return countWrong(ctx, tx, row)
		}
		step, err = s.unsealed(ctx, tx, c, row, brakes, found, post, now)
		return err
	})
	if err == nil && !proved {
		err = fault.New(fault.Invalid, "identity.envelope.wrong").At("envelope")
	}
	if err != nil {
		return Step{}, err
	}
	if s.outbox != nil {
		s.outbox.Wake()
	}
	return step, nil
}

// findEnvelope looks for the envelope whose selector begins the code, in the
// establishments of the person. Nothing found is no error.
func (s *Service) findEnvelope(ctx context.Context, row sessionRow, typed string) (found sealedCode, at post, err error) {
	code := plainCode(typed)
	if len(code) != envelopeSize {
		return found, at, nil
	}
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		all, err := posts(ctx, tx, row.account.ID)
		if err != nil {
			return err
		}
		for _, p := range all {
			known, err := tx.Row(ctx, `SELECT id, label, code_hash FROM identity_envelopes WHERE organisation_id = $1 AND selector = $2
				AND used_us IS NULL AND revoked_us IS NULL`, []any{p.establishment, code[:envelopeSelector]}, &found.id, &found.label, &found.hash)
			if err != nil || known {
				found.establishment, at = p.establishment, p.byEnvelope()
				return err
			}
		}
		return nil
	})
	if err != nil || found.id == uuid.Nil {
		return found, at, err
	}
	house, err := s.houses.Get(ctx, access.System(found.establishment, "identity"))
	found.house = house.Name
	return found, at, err
}

// unsealed turns the half session into one of the envelope, and raises the alarm.
func (s *Service) unsealed(ctx context.Context, tx *storage.Tx, c Client, row sessionRow, brakes []brake, found sealedCode, at post, now time.Time) (step Step, err error) {
	if err := release(ctx, tx, brakes); err != nil {
		return step, err
	}
	n, err := tx.Exec(ctx, `DELETE FROM identity_sessions WHERE id = $1`, row.id)
	if err == nil && n == 0 {
		err = fault.New(fault.Unauthenticated, "access.sign_in")
	}
	if err != nil {
		return step, err
	}
	if step, err = s.enter(ctx, tx, row.account, []post{at}, true, c, "envelope", now); err != nil {
		return step, err
	}
	if _, err := tx.Exec(ctx, `UPDATE identity_sessions SET envelope_id = $2 WHERE token_hash = $1`, vault.Digest(step.Token), found.id); err != nil {
		return step, err
	}
	e := envelopeEntry("identity.envelope.use", found.id, found.label)
	e.After = map[string]string{"by": row.account.Name, "login": row.account.Login}
	if err := note(ctx, tx, found.establishment, actorOf(row.account, c), now, e); err != nil {
		return step, err
	}
	return step, s.alarm(ctx, tx, row, found, now)
}

// alarm writes to the administrators, and to the person whose password was used.
func (s *Service) alarm(ctx context.Context, tx *storage.Tx, row sessionRow, found sealedCode, now time.Time) error {
	to, err := toAlarm(ctx, tx, row, found)
	if err != nil {
		return err
	}
	return s.warn(ctx, tx, access.System(found.establishment, "identity"), now, Notice{
		ID: found.id, Purpose: "envelope", Life: alarmLife,
		Say: func(loc *i18n.Localizer) (subject, text string) {
			return loc.T("identity.envelope.alarm.subject", "house", found.house),
				loc.T("identity.envelope.alarm", "house", found.house, "name", row.account.Name, "label", found.label)
		},
	}, to)
}

// toAlarm are the addresses of an alarm.
func toAlarm(ctx context.Context, tx *storage.Tx, row sessionRow, found sealedCode) ([]Address, error) {
	all, err := addresses(ctx, tx, found.establishment, access.Administrator)
	if err != nil {
		return nil, err
	}
	own, err := readReach(ctx, tx, row.account.ID)
	if err != nil {
		return nil, err
	}
	me := Address{Account: row.account.ID, Name: row.account.Name, Language: row.account.Language}
	for medium, address := range map[string]string{reachSMS: own.Mobile, reachEmail: own.Email} {
		me.Medium, me.Address = medium, address
		all = append(all, me)
	}
	return all, nil
}
