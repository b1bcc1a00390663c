package ui

import (
	"fmt"
	"net/http"

	"tocsin/internal/fault"
)

// PocketSpec describes a page of the app on an agent's telephone.
type PocketSpec struct {
	Title string
	// Establishment and Person stand at the top; empty before one is known.
	Establishment, Person string
	// Manifest is the address of what makes the site an app, Worker that of its service worker.
	Manifest, Worker string
	// Nav are the pages of the app; none before it is open.
	Nav []Tab
}

// SendWorker answers with the bundle of a service worker, which rules the pages
// under scope: its address does not change, and the browser asks each time whether it did.
func (c *Context) SendWorker(logical, scope string) error {
	f, ok := c.router.assets.files[c.Asset(logical)]
	if !ok {
		return fault.New(fault.NotFound, "ui.fail.no_page")
	}
	h := c.Writer.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Service-Worker-Allowed", scope)
	c.Writer.WriteHeader(http.StatusOK)
	if _, err := c.Writer.Write(f.variants[""]); err != nil {
		return fmt.Errorf("send a bundle: %w", err)
	}
	return nil
}
