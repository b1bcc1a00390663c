package detect

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"
)

// snapshotVersion opens what Snapshot writes.
const snapshotVersion = 1

// ErrSnapshot is a snapshot that cannot be read: damaged, or of another version.
var ErrSnapshot = errors.New("unreadable snapshot of the detection")

// saved is what was learnt. Sessions and hours that run, and what can be asked
// again of the care and the staff, are not in it.
type saved struct {
	Version int
	Clock   int64
	Houses  []savedHouse
}

type savedHouse struct {
	ID           uuid.UUID
	Actors       []savedActor
	Names        map[uint64]uint32
	Total, Staff uint32
	Roles        map[string]*role
	Glass        map[string]*tally
	Peers        map[peersKey]*peers
	Season       [kinds]ratio
	Day, Learnt  int
	Low, Middle  float64
	Opened       map[uint64]*openers
	Cost         Cost
}

type savedActor struct {
	Account string
	Seen    int64
	Profile profile
	Sketch  *sketch
}

// Snapshot gives all that was learnt, for Restore. It holds accounts and habits
// of people: it is kept as the traces are.
func (d *Detector) Snapshot() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := saved{Version: snapshotVersion, Clock: d.clock}
	for _, h := range d.houses {
		x := savedHouse{
			ID: h.id, Names: h.names.of, Total: h.names.total, Staff: h.names.staff, Roles: h.roles, Glass: h.glass, Peers: h.volume.peers, Season: h.volume.season,
			Day: h.community.day, Learnt: h.community.learnt, Low: h.community.low, Middle: h.community.middle, Opened: h.community.opened, Cost: h.cost,
		}
		for _, a := range h.actors {
			x.Actors = append(x.Actors, savedActor{a.account, a.seen, a.profile, a.sketch})
		}
		s.Houses = append(s.Houses, x)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("write what the detection learnt: %w", err)
	}
	return b.Bytes(), nil
}

// Restore puts back what Snapshot gave, in place of whatever was learnt. Errors:
// ErrSnapshot, and then nothing changes.
func (d *Detector) Restore(b []byte) error {
	var s saved
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil || s.Version != snapshotVersion {
		return errors.Join(ErrSnapshot, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.houses)
	d.clock = s.Clock
	for i := range s.Houses {
		d.houses[s.Houses[i].ID] = d.restored(&s.Houses[i])
	}
	return nil
}

func (d *Detector) restored(x *savedHouse) *house {
	h := newHouse(x.ID, d.opt)
	h.names.total, h.names.staff, h.cost, h.volume.season = x.Total, x.Staff, x.Cost, x.Season
	// gob leaves out what is empty.
	maps.Copy(h.names.of, x.Names)
	maps.Copy(h.roles, x.Roles)
	maps.Copy(h.glass, x.Glass)
	maps.Copy(h.volume.peers, x.Peers)
	maps.Copy(h.community.opened, x.Opened)
	h.community.day, h.community.learnt, h.community.low, h.community.middle = x.Day, x.Learnt, x.Low, x.Middle
	for _, s := range x.Actors {
		a := &actor{account: s.Account, id: digest(fold(s.Account)), seen: s.Seen, asked: -memberFor, profile: s.Profile, sketch: s.Sketch}
		h.actors[a.account] = a
		if a.sketch != nil {
			h.community.actors[a.id] = a
		}
	}
	return h
}
