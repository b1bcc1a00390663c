package space

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// InvitationLife is how long an invitation may be opened.
	InvitationLife = 24 * time.Hour
	// inviteEvery is the least wait between two invitations of one person.
	inviteEvery = 10 * time.Minute
	// lowPriority lets alerts pass first.
	lowPriority = 6
)

// Invite sends a person the link that opens his space, by SMS to his mobile or
// else by e-mail. Needs access.DirectoryWrite. Errors: NotFound, TooMany for a
// second one within minutes, Conflict for who left or cannot be written to.
func (s *Service) Invite(ctx context.Context, scope access.Scope, person uuid.UUID) (channels.Medium, error) {
	if err := s.opt.Guard.Check(scope, access.DirectoryWrite); err != nil {
		return "", err
	}
	return s.invite(ctx, scope, person)
}

// Ask sends an invitation to who holds the answer link of an alert: to the
// number the directory knows, whoever holds the link. An unknown code is
// silently nothing. Errors: as Invite.
func (s *Service) Ask(ctx context.Context, code, from string, now time.Time) error {
	org, person, found, err := s.opt.Alerting.Called(ctx, code, now)
	if err != nil || !found {
		return err
	}
	_, err = s.invite(ctx, access.For(org, access.Actor{Kind: access.Agent, ID: person, From: from}, false), person)
	return err
}

func (s *Service) invite(ctx context.Context, as access.Scope, person uuid.UUID) (channels.Medium, error) {
	now := s.opt.Clock.Now()
	scope := access.System(as.Organisation(), worker)
	p, err := s.opt.Directory.Person(ctx, scope, person)
	if err != nil {
		return "", err
	}
	if !p.Departed.IsZero() {
		return "", fault.New(fault.Conflict, "space.invite.left")
	}
	to, ok := wayTo(p)
	if !ok {
		return "", fault.New(fault.Conflict, "space.invite.nowhere")
	}
	house, err := s.opt.Organisation.Get(ctx, scope)
	if err != nil {
		return "", err
	}
	code := strings.Join(vault.NewLinkCodes(2), "")
	id := storage.NewID(now)
	order, content := s.letter(id, p, to, house.Name, house.Word, code, now)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		recent := 0
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM space_invitations WHERE organisation_id = $1 AND person_id = $2 AND made_us > $3`,
			[]any{scope.Organisation(), person, storage.Micros(now.Add(-inviteEvery))}, &recent); err != nil {
			return err
		}
		if recent > 0 {
			return fault.New(fault.TooMany, "space.invite.again", "wait", inviteEvery)
		}
		// A new invitation is the only one: the one that was lost opens nothing.
		if _, err := tx.Exec(ctx, `UPDATE space_invitations SET expires_us = $3 WHERE organisation_id = $1 AND person_id = $2 AND used_us IS NULL AND expires_us > $3`,
			scope.Organisation(), person, storage.Micros(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO space_invitations (organisation_id, id, person_id, code_hash, made_by, made_us, expires_us) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			scope.Organisation(), id, person, vault.Digest(code), as.Actor().Name, storage.Micros(now), storage.Micros(now.Add(InvitationLife))); err != nil {
			return err
		}
		if err := s.post(ctx, tx, scope, now, order, content); err != nil {
			return err
		}
		return journal.Append(ctx, tx, as, now, journal.Entry{Action: "space.invite", ObjectKind: "person", ObjectID: person.String(), After: map[string]any{"medium": to.medium}})
	})
	s.opt.Dispatch.Wake()
	return to.medium, err
}

// post has one message leave by the outbox; one whose id is known is left as it is.
func (s *Service) post(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, order dispatch.Order, content dispatch.Content) error {
	if err := s.opt.Dispatch.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: order.Campaign, Mode: "test", MaxTotal: 1}); err != nil {
		return err
	}
	if err := s.opt.Dispatch.AddContents(ctx, tx, scope, now, order.Campaign, []dispatch.Content{content}); err != nil {
		return err
	}
	_, err := s.opt.Dispatch.Enqueue(ctx, tx, scope, now, []dispatch.Order{order})
	return err
}

// way is where an invitation goes.
type way struct {
	medium  channels.Medium
	address string
}

// wayTo is the first number of his own by SMS, or else an address.
func wayTo(p directory.Person) (way, bool) {
	for kind, medium := range map[string]channels.Medium{directory.Mobile: channels.SMS} {
		if slices.Contains(p.Refused, string(medium)) {
			continue
		}
		for _, k := range p.Contacts {
			if k.Kind == kind && k.Usable() && !k.Shared {
				return way{medium, k.Address}, true
			}
		}
	}
	for _, k := range p.Contacts {
		if k.Kind == directory.Email && k.Usable() && !k.Shared {
			return way{channels.Email, k.Address}, true
		}
	}
	return way{}, false
}

func (s *Service) letter(id uuid.UUID, p directory.Person, to way, house, word, code string, now time.Time) (dispatch.Order, dispatch.Content) {
	loc := s.speaks(p)
	if word != "" {
		house += " (" + word + ")"
	}
	content := dispatch.Content{ID: uuid.NewSHA1(id, []byte("text")), Medium: to.medium, Language: string(loc.Language()), Text: loc.T("space.letter."+string(to.medium), "establishment", house, "link", "{lien}")}
	if to.medium == channels.Email {
		content.Subject = loc.T("space.letter.subject", "establishment", house)
	} else {
		content.Text = plainSMS(content.Text)
	}
	return dispatch.Order{
		ID: uuid.NewSHA1(id, []byte("order")), Campaign: id, Subject: p.ID, Content: content.ID, Medium: to.medium, Address: to.address, Link: s.opt.InviteBase + code,
		Purpose: "invite", Priority: lowPriority, ExpiresAt: now.Add(time.Hour),
	}, content
}

// Invitation is what the page of an invitation shows, before it is used.
type Invitation struct {
	Establishment, FirstName, Language string
}

type invited struct {
	scope  access.Scope
	id     uuid.UUID
	person uuid.UUID
}

func (s *Service) invited(ctx context.Context, code string, now time.Time) (in invited, found bool, err error) {
	if len(code) != 2*vault.LinkCodeLength {
		return in, false, nil
	}
	instance := access.Instance(worker)
	var org uuid.UUID
	err = s.opt.DB.Read(ctx, instance, func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id, person_id FROM space_invitations WHERE code_hash = $1 AND used_us IS NULL AND expires_us > $2`,
			[]any{vault.Digest(code), storage.Micros(now)}, &org, &in.id, &in.person)
		return err
	})
	in.scope = instance.Within(org)
	return in, found, err
}

// Invitation looks at an invitation and uses nothing: previewers open links.
// found is false for one that is unknown, over or used.
func (s *Service) Invitation(ctx context.Context, code string, now time.Time) (out Invitation, found bool, err error) {
	in, found, err := s.invited(ctx, code, now)
	if err != nil || !found {
		return out, false, err
	}
	p, err := s.opt.Directory.Person(ctx, in.scope, in.person)
	if err != nil {
		return out, false, err
	}
	house, err := s.opt.Organisation.Get(ctx, in.scope)
	return Invitation{house.Name, p.FirstName, p.Language}, err == nil && p.Departed.IsZero(), err
}

// Enrol uses an invitation and returns the token of a new device. Of two that
// use it at once, one gets a device. Errors: NotFound for an invitation that is unknown, over or used.
func (s *Service) Enrol(ctx context.Context, code, agent, from string, now time.Time) (token string, err error) {
	unknown := fault.New(fault.NotFound, "space.invitation.unknown")
	in, found, err := s.invited(ctx, code, now)
	if err != nil {
		return "", err
	}
	if !found {
		return "", unknown
	}
	here, err := s.works(ctx, in.scope, in.person, now)
	if err != nil {
		return "", err
	}
	if !here {
		return "", unknown
	}
	token, hash := vault.NewToken()
	device := storage.NewID(now)
	as := access.For(in.scope.Organisation(), access.Actor{Kind: access.Agent, ID: device, From: from}, false)
	return token, s.opt.DB.Write(ctx, in.scope, func(tx *storage.Tx) error {
		org := in.scope.Organisation()
		n, err := tx.Exec(ctx, `UPDATE space_invitations SET used_us = $3 WHERE organisation_id = $1 AND id = $2 AND used_us IS NULL AND expires_us > $3`, org, in.id, storage.Micros(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return unknown
		}
		// The least used makes room: a person changes telephones and forgets the old one here.
		if _, err := tx.Exec(ctx, `DELETE FROM space_devices WHERE organisation_id = $1 AND id IN
			(SELECT id FROM space_devices WHERE organisation_id = $1 AND person_id = $2 ORDER BY seen_us DESC, id LIMIT 1000 OFFSET $3)`, org, in.person, devicesMost-1); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO space_devices (organisation_id, id, person_id, name, token_hash, made_us, expires_us, seen_us, endpoint, peer_key, peer_secret)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $6, '', '', '')`, org, device, in.person, named(agent), hash, storage.Micros(now), storage.Micros(now.Add(DeviceLife))); err != nil {
			return err
		}
		return journal.Append(ctx, tx, as, now, journal.Entry{Action: "space.device.open", ObjectKind: "person", ObjectID: in.person.String()})
	})
}
