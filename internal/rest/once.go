package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tocsin/internal/fault"
)

const keyHeader = "Idempotency-Key"

// once runs an operation under its key. An error was not answered yet.
func (d *Desk) once(ctx huma.Context, call *Call, op Operation, next func(huma.Context)) error {
	call.Key = ctx.Header(keyHeader)
	if call.Key == "" {
		if op.KeyRequired {
			return fault.New(fault.Invalid, "rest.key.required").At("header." + keyHeader)
		}
		next(ctx)
		return nil
	}
	if n := len(call.Key); n < 8 || n > 100 {
		return fault.New(fault.Invalid, "rest.key.length").At("header." + keyHeader)
	}
	r, w := humago.Unwrap(ctx)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	id := keyID(call)
	again, err := d.keys.begin(ctx.Context(), call.Scope, id, fingerprint(r, body), op.Keying == KeyedRepeatable, call.Now)
	if err != nil {
		return err
	}
	if again != nil {
		w.Header().Set("Idempotent-Replayed", "true")
		answer(w, again.status, "application/json", again.body)
		return nil
	}
	copied := r.WithContext(ctx.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recording{header: w.Header()}
	next(humago.NewContext(ctx.Operation(), copied, rec))
	// A panic, or a failure of ours, leaves the key as running: nobody knows what was done.
	if rec.code() < http.StatusInternalServerError || op.Keying == KeyedRepeatable {
		// Whatever happens to the caller meanwhile, what was done must be known as done.
		settled := context.WithoutCancel(ctx.Context())
		if err := d.keys.settle(settled, call.Scope, id, rec.code(), rec.body.Bytes(), d.opt.Clock.Now()); err != nil {
			d.opt.Log.Error("idempotency key", "operation", op.ID, "error", err)
		}
	}
	ctx.SetStatus(rec.code())
	if _, err := w.Write(rec.body.Bytes()); err != nil {
		d.opt.Log.Debug("answer not read to the end", "error", err)
	}
	return nil
}

// keyID is the key as it is kept: two programs may choose the same one.
func keyID(c *Call) string {
	sum := sha256.Sum256([]byte(c.Key))
	return c.Bearer.ID.String() + ":" + hex.EncodeToString(sum[:16])
}

// fingerprint tells two requests apart.
func fingerprint(r *http.Request, body []byte) []byte {
	sum := sha256.Sum256(append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), body...))
	return sum[:]
}

// recording keeps an answer instead of sending it.
type recording struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recording) Header() http.Header         { return r.header }
func (r *recording) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recording) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recording) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

func answer(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return // the caller hung up
	}
}
