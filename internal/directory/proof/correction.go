package proof

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// CorrectionState is where a correction stands. The values are stored.
type CorrectionState string

// The states of a correction.
const (
	Proving  CorrectionState = "proving"  // a message went to the new address
	Proposed CorrectionState = "proposed" // no message can prove it: a person decides
	Proven   CorrectionState = "proven"   // its owner answered; about to serve
	Applied  CorrectionState = "applied"
	Refused  CorrectionState = "refused"
)

// Correction is what a person gave in place of what the directory knew.
type Correction struct {
	ID, Campaign, Person uuid.UUID
	// Replaces is the contact point it comes before; Nil for a new one.
	Replaces uuid.UUID
	Kind     string
	// Address is masked unless the scope may see numbers.
	Address string
	State   CorrectionState
	Made    time.Time
	Settled time.Time
	// By is who applied or refused it; empty when its owner's answer did.
	By string
	// Name is the person's.
	Name string

	asked uuid.UUID
	code  string
}

// correctionsMost bounds what one link may give: each may cost a message.
const correctionsMost = 3

const correctionColumns = `id, campaign_id, asked_id, person_id, contact_id, kind, address, state, code, made_us, settled_us, actor_name`

func readCorrections(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Correction, err error) {
	err = tx.Query(ctx, `SELECT `+correctionColumns+` FROM directory_corrections WHERE organisation_id = $1 AND `+which,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var c Correction
			var contact uuid.NullUUID
			var made int64
			var settled sql.NullInt64
			err := row(&c.ID, &c.Campaign, &c.asked, &c.Person, &contact, &c.Kind, &c.Address, &c.State, &c.code, &made, &settled, &c.By)
			c.Replaces, c.Made, c.Settled = contact.UUID, storage.Time(made), storage.NullTime(settled)
			out = append(out, c)
			return err
		})
	return out, err
}

// propose keeps a correction, and asks its new address to prove itself.
func (s *Service) propose(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, e organisation.Establishment, a asked, k directory.Contact, replaces uuid.UUID) error {
	before, err := readCorrections(ctx, tx, scope, `asked_id = $2`, a.id)
	if err != nil {
		return err
	}
	for _, b := range before {
		if b.Address == k.Address {
			return nil // the button was pressed twice
		}
	}
	if len(before) >= correctionsMost {
		return fault.New(fault.TooMany, "directory.proof.corrections", "most", correctionsMost)
	}
	c := Correction{ID: storage.NewID(now), State: Proving, code: vault.NewLinkCodes(1)[0]}
	if k.Kind != directory.Mobile && k.Kind != directory.Email {
		c.State = Proposed
	}
	if _, err := tx.Exec(ctx, `INSERT INTO directory_corrections (organisation_id, `+correctionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, '')`, scope.Organisation(), c.ID, a.campaign, a.id, a.person, storage.NullID(replaces),
		k.Kind, k.Address, string(c.State), c.code, storage.Micros(now)); err != nil {
		return err
	}
	if c.State == Proposed {
		return nil
	}
	in, err := campaign(ctx, tx, scope, a.campaign)
	if err != nil {
		return err
	}
	content := s.content(e, in, purposeProve, k.Kind, a.language)
	if err := s.dispatch.AddContents(ctx, tx, scope, now, in.ID, []dispatch.Content{content}); err != nil {
		return err
	}
	// The person is awake, on the page, and waits for it: at once, for an hour.
	_, err = s.dispatch.Enqueue(ctx, tx, scope, now, []dispatch.Order{{
		ID: uuid.NewSHA1(c.ID, []byte(purposeProve)), Campaign: in.ID, Subject: c.ID, Content: content.ID, Medium: content.Medium, Address: k.Address,
		Link: s.linkBase + c.code, Token: token(k.Kind, c.code), Purpose: purposeProve, Priority: lowPriority, ExpiresAt: now.Add(time.Hour),
	}})
	return err
}

// prove marks a correction whose owner answered; Tick then applies it.
func (s *Service) prove(ctx context.Context, tx *storage.Tx, scope access.Scope, at time.Time, which string, args ...any) (bool, error) {
	list, err := readCorrections(ctx, tx, scope, which+` AND state = 'proving'`, args...)
	if err != nil || len(list) == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE directory_corrections SET state = 'proven', settled_us = $3 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), list[0].ID, storage.Micros(at))
	return true, err
}

// applyProven gives people the numbers they proved. One that an import holds
// back waits for the next look.
func (s *Service) applyProven(ctx context.Context, instance access.Scope, now time.Time) error {
	type waiting struct{ organisation, id uuid.UUID }
	var list []waiting
	if err := s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id FROM directory_corrections WHERE state = 'proven' LIMIT 100`, nil, func(row func(...any) error) error {
			var w waiting
			err := row(&w.organisation, &w.id)
			list = append(list, w)
			return err
		})
	}); err != nil {
		return err
	}
	for _, w := range list {
		err := s.settleCorrection(ctx, instance.Within(w.organisation), now, w.id, Applied)
		if err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// Decide applies or refuses a correction by hand: a number that nobody proved,
// or that nobody can. Errors: Denied, NotFound, Conflict when it is settled.
func (s *Service) Decide(ctx context.Context, scope access.Scope, id uuid.UUID, apply bool) error {
	if err := s.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	state := Refused
	if apply {
		state = Applied
	}
	return s.settleCorrection(ctx, scope, s.clock.Now(), id, state)
}

func (s *Service) settleCorrection(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, state CorrectionState) error {
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readCorrections(ctx, tx, scope, `id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "directory.proof.correction_unknown")
		}
		c := list[0]
		if c.State == Applied || c.State == Refused {
			return fault.New(fault.Conflict, "directory.proof.correction_settled")
		}
		by := ""
		if c.State != Proven {
			by = scope.Actor().Name
		}
		if _, err := tx.Exec(ctx, `UPDATE directory_corrections SET state = $3, settled_us = $4, actor_name = $5 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, string(state), storage.Micros(now), by); err != nil {
			return err
		}
		if state == Refused {
			return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "directory.contact.refuse", ObjectKind: "person", ObjectID: c.Person.String()})
		}
		k := directory.Correction{Person: c.Person, Contact: directory.Contact{Kind: c.Kind, Address: c.Address}, Replaces: c.Replaces}
		if c.State == Proven {
			k.Proven = c.Settled
		}
		return s.people.Correct(ctx, tx, scope, now, k)
	})
}

// Corrections lists those of a campaign, those that wait for a person first,
// 200 at most.
func (s *Service) Corrections(ctx context.Context, scope access.Scope, id uuid.UUID) (out []Correction, err error) {
	if err := s.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	whole := s.guard.May(scope, access.DirectoryNumbers)
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readCorrections(ctx, tx, scope, `campaign_id = $2 ORDER BY CASE WHEN state IN ('proving', 'proposed') THEN 0 ELSE 1 END, made_us DESC LIMIT 200`, id)
		if err != nil {
			return err
		}
		people := make([]uuid.UUID, len(out))
		for n := range out {
			people[n] = out[n].Person
		}
		names, err := s.people.Names(ctx, tx, scope, people)
		for n := range out {
			out[n].Name = names[out[n].Person]
			if !whole {
				out[n].Address = directory.Mask(directory.Contact{Kind: out[n].Kind, Address: out[n].Address})
			}
		}
		return err
	})
	return out, err
}
