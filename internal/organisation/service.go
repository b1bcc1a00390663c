package organisation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Service is what can be done with establishments and their graph.
type Service struct {
	db    *storage.DB
	guard *access.Guard
	clock clock.Clock
}

// New returns the service.
func New(db *storage.DB, guard *access.Guard, c clock.Clock) *Service { return &Service{db, guard, c} }

// Create adds an establishment to the instance; only an Instance scope may. An
// id that is given is kept. Errors: Invalid, Denied, Conflict when the id exists.
func (s *Service) Create(ctx context.Context, scope access.Scope, e Establishment) (Establishment, error) {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return Establishment{}, err
	}
	if !scope.Everywhere() {
		return Establishment{}, fault.New(fault.Denied, "organisation.instance_only")
	}
	e, err := e.tidied()
	if err != nil {
		return e, err
	}
	now := s.clock.Now()
	if e.ID == uuid.Nil {
		e.ID = storage.NewID(now)
	}
	e.Created = now
	inside := scope.Within(e.ID)
	err = s.db.Write(ctx, inside, func(tx *storage.Tx) error {
		if err := insertEstablishment(ctx, tx, e); err != nil {
			if storage.IsDuplicate(err) {
				return fault.Wrap(err, fault.Conflict, "organisation.exists")
			}
			return err
		}
		return journal.Append(ctx, tx, inside, now, journal.Entry{
			Action: "organisation.create", ObjectKind: "establishment",
			ObjectID: e.ID.String(), ObjectName: e.Name, After: noted(e),
		})
	})
	return e, err
}

// note is what the journal keeps of an establishment: not its word of authenticity.
type note struct {
	Name     string `json:"name"`
	Colour   string `json:"colour"`
	Zone     string `json:"zone"`
	FINESS   string `json:"finess,omitempty"`
	Language string `json:"language"`
	HasWord  bool   `json:"has_word"`
}

func noted(e Establishment) note {
	return note{e.Name, e.Colour, e.Zone, e.FINESS.String(), e.Language, e.Word != ""}
}

// List gives the establishments a scope reaches: all for an Instance scope, else its own.
func (s *Service) List(ctx context.Context, scope access.Scope) (out []Establishment, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = listEstablishments(ctx, tx, scope)
		return err
	})
	return out, err
}

// Get gives the scope's establishment. Errors: NotFound.
func (s *Service) Get(ctx context.Context, scope access.Scope) (e Establishment, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return e, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		e, err = establishment(ctx, tx, scope)
		return err
	})
	return e, err
}

// Update changes the scope's establishment; e.ID and e.Created do not count.
func (s *Service) Update(ctx context.Context, scope access.Scope, e Establishment) (Establishment, error) {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return e, err
	}
	e, err := e.tidied()
	if err != nil {
		return e, err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := establishment(ctx, tx, scope)
		if err != nil {
			return err
		}
		e.ID, e.Created = before.ID, before.Created
		if e == before {
			return nil
		}
		if err := updateEstablishment(ctx, tx, e, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "organisation.update", ObjectKind: "establishment",
			ObjectID: e.ID.String(), ObjectName: e.Name, Before: noted(before), After: noted(e),
		})
	})
	return e, err
}

// Tree gives the graph as it was at that instant: the roots, with their branches.
func (s *Service) Tree(ctx context.Context, scope access.Scope, at time.Time) (out []Branch, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := nodes(ctx, tx, scope)
		if err != nil {
			return err
		}
		joined, err := links(ctx, tx, scope)
		out = branches(all, joined, at)
		return err
	})
	return out, err
}

// Places gives the living sites and services, inside the transaction of another room.
func (s *Service) Places(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) (*Places, error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return nil, err
	}
	// A directory may be loaded before anyone described the establishment: then Paris.
	zone := Zones()[0]
	e, err := establishment(ctx, tx, scope)
	switch {
	case err == nil:
		zone = e.Zone
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	all, err := nodes(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	joined, err := links(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	return newPlaces(zone, all, joined, now), nil
}
