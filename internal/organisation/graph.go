package organisation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// AddNode adds a node, and hangs it under parent unless parent is Nil.
// Errors: Invalid, Denied, NotFound for the parent, Conflict when a living
// node of that kind has the same name at the same place.
func (s *Service) AddNode(ctx context.Context, scope access.Scope, n Node, parent uuid.UUID) (Node, error) {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return n, err
	}
	n, err := n.tidied()
	if err != nil {
		return n, err
	}
	now := s.clock.Now()
	n.ID, n.Created, n.Closed = storage.NewID(now), now, time.Time{}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := refuseTwin(ctx, tx, scope, n, parent, now); err != nil {
			return err
		}
		if err := insertNodes(ctx, tx, scope, n); err != nil {
			return err
		}
		if parent != uuid.Nil {
			if _, err := join(ctx, tx, scope, Link{Parent: parent, Child: n.ID, Relation: Member, From: now}, now); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "organisation.node.add", ObjectKind: string(n.Kind),
			ObjectID: n.ID.String(), ObjectName: n.Name, After: notedNode(n),
		})
	})
	return n, err
}

type nodeNote struct {
	Name    string `json:"name"`
	Code    string `json:"code,omitempty"`
	FINESS  string `json:"finess,omitempty"`
	Address string `json:"address,omitempty"`
	Zone    string `json:"zone,omitempty"`
}

func notedNode(n Node) nodeNote {
	return nodeNote{n.Name, n.Code, n.FINESS.String(), n.Address, n.Zone}
}

// refuseTwin keeps two living nodes of a kind from bearing one name under one parent.
func refuseTwin(ctx context.Context, tx *storage.Tx, scope access.Scope, n Node, parent uuid.UUID, now time.Time) error {
	all, err := nodes(ctx, tx, scope)
	if err != nil {
		return err
	}
	joined, err := links(ctx, tx, scope)
	if err != nil {
		return err
	}
	above := map[uuid.UUID]uuid.UUID{}
	for _, l := range joined {
		if l.at(now) && l.Relation == Member {
			above[l.Child] = l.Parent
		}
	}
	for _, o := range all {
		if o.ID != n.ID && o.Kind == n.Kind && o.Closed.IsZero() && same(o.Name, n.Name) && same(o.Code, n.Code) && above[o.ID] == parent {
			return fault.New(fault.Conflict, "organisation.node_exists", "name", n.Name).At("name")
		}
	}
	return nil
}

// UpdateNode changes name, code, FINESS, address and zone of a node.
func (s *Service) UpdateNode(ctx context.Context, scope access.Scope, n Node) (Node, error) {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return n, err
	}
	now := s.clock.Now()
	var out Node
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := node(ctx, tx, scope, n.ID)
		if err != nil {
			return err
		}
		n.Kind, n.Created, n.Closed = before.Kind, before.Created, before.Closed
		if out, err = n.tidied(); err != nil {
			return err
		}
		if err := updateNode(ctx, tx, scope, out); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "organisation.node.update", ObjectKind: string(out.Kind),
			ObjectID: out.ID.String(), ObjectName: out.Name, Before: notedNode(before), After: notedNode(out),
		})
	})
	return out, err
}

// CloseNode ends a node and its links now; history keeps them.
func (s *Service) CloseNode(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := node(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !n.Closed.IsZero() {
			return fault.New(fault.Conflict, "organisation.node_closed")
		}
		n.Closed = now
		if err := updateNode(ctx, tx, scope, n); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE organisation_links SET to_us = $3 WHERE organisation_id = $1 AND (parent_id = $2 OR child_id = $2)
			AND to_us IS NULL`, scope.Organisation(), id, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "organisation.node.close", ObjectKind: string(n.Kind),
			ObjectID: id.String(), ObjectName: n.Name,
		})
	})
}

// Join adds a link; From zero means now, To zero means without end. Errors:
// Invalid when the kinds do not fit, Conflict when it would close a cycle.
func (s *Service) Join(ctx context.Context, scope access.Scope, l Link) (Link, error) {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return l, err
	}
	now := s.clock.Now()
	if l.From.IsZero() {
		l.From = now
	}
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
		if l, err = join(ctx, tx, scope, l, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "organisation.link.add", ObjectKind: "link", ObjectID: l.ID.String(),
			After: map[string]string{"parent": l.Parent.String(), "child": l.Child.String(), "relation": string(l.Relation)},
		})
	})
	return l, err
}

func join(ctx context.Context, tx *storage.Tx, scope access.Scope, l Link, now time.Time) (Link, error) {
	if l.Relation != Member && l.Relation != Subscribes {
		return l, fault.New(fault.Invalid, "organisation.relation_unknown").At("relation")
	}
	if !l.To.IsZero() && !l.To.After(l.From) {
		return l, fault.New(fault.Invalid, "organisation.link_dates").At("to")
	}
	parent, err := node(ctx, tx, scope, l.Parent)
	if err != nil {
		return l, err
	}
	child, err := node(ctx, tx, scope, l.Child)
	if err != nil {
		return l, err
	}
	// The cycle first: it says more to the person than the kinds do.
	existing, err := links(ctx, tx, scope)
	if err != nil {
		return l, err
	}
	if closesCycle(existing, l) {
		return l, fault.New(fault.Conflict, "organisation.cycle", "parent", parent.Name, "child", child.Name)
	}
	if !fits(parent.Kind, child.Kind) {
		return l, fault.New(fault.Invalid, "organisation.misfit", "parent", parent.Name, "child", child.Name).At("parent")
	}
	l.ID = storage.NewID(now)
	return l, insertLinks(ctx, tx, scope, l)
}

// Part closes a link at that instant, now when zero. What was true before stays.
func (s *Service) Part(ctx context.Context, scope access.Scope, link uuid.UUID, at time.Time) error {
	if err := s.guard.Check(scope, access.OrganisationWrite); err != nil {
		return err
	}
	now := s.clock.Now()
	if at.IsZero() {
		at = now
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE organisation_links SET to_us = $3 WHERE organisation_id = $1 AND id = $2 AND from_us <= $3
			AND (to_us IS NULL OR to_us > $3)`, scope.Organisation(), link, storage.Micros(at))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "organisation.link_not_found")
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "organisation.link.close", ObjectKind: "link", ObjectID: link.String()})
	})
}

// Links gives every link, closed ones too.
func (s *Service) Links(ctx context.Context, scope access.Scope) (out []Link, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = links(ctx, tx, scope)
		return err
	})
	return out, err
}

// EnsurePlaces creates the sites and services that are not there yet and
// returns all places. The right is that of the import which needs them: the
// caller is the directory, inside its own transaction.
func (s *Service) EnsurePlaces(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, names []PlaceName) (*Places, error) {
	if err := s.guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	places, err := s.Places(ctx, tx, scope, now)
	if err != nil {
		return nil, err
	}
	var added []Node
	var joined []Link
	for _, name := range names {
		site, service := places.Find(name)
		if site == uuid.Nil && oneLine(name.Site) != "" {
			n := Node{ID: storage.NewID(now), Kind: Site, Name: oneLine(name.Site), Created: now}
			added, site = append(added, n), n.ID
			places.add(n, map[uuid.UUID]Node{n.ID: n}, nil)
		}
		if service != uuid.Nil || oneLine(name.Service) == "" && oneLine(name.Code) == "" {
			continue
		}
		n := Node{ID: storage.NewID(now), Kind: CareService, Name: oneLine(name.Service), Code: oneLine(name.Code), Created: now}
		if n.Name == "" {
			n.Name = n.Code
		}
		added = append(added, n)
		if site != uuid.Nil {
			joined = append(joined, Link{ID: storage.NewID(now), Parent: site, Child: n.ID, Relation: Member, From: now})
		}
		above := places.byID[site]
		places.add(n, map[uuid.UUID]Node{n.ID: n, site: {ID: site, Kind: Site, Name: above.Name, Zone: above.Zone}}, map[uuid.UUID]uuid.UUID{n.ID: site})
		places.children[site] = append(places.children[site], n.ID)
	}
	if len(added) == 0 {
		return places, nil
	}
	if err := insertNodes(ctx, tx, scope, added...); err != nil {
		return nil, err
	}
	if err := insertLinks(ctx, tx, scope, joined...); err != nil {
		return nil, err
	}
	return places, journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "organisation.node.import", ObjectKind: "places",
		After: map[string]int{"added": len(added)},
	})
}
