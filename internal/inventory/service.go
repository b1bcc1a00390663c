package inventory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Options are what the room rests on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Clock        clock.Clock
	Organisation *organisation.Service
	Owners       Owners
}

// Service is what can be done with the inventory.
type Service struct{ opt Options }

// New returns the operations of the room.
func New(o Options) *Service { return &Service{o} }

// Page is a part of a list.
type Page struct {
	Items []Named
	// Total counts what the filter selects, Known what serves at all.
	Total, Known int
	// Unrated counts what serves and was never weighed, suppliers aside.
	Unrated int
}

// List gives the items a filter selects, by name. Needs access.InventoryRead.
func (s *Service) List(ctx context.Context, scope access.Scope, f Filter) (out Page, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryRead); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if out.Total, err = countItems(ctx, tx, scope, f); err != nil {
			return err
		}
		if _, err := tx.Row(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN criticality = '' AND kind <> 'supplier' THEN 1 ELSE 0 END), 0) FROM inventory_items
			WHERE organisation_id = $1 AND retired_us IS NULL`, []any{scope.Organisation()}, &out.Known, &out.Unrated); err != nil {
			return err
		}
		items, err := listItems(ctx, tx, scope, f)
		if err != nil {
			return err
		}
		g, err := s.names(ctx, tx, scope, items)
		out.Items = g.all(items)
		return err
	})
	return out, err
}

// Search gives the items a filter selects, without the names of what they point
// at; nothing to whoever may not read the inventory.
func (s *Service) Search(ctx context.Context, scope access.Scope, f Filter) (out []Item, err error) {
	if !s.opt.Guard.May(scope, access.InventoryRead) {
		return nil, nil
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = listItems(ctx, tx, scope, f)
		return err
	})
	return out, err
}

// Sheet is an item with what surrounds it.
type Sheet struct {
	Named
	// Rests is what it rests on, Carries what rests on it.
	Rests, Carries []Item
	// Supplies counts what a supplier supplies.
	Supplies int
}

// Get gives one item. Needs access.InventoryRead. Errors: NotFound.
func (s *Service) Get(ctx context.Context, scope access.Scope, id uuid.UUID) (out Sheet, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryRead); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		i, err := readItem(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		g, err := s.names(ctx, tx, scope, []Item{i})
		if err != nil {
			return err
		}
		out.Named = g.of(i)
		if out.Rests, err = linked(ctx, tx, scope, id, true); err != nil {
			return err
		}
		if out.Carries, err = linked(ctx, tx, scope, id, false); err != nil {
			return err
		}
		if i.Kind == Supplier {
			out.Supplies, err = countItems(ctx, tx, scope, Filter{Supplier: id})
		}
		return err
	})
	return out, err
}

// Identified gives the items that serve and bear an identifier: several when
// two share an address. Needs access.InventoryRead. Errors: Invalid.
func (s *Service) Identified(ctx context.Context, scope access.Scope, kind IdentifierKind, value string) (out []Item, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryRead); err != nil {
		return nil, err
	}
	d, err := ParseIdentifier(kind, value)
	if err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = listItems(ctx, tx, scope, Filter{Identifier: d})
		return err
	})
	return out, err
}

// FindOwner gives the person whom a text names. Needs access.InventoryWrite.
// Errors: Invalid at "owner".
func (s *Service) FindOwner(ctx context.Context, scope access.Scope, text string) (uuid.UUID, error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return uuid.Nil, err
	}
	id, err := s.opt.Owners.Find(ctx, access.System(scope.Organisation(), worker), text)
	if e := fault.As(err); e != nil {
		return id, e.At("owner")
	}
	return id, err
}

// Save adds an item (ID Nil) or changes one, whose Revision must be the one
// read. What it points at must be of the establishment. Needs
// access.InventoryWrite. Errors: Invalid with its field, NotFound, Conflict.
func (s *Service) Save(ctx context.Context, scope access.Scope, i Item) (Item, error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return i, err
	}
	i, err := i.tidied()
	if err != nil {
		return i, err
	}
	now := s.opt.Clock.Now()
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before := Item{}
		if i.ID != uuid.Nil {
			if before, err = readItem(ctx, tx, scope, i.ID); err != nil {
				return err
			}
			if before.Revision != i.Revision {
				return fault.New(fault.Conflict, "inventory.changed_meanwhile")
			}
			i.Created, i.Retired, i.Source = before.Created, before.Retired, before.Source
		}
		if err := s.check(ctx, tx, scope, i, before); err != nil {
			return err
		}
		i, err = s.put(ctx, tx, scope, i, before, now, "inventory.item.update")
		return err
	})
	return i, err
}

// check refuses what is not of the establishment. What was there already may
// stay, though it was closed since.
func (s *Service) check(ctx context.Context, tx *storage.Tx, scope access.Scope, i, before Item) error {
	g, err := s.names(ctx, tx, scope, []Item{i})
	if err != nil {
		return err
	}
	for _, p := range []struct {
		field   string
		id, was uuid.UUID
		kind    organisation.Kind
	}{
		{"owner_service", i.OwnerService, before.OwnerService, organisation.CareService},
		{"service", i.Service, before.Service, organisation.CareService},
		{"site", i.Site, before.Site, organisation.Site},
	} {
		if place, found := g.places.Get(p.id); p.id != uuid.Nil && p.id != p.was && (!found || place.Kind != p.kind) {
			return fault.New(fault.Invalid, "inventory.place_unknown").At(p.field)
		}
	}
	if _, found := g.people[i.OwnerPerson]; i.OwnerPerson != uuid.Nil && i.OwnerPerson != before.OwnerPerson && !found {
		return fault.New(fault.Invalid, "inventory.owner_unknown").At("owner")
	}
	if i.Supplier != uuid.Nil && i.Supplier != before.Supplier {
		supplier, err := readItem(ctx, tx, scope, i.Supplier)
		if fault.Is(err, fault.NotFound) || err == nil && supplier.Kind != Supplier {
			return fault.New(fault.Invalid, "inventory.supplier_unknown").At("supplier")
		}
		return err
	}
	return nil
}

// put writes an item that differs from the one before (a zero Item when there
// was none) and notes it in the journal.
func (s *Service) put(ctx context.Context, tx *storage.Tx, scope access.Scope, i, before Item, now time.Time, action string) (Item, error) {
	if before.ID != uuid.Nil && i.same(before) {
		return before, nil
	}
	i.Updated, i.Revision = now, before.Revision+1
	isNew := before.ID == uuid.Nil
	if isNew {
		action = "inventory.item.add"
		i.Created = now
		if i.ID == uuid.Nil {
			i.ID = storage.NewID(now)
		}
	}
	if err := writeItem(ctx, tx, scope, i, isNew); err != nil {
		return i, err
	}
	g, err := s.names(ctx, tx, scope, []Item{i, before})
	if err != nil {
		return i, err
	}
	e := journal.Entry{Action: action, ObjectKind: "inventory", ObjectID: i.ID.String(), ObjectName: i.Name, After: g.of(i).noted()}
	if !isNew {
		e.Before = g.of(before).noted()
	}
	return i, journal.Append(ctx, tx, scope, now, e)
}

// Retire says that an item left the service; it stays, with its history. Needs
// access.InventoryWrite. Errors: NotFound.
func (s *Service) Retire(ctx context.Context, scope access.Scope, id uuid.UUID) (Item, error) {
	now := s.opt.Clock.Now()
	return s.retire(ctx, scope, id, now, "inventory.item.retire")
}

// Return puts a retired item back in service. Needs access.InventoryWrite. Errors: NotFound.
func (s *Service) Return(ctx context.Context, scope access.Scope, id uuid.UUID) (Item, error) {
	return s.retire(ctx, scope, id, time.Time{}, "inventory.item.return")
}

func (s *Service) retire(ctx context.Context, scope access.Scope, id uuid.UUID, at time.Time, action string) (i Item, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return i, err
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readItem(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if i = before; before.Retired.IsZero() == at.IsZero() {
			return nil
		}
		i.Retired = at
		i, err = s.put(ctx, tx, scope, i, before, s.opt.Clock.Now(), action)
		return err
	})
	return i, err
}

// Link says that an item rests on another: an application on its server, an
// equipment on its gateway. Needs access.InventoryWrite. Errors: NotFound,
// Invalid at "to".
func (s *Service) Link(ctx context.Context, scope access.Scope, from, to uuid.UUID) error {
	return s.tie(ctx, scope, from, to, "inventory.link.add", func(tx *storage.Tx, f, t Item) (bool, error) {
		if from == to || !f.Kind.May(t.Kind) {
			return false, fault.New(fault.Invalid, "inventory.link_refused").At("to")
		}
		return insertLink(ctx, tx, scope, from, to, s.opt.Clock.Now())
	})
}

// Unlink says that an item does not rest on another any more. Needs
// access.InventoryWrite. Errors: NotFound.
func (s *Service) Unlink(ctx context.Context, scope access.Scope, from, to uuid.UUID) error {
	return s.tie(ctx, scope, from, to, "inventory.link.remove", func(tx *storage.Tx, _, _ Item) (bool, error) {
		return deleteLink(ctx, tx, scope, from, to)
	})
}

func (s *Service) tie(ctx context.Context, scope access.Scope, from, to uuid.UUID, action string, do func(tx *storage.Tx, from, to Item) (changed bool, err error)) error {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		f, err := readItem(ctx, tx, scope, from)
		if err != nil {
			return err
		}
		t, err := readItem(ctx, tx, scope, to)
		if err != nil {
			return err
		}
		changed, err := do(tx, f, t)
		if err != nil || !changed {
			return err
		}
		return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{
			Action: action, ObjectKind: "inventory", ObjectID: f.ID.String(), ObjectName: f.Name, After: map[string]string{"rests_on": t.Name},
		})
	})
}
