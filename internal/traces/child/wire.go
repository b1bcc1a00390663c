package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// The doors of a base, all POST with JSON in both directions.
const (
	takePath = "/take"
	askPath  = "/ask"
	getPath  = "/get"
	// An owner of the version before knew "/purge" and no holds: asked by that name
	// it would remove what is held, by this one it removes nothing.
	purgePath = "/remove"

	blocksPath  = "/blocks"
	blockPath   = "/block"
	witnessPath = "/witness"
)

// maxReply bounds an answer, bytes: MaxLimit events of some kilobytes.
const maxReply = 256 << 20

type takeRequest struct {
	UpTo spool.Position `json:"up_to"`
}

type takeReply struct {
	Applied spool.Position `json:"applied"`
	// Damage are places of the spool that could not be read, told once.
	Damage []string `json:"damage,omitempty"`
	Events int64    `json:"events"`
}

type askRequest struct {
	Organisation uuid.UUID       `json:"organisation"`
	Question     traces.Question `json:"question"`
}

type getRequest struct {
	Organisation uuid.UUID `json:"organisation"`
	Ref          string    `json:"ref"`
}

type purgeRequest struct {
	Organisation uuid.UUID      `json:"organisation"`
	Purging      traces.Purging `json:"purging"`
}

type blocksRequest struct {
	Organisation uuid.UUID         `json:"organisation"`
	Query        traces.BlockQuery `json:"query"`
}

type blockRequest struct {
	Organisation uuid.UUID    `json:"organisation"`
	Class        traces.Class `json:"class"`
	Month        string       `json:"month"`
	First        int64        `json:"first"`
}

// refusal carries a fault across.
type refusal struct {
	Kind  fault.Kind `json:"kind"`
	Key   string     `json:"key"`
	Args  []any      `json:"args,omitempty"`
	Field string     `json:"field,omitempty"`
	// Cause is for the log.
	Cause string `json:"cause,omitempty"`
}

// WriteJSON writes a reply.
func WriteJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		return fmt.Errorf("write reply: %w", err)
	}
	return nil
}

// Refuse writes an error as what it is; what is no fault is Internal.
func Refuse(w http.ResponseWriter, err error) error {
	r := refused(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Kind.Status())
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("write refusal: %w", err)
	}
	return nil
}

func refused(err error) refusal {
	r := refusal{Kind: fault.Internal, Key: "traces.error.base", Cause: err.Error()}
	if f := fault.As(err); f != nil {
		r.Kind, r.Key, r.Args, r.Field = f.Kind, f.Key, f.Args, f.Field
	}
	return r
}

// fault is what a refusal carries.
func (r refusal) fault() error {
	return fault.Wrap(errors.New(r.Cause), r.Kind, r.Key, r.Args...).At(r.Field)
}

// ReadReply reads a reply into v, or the fault it carries.
func ReadReply(res *http.Response, v any) error {
	body := io.LimitReader(res.Body, maxReply)
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(body).Decode(v); err != nil {
			return fmt.Errorf("read reply of the traces: %w", err)
		}
		return nil
	}
	var r refusal
	if err := json.NewDecoder(body).Decode(&r); err != nil || r.Key == "" {
		return errors.Join(fmt.Errorf("the traces answered %s", res.Status), err)
	}
	return r.fault()
}
