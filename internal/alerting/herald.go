package alerting

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Herald is told what happens in alerts, inside the transaction that makes it
// true: what it writes there is written with the event or not at all. It must
// be quick, and reach no network.
type Herald interface {
	Herald(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, e Event) error
}

// Tell joins the room above that tells others. Call it before the work begins.
func (s *Service) Tell(h Herald) { s.herald = h }
