package directory

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// DeviceDesk knows who receives notifications; space.Service is one.
type DeviceDesk interface {
	// Notified are the people of the establishment with a device that receives them,
	// inside the transaction of who asks.
	Notified(ctx context.Context, tx *storage.Tx, scope access.Scope) (map[uuid.UUID]bool, error)
}

// Notify makes targets know the devices of people. Call it before the first Resolve.
func (d *Directory) Notify(desk DeviceDesk) { d.devices = desk }

// deviceRank sets devices after every address of a file.
const deviceRank = 1_000

// devices adds to a page of targets the devices of those who have some.
func (c *compiler) devices(page []Target) {
	for i := range page {
		t := &page[i]
		if c.notified[t.Person] {
			t.Contacts = append(t.Contacts, Contact{ID: t.Person, Kind: Device, Address: t.Person.String(), Private: true, State: NeverTried, Rank: deviceRank})
		}
	}
}
