package oncall

import (
	"bytes"
	"testing"
	"time"
)

// FuzzReadCalendar holds that any file ends, within bounds, and that what is
// understood is a stretch of time that may be stored.
func FuzzReadCalendar(f *testing.F) {
	for _, seed := range []string{
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260325T060000Z\r\nDTEND:20260325T080000Z\r\nSUMMARY:A – B\r\nRRULE:FREQ=DAILY;INTERVAL=1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=\"Romance Standard Time\":20260325T060000\r\nDTEND:20270325\r\nATTENDEE;CN=\"X\":mailto:x@y\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,MO,MO;UNTIL=99991231\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:00010101\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT\r\n",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260323T060000Z\r\nDTEND:20260323T080000Z\r\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"BEGIN:VEVENT\r\nEND:VEVENT", "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", ";;;:::\r\n \r\n", "BEGIN:VCALENDAR\r\nX;A=\"",
	} {
		f.Add([]byte(seed))
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		claims, err := readCalendar(bytes.NewReader(text), paris, now)
		if err != nil {
			return
		}
		if len(claims) > eventsMost+repeatsMost {
			t.Errorf("%d claims", len(claims))
		}
		for _, c := range claims {
			if c.key == "" && (!c.to.After(c.from) || c.to.Sub(c.from) > replacementMost) {
				t.Errorf("%+v", c)
			}
		}
	})
}
