package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/tap"
)

const (
	// silenceMost is how long a sender may say nothing in the middle of what it
	// brings, and wholes how many times that it may take for all of it. Files, which
	// may be large, have the first bound only.
	silenceMost = time.Minute
	wholes      = 10
)

// patience is how long this intake waits for who stops in the middle.
func (o Options) patience() time.Duration {
	if o.Patience > 0 {
		return o.Patience
	}
	return silenceMost
}

// patient cuts a sender that hangs in the middle of a body: its connection is closed,
// what came is not acknowledged, and nobody else waits for it.
func (in intake) patient(h http.Handler, whole time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		// A deadline in the past wakes whoever reads; timers, unlike the time of the
		// wall, are not moved by anybody. Where there is no connection there is nothing
		// to cut.
		cut := func() { _ = control.SetReadDeadline(time.Unix(1, 0)) }
		body := &patientBody{ReadCloser: r.Body, silence: in.opt.patience(), cut: cut}
		if whole > 0 {
			body.end = time.AfterFunc(whole, cut)
			defer body.end.Stop()
		}
		r.Body = body
		h.ServeHTTP(w, r)
	})
}

// patientBody is a body that is not waited for without end.
type patientBody struct {
	io.ReadCloser
	silence time.Duration
	cut     func()
	// end bounds the whole; nil when nothing does.
	end *time.Timer
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	silence := time.AfterFunc(b.silence, b.cut)
	defer silence.Stop()
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.end != nil {
		b.end.Stop() // all of it came: it may take its time to be kept
	}
	return n, err //nolint:wrapcheck // it is a reader
}

// bounded gives a call an end: a message of which the rest does not come is given up.
func (o Options) bounded(ctx context.Context, _ *tap.Info) (context.Context, error) {
	bounded, cancel := context.WithTimeout(ctx, 2*o.patience())
	context.AfterFunc(ctx, cancel)
	return bounded, nil
}
