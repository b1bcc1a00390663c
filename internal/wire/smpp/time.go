package smpp

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrTime is returned for a time that is not in the format of §7.1.1.
var ErrTime = errors.New("smpp: not a time of the protocol")

// FormatAbsolute writes an instant as "YYMMDDhhmmsstnnp", in UTC, to the tenth
// of a second.
func FormatAbsolute(t time.Time) string {
	t = t.UTC()
	return t.Format("060102150405") + strconv.Itoa(t.Nanosecond()/1e8) + "00+"
}

// FormatRelative writes a length of time as "YYMMDDhhmmss000R", which does not
// depend on the clock of the peer. It is cut to the second, never under one
// second, and counted in days, of which the format holds 30, then months of 30
// days and years of 12 such months; 99 years at most.
func FormatRelative(d time.Duration) string {
	seconds := max(int64(d/time.Second), 1)
	days := seconds / 86400
	years := min(days/360, 99)
	days -= years * 360
	return fmt.Sprintf("%02d%02d%02d%02d%02d%02d000R", years, min(days/30, 12), days%30,
		seconds/3600%24, seconds/60%60, seconds%60)
}

// ParseTime reads a schedule_delivery_time or a validity_period; now is the
// instant a relative time counts from. An empty one gives the zero time.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if len(s) != 16 {
		return time.Time{}, ErrTime
	}
	var n [8]int // YY MM DD hh mm ss t nn
	for i := range 15 {
		if s[i] < '0' || s[i] > '9' {
			return time.Time{}, ErrTime
		}
		d := int(s[i] - '0')
		switch {
		case i < 12:
			n[i/2] = n[i/2]*10 + d
		case i == 12:
			n[6] = d
		default:
			n[7] = n[7]*10 + d
		}
	}
	if s[15] == 'R' {
		days := (n[0]*12+n[1])*30 + n[2]
		return now.Add(time.Duration(days)*24*time.Hour + time.Duration(n[3]*3600+n[4]*60+n[5])*time.Second), nil
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return time.Time{}, ErrTime
	}
	offset := time.Duration(n[7]) * 15 * time.Minute
	switch s[15] {
	case '+':
	case '-':
		offset = -offset
	default:
		return time.Time{}, ErrTime
	}
	t := time.Date(2000+n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*1e8, time.UTC)
	return t.Add(-offset), nil
}
