package hl7

import (
	"strconv"
	"strings"
	"time"
)

// moment reads a TS: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ], in UTC microseconds;
// zero for what is none. A time that says no zone is of the given one.
func moment(text string, zone *time.Location) int64 {
	if i := strings.IndexAny(text, "+-"); i > 0 {
		offset, ok := offsetOf(text[i:])
		if !ok {
			return 0
		}
		text, zone = text[:i], time.FixedZone("", offset)
	}
	text, fraction, _ := strings.Cut(text, ".")
	layout := "20060102150405"
	if len(text) < 4 || len(text) > len(layout) || len(text)%2 == 1 {
		return 0
	}
	t, err := time.ParseInLocation(layout[:len(text)], text, zone)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return 0
	}
	us := 0
	if fraction != "" {
		if us, err = strconv.Atoi((fraction + "000000")[:6]); err != nil || us < 0 {
			us = 0
		}
	}
	return t.UnixMicro() + int64(us)
}

// offsetOf reads +0100, in seconds.
func offsetOf(text string) (int, bool) {
	if len(text) != 5 {
		return 0, false
	}
	n, err := strconv.Atoi(text[1:])
	if err != nil || n/100 > 14 || n%100 > 59 {
		return 0, false
	}
	seconds := n/100*3600 + n%100*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// stamp writes a time as a TS in its own zone.
func stamp(t time.Time) string { return t.Format("20060102150405-0700") }
