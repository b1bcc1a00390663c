package rest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// tagged answers with the name of what it answers, or that the caller has it.
func tagged(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	rec := &recording{header: w.Header()}
	next(humago.NewContext(ctx.Operation(), r.WithContext(ctx.Context()), rec))
	status, body := rec.code(), rec.body.Bytes()
	if status == http.StatusOK {
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "private, no-cache")
		if holds(r.Header.Get("If-None-Match"), tag) {
			status, body = http.StatusNotModified, nil
		}
	}
	ctx.SetStatus(status)
	if len(body) == 0 {
		return
	}
	if _, err := w.Write(body); err != nil {
		return // the caller hung up
	}
}

// holds tells whether a list of tags has one. A compressed answer carries the
// weak form of its tag.
func holds(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}
