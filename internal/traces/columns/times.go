package columns

import (
	"math"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/storage"
	"tocsin/internal/wire/stamp"
)

// The ways of writing a time.
const (
	Auto  = "auto"  // ISO, HL7, day first with slashes, seconds since 1970
	DMY   = "dmy"   // 30/11/2026 14:05:02, 30.11.26 14h05, 30 nov. 2026 à 14:05
	MDY   = "mdy"   // 11/30/2026 2:05:02 PM
	YMD   = "ymd"   // 2026/11/30 14:05:02
	Excel = "excel" // days since 1900 as a spreadsheet counts them: 46356.5871
	Epoch = "epoch" // seconds, milliseconds, microseconds or nanoseconds since 1970
)

// Times lists them.
func Times() []string { return []string{Auto, DMY, MDY, YMD, Excel, Epoch} }

// parseTime reads a time by the first way that fits, in UTC microseconds.
func parseTime(text string, ways []string, zone *time.Location) (int64, bool) {
	for _, way := range ways {
		if at, ok := parseBy(way, text, zone); ok {
			return at, true
		}
	}
	return 0, false
}

func parseBy(way, text string, zone *time.Location) (int64, bool) {
	switch way {
	case Auto:
		return stamp.Parse(text, zone)
	case Epoch:
		return stamp.Epoch(text)
	case Excel:
		return excelTime(text, zone)
	case DMY:
		return written(text, zone, 2, 1, 0)
	case MDY:
		return written(text, zone, 2, 0, 1)
	case YMD:
		return written(text, zone, 0, 1, 2)
	}
	return 0, false
}

// excelTime reads the serial number of a spreadsheet (the system of 1900), a wall
// clock of the zone, to the millisecond.
func excelTime(text string, zone *time.Location) (int64, bool) {
	days, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(text), ",", ".", 1), 64)
	if err != nil || days < 61 || days >= 2958466 { // 1900-03-01 to 9999-12-31: before, Excel has a day too many
		return 0, false
	}
	whole := math.Floor(days)
	ms := int(math.Round((days - whole) * 86400000))
	return time.Date(1899, 12, 30+int(whole), 0, 0, 0, ms*1e6, zone).UnixMicro(), true
}

// months are the months by the first letters that tell them apart, in French and
// in English, folded.
var months = []struct {
	begins string
	month  int
}{
	{"janv", 1},
	{"jan", 1},
	{"fev", 2},
	{"feb", 2},
	{"mars", 3},
	{"mar", 3},
	{"avr", 4},
	{"apr", 4},
	{"mai", 5},
	{"may", 5},
	{"juin", 6},
	{"jun", 6},
	{"juil", 7},
	{"jul", 7},
	{"aout", 8},
	{"aou", 8},
	{"aug", 8},
	{"sep", 9},
	{"oct", 10},
	{"nov", 11},
	{"dec", 12},
}

func monthOf(word string) int {
	word = storage.Fold(word)
	for _, m := range months {
		if strings.HasPrefix(word, m.begins) {
			return m.month
		}
	}
	return 0
}

// written reads a date of three numbers, whose places are given, then a time: the
// numbers are apart by anything, a month may be a word. A zone at the end is read.
func written(text string, zone *time.Location, year, month, day int) (int64, bool) {
	numbers, micro, rest, ok := scan(text)
	if !ok || len(numbers) != 3 && len(numbers) != 5 && len(numbers) != 6 {
		return 0, false
	}
	y, mo, d := numbers[year], numbers[month], numbers[day]
	if y < 100 {
		y += 2000
	}
	var hms [3]int
	copy(hms[:], numbers[3:])
	if hms[0], rest, ok = halfDay(hms[0], rest); !ok {
		return 0, false
	}
	if offset, n, zoned := stamp.Offset(rest); zoned && n == len(rest) {
		zone = time.FixedZone("", offset)
	} else if rest != "" {
		return 0, false
	}
	at := time.Date(y, time.Month(mo), d, hms[0], hms[1], hms[2], micro*1000, zone)
	if y < 1900 || y > 9999 || mo < 1 || mo > 12 || at.Month() != time.Month(mo) && hms[0] < 24 || at.Day() != d && hms[0] < 24 || d < 1 || hms[0] > 23 || hms[1] > 59 || hms[2] > 59 {
		return 0, false
	}
	return at.UnixMicro(), true
}

// halfDay reads AM and PM.
func halfDay(hour int, rest string) (int, string, bool) {
	fold := strings.ToUpper(rest)
	for mark, add := range map[string]int{"AM": 0, "PM": 12} {
		if strings.HasPrefix(fold, mark) {
			if hour < 1 || hour > 12 {
				return 0, rest, false
			}
			return hour%12 + add, strings.TrimSpace(rest[2:]), true
		}
	}
	return hour, rest, true
}

// scan takes the numbers of a date and a time, the fraction of the seconds, and
// what follows them.
func scan(text string) (numbers []int, micro int, rest string, ok bool) {
	s := strings.TrimSpace(text)
	if len(s) > 60 {
		return nil, 0, "", false
	}
	for s != "" && len(numbers) < 6 {
		switch c := s[0]; {
		case c >= '0' && c <= '9':
			i := 1
			for i < len(s) && s[i] >= '0' && s[i] <= '9' {
				i++
			}
			n, err := strconv.Atoi(s[:i])
			if err != nil {
				return nil, 0, "", false
			}
			numbers, s = append(numbers, n), s[i:]
		case len(numbers) >= 5 && (c == '+' || c == '-' || c == 'Z' || c == 'A' || c == 'P' || c == 'a' || c == 'p'):
			return numbers, micro, s, true
		case len(numbers) >= 3 && c == ' ' && (strings.HasPrefix(s, " AM") || strings.HasPrefix(s, " PM")):
			return numbers, micro, strings.TrimSpace(s), true
		default:
			word := s[:wordEnd(s)]
			if m := monthOf(word); m > 0 && len(numbers) < 3 {
				numbers = append(numbers, m)
			}
			s = s[len(word):]
		}
	}
	if len(numbers) == 6 {
		var n int
		micro, n = stamp.Fraction(s)
		s = s[n:]
	}
	return numbers, micro, strings.TrimSpace(s), true
}

// wordEnd is where the letters at the beginning end; one sign when there is none.
func wordEnd(s string) int {
	for i, c := range s {
		if c >= '0' && c <= '9' || c == ' ' || c == '/' || c == '-' || c == '.' || c == ',' || c == ':' || c == '+' {
			return max(i, 1)
		}
	}
	return len(s)
}
