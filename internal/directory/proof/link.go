package proof

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// linkLife is how long a link still opens after the end of its campaign.
const linkLife = 7 * 24 * time.Hour

// Link is what the page of a personal link shows.
type Link struct {
	Found         bool
	Establishment string
	FirstName     string
	Language      string
	Kind          Kind
	Standing      Standing
	// Contacts are hers, masked: who found the telephone learns no number.
	Contacts []Shown
	// New is the masked address that this link proves; empty for the link of a campaign.
	New string
	// NewProven tells that it is proven already.
	NewProven bool
	// Waiting are the masked addresses that wait for their owner's answer.
	Waiting []string
	// Wishes are by which medium she asks to be called first, among Media: those
	// she does not refuse. Media is empty where she cannot say.
	Wishes directory.Preferences
	Media  []string
}

// Shown is a contact point as a link shows it.
type Shown struct {
	Kind, Address string
	// Through tells the one by which the link came.
	Through bool
}

// followed is what a code leads to.
type followed struct {
	scope      access.Scope
	asked      asked
	campaign   Campaign
	correction *Correction
	person     directory.Target
	here       bool
	house      organisation.Establishment
}

// follow finds whom a code belongs to. Every code, known or not, costs the same looks.
func (s *Service) follow(ctx context.Context, typed string, now time.Time) (f followed, found bool, err error) {
	code := vault.ReadLinkCode(typed)
	if code == "" {
		return f, false, nil
	}
	var org, id, correction uuid.UUID
	instance := access.Instance("confirmation page")
	err = s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		if found, err = tx.Row(ctx, `SELECT organisation_id, id FROM directory_asked WHERE code = $1`, []any{code}, &org, &id); err != nil || found {
			return err
		}
		found, err = tx.Row(ctx, `SELECT organisation_id, asked_id, id FROM directory_corrections WHERE code = $1`, []any{code}, &org, &id, &correction)
		return err
	})
	if err != nil || !found {
		return f, false, err
	}
	f.scope = instance.Within(org)
	if f.house, err = s.houses.Get(ctx, f.scope); err != nil {
		return f, false, err
	}
	err = s.db.Read(ctx, f.scope, func(tx *storage.Tx) error { return s.read(ctx, tx, &f, now, id, correction) })
	if err != nil {
		return f, false, err
	}
	// Who left, and whose campaign is long over, has no page.
	open := f.campaign.Closed.IsZero() || now.Before(f.campaign.Closed.Add(linkLife))
	return f, f.here && open, nil
}

func (s *Service) read(ctx context.Context, tx *storage.Tx, f *followed, now time.Time, id, correction uuid.UUID) error {
	list, err := readAsked(ctx, tx, f.scope, `a.id = $2`, id)
	if err != nil || len(list) == 0 {
		return err
	}
	f.asked = list[0]
	if f.campaign, err = campaign(ctx, tx, f.scope, f.asked.campaign); err != nil {
		return err
	}
	if correction != uuid.Nil {
		found, err := readCorrections(ctx, tx, f.scope, `id = $2`, correction)
		if err != nil || len(found) == 0 {
			return err
		}
		f.correction = &found[0]
	}
	return s.people.Resolve(ctx, tx, f.scope, directory.Rule{People: []uuid.UUID{f.asked.person}, Absent: true}, directory.Rule{}, now, func(t directory.Target) error {
		f.person, f.here = t, true
		return nil
	})
}

// OpenLink returns what the page shows. It records nothing: previewers open
// links, only a button answers. An unknown code gives a Link that is not Found.
func (s *Service) OpenLink(ctx context.Context, code string, now time.Time) (Link, error) {
	f, found, err := s.follow(ctx, code, now)
	if err != nil || !found {
		return Link{}, err
	}
	l := Link{Found: true, Establishment: f.house.Name, FirstName: f.person.FirstName, Language: f.person.Language, Kind: f.campaign.Kind, Standing: f.asked.standing}
	if c := f.correction; c != nil {
		l.New, l.NewProven = directory.Mask(directory.Contact{Kind: c.Kind, Address: c.Address}), c.State == Proven || c.State == Applied
		return l, nil
	}
	for _, k := range f.person.Contacts {
		if k.Kind == directory.Mobile || k.Kind == directory.Email || k.Kind == directory.Landline {
			l.Contacts = append(l.Contacts, Shown{Kind: k.Kind, Address: directory.Mask(k), Through: k.ID == f.asked.contact})
		}
	}
	if f.mayWish() {
		l.Media = slices.DeleteFunc(directory.Media(), func(m string) bool { return slices.Contains(f.person.Refused, m) })
	}
	return l, s.db.Read(ctx, f.scope, func(tx *storage.Tx) error {
		if l.Wishes, err = s.people.Wishes(ctx, tx, f.scope, f.asked.person); err != nil {
			return err
		}
		waiting, err := readCorrections(ctx, tx, f.scope, `asked_id = $2 AND state IN ('proving', 'proposed') ORDER BY made_us`, f.asked.id)
		for _, c := range waiting {
			l.Waiting = append(l.Waiting, directory.Mask(directory.Contact{Kind: c.Kind, Address: c.Address}))
		}
		return err
	})
}

// agent is the scope of who follows a link: a person of the staff, who may do nothing else.
func (f followed) agent(from string) access.Scope {
	return access.For(f.scope.Organisation(), access.Actor{Kind: access.Agent, ID: f.asked.person, From: from}, false)
}

// Confirm records that the details are right, or that a new number is hers.
// Errors: NotFound for an unknown code.
func (s *Service) Confirm(ctx context.Context, code string, now time.Time) error {
	return s.answer(ctx, code, now, func(tx *storage.Tx, f followed) error {
		if f.correction != nil {
			_, err := s.prove(ctx, tx, f.scope, now, `id = $2`, f.correction.ID)
			return err
		}
		if f.asked.standing != Corrected {
			f.asked.settle(Confirmed, now)
		}
		at := slices.IndexFunc(f.person.Contacts, func(k directory.Contact) bool { return k.ID == f.asked.contact })
		if at >= 0 {
			// Who reads the link holds the telephone, or opens the mailbox.
			k := f.person.Contacts[at]
			if err := s.people.Record(ctx, tx, f.scope, now, []directory.ContactEvent{{Address: k.Address, Kind: directory.EventAnswered, At: now}}); err != nil {
				return err
			}
		}
		return f.asked.save(ctx, tx, f.scope)
	})
}

// Disown records that the message reached somebody else. Errors: NotFound.
func (s *Service) Disown(ctx context.Context, code string, now time.Time) error {
	return s.answer(ctx, code, now, func(tx *storage.Tx, f followed) error {
		if f.correction != nil {
			_, err := tx.Exec(ctx, `UPDATE directory_corrections SET state = 'refused', settled_us = $3 WHERE organisation_id = $1 AND id = $2 AND state = 'proving'`,
				f.scope.Organisation(), f.correction.ID, storage.Micros(now))
			return err
		}
		f.asked.settle(NotMe, now)
		if err := s.people.Disown(ctx, tx, f.scope, now, f.asked.person, f.asked.contact); err != nil {
			return err
		}
		return f.asked.save(ctx, tx, f.scope)
	})
}

// Correct takes another number or address. It serves once its owner answered
// from it; what was known stays meanwhile, and behind it after. from is the
// network address. Errors: NotFound, Invalid for what cannot be read, TooMany,
// Conflict when it is known.
func (s *Service) Correct(ctx context.Context, code, text, from string, now time.Time) error {
	return s.answer(ctx, code, now, func(tx *storage.Tx, f followed) error {
		if f.correction != nil {
			return unknownLink()
		}
		k, err := readCorrection(text, f.person.SiteZone)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(f.person.Contacts, func(known directory.Contact) bool {
			return known.Address == k.Address && known.State != directory.Foreign
		}) {
			return fault.New(fault.Conflict, "directory.proof.known").At("address")
		}
		f.asked.settle(Corrected, now)
		if err := f.asked.save(ctx, tx, f.scope); err != nil {
			return err
		}
		if err := s.propose(ctx, tx, f.scope, now, f.house, f.asked, k, f.replaced(k.Kind)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, f.agent(from), now, journal.Entry{
			Action: "directory.contact.propose", ObjectKind: "person", ObjectID: f.asked.person.String(),
			ObjectName: strings.TrimSpace(f.person.LastName + " " + f.person.FirstName), After: map[string]string{"contact": k.Kind},
		})
	})
}

// mayWish tells whether the link came to the person herself, as far as is known:
// not that of a number still to be proven, nor one that somebody else answered.
func (f followed) mayWish() bool { return f.correction == nil && f.asked.standing != NotMe }

// Wish keeps by which medium the person asks to be called first. It confirms
// nothing. from is the network address. Errors: NotFound, Invalid.
func (s *Service) Wish(ctx context.Context, code string, p directory.Preferences, from string, now time.Time) error {
	return s.answer(ctx, code, now, func(tx *storage.Tx, f followed) error {
		if !f.mayWish() {
			return unknownLink()
		}
		return s.people.Wish(ctx, tx, f.scope, f.agent(from), now, f.asked.person, p)
	})
}

// readCorrection reads a number or an address, whichever it looks like.
func readCorrection(text, zone string) (directory.Contact, error) {
	kind := directory.Mobile
	if strings.Contains(text, "@") {
		kind = directory.Email
	}
	k, err := directory.ReadContact(kind, text, zone)
	if e := fault.As(err); e != nil {
		return k, e.At("address")
	}
	return k, err
}

// replaced is the contact point that a new one of that kind comes before: the
// one of the link if it can be, else the first.
func (f followed) replaced(kind string) uuid.UUID {
	first := uuid.Nil
	for _, k := range f.person.Contacts {
		if k.Kind != kind {
			continue
		}
		if k.ID == f.asked.contact {
			return k.ID
		}
		if first == uuid.Nil {
			first = k.ID
		}
	}
	return first
}

func unknownLink() error { return fault.New(fault.NotFound, "directory.proof.link_unknown") }

// answer follows a code and does something in one transaction.
func (s *Service) answer(ctx context.Context, code string, now time.Time, do func(*storage.Tx, followed) error) error {
	f, found, err := s.follow(ctx, code, now)
	if err != nil {
		return err
	}
	if !found {
		return unknownLink()
	}
	err = s.db.Write(ctx, f.scope, func(tx *storage.Tx) error {
		// Read again: a reply by SMS may have come meanwhile.
		list, err := readAsked(ctx, tx, f.scope, `a.id = $2`, f.asked.id)
		if err != nil || len(list) == 0 {
			return err
		}
		f.asked = list[0]
		return do(tx, f)
	})
	if err == nil {
		s.nudge()
		s.dispatch.Wake()
	}
	return err
}
