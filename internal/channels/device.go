package channels

import (
	"context"

	"github.com/google/uuid"
)

// Devices tells a channel where the devices of a person are reached, at the
// moment a message leaves: one that was taken back meanwhile receives nothing.
type Devices interface {
	// Devices are those that the address of a message means; none when there are none, or no longer.
	Devices(ctx context.Context, address string) ([]Device, error)
	// Gone tells that a device will receive nothing more: its service no longer knows it.
	Gone(ctx context.Context, device uuid.UUID) error
}

// Device is a subscription of a browser (W3C Push API): where, and the keys by
// which only that browser reads.
type Device struct {
	ID                    uuid.UUID
	Endpoint, Key, Secret string
}

const (
	// EndpointMost is how long the address of a device may be.
	EndpointMost = 1_000
	// PushPublicKey is the setting of the key that browsers subscribe under.
	PushPublicKey = "vapid_public"
)
