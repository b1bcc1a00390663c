// Package stamp is « Le tampon dateur »: the dates that machines write, read
// into UTC microseconds.
//
// It promises an exact reading or none: a date that does not exist (30
// February, 25 o'clock) is no date. What has no zone is read in the zone given.
//
// It never reads the machine's clock.
package stamp

import (
	"strings"
	"time"
)

// ISO reads the date that s begins with: YYYY-MM-DD, T or a space, hh:mm, then
// seconds, a fraction and a zone if they are there. It gives UTC microseconds
// and how many bytes were read, 0 when s does not begin with a date. What has no
// zone is read in zone, nil being UTC.
func ISO(s string, zone *time.Location) (at int64, n int) {
	if len(s) < 16 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' && s[10] != 't' || s[13] != ':' {
		return 0, 0
	}
	w := wall{year: digits(s[0:4]), month: digits(s[5:7]), day: digits(s[8:10]), hour: digits(s[11:13]), minute: digits(s[14:16])}
	i := 16
	if len(s) >= 19 && s[16] == ':' {
		w.second = digits(s[17:19])
		i = 19
		var m int
		w.micro, m = Fraction(s[19:])
		i += m
	}
	offset, m, zoned := Offset(s[i:])
	at, ok := w.at(zone, offset, zoned)
	if !ok {
		return 0, 0
	}
	return at, i + m
}

// Parse reads a whole text as a date: ISO (a date alone is its midnight), the
// digits of HL7 and DICOM (YYYYMMDDhhmmss.ffffff±hhmm), DD/MM/YYYY as the French
// write it, or the seconds, milliseconds, microseconds or nanoseconds since 1970.
func Parse(s string, zone *time.Location) (at int64, ok bool) {
	s = strings.TrimSpace(s)
	if at, n := ISO(s, zone); n > 0 {
		rest := strings.TrimLeft(s[n:], " ")
		switch rest {
		case "":
			return at, true
		case "UTC", "GMT":
			at, _ = ISO(s, nil)
			return at, true
		}
		// "2026-11-30 14:00:00 +0100", with a name after it or not.
		if offset, m, zoned := Offset(rest); zoned && (m == len(rest) || rest[m] == ' ') {
			at, n = ISO(s[:n], nil)
			return at - int64(offset)*1e6, n > 0
		}
		return 0, false
	}
	switch {
	case len(s) == 10 && s[4] == '-':
		return whole(s + "T00:00:00")(zone)
	case len(s) >= 10 && s[2] == '/' && s[5] == '/':
		rest := strings.TrimLeft(s[10:], " ,à")
		if rest == "" {
			rest = "00:00:00"
		}
		return whole(s[6:10] + "-" + s[3:5] + "-" + s[0:2] + "T" + rest)(zone)
	}
	if number(s) {
		if len(s) >= 8 && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20")) {
			if at, ok := compact(s, zone); ok {
				return at, true
			}
		}
		return Epoch(s)
	}
	return compact(s, zone)
}

func whole(s string) func(zone *time.Location) (int64, bool) {
	return func(zone *time.Location) (int64, bool) {
		at, n := ISO(s, zone)
		return at, n > 0 && n == len(s)
	}
}

// compact reads YYYYMMDDhhmm[ss[.ffffff]][±hhmm] and YYYYMMDD.
func compact(s string, zone *time.Location) (int64, bool) {
	n := len(integer(s))
	if n != 8 && n != 12 && n != 14 {
		return 0, false
	}
	w := wall{year: digits(s[0:4]), month: digits(s[4:6]), day: digits(s[6:8])}
	if n >= 12 {
		w.hour, w.minute = digits(s[8:10]), digits(s[10:12])
	}
	if n == 14 {
		w.second = digits(s[12:14])
	}
	i := n
	var m int
	w.micro, m = Fraction(s[i:])
	i += m
	offset, m, zoned := Offset(s[i:])
	if i+m != len(s) {
		return 0, false
	}
	return w.at(zone, offset, zoned)
}

// Epoch reads seconds since 1970, with a fraction or not; a number too great to
// be seconds is milliseconds, microseconds or nanoseconds.
func Epoch(s string) (at int64, ok bool) {
	i := len(integer(s))
	if i == 0 || i > 19 {
		return 0, false
	}
	var v int64
	for _, c := range []byte(s[:i]) {
		v = v*10 + int64(c-'0')
		if v < 0 {
			return 0, false
		}
	}
	micro, m := Fraction(s[i:])
	if i+m != len(s) {
		return 0, false
	}
	switch {
	case v < 1e11: // until the year 5138
		return v*1e6 + int64(micro), true
	case v < 1e14:
		return v*1e3 + int64(micro)/1e3, true
	case v < 1e17:
		return v, true
	}
	return v / 1e3, true
}

func integer(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

func number(s string) bool {
	i := len(integer(s))
	_, m := Fraction(s[i:])
	return i > 0 && i+m == len(s)
}

// Fraction reads ".123" or ",123" as microseconds, and how many bytes it took.
func Fraction(s string) (micro, n int) {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' || s[1] < '0' || s[1] > '9' {
		return 0, 0
	}
	scale := 100000
	for n = 1; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		micro += int(s[n]-'0') * scale
		scale /= 10
	}
	return micro, n
}

// Offset reads Z, ±hh:mm, ±hhmm or ±hh: seconds east of UTC, how many bytes it
// took, and whether there was one.
func Offset(s string) (seconds, n int, ok bool) {
	if s == "" {
		return 0, 0, false
	}
	switch s[0] {
	case 'Z', 'z':
		return 0, 1, true
	case '+', '-':
	default:
		return 0, 0, false
	}
	if len(s) < 3 {
		return 0, 0, false
	}
	h, m := digits(s[1:3]), 0
	n = 3
	switch {
	case len(s) >= 6 && s[3] == ':' && digits(s[4:6]) >= 0:
		m, n = digits(s[4:6]), 6
	case len(s) >= 5 && digits(s[3:5]) >= 0:
		m, n = digits(s[3:5]), 5
	}
	if h < 0 || h > 18 || m > 59 {
		return 0, 0, false
	}
	seconds = h*3600 + m*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, n, true
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

type wall struct{ year, month, day, hour, minute, second, micro int }

func (w wall) at(zone *time.Location, offset int, zoned bool) (int64, bool) {
	if zoned || zone == nil {
		zone = time.UTC
	}
	at, ok := Date(w.year, w.month, w.day, w.hour, w.minute, w.second, w.micro, zone)
	return at - int64(offset)*1e6, ok
}

// Date gives the UTC microseconds of a wall clock, and false when it shows what
// does not exist. A leap second is the second after it.
func Date(year, month, day, hour, minute, second, micro int, zone *time.Location) (int64, bool) {
	if year < 1 || month < 1 || month > 12 || day < 1 || day > days(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, zone).UnixMicro(), true
}

func days(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
