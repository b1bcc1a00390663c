package pages

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/ui"
)

// sheet is one event, and its source when it has one.
type sheet struct {
	traces.Stored
	source traces.Source
	// under is the request for audit it is opened under; nil for none.
	under *audits.Request
}

func (p pages) event(c *ui.Context) error {
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	e, err := p.s.Find(c.Ctx(), c.Scope, c.PathValue("ref"))
	if err != nil {
		return err
	}
	s := sheet{Stored: e}
	if e.Source != uuid.Nil {
		s.source, err = p.s.Source(c.Ctx(), c.Scope, e.Source)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return c.Render(eventPage(c, s))
}

// crumbs lead back to where the event was opened.
func (s sheet) crumbs(c *ui.Context) []ui.Crumb {
	here := ui.Crumb{Label: c.Loc.T("traces.event.title")}
	if s.under != nil {
		return []ui.Crumb{{Label: c.Loc.T("traces.request.title"), Path: RequestsPath}, {Label: s.under.Number, Path: requestPath(s.under.ID)}, here}
	}
	return []ui.Crumb{{Label: c.Loc.T("traces.page.title"), Path: Path}, here}
}

// part is a group of fields of the model.
type part struct {
	name  string
	lines []line
}

// line is a field and what the event says of it.
type line struct{ label, text string }

// parts are the fields of the model that the event says something of: who, what,
// on what, with what, where, why, how it ended.
func (s sheet) parts(c *ui.Context) []part {
	e := s.Event
	word := func(f traces.Field, text string) line { return line{fieldWord(c.Loc, f), text} }
	var severity string
	if e.Severity >= 0 {
		severity = valueWord(c.Loc, nil, traces.FieldSeverity, fmt.Sprint(e.Severity))
	}
	all := []part{
		{"who", []line{word(traces.FieldAccount, e.Account), word(traces.FieldPerson, e.Person), word(traces.FieldFunction, e.Function), word(traces.FieldDelegate, e.Delegate)}},
		{"did", []line{
			word(traces.FieldAction, c.Loc.T("traces.action."+e.Action.String())), word(traces.FieldVerb, e.Verb),
			word(traces.FieldOutcome, c.Loc.T("traces.outcome."+e.Outcome.String())), word(traces.FieldSeverity, severity), word(traces.FieldMessage, e.Message),
		}},
		{"on", []line{
			{c.Loc.T("traces.event.ipp"), e.IPP},
			{c.Loc.T("traces.event.ins"), e.INS},
			word(traces.FieldPatientName, e.PatientName), word(traces.FieldStay, e.Stay),
			word(traces.FieldDocument, e.Document), word(traces.FieldObject, e.Object), word(traces.FieldParameter, e.Parameter), word(traces.FieldDevice, e.Device),
		}},
		{"with", []line{word(traces.FieldApplication, e.Application), word(traces.FieldWorkstation, e.Workstation), word(traces.FieldAddress, e.Address)}},
		{"where", []line{word(traces.FieldSite, e.Site), word(traces.FieldService, e.Service)}},
		{"why", []line{word(traces.FieldPurpose, e.Purpose), word(traces.FieldRelation, e.Relation)}},
	}
	var out []part
	for _, p := range all {
		said := part{name: p.name}
		for _, l := range p.lines {
			if l.text != "" {
				said.lines = append(said.lines, l)
			}
		}
		if len(said.lines) > 0 {
			out = append(out, said)
		}
	}
	return out
}

// apart says how far the time of the source is from the time of arrival.
func (s sheet) apart(c *ui.Context) string {
	d := storage.Time(s.Received).Sub(storage.Time(s.At))
	switch {
	case s.AtGuessed:
		return c.Loc.T("traces.event.guessed")
	case d.Abs() < time.Second:
		return c.Loc.T("traces.event.at_once")
	case d < 0:
		return c.Loc.T("traces.event.ahead", "d", (-d).Round(time.Second))
	}
	return c.Loc.T("traces.event.late", "d", d.Round(time.Second))
}

// rawShown bounds the original on the page.
const rawShown = 64 << 10

// original is the original as text, set out for reading when it is JSON or XML,
// and whether some of it is not shown.
func (s sheet) original() (text string, cut bool) {
	raw := s.Raw
	if len(raw) > rawShown {
		raw, cut = raw[:rawShown], true
	} else if neat, ok := neat(raw); ok {
		raw = neat
	}
	return legible(raw), cut
}

// legible is bytes as text: what is no letter is written so that it shows.
func legible(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "\\x%02x", raw[0])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
		raw = raw[n:]
	}
	return b.String()
}

// neat sets JSON or XML out on lines; anything else stays as it is. The words of
// the original are not changed, only the spaces between its marks.
func neat(raw []byte) ([]byte, bool) {
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 {
		return nil, false
	}
	switch trimmed[0] {
	case '{', '[':
		var b bytes.Buffer
		if err := json.Indent(&b, trimmed, "", "  "); err != nil {
			return nil, false
		}
		return b.Bytes(), b.Len() <= 4*rawShown
	case '<':
		return neatXML(trimmed)
	}
	return nil, false
}

// neatXML puts each element on its line, cut at the marks of the original: the
// bytes between them are copied as they are.
func neatXML(raw []byte) ([]byte, bool) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = true
	var b bytes.Buffer
	depth, from, opened := 0, int64(0), false
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return b.Bytes(), b.Len() <= 4*rawShown
		}
		if err != nil {
			return nil, false
		}
		piece := bytes.TrimSpace(raw[from:d.InputOffset()])
		from = d.InputOffset()
		switch token.(type) {
		case xml.EndElement:
			depth = max(depth-1, 0)
			if !opened {
				newLine(&b, depth)
			}
			opened = false
		case xml.CharData:
			b.Write(piece)
			continue
		default:
			newLine(&b, depth)
			_, opened = token.(xml.StartElement)
			if opened {
				depth++
			}
		}
		b.Write(piece)
	}
}

func newLine(b *bytes.Buffer, depth int) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(strings.Repeat("  ", min(depth, 40)))
}
