package cap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// writer writes elements in the order it is asked to, and drops empty ones.
type writer struct{ b bytes.Buffer }

func (w *writer) open(name string)  { w.b.WriteString("<" + name + ">") }
func (w *writer) close(name string) { w.b.WriteString("</" + name + ">\n") }

// text writes one element; letters that XML cannot hold become U+FFFD.
func (w *writer) text(name, value string) {
	if value == "" {
		return
	}
	w.open(name)
	// A bytes.Buffer never fails to be written to.
	if err := xml.EscapeText(&w.b, []byte(value)); err != nil {
		panic("cap: a buffer refused: " + err.Error())
	}
	w.close(name)
}

func (w *writer) when(name string, at time.Time) {
	if !at.IsZero() {
		w.text(name, stamp(at))
	}
}

// Marshal writes a message as a file, in UTF-8. Errors: what the protocol
// does not allow.
func (a Alert) Marshal() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("write a CAP message: %w", err)
	}
	w := &writer{}
	w.b.WriteString(xml.Header)
	w.b.WriteString(`<alert xmlns="` + Namespace + `">` + "\n")
	w.text("identifier", a.Identifier)
	w.text("sender", a.Sender)
	w.when("sent", a.Sent)
	w.text("status", a.Status)
	w.text("msgType", a.Kind)
	w.text("source", a.Source)
	w.text("scope", a.Scope)
	w.text("note", a.Note)
	var refs []string
	for _, r := range a.References {
		refs = append(refs, r.String())
	}
	w.text("references", strings.Join(refs, " "))
	for _, i := range a.Infos {
		w.info(i)
	}
	w.b.WriteString("</alert>\n")
	return w.b.Bytes(), nil
}

func (w *writer) info(i Info) {
	w.open("info")
	w.text("language", i.Language)
	for _, c := range i.Categories {
		w.text("category", c)
	}
	w.text("event", i.Event)
	for _, r := range i.Responses {
		w.text("responseType", r)
	}
	w.text("urgency", i.Urgency)
	w.text("severity", i.Severity)
	w.text("certainty", i.Certainty)
	w.when("onset", i.Onset)
	w.when("expires", i.Expires)
	w.text("senderName", i.SenderName)
	w.text("headline", i.Headline)
	w.text("description", i.Description)
	w.text("instruction", i.Instruction)
	w.text("contact", i.Contact)
	for _, area := range i.Areas {
		w.open("area")
		w.text("areaDesc", area.Description)
		for _, g := range area.Geocodes {
			w.open("geocode")
			w.text("valueName", g.Name)
			w.text("value", g.Value)
			w.close("geocode")
		}
		w.close("area")
	}
	w.close("info")
}

// Entry is one line of a feed.
type Entry struct {
	ID, Title, Link string
	Updated         time.Time
}

// Feed writes an Atom feed (RFC 4287) of messages. self is its own address.
func Feed(title, author, self string, updated time.Time, entries []Entry) []byte {
	w := &writer{}
	w.b.WriteString(xml.Header)
	w.b.WriteString(`<feed xmlns="http://www.w3.org/2005/Atom">` + "\n")
	w.text("id", self)
	w.text("title", title)
	w.when("updated", updated)
	w.link("self", "application/atom+xml", self)
	w.open("author")
	w.text("name", author)
	w.close("author")
	for _, e := range entries {
		w.open("entry")
		w.text("id", e.ID)
		w.text("title", e.Title)
		w.when("updated", e.Updated)
		w.link("alternate", MediaType, e.Link)
		w.close("entry")
	}
	w.b.WriteString("</feed>\n")
	return w.b.Bytes()
}

func (w *writer) link(rel, kind, href string) {
	w.b.WriteString(`<link rel="` + rel + `" type="` + kind + `" href="`)
	if err := xml.EscapeText(&w.b, []byte(href)); err != nil {
		panic("cap: a buffer refused: " + err.Error())
	}
	w.b.WriteString(`"/>` + "\n")
}
