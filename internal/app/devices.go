package app

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// devices tells the outbox of the devices of people; the room that knows them is
// built after it.
type devices struct{ house *House }

// Devices implements channels.Devices.
func (d devices) Devices(ctx context.Context, address string) ([]channels.Device, error) {
	return d.house.Space.DevicesOf(ctx, address)
}

// Gone implements channels.Devices.
func (d devices) Gone(ctx context.Context, device uuid.UUID) error {
	return d.house.Space.Gone(ctx, device)
}
