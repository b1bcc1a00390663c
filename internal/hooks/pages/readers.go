package pages

import (
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/hooks"
	"tocsin/internal/ui"
	"tocsin/internal/wire/cap"
)

func (p pages) readerRoutes(r *ui.Router) {
	r.Get(ReaderPath+"/nouveau", access.ChannelWrite, p.newReader)
	r.Post(ReaderPath+"/nouveau", access.ChannelWrite, p.openReader)
	r.Get(ReaderPath+"/{id}/supprimer", access.ChannelWrite, p.closingReader)
	r.Post(ReaderPath+"/{id}/supprimer", access.ChannelWrite, p.closeReader)
	r.Get(FeedPath+"{code}", ui.Public, p.feed, ui.Bare())
	r.Get(FeedPath+"{code}/{message}", ui.Public, p.message, ui.Bare())
}

func (p pages) newReader(c *ui.Context) error {
	return c.Render(newReaderPage(c, c.NewForm(nil)))
}

func (p pages) openReader(c *ui.Context) error {
	f := c.Form()
	r, code, err := p.service.OpenReader(c.Ctx(), c.Scope, c.Now, f.Value("name"))
	if err != nil {
		return c.Refill(f, err, newReaderPage(c, f))
	}
	return c.Render(readerPage(c, r.Name, p.feeds+code))
}

func (p pages) closingReader(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	list, err := p.service.Readers(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.ID == id {
			effects := []string{c.Loc.T("hooks.removal.reader"), c.Loc.T("hooks.removal.reader.never")}
			if !r.Read.IsZero() {
				effects[1] = c.Loc.T("hooks.removal.reader.last", "at", c.Loc.DateTime(r.Read, c.Zone))
			}
			return c.Render(removal(c, c.Loc.T("hooks.removal.title", "name", r.Name), ReaderPath+"/"+id.String()+"/supprimer", Path, c.Loc.T("hooks.removal.reader.do"), effects))
		}
	}
	return fault.New(fault.NotFound, "hooks.unknown")
}

func (p pages) closeReader(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.reader.removed"), Path, func(id uuid.UUID) error { return p.service.CloseReader(c.Ctx(), c.Scope, c.Now, id) })
}

// feed is the Atom feed behind a secret address. The address is 256 bits: it is
// not guessed, and whoever has it may read.
func (p pages) feed(c *ui.Context) error {
	code := c.PathValue("code")
	f, err := p.service.ReadFeed(c.Ctx(), c.Now, code)
	if err != nil {
		return err
	}
	self, updated := p.feeds+code, c.Now
	var entries []cap.Entry
	for _, m := range f.Messages {
		entries = append(entries, cap.Entry{ID: "urn:uuid:" + m.ID.String(), Title: m.Title, Link: self + "/" + m.ID.String() + ".xml", Updated: m.Sent})
	}
	title := c.Loc.T("hooks.feed.title")
	author := title
	if len(f.Messages) > 0 {
		updated, author = f.Messages[0].Sent, f.Establishment
	}
	return serve(c, "application/atom+xml; charset=utf-8", cap.Feed(title, author, self, updated, entries))
}

func (p pages) message(c *ui.Context) error {
	id, err := uuid.Parse(strings.TrimSuffix(c.PathValue("message"), ".xml"))
	if err != nil {
		id = uuid.Nil // a message that never was
	}
	m, err := p.service.ReadMessage(c.Ctx(), c.PathValue("code"), id)
	if err != nil {
		return err
	}
	return serve(c, cap.MediaType+"; charset=utf-8", []byte(m.Body))
}

// serve answers a program: nobody between us keeps what is read at a secret address.
func serve(c *ui.Context, kind string, body []byte) error {
	h := c.Writer.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, no-cache")
	_, err := c.Writer.Write(body)
	return err
}

func readerState(c *ui.Context, r hooks.Reader) string {
	if r.Read.IsZero() {
		return c.Loc.T("hooks.reader.never")
	}
	return c.Loc.T("hooks.reader.last")
}
