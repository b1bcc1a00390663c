package syslog

import (
	"strings"
	"time"

	"tocsin/internal/wire/stamp"
)

// old reads what follows the PRI as RFC 3164 tells that machines do, each in
// its way: marks and numbers of Cisco, stamps with a year, a fraction or a zone,
// no host, no tag.
func (h *header) old(f Format, s string, received int64) {
	s = strings.TrimLeft(s, " ")
	rest := s
	begin := s[sequence(s):]
	if at, n := f.dated(begin, received); n > 0 {
		h.date(at, begin[:n], received)
		rest = begin[n:]
	} else if host, after, ok := strings.Cut(begin, ": "); ok && isHost(host) {
		// "logging origin-id": the host stands before the stamp.
		if at, n := f.dated(after, received); n > 0 {
			h.date(at, after[:n], received)
			h.host, rest = host, after[n:]
		}
	}
	dated := len(rest) != len(s)
	rest = strings.TrimLeft(rest, " ")
	colon := dated && strings.HasPrefix(rest, ":")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, ":"), " ")
	if dated && !colon && h.host == "" {
		rest = h.hostOf(rest)
	}
	h.tag(rest)
}

// date keeps a date. A star says that the clock was never set: then what is far
// from the reception is the time since the start, not a date.
func (h *header) date(at int64, written string, received int64) {
	far := at-received > day || received-at > day
	if strings.HasPrefix(written, "*") && far {
		h.stamp = written
		return
	}
	h.at, h.dated = at, true
}

const day = 24 * 3600 * 1000000

// sequence is the length of "45: " or "000045: " of Cisco, 0 when there is none.
func sequence(s string) int {
	i := 0
	for i < len(s) && i < 12 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i > 0 && strings.HasPrefix(s[i:], ": ") {
		return i + 2
	}
	return 0
}

// hostOf takes the host that s begins with, when it begins with one.
func (h *header) hostOf(s string) string {
	host, rest, ok := strings.Cut(s, " ")
	if !ok || !isHost(host) {
		return s
	}
	h.host = host
	return strings.TrimLeft(rest, " ")
}

// isHost tells a name or an address from a tag or a word of a sentence.
func isHost(s string) bool {
	if s == "" || len(s) > 255 || s[0] == '%' || s[0] == '-' || s[len(s)-1] == ':' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '%', c == '/', c >= 0x80:
		default:
			return false
		}
	}
	return true
}

// tag takes "name[123]: " off the content.
func (h *header) tag(s string) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, ": "), "\ufeff")
	h.content = s
	end := strings.IndexAny(s[:min(len(s), 160)], " :[")
	if end <= 0 || s[end] == ' ' {
		return
	}
	name, rest := s[:end], s[end:]
	if rest[0] == '[' {
		pid, after, ok := strings.Cut(rest[1:], "]")
		if !ok || len(pid) > 64 || after != "" && after[0] != ':' && after[0] != ' ' {
			return
		}
		h.app, h.proc = name, pid
		h.content = strings.TrimLeft(strings.TrimPrefix(after, ":"), " ")
		return
	}
	if len(rest) > 1 && rest[1] != ' ' {
		return // a time, an address of a page, a path of Windows
	}
	if id, found := strings.CutPrefix(name, "%"); found {
		// Cisco: facility-severity-mnemonic.
		h.app, _, _ = strings.Cut(id, "-")
		h.id = id
	} else {
		h.app = name
	}
	h.content = strings.TrimLeft(rest[1:], " ")
}

// dated reads the date that s begins with, and how many bytes it took, 0 when
// there is none.
func (f Format) dated(s string, received int64) (at int64, n int) {
	mark := 0
	if s != "" && (s[0] == '*' || s[0] == '.') {
		mark = 1
	}
	t := s[mark:]
	if len(t) < 15 {
		return 0, 0
	}
	if t[0] >= '0' && t[0] <= '9' {
		if at, n := stamp.ISO(t, f.Zone); n > 0 {
			return at, mark + n
		}
	}
	w, n := readWall(t)
	if n == 0 {
		return 0, 0
	}
	zone, zoned, width := f.zoneAfter(t[n:])
	if !zoned {
		zone = f.Zone
	}
	if zone == nil {
		zone = time.UTC
	}
	at, ok := w.in(zone, received)
	if !ok {
		return 0, 0
	}
	return at, mark + n + width
}

// wall is what a stamp of RFC 3164 shows; year is 0 when it shows none.
type wall struct{ year, month, day, hour, minute, second, micro int }

// readWall reads "Nov 30 14:05:06", "Nov  3 2026 14:05:06.123",
// "2026 Nov 30 14:05:06", and how many bytes it took.
func readWall(s string) (w wall, n int) {
	i := 0
	if y := digits(s[:4]); y > 0 && s[4] == ' ' {
		w.year = y
		i = 5
	}
	if w.month = month(s[i:]); w.month == 0 || len(s) < i+15 || s[i+3] != ' ' {
		return w, 0
	}
	i += 4
	if s[i] == ' ' {
		i++
	}
	for width := 0; i < len(s) && s[i] >= '0' && s[i] <= '9' && width < 2; width++ {
		w.day = w.day*10 + int(s[i]-'0')
		i++
	}
	if i >= len(s) || s[i] != ' ' {
		return w, 0
	}
	i++
	if i+5 < len(s) && s[i+4] == ' ' && digits(s[i:i+4]) > 0 {
		w.year = digits(s[i : i+4])
		i += 5
	}
	if i+8 > len(s) || s[i+2] != ':' || s[i+5] != ':' {
		return w, 0
	}
	w.hour, w.minute, w.second = digits(s[i:i+2]), digits(s[i+3:i+5]), digits(s[i+6:i+8])
	i += 8
	micro, m := stamp.Fraction(s[i:])
	w.micro = micro
	i += m
	// "14:05:06 2026", as ctime writes it.
	if w.year == 0 && i+5 <= len(s) && s[i] == ' ' && digits(s[i+1:i+5]) >= 1970 && digits(s[i+1:i+5]) < 2200 && (i+5 == len(s) || s[i+5] == ' ' || s[i+5] == ':') {
		w.year = digits(s[i+1 : i+5])
		i += 5
	}
	return w, i
}

// in gives the time of the wall in a zone. Without a year, it is the last one
// that puts the stamp no further than a month after the reception: clocks that
// are ahead exist, messages that waited months do too.
func (w wall) in(zone *time.Location, received int64) (int64, bool) {
	if w.year != 0 {
		return w.on(w.year, zone, received)
	}
	now := time.UnixMicro(received).In(zone).Year()
	for year := now + 1; year >= now-8; year-- { // eight: a 29 February over 1900 or 2100
		if at, ok := w.on(year, zone, received); ok && at <= received+31*day {
			return at, true
		}
	}
	return 0, false
}

// on gives the time in a year. An hour that the end of summer time shows twice
// is the one nearer to the reception.
func (w wall) on(year int, zone *time.Location, received int64) (int64, bool) {
	at, ok := stamp.Date(year, w.month, w.day, w.hour, w.minute, w.second, w.micro, zone)
	if !ok || zone == time.UTC {
		return at, ok
	}
	for _, other := range []int64{at - hour, at + hour} {
		if distance(other, received) < distance(at, received) && wallHour(other, zone) == wallHour(at, zone) {
			at = other
		}
	}
	return at, true
}

const hour = 3600 * 1000000

func wallHour(at int64, zone *time.Location) int { return time.UnixMicro(at).In(zone).Hour() }

func distance(a, b int64) int64 { return max(a-b, b-a) }

// zoneAfter reads " UTC", " CEST" or " +0100" after a stamp. A name that is no
// zone we know is left where it is: it is the host.
func (f Format) zoneAfter(s string) (zone *time.Location, ok bool, n int) {
	if s == "" || s[0] != ' ' {
		offset, n, ok := stamp.Offset(s)
		if ok && (n == len(s) || s[n] == ' ' || s[n] == ':') {
			return time.FixedZone("", offset), true, n
		}
		return nil, false, 0
	}
	end := strings.IndexAny(s[1:min(len(s), 9)], " :")
	if end < 0 {
		return nil, false, 0
	}
	name := s[1 : 1+end]
	if offset, m, ok := stamp.Offset(s[1:min(len(s), 9)]); ok && name[0] != 'Z' && s[1+m] == ' ' {
		return time.FixedZone("", offset), true, 1 + m
	}
	if hours, known := zones[name]; known {
		return time.FixedZone(name, int(hours*3600)), true, 1 + len(name)
	}
	return nil, false, 0
}

// zones are the names that equipment writes, in hours east of UTC, those of
// overseas France with them. A name that two countries share is the one of
// France, and those of the Americas come after.
var zones = map[string]float64{
	"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3,
	"RET": 4, "EAT": 3, "GFT": -3, "PMST": -3, "PMDT": -2, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
	"NCT": 11, "WFT": 12, "TAHT": -10, "MART": -9.5,
}

func month(s string) int {
	if len(s) < 3 {
		return 0
	}
	switch s[:3] {
	case "Jan", "jan", "JAN":
		return 1
	case "Feb", "feb", "FEB":
		return 2
	case "Mar", "mar", "MAR":
		return 3
	case "Apr", "apr", "APR":
		return 4
	case "May", "may", "MAY":
		return 5
	case "Jun", "jun", "JUN":
		return 6
	case "Jul", "jul", "JUL":
		return 7
	case "Aug", "aug", "AUG":
		return 8
	case "Sep", "sep", "SEP":
		return 9
	case "Oct", "oct", "OCT":
		return 10
	case "Nov", "nov", "NOV":
		return 11
	case "Dec", "dec", "DEC":
		return 12
	}
	return 0
}

// digits reads a number of digits only; -1 when it is none.
func digits(s string) int {
	v := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		v = v*10 + int(s[i]-'0')
	}
	return v
}
