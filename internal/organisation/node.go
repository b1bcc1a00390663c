package organisation

import (
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/organisation/finess"
)

// Kind is what a node of the graph is.
type Kind string

// The kinds, from the widest to the smallest. The values are stored.
const (
	Region      Kind = "region"
	GHT         Kind = "ght"
	EJ          Kind = "ej"
	ET          Kind = "et"
	Site        Kind = "site"
	CareService Kind = "service"
)

// Kinds lists them from the widest to the smallest.
func Kinds() []Kind { return []Kind{Region, GHT, EJ, ET, Site, CareService} }

// level orders the kinds; -1 when unknown.
func (k Kind) level() int {
	for i, known := range Kinds() {
		if k == known {
			return i
		}
	}
	return -1
}

// Relation is how a child stands to its parent.
type Relation string

// The relations. The values are stored.
const (
	// Member is a part of: a service of a site, an entity of a GHT.
	Member Relation = "member"
	// Subscribes takes services from, without being a part of: an EHPAD and a GHT.
	Subscribes Relation = "subscribes"
)

// Node is a body, a site or a care service, as one establishment records it.
type Node struct {
	ID   uuid.UUID
	Kind Kind
	Name string
	// Code is the establishment's own ("UF 4512"), or the national one of a
	// region or GHT: equal codes of equal kinds name the same body elsewhere.
	Code   string
	FINESS finess.Number
	// Address is free text, shown on messages.
	Address string
	// Zone is an IANA zone, for sites; empty means the establishment's.
	Zone    string
	Created time.Time
	// Closed is zero while the node lives.
	Closed time.Time
}

// Link says that a child belongs to a parent during [From, To).
type Link struct {
	ID            uuid.UUID
	Parent, Child uuid.UUID
	Relation      Relation
	From          time.Time
	// To is zero while the link holds.
	To time.Time
}

func (n Node) tidied() (Node, error) {
	n.Name, n.Code = oneLine(n.Name), oneLine(n.Code)
	switch {
	case n.Kind.level() < 0:
		return n, fault.New(fault.Invalid, "organisation.kind_unknown").At("kind")
	case n.Name == "":
		return n, fault.New(fault.Invalid, "organisation.name_required").At("name")
	case utf8.RuneCountInString(n.Name) > nameLimit:
		return n, fault.New(fault.Invalid, "organisation.name_too_long", "limit", nameLimit).At("name")
	case n.Zone != "" && !isZone(n.Zone):
		return n, fault.New(fault.Invalid, "organisation.zone_unknown").At("zone")
	case !n.FINESS.IsZero() && n.Kind != EJ && n.Kind != ET && n.Kind != Site:
		return n, fault.New(fault.Invalid, "organisation.finess_misplaced").At("finess")
	}
	return n, nil
}

// fits tells whether a child of that kind may hang under that parent: never
// under something smaller. A service may hold services, a GHT may not hold a GHT.
func fits(parent, child Kind) bool {
	return parent.level() < child.level() || parent == CareService && child == CareService
}

// overlaps tells whether two links hold at a same instant.
func (l Link) overlaps(o Link) bool {
	return (l.To.IsZero() || o.From.Before(l.To)) && (o.To.IsZero() || l.From.Before(o.To))
}

// at tells whether the link holds at that instant.
func (l Link) at(when time.Time) bool {
	return !l.From.After(when) && (l.To.IsZero() || l.To.After(when))
}

// closesCycle tells whether adding l to links would let one go up from the
// parent and come back to the child at some instant. It only looks at links
// that overlap l: a cycle must hold at one instant.
func closesCycle(links []Link, l Link) bool {
	if l.Parent == l.Child {
		return true
	}
	parents := map[uuid.UUID][]Link{}
	for _, o := range links {
		if o.overlaps(l) {
			parents[o.Child] = append(parents[o.Child], o)
		}
	}
	seen := map[uuid.UUID]bool{}
	todo := []uuid.UUID{l.Parent}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if id == l.Child {
			return true
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		for _, up := range parents[id] {
			todo = append(todo, up.Parent)
		}
	}
	return false
}
