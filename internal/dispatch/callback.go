package dispatch

import (
	"context"
	"crypto/subtle"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// callbackRound is the setting that changes the secret of a gateway's address.
const callbackRound = "address_round"

// callbackOf is the address at which the peer of a gateway may call back.
func (d *Dispatch) callbackOf(g Gateway) string {
	if d.callback == nil {
		return ""
	}
	address, _ := d.callback(g.ID, g.Settings[callbackRound])
	return address
}

// CallbackAddress is the address to give to the provider, empty for a gateway
// that is never called. It is a secret. Errors: Denied, NotFound.
func (d *Dispatch) CallbackAddress(ctx context.Context, scope access.Scope, id uuid.UUID) (string, error) {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return "", err
	}
	g, err := d.gateway(ctx, scope, id)
	if err != nil || g.Settings[callbackRound] == "" {
		return "", err
	}
	return d.callbackOf(g), nil
}

// Call hands a request of a provider to its gateway. The secret of the address
// is compared in constant time, and a wrong one is answered as an unknown
// gateway. Errors: NotFound, Unavailable while this node does not drive the gateway.
func (d *Dispatch) Call(ctx context.Context, id uuid.UUID, secret string, call channels.Call) (channels.CallAnswer, error) {
	unknown := fault.New(fault.NotFound, "dispatch.gateway.unknown")
	if d.callback == nil {
		return channels.CallAnswer{}, unknown
	}
	for _, k := range *d.office.list.Load() {
		called, ok := k.channel.(channels.Called)
		if !ok || k.gateway.ID != id {
			continue
		}
		_, wanted := d.callback(id, k.gateway.Settings[callbackRound])
		right := 0
		for _, want := range wanted {
			right |= subtle.ConstantTimeCompare([]byte(secret), []byte(want))
		}
		if right != 1 {
			return channels.CallAnswer{}, unknown
		}
		return called.Call(ctx, call), nil
	}
	return channels.CallAnswer{}, unknown
}
