// Package cef is « Les équipements de sécurité »: events in CEF (ArcSight) and in
// LEEF 1 and 2 (QRadar), which firewalls, proxies and bastions write.
//
// It promises that values with spaces, escapes and signs "=" are read as their
// authors meant them, and that no key is lost.
//
// It never reads the header of syslog before it: the syslog format does.
package cef

import (
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
)

// Name is the key of the format.
const Name = "cef"

// Format reads one event of CEF or LEEF.
type Format struct {
	// Zone is that of dates without one; nil is UTC.
	Zone *time.Location
}

// Fits tells whether a content is CEF or LEEF.
func Fits(content string) bool {
	return strings.HasPrefix(content, "CEF:") || strings.HasPrefix(content, "LEEF:")
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "ArcSight CEF 0 and 1, IBM LEEF 1.0 and 2.0",
		Maps: []traces.Mapping{
			{From: "Device Product", To: "Application"},
			{From: "Name (CEF), EventID (LEEF)", To: "Verb"},
			{From: "Device Event Class ID", To: "Extra event.class"},
			{From: "Severity, sev", To: "Severity"},
			{From: "rt, end, start, devTime", To: "At"},
			{From: "suser, duser, usrName", To: "Account"},
			{From: "src, c6a2", To: "Address"},
			{From: "shost, identHostName", To: "Workstation"},
			{From: "act, cat", To: "Action"},
			{From: "outcome", To: "Outcome"},
			{From: "msg", To: "Message"},
			{From: "fname, filePath, request, url, resource", To: "Object"},
			{From: "reason", To: "Purpose"},
			{From: "externalId", To: "Key"},
			{From: "cs1 with cs1Label…", To: "Extra, by its label"},
			{From: "…", To: "Extra"},
		},
	}
}

// Parse reads one event.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	text := strings.TrimRight(traces.Readable(message[:min(len(message), traces.MaxRaw)]), "\r\n\x00\ufffd ")
	e := traces.Begin(Name, message, received)
	r := reader{f: f, e: &e}
	var ok bool
	switch {
	case strings.HasPrefix(text, "CEF:"):
		ok = r.cef(text[len("CEF:"):])
	case strings.HasPrefix(text, "LEEF:"):
		ok = r.leef(text[len("LEEF:"):])
	default:
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.cef.other")
	}
	if !ok {
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.cef.header")
	}
	r.settle()
	e.Bound(len(message))
	dst = append(dst, e)
	if r.bad != "" {
		return dst, fault.New(fault.Invalid, "traces.cef.value", "key", r.bad).At(r.bad)
	}
	return dst, nil
}

type reader struct {
	f       Format
	e       *traces.Event
	bad     string
	format  string // devTimeFormat of LEEF
	devTime string
	action  string
	pairs   []traces.Pair
}

// headers cuts n fields at their bars; "\|" and "\\" are escapes.
func headers(s string, n int) (fields []string, rest string, ok bool) {
	var b []byte
	from := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '|' || s[i+1] == '\\'):
			b = append(append(b, s[from:i]...), s[i+1])
			i++
			from = i + 1
		case s[i] == '|':
			field := s[from:i]
			if b != nil {
				field = string(append(b, field...))
				b = nil
			}
			fields = append(fields, field)
			from = i + 1
			if len(fields) == n {
				return fields, s[i+1:], true
			}
		}
	}
	// The last bar is often left out when nothing follows.
	if len(fields) == n-1 {
		return append(fields, string(append(b, s[from:]...))), "", true
	}
	return nil, "", false
}

// cef reads version|vendor|product|version|class|name|severity|extension.
func (r *reader) cef(s string) bool {
	h, rest, ok := headers(s, 7)
	if !ok {
		return false
	}
	e := r.e
	e.Application, e.Verb = h[2], h[5]
	e.Add("event.vendor", h[1])
	e.Add("event.version", h[3])
	e.Add("event.class", h[4])
	e.Severity = severity(h[6])
	r.extension(rest)
	return true
}

// severity turns 0 (least) to 10 (most), or a word, into that of syslog.
func severity(s string) int8 {
	switch strings.TrimSpace(s) {
	case "0", "1", "2", "3", "Low":
		return 6
	case "4", "5", "6", "Medium":
		return 5
	case "7", "8", "High":
		return 4
	case "9", "10", "Very-High":
		return 2
	}
	return traces.SeverityOf(s)
}

// extension reads key=value pairs between spaces: a value goes on until the
// next word that ends with an unescaped "=".
func (r *reader) extension(s string) {
	key, from := "", 0
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if s[i] != '=' {
			continue
		}
		start := strings.LastIndexByte(s[from:i], ' ') + 1 + from
		if start == i || !isKey(s[start:i]) {
			continue // "a = b" or "http://x?y=" inside a value
		}
		if key != "" {
			r.keep(key, unescape(strings.TrimSpace(s[from:start])))
		}
		key, from = s[start:i], i+1
	}
	if key != "" {
		r.keep(key, unescape(strings.TrimSpace(s[from:])))
	} else if s != "" {
		r.e.Add("extension", strings.TrimSpace(s))
	}
}

func isKey(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-', c == '[', c == ']':
		default:
			return false
		}
	}
	return true
}

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch s[i+1] {
			case '=', '\\', '|':
				i++
			case 'n':
				b = append(b, '\n')
				i++
				continue
			case 'r':
				b = append(b, '\r')
				i++
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// leef reads version|vendor|product|version|id|[delimiter|]attributes.
func (r *reader) leef(s string) bool {
	h, rest, ok := headers(s, 5)
	if !ok {
		return false
	}
	delimiter := "\t"
	if strings.HasPrefix(h[0], "2") {
		if given, after, found := strings.Cut(rest, "|"); found && len(given) <= 6 {
			rest = after
			if d, ok := delimiterOf(given); ok {
				delimiter = d
			}
		}
	}
	e := r.e
	e.Application, e.Verb = h[2], h[4]
	e.Add("event.vendor", h[1])
	e.Add("event.version", h[3])
	if !strings.Contains(rest, delimiter) && strings.Count(rest, "=") > 1 {
		r.extension(rest) // tabs that a relay turned into spaces
		return true
	}
	for _, attribute := range strings.Split(rest, delimiter) {
		key, value, found := strings.Cut(attribute, "=")
		if !found {
			r.e.Add("extension", strings.TrimSpace(attribute))
			continue
		}
		r.keep(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	return true
}

// delimiterOf reads "^", "x5E" or "0x5E".
func delimiterOf(s string) (string, bool) {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "0"), "x")
	if len(s) == 1 {
		return s, true
	}
	v := 0
	for _, c := range []byte(strings.ToLower(digits)) {
		switch {
		case c >= '0' && c <= '9':
			v = v*16 + int(c-'0')
		case c >= 'a' && c <= 'f':
			v = v*16 + int(c-'a') + 10
		default:
			return "", false
		}
	}
	return string(rune(v)), v > 0 && v < 0x80
}

func (r *reader) keep(key, value string) {
	if key != "" && value != "" && len(r.pairs) < 4*traces.MaxExtra {
		r.pairs = append(r.pairs, traces.Pair{Name: key, Value: value})
	}
}

// settle puts the pairs where they belong, labels first.
func (r *reader) settle() {
	labels := map[string]string{}
	for _, p := range r.pairs {
		if custom, ok := strings.CutSuffix(p.Name, "Label"); ok {
			labels[custom] = p.Value
		}
	}
	for _, p := range r.pairs {
		if custom, ok := strings.CutSuffix(p.Name, "Label"); ok && labels[custom] != "" {
			continue
		}
		if label := labels[p.Name]; label != "" && p.Name != "c6a2" {
			r.e.Add(label, p.Value)
			continue
		}
		r.put(p.Name, p.Value)
	}
	if r.devTime != "" {
		r.time("devTime", r.devTime)
	}
	e := r.e
	if e.Action = traces.ActionOf(r.action); e.Action == traces.Unsaid {
		e.Action = traces.ActionOf(e.Verb)
	}
	if e.Outcome == traces.OutcomeUnsaid {
		e.Outcome = traces.OutcomeOf(r.action)
	}
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
}

func (r *reader) put(key, value string) {
	e := r.e
	switch key {
	case "rt", "end", "start":
		r.time(key, value)
	case "devTime":
		r.devTime = value
	case "devTimeFormat":
		r.format = value
	case "suser", "duser", "usrName":
		e.Fill(&e.Account, key, value)
	case "src", "c6a2":
		e.Fill(&e.Address, key, value)
	case "shost", "identHostName":
		e.Fill(&e.Workstation, key, value)
	case "act", "cat":
		if r.action == "" || key == "act" {
			r.action = value
		}
		e.Add(key, value)
	case "outcome":
		if !e.Put(traces.PlaceOutcome, key, value, nil) {
			r.bad = key
		}
	case "sev":
		e.Severity = severity(value)
	case "msg":
		e.Fill(&e.Message, key, value)
	case "fname", "filePath", "request", "url", "resource":
		e.Fill(&e.Object, key, value)
	case "reason":
		e.Fill(&e.Purpose, key, value)
	case "externalId":
		e.Key = value
	default:
		e.Add(key, value)
	}
}

// time reads epoch milliseconds, ISO, or "Nov 30 2026 14:05:06[.123][ zone]".
func (r *reader) time(key, value string) {
	at, ok := stamp.Parse(value, r.f.Zone)
	if !ok {
		at, ok = r.words(value)
	}
	switch {
	case !ok:
		r.e.Add(key, value)
		r.bad = key
	case r.e.AtGuessed || key == "rt":
		r.e.Happened(at)
	default:
		r.e.Add(key, value)
	}
}

func (r *reader) words(value string) (int64, bool) {
	zone := r.f.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range []string{"Jan 2 2006 15:04:05.999 MST", "Jan 2 2006 15:04:05 MST", "Jan 2 2006 15:04:05.999 -0700", "Jan 2 2006 15:04:05.999", "Jan 2 2006 15:04:05"} {
		if t, err := time.ParseInLocation(layout, strings.Join(strings.Fields(value), " "), zone); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}
