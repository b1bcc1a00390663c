package ui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"tocsin/internal/fault"
)

// What the router itself refuses.
var (
	errNoSuchPage       = fault.New(fault.NotFound, "ui.fail.no_page")
	errForeignForm      = fault.New(fault.Denied, "ui.fail.foreign_form")
	errSecondFactorOwed = fault.New(fault.Denied, "ui.fail.second_factor")
	errBroken           = fault.New(fault.Internal, "ui.fail.broken")
)

// statusOf is the status of an error: that of its kind, unless the request itself failed.
func statusOf(err error) int {
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return fault.KindOf(err).Status()
}

// Failure is what a failure page says.
type Failure struct {
	Status int
	// Sentence says what happened, Reference finds it in the log.
	Sentence, Reference string
	// StepUp tells that a second factor would open the page.
	StepUp bool
}

// fail answers with the page of an error.
func (c *Context) fail(err error) {
	if errors.Is(err, context.Canceled) && c.Ctx().Err() != nil {
		return // the person left; there is nobody to answer
	}
	if fault.Is(err, fault.Unauthenticated) && !c.wantsJSON() {
		c.sendToLogin()
		return
	}
	if errors.Is(err, errSecondFactorOwed) && !c.wantsJSON() {
		c.leave(c.router.opt.SecondFactorPath)
		return
	}
	status := statusOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.Wrap(err, fault.Unavailable, "fault.unavailable")
	}
	c.failStatus(status, err)
}

// sendToLogin keeps where the person was going. Whoever was doing something when
// his session ended is told that it was not done, and comes back to the page he did
// it from: at night, silence would be taken for a launch.
func (c *Context) sendToLogin() {
	path, back := c.router.opt.LoginPath, ""
	switch {
	case c.Request.Method == http.MethodGet && c.Request.URL.Path != "/":
		back = c.Request.URL.RequestURI()
	case c.Request.Method == http.MethodPost && c.Request.URL.Path != c.router.opt.LogoutPath:
		c.Flash(Attention, c.Loc.T("ui.fail.interrupted"))
		back = c.cameFrom()
	}
	if back != "" {
		path += "?suite=" + url.QueryEscape(back)
	}
	c.leave(path)
}

// cameFrom is the page of ours on which a form was sent; empty when it is not known.
// A proxy may hide our name from us: the address people type is known too.
func (c *Context) cameFrom() string {
	from, err := url.Parse(c.Request.Referer())
	if err != nil || from.Host == "" || from.Host != c.Request.Host && from.Scheme+"://"+from.Host != strings.TrimSuffix(c.router.opt.PublicURL, "/") {
		return ""
	}
	return LocalPath(from.RequestURI(), "")
}

func (c *Context) leave(path string) {
	if err := c.Redirect(path); err != nil {
		c.logFailure(http.StatusInternalServerError, err)
	}
}

func (c *Context) wantsJSON() bool {
	return strings.HasPrefix(c.Request.Header.Get("Accept"), "application/json")
}

func (c *Context) logFailure(status int, err error) {
	log := c.router.opt.Log
	at := []any{"id", RequestID(c.Ctx()), "status", status, "route", c.route.Pattern, "error", err}
	// A browser that hung up in the middle of a file is no failure of ours.
	if status >= 500 && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		log.Error("request failed", at...)
		return
	}
	log.Debug("request refused", at...)
}

// failStatus writes a failure: a page, a notice for htmx, an object for scripts.
func (c *Context) failStatus(status int, err error) {
	c.logFailure(status, err)
	if w, ok := countedOf(c.Writer); ok && w.status != 0 {
		return // too late: a part of the answer is gone already
	}
	h := c.Writer.Header()
	for _, stale := range []string{"Content-Disposition", "Content-Length", "Content-Encoding", "Content-Type"} {
		h.Del(stale)
	}
	f := Failure{Status: status, Sentence: c.Loc.Fault(err), Reference: RequestID(c.Ctx())}
	if e := fault.As(err); e != nil {
		f.StepUp = e.Key == "access.second_factor"
	}
	var failed error
	switch {
	case c.wantsJSON():
		failed = c.JSON(status, map[string]string{"error": f.Sentence, "reference": f.Reference})
	case c.Partial():
		h.Set("HX-Retarget", "#notices")
		h.Set("HX-Reswap", "innerHTML")
		failed = c.Status(status).Render(failurePiece(f))
	case c.route.bare:
		failed = c.Status(status).Render(bareFailurePage(c, f))
	default:
		failed = c.Status(status).Render(failurePage(c, f))
	}
	if failed != nil {
		c.logFailure(http.StatusInternalServerError, failed)
		http.Error(c.Writer, f.Sentence, status)
	}
}

func countedOf(w http.ResponseWriter) (*countedWriter, bool) {
	for {
		switch v := w.(type) {
		case *countedWriter:
			return v, true
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return nil, false
		}
	}
}
