package ui_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func hello(c *ui.Context) error {
	_, err := c.Writer.Write([]byte("<p>bonjour</p>"))
	return err
}

func TestRouteNeeds(t *testing.T) {
	t.Parallel()
	weak := uitest.As(access.Launcher)
	weak.Scope = access.For(uitest.Establishment(), weak.Scope.Actor(), false, access.Launcher)
	owing := uitest.As(access.Administrator)
	owing.MustSetUpSecondFactor = true
	tests := []struct {
		name   string
		who    ui.Visitor
		path   string
		status int
		to     string
	}{
		{"public for nobody", ui.Visitor{}, "/public", 200, ""},
		{"signed in for nobody", ui.Visitor{}, "/moi", 303, "/connexion?suite=%2Fmoi"},
		{"the query is kept for after the sign-in", ui.Visitor{}, "/moi?a=1", 303, "/connexion?suite=%2Fmoi%3Fa%3D1"},
		{"signed in without role", uitest.As(), "/moi", 200, ""},
		{"action without the role", uitest.As(access.Reader), "/journal", 403, ""},
		{"action with the role", uitest.As(access.Auditor), "/journal", 200, ""},
		{"action for nobody", ui.Visitor{}, "/journal", 303, "/connexion?suite=%2Fjournal"},
		{"launch without second factor", weak, "/lancer", 403, ""},
		{"launch with it", uitest.As(access.Launcher), "/lancer", 200, ""},
		{"owes a second factor", owing, "/journal", 303, "/compte/second-facteur"},
		{"owes a second factor, own page", owing, "/moi", 200, ""},
		{"no such page", uitest.As(access.Reader), "/nulle-part", 404, ""},
		{"wrong method", uitest.As(access.Reader), "/envoi", 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := uitest.House(t, tt.who, nil)
			r.Get("/public", ui.Public, hello)
			r.Get("/moi", ui.SignedIn, hello)
			r.Get("/journal", access.JournalRead, hello)
			r.Get("/lancer", access.AlertLaunch, hello)
			r.Post("/envoi", access.AlertRead, hello)
			p := uitest.Get(t, r, tt.path).Want(tt.status)
			if got := p.Header.Get("Location"); got != tt.to {
				t.Errorf("leads to %q, want %q", got, tt.to)
			}
			if tt.status >= 400 {
				p.Whole().Has(".lead")
			}
		})
	}
}

func TestRouteWithoutNeedIsRefused(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, nil)
	defer func() {
		if v := recover(); v == nil || !strings.Contains(v.(string), "/libre") {
			t.Errorf("registering a route without need: %v, want a panic that names it", v)
		}
	}()
	r.Get("/libre", "", hello)
}

func TestRoutesAreListed(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, nil)
	r.Get("/journal", access.JournalRead, hello)
	routes := r.Routes()
	last := routes[len(routes)-1]
	if last.Method != "GET" || last.Pattern != "/journal" || last.Need != access.JournalRead {
		t.Errorf("last route is %+v", last)
	}
}

func TestFaultsBecomePages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err    error
		status int
	}{
		{fault.New(fault.Invalid, "fault.invalid"), 422},
		{fault.New(fault.Denied, "access.denied"), 403},
		{fault.New(fault.NotFound, "fault.not_found"), 404},
		{fault.New(fault.Conflict, "fault.conflict"), 409},
		{fault.New(fault.TooMany, "fault.too_many"), 429},
		{fault.New(fault.Unavailable, "fault.unavailable"), 503},
		{fault.New(fault.Internal, "fault.internal"), 500},
		{errors.New("disk on fire: secret detail"), 500},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			t.Parallel()
			r := uitest.House(t, uitest.As(access.Reader), nil)
			r.Get("/x", ui.SignedIn, func(*ui.Context) error { return tt.err })
			p := uitest.Get(t, r, "/x").Want(tt.status).Whole()
			if strings.Contains(p.Body, "secret detail") {
				t.Error("the page shows the detail of an error")
			}
			p.Says("main", p.Header.Get("X-Request-Id"))

			piece := uitest.Get(t, r, "/x", uitest.With("HX-Request", "true")).Want(tt.status)
			piece.Has(".message").Lacks("h1")
			if piece.Header.Get("HX-Retarget") != "#notices" {
				t.Error("a failed piece does not go to the notices")
			}

			object := uitest.Get(t, r, "/x", uitest.With("Accept", "application/json")).Want(tt.status)
			if !strings.Contains(object.Body, `"error":`) {
				t.Errorf("a script received %q", object.Body)
			}
		})
	}
}

func TestPanicBecomesAPage(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/x", ui.SignedIn, func(*ui.Context) error { panic("boom") })
	p := uitest.Get(t, r, "/x").Want(http.StatusInternalServerError).Whole()
	p.Says("main", p.Header.Get("X-Request-Id"))
	if strings.Contains(p.Body, "boom") {
		t.Error("the page shows the panic")
	}
}

func TestForeignFormIsRefused(t *testing.T) {
	t.Parallel()
	called := false
	r := uitest.House(t, uitest.As(access.Launcher), nil)
	r.Post("/lancer", access.AlertLaunch, func(c *ui.Context) error {
		called = true
		return c.Redirect("/")
	})
	uitest.Post(t, r, "/lancer", nil, uitest.With("Sec-Fetch-Site", "cross-site")).Want(http.StatusForbidden)
	if called {
		t.Error("a form of another site launched")
	}
	uitest.Post(t, r, "/lancer", nil).Leads("/")
	if !called {
		t.Error("our own form was refused")
	}
}
