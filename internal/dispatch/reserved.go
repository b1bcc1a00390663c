package dispatch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Codes judges the personal codes of those that campaigns address: a room above
// knows them. Its errors are those of channels.Codes.
type Codes interface {
	HasCode(ctx context.Context, scope access.Scope, campaign, subject uuid.UUID) (bool, error)
	JudgeCode(ctx context.Context, scope access.Scope, campaign, subject uuid.UUID, code string, ours bool) error
}

// Guard names who judges the codes; it is called once, before Start. Without one
// nobody has a code, and what is reserved is told to nobody.
func (d *Dispatch) Guard(c Codes) { d.codes = c }

// errNoCode refuses a code where nobody is known to have one.
func errNoCode() error { return fault.New(fault.Invalid, "dispatch.reserved.no_code") }

// codes implements channels.Codes for one gateway's establishment.
type codes struct{ k *desk }

// Has implements channels.Codes.
func (c codes) Has(ctx context.Context, message uuid.UUID) (bool, error) {
	if c.k.d.codes == nil {
		return false, nil
	}
	campaign, subject, err := c.whose(ctx, message)
	if err != nil {
		return false, err
	}
	return c.k.d.codes.HasCode(ctx, c.k.scope, campaign, subject)
}

// Judge implements channels.Codes.
func (c codes) Judge(ctx context.Context, message uuid.UUID, code string, ours bool) error {
	if c.k.d.codes == nil {
		return errNoCode()
	}
	campaign, subject, err := c.whose(ctx, message)
	if err != nil {
		return err
	}
	return c.k.d.codes.JudgeCode(ctx, c.k.scope, campaign, subject, code, ours)
}

// whose finds whom a delivery is for.
func (c codes) whose(ctx context.Context, message uuid.UUID) (campaign, subject uuid.UUID, err error) {
	err = c.k.d.db.Read(ctx, c.k.scope, func(tx *storage.Tx) error {
		found, err := tx.Row(ctx, `SELECT campaign_id, subject_id FROM dispatch_deliveries WHERE organisation_id = $1 AND id = $2`,
			[]any{c.k.scope.Organisation(), message}, &campaign, &subject)
		if err == nil && !found {
			err = errNoCode()
		}
		return err
	})
	return campaign, subject, err
}

// encodeReserved writes what a content reserves; no text for nothing.
func encodeReserved(r channels.Reserved) (string, error) {
	if r.Text == "" {
		return "", nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode a reserved text: %w", err)
	}
	return string(b), nil
}

func decodeReserved(text string) (r channels.Reserved, err error) {
	if text == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("read a reserved text: %w", err)
	}
	return r, nil
}
