// Package syslog is « Les journaux des machines »: messages of syslog, RFC 5424
// and RFC 3164, and what real machines send under that name.
//
// It promises that no message is refused: what follows no rule is an event that
// says what was understood, and its original is whole.
//
// It never listens: it is given bytes. The clock is the time of reception.
package syslog

import (
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
)

// Name is the key of the format.
const Name = "syslog"

// Format reads one message of syslog. Its zero value reads stamps without a
// zone as UTC and knows no inner format.
type Format struct {
	// Zone is that of the source, for stamps that name none; nil is UTC.
	Zone *time.Location
	// Inner are the formats that a message may carry; the first that fits reads.
	Inner []Inner
}

// Inner is a format that travels in messages of syslog.
type Inner struct {
	// Fits tells, from its first bytes, whether a content is of this format.
	Fits   func(content string) bool
	Format traces.Format
}

// Describe says what is understood.
func (f Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "RFC 5424, RFC 3164, RFC 6587, RFC 5425, RFC 5426",
		Maps: []traces.Mapping{
			{From: "TIMESTAMP", To: "At"},
			{From: "PRI (severity)", To: "Severity"},
			{From: "PRI (facility)", To: "Extra syslog.facility"},
			{From: "HOSTNAME", To: "Workstation"},
			{From: "APP-NAME, TAG", To: "Application"},
			{From: "PROCID, [pid]", To: "Extra syslog.procid"},
			{From: "MSGID", To: "Verb"},
			{From: "STRUCTURED-DATA", To: "Extra id.name"},
			{From: "MSG", To: "Message"},
			{From: "MSG (sshd, sudo, su, login, PAM)", To: "Action, Outcome, Account, Address"},
			{From: "MSG (CEF, LEEF, ATNA, JSON…)", To: "as that format says; the header goes to Extra syslog.*"},
		},
	}
}

// header is what stands around the content of a message.
type header struct {
	priority            int // -1: none
	at                  int64
	dated               bool
	stamp               string // as written, when it could not be believed
	host, app, proc, id string
	data                []traces.Pair
	content             string
	problem             *fault.Error
}

// Parse reads one message, without its framing.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	h := f.header(traces.Readable(message[:min(len(message), traces.MaxRaw)]), received)
	content := strings.Trim(h.content, "\r\n\x00\ufffd \t")
	for _, in := range f.Inner {
		if len(content) > 0 && in.Fits(content) {
			return f.inner(dst, in.Format, &h, content, message, received)
		}
	}
	e := traces.Begin(Name, message, received)
	if h.dated {
		e.Happened(h.at)
	}
	e.Workstation, e.Application, e.Verb, e.Message = h.host, h.app, h.id, content
	if h.priority >= 0 {
		e.Severity = int8(h.priority & 7)
	}
	h.extra(&e)
	recognise(&e)
	e.Bound(len(message))
	dst = append(dst, e)
	if h.problem != nil {
		return dst, h.problem
	}
	return dst, nil
}

// Rest gives the event of what followed a message longer than the bound.
func (f Format) Rest(dst []traces.Event, part []byte, received int64) []traces.Event {
	e := traces.Unread(Name, part, received)
	e.Add("tocsin.continues", "true")
	return append(dst, e)
}

// inner lets another format read the content, and adds what the header knows.
func (f Format) inner(dst []traces.Event, format traces.Format, h *header, content string, message []byte, received int64) ([]traces.Event, error) {
	from := len(dst)
	dst, err := format.Parse(dst, []byte(content), received)
	for i := from; i < len(dst); i++ {
		e := &dst[i]
		e.Raw = message[:min(len(message), traces.MaxRaw)]
		if e.AtGuessed && h.dated {
			e.Happened(h.at)
		}
		if e.Severity < 0 && h.priority >= 0 {
			e.Severity = int8(h.priority & 7)
		}
		e.Add("syslog.host", h.host)
		e.Add("syslog.app", h.app)
		e.Add("syslog.msgid", h.id)
		h.extra(e)
		e.Bound(len(message))
	}
	if err == nil && h.problem != nil {
		return dst, h.problem
	}
	return dst, err
}

func (h *header) extra(e *traces.Event) {
	n := len(h.data)
	for _, v := range []string{h.proc, h.stamp} {
		if v != "" {
			n++
		}
	}
	if h.priority >= 0 {
		n++
	}
	if e.Extra == nil && n > 0 {
		e.Extra = make([]traces.Pair, 0, n)
	}
	if h.priority >= 0 {
		e.Add("syslog.facility", facilities[h.priority>>3])
	}
	e.Add("syslog.procid", h.proc)
	e.Add("syslog.stamp", h.stamp)
	for _, p := range h.data {
		e.Add(p.Name, p.Value)
	}
}

// facilities are those of RFC 5424, table 1, by their usual names.
var facilities = [24]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

func (f Format) header(s string, received int64) header {
	h := header{priority: -1, content: s}
	rest, had := h.pri(s)
	if had && h.modern(rest) {
		return h
	}
	h.old(f, rest, received)
	if !had && !h.dated {
		h.problem = fault.New(fault.Invalid, "traces.syslog.no_pri").At("PRI")
	}
	return h
}

// pri reads "<34>". What is out of range stays in the content of what follows no
// rule, and is said.
func (h *header) pri(s string) (rest string, had bool) {
	if len(s) < 3 || s[0] != '<' {
		return s, false
	}
	end := strings.IndexByte(s[:min(len(s), 8)], '>')
	if end < 2 {
		return s, false
	}
	n, err := strconv.Atoi(s[1:end])
	switch {
	case err != nil:
		return s, false
	case n < 0 || n > 191:
		h.problem = fault.New(fault.Invalid, "traces.syslog.pri", "pri", s[1:end]).At("PRI")
		h.data = append(h.data, traces.Pair{Name: "syslog.pri", Value: s[1:end]})
	default:
		h.priority = n
	}
	return s[end+1:], true
}

// modern reads what follows the PRI by RFC 5424, and tells whether it is that.
func (h *header) modern(s string) bool {
	version, rest, ok := strings.Cut(s, " ")
	if !ok || version == "" || len(version) > 2 || version[0] < '1' || version[0] > '9' {
		return false
	}
	written, rest, _ := strings.Cut(rest, " ")
	at, n := stamp.ISO(written, nil)
	if n == 0 && written != "-" {
		return false
	}
	if n > 0 {
		h.at, h.dated = at, true
	}
	for _, field := range []*string{&h.host, &h.app, &h.proc, &h.id} {
		*field, rest, ok = strings.Cut(rest, " ")
		if *field == "-" {
			*field = ""
		}
	}
	if !ok {
		// RFC 5424 demands the structured data; some stop before.
		h.content = rest
		h.problem = fault.New(fault.Invalid, "traces.syslog.header").At("HEADER")
		return true
	}
	h.structured(rest)
	return true
}

// structured reads the structured data, then the content. What is broken stays
// in the content, from where it breaks.
func (h *header) structured(s string) {
	if rest, nothing := strings.CutPrefix(s, "-"); nothing && (rest == "" || rest[0] == ' ') {
		h.content = strings.TrimPrefix(strings.TrimPrefix(rest, " "), "\ufeff")
		return
	}
	for strings.HasPrefix(s, "[") {
		rest, ok := h.element(s[1:])
		if !ok {
			h.content = s
			h.problem = fault.New(fault.Invalid, "traces.syslog.data").At("STRUCTURED-DATA")
			return
		}
		s = rest
	}
	h.content = strings.TrimPrefix(strings.TrimPrefix(s, " "), "\ufeff")
	if s != "" && s[0] != ' ' {
		h.problem = fault.New(fault.Invalid, "traces.syslog.data").At("STRUCTURED-DATA")
	}
}

// element reads one element after its bracket.
func (h *header) element(s string) (rest string, ok bool) {
	end := strings.IndexAny(s, " ]")
	if end <= 0 {
		return s, false
	}
	id := s[:end]
	s = s[end:]
	if s[0] == ']' {
		h.data = append(h.data, traces.Pair{Name: id, Value: "true"})
	}
	kept := len(h.data)
	for {
		s = strings.TrimLeft(s, " ")
		if s != "" && s[0] == ']' {
			return s[1:], true
		}
		name, after, found := strings.Cut(s, `="`)
		if !found || name == "" || len(name) > 64 || strings.ContainsAny(name, ` ]"`) {
			h.data = h.data[:kept]
			return s, false
		}
		value, tail, closed := quoted(after)
		if !closed {
			h.data = h.data[:kept]
			return s, false
		}
		h.data = append(h.data, traces.Pair{Name: id + "." + name, Value: value})
		s = tail
	}
}

// quoted reads a value up to its quotation mark; \" \\ and \] are escapes.
func quoted(s string) (value, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return s[:i], s[i+1:], true
		case '\\':
			return escaped(s, i)
		}
	}
	return "", s, false
}

func escaped(s string, from int) (value, rest string, ok bool) {
	b := []byte(s[:from])
	for i := from; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return string(b), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == ']'):
			i++
		}
		b = append(b, s[i])
	}
	return "", s, false
}
