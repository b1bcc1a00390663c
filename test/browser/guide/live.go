package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/a-h/templ"

	"tocsin/internal/ui"
)

// live adds a page whose link breaks: the stream sends a figure and drops,
// refuses three times, then comes back for good.
func live(r *ui.Router) {
	var calls atomic.Int32
	r.Get("/vivant", ui.Public, func(c *ui.Context) error {
		calls.Store(0)
		return c.Render(livePage(c))
	})
	r.Get("/vivant/flux", ui.Public, func(c *ui.Context) error {
		n := calls.Add(1)
		if n > 1 && n < 5 {
			c.Writer.WriteHeader(http.StatusServiceUnavailable)
			return nil
		}
		c.Writer.Header().Set("Content-Type", "text/event-stream")
		text := "event: chiffre\ndata: 412\n\n"
		if n >= 5 {
			text = "event: chiffre\ndata: 413\n\n"
		}
		if _, err := io.WriteString(c.Writer, text); err != nil {
			return err
		}
		if err := http.NewResponseController(c.Writer).Flush(); err != nil {
			return err
		}
		if n >= 5 {
			<-c.Ctx().Done()
		}
		return nil
	}, ui.Stream())
}

func livePage(c *ui.Context) templ.Component {
	figure := ui.LivePiece("chiffre")
	return inside(ui.Page(c, "Vivant"), inside(ui.Live("/vivant/flux"), figure), "<h1>Vivant</h1>")
}

// inside puts text and a part in a frame, where a templ file would be too much.
func inside(frame, part templ.Component, text ...string) templ.Component {
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, t := range text {
			if _, err := io.WriteString(w, t); err != nil {
				return err
			}
		}
		return part.Render(ctx, w)
	})
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return frame.Render(templ.WithChildren(ctx, body), w)
	})
}
