package directory

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// OnCallDesk tells whom on-call functions name; oncall.Service is one.
type OnCallDesk interface {
	// Called gives the people and the groups that some levels of functions name at
	// an instant, inside the transaction of who asks. Without a level it is the
	// holder of each. An unknown function names nobody.
	Called(ctx context.Context, tx *storage.Tx, scope access.Scope, functions []uuid.UUID, levels []int, now time.Time) (people, groups []uuid.UUID, err error)
	// Names lists the functions by name.
	Names(ctx context.Context, scope access.Scope) ([]OnCallName, error)
}

// OnCallLevelsMost is how many levels the chain of a function has at most, its holder included.
const OnCallLevelsMost = 4

// OnCallName is a function that a rule may choose by.
type OnCallName struct {
	ID   uuid.UUID
	Name string
}

// Consult makes rules know on-call functions. Call it before the first rule is read.
func (d *Directory) Consult(desk OnCallDesk) { d.onCall = desk }

// OnCallNames lists the functions that a rule may choose by; none when nobody
// keeps any.
func (d *Directory) OnCallNames(ctx context.Context, scope access.Scope) ([]OnCallName, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	if d.onCall == nil {
		return nil, nil
	}
	return d.onCall.Names(ctx, scope)
}

// onCall chooses whom the functions of a rule name now: nobody when nobody holds them.
func (c *compiler) onCall(r Rule, depth int) (string, error) {
	people, groups, err := c.called(r.OnCall, r.OnCallLevels)
	if err != nil {
		return "", err
	}
	any, err := c.anyGroup(groups, depth)
	if err != nil {
		return "", err
	}
	for _, id := range people {
		any = append(any, "p.id = "+c.arg(id))
	}
	if len(any) == 0 {
		return " AND FALSE", nil
	}
	return " AND (" + strings.Join(any, " OR ") + ")", nil
}
