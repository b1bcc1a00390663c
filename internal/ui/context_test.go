package ui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func TestRedirectOfAPiece(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Post("/x", ui.SignedIn, func(c *ui.Context) error { return c.Redirect("/annuaire") })
	uitest.Post(t, r, "/x", nil).Leads("/annuaire")
	p := uitest.Post(t, r, "/x", nil, uitest.With("HX-Request", "true")).Want(http.StatusNoContent)
	if got := p.Header.Get("HX-Redirect"); got != "/annuaire" {
		t.Errorf("a piece is led to %q", got)
	}
	uitest.Post(t, r, "/x", nil, uitest.With("HX-Request", "true"), uitest.With("HX-Boosted", "true")).Leads("/annuaire")
}

func TestIDOfAnAddress(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/personne/{id}", ui.SignedIn, func(c *ui.Context) error {
		if _, err := c.ID("id"); err != nil {
			return err
		}
		return hello(c)
	})
	uitest.Get(t, r, "/personne/0198e0a0-0000-7000-8000-000000000001").Want(200)
	uitest.Get(t, r, "/personne/42").Want(404).Whole()
}

func TestJSONForScripts(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, nil)
	r.Post("/cle", ui.Public, func(c *ui.Context) error {
		var in struct{ Name string }
		if err := c.DecodeJSON(&in); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, map[string]string{"redirect": "/" + in.Name})
	})
	send := func(body string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cle", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		return w
	}
	if w := send(`{"Name":"accueil"}`); w.Code != 200 || w.Body.String() != `{"redirect":"/accueil"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(`{`); w.Code != 422 || !strings.Contains(w.Body.String(), `"error":"Ce qui a été envoyé`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// sendFile posts a file of that size to /importer.
func sendFile(t *testing.T, r http.Handler, field string, size int) *uitest.Page {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile(field, "personnel.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(bytes.Repeat([]byte("a"), size)); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/importer", &body)
	req.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return uitest.Parse(t, w.Code, w.Header(), w.Body)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.DirectoryManager), nil)
	var name string
	var read int64
	r.Post("/importer", access.DirectoryImport, func(c *ui.Context) error {
		file, header, err := c.File("fichier")
		if err != nil {
			return c.Refill(c.Form(), err, personForm(c, c.Form()))
		}
		name = header.Filename
		if read, err = io.Copy(io.Discard, file); err != nil {
			return err
		}
		return errors.Join(file.Close(), c.Redirect("/"))
	}, ui.Upload(8<<20))
	sendFile(t, r, "fichier", 5<<20).Leads("/")
	if name != "personnel.csv" || read != 5<<20 {
		t.Errorf("read %d bytes of %q", read, name)
	}
	sendFile(t, r, "fichier", 9<<20).Want(http.StatusRequestEntityTooLarge).Says(".lead", "8,4 Mo")
	sendFile(t, r, "autre", 10).Want(422)
}

func TestUploadIsNotReadBeforeThePermission(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Post("/importer", access.DirectoryImport, hello, ui.Upload(8<<20))
	sendFile(t, r, "fichier", 9<<20).Want(http.StatusForbidden)
}

func TestDownload(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/liste.csv", ui.SignedIn, func(c *ui.Context) error {
		_, err := io.WriteString(c.Download("Annuaire d’été.csv", "text/csv; charset=utf-8"), "nom\n")
		return err
	})
	r.Get("/vide.csv", ui.SignedIn, func(c *ui.Context) error {
		c.Download("vide.csv", "text/csv")
		return fault.New(fault.Unavailable, "fault.unavailable")
	})
	p := uitest.Get(t, r, "/liste.csv").Want(200)
	if got := p.Header.Get("Content-Disposition"); !strings.Contains(got, "attachment; filename*=utf-8''Annuaire") {
		t.Errorf("Content-Disposition %q", got)
	}
	failed := uitest.Get(t, r, "/vide.csv").Want(503).Whole()
	if failed.Header.Get("Content-Disposition") != "" {
		t.Error("a failure page is downloaded as a file")
	}
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/lent", ui.SignedIn, func(c *ui.Context) error {
		<-c.Ctx().Done()
		return c.Ctx().Err()
	}, ui.Lasting(1))
	uitest.Get(t, r, "/lent").Want(503).Says(".lead", "ne répond pas")
}

func TestNothingIsWrittenWhenAPartFails(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/x", ui.SignedIn, func(c *ui.Context) error {
		return c.Render(templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
			if _, err := io.WriteString(w, "half a page"); err != nil {
				return err
			}
			return errors.New("the other half")
		}))
	})
	p := uitest.Get(t, r, "/x").Want(500).Whole()
	if strings.Contains(p.Body, "half a page") {
		t.Error("a broken page was half written")
	}
}

func TestPieceSpeaksTheLanguageOfItsViewer(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	var piece string
	r.Get("/x", ui.SignedIn, func(c *ui.Context) (err error) {
		piece, err = c.Piece(ui.Message(ui.Alert, "x"))
		if err != nil {
			return err
		}
		return hello(c)
	})
	for lang, word := range map[i18n.Language]string{i18n.French: "Alerte", i18n.English: "Alert<"} {
		uitest.Get(t, r, "/x?lang="+string(lang)).Want(200)
		if !strings.Contains(piece, word) {
			t.Errorf("in %s: %s", lang, piece)
		}
	}
}

func TestVisitorsThatFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"session over", fault.New(fault.Unauthenticated, "access.sign_in"), 303},
		{"database away", fault.New(fault.Unavailable, "fault.unavailable"), 503},
		{"unknown", errors.New("broken"), 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.Visitors = refusing{tt.err} })
			r.Get("/x", access.AlertRead, hello)
			r.Get("/r/{code}", ui.Public, hello, ui.Bare())
			uitest.Get(t, r, "/x").Want(tt.status)
			uitest.Get(t, r, "/r/abc").Want(200)
		})
	}
}

type refusing struct{ err error }

func (r refusing) Visitor(*http.Request) (ui.Visitor, error) { return ui.Visitor{}, r.err }

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := ui.NewRouter(ui.Options{}); err == nil {
		t.Error("a router without guard")
	}
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := i18n.Load(i18n.Locales, access.Locales, ui.Locales)
	if err != nil {
		t.Fatal(err)
	}
	house := uitest.House(t, ui.Visitor{}, func(o *ui.Options) {
		bad := *o
		bad.Guard, bad.Catalog, bad.Key = guard, catalog, []byte("short")
		if _, err := ui.NewRouter(bad); err == nil {
			t.Error("a router with a short key")
		}
		bad.Key, bad.PublicURL = o.Key, "tocsin.hopital.fr"
		if _, err := ui.NewRouter(bad); err == nil {
			t.Error("a public address without scheme")
		}
	})
	if len(house.Routes()) == 0 {
		t.Error("no route of its own")
	}
}
