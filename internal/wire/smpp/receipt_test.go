package smpp_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/wire/smpp"
)

func TestParseReceiptText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want smpp.Receipt
	}{
		"appendix B": {
			"id:0123456789 sub:001 dlvrd:001 submit date:2611220830 done date:2611220831 stat:DELIVRD err:000 text:Plan blanc",
			smpp.Receipt{ID: "0123456789", State: smpp.StateDelivered, Error: "000", Submitted: "2611220830", Done: "2611220831", Count: "001", Delivered: "001", Text: "Plan blanc"},
		},
		"capitals, seconds, no text": {
			"ID:AB12cd Sub:001 Dlvrd:000 Submit Date:261122083000 Done Date:261122083112 Stat:UNDELIV Err:034",
			smpp.Receipt{ID: "AB12cd", State: smpp.StateUndeliverable, Error: "034", Submitted: "261122083000", Done: "261122083112", Count: "001", Delivered: "000"},
		},
		"no space in the names": {
			"id:7 submitdate:2611220830 donedate:2611220831 stat:EXPIRED err:1 Text:",
			smpp.Receipt{ID: "7", State: smpp.StateExpired, Error: "1", Submitted: "2611220830", Done: "2611220831"},
		},
		"underscores": {
			"id:7 submit_date:1 done_date:2 stat:REJECTD",
			smpp.Receipt{ID: "7", State: smpp.StateRejected, Submitted: "1", Done: "2"},
		},
		"underscores of the GSM alphabet": {
			"id:7 submit\x11date:1 done\x11date:2 stat:ACCEPTD",
			smpp.Receipt{ID: "7", State: smpp.StateAccepted, Submitted: "1", Done: "2"},
		},
		"spaces around the colon": {
			"id : 7  stat : DELIVRD  err : 000 ",
			smpp.Receipt{ID: "7", State: smpp.StateDelivered, Error: "000"},
		},
		"commas and lines": {
			"id:7,\r\nstat:delivered,\nerr:0",
			smpp.Receipt{ID: "7", State: smpp.StateDelivered, Error: "0"},
		},
		"state first, date with spaces": {
			"stat:ENROUTE id:7 done date:2026-11-22 08:30:00 err:",
			smpp.Receipt{ID: "7", State: smpp.StateEnroute, Done: "2026-11-22 08:30:00"},
		},
		"the text imitates a receipt": {
			"id:7 stat:DELIVRD text:id:8 stat:UNDELIV",
			smpp.Receipt{ID: "7", State: smpp.StateDelivered, Text: "id:8 stat:UNDELIV"},
		},
		"a uuid as id": {
			"id:3f2a-77 stat:DELETED err:000",
			smpp.Receipt{ID: "3f2a-77", State: smpp.StateDeleted, Error: "000"},
		},
		"status in full": {
			"id:7 status:FAILED error:99",
			smpp.Receipt{ID: "7", State: smpp.StateUndeliverable, Error: "99"},
		},
		"zero after the end": {
			"id:7 stat:UNKNOWN err:000\x00",
			smpp.Receipt{ID: "7", State: smpp.StateUnknown, Error: "000"},
		},
	} {
		got, ok := smpp.ParseReceiptText(c.text)
		if !ok || got != c.want {
			t.Errorf("%s: got %+v %v\nwant %+v", name, got, ok, c.want)
		}
	}
}

func TestParseReceipt(t *testing.T) {
	t.Parallel()
	text := "id:10 sub:001 dlvrd:001 submit date:1 done date:2 stat:DELIVRD err:000 text:x"
	state := func(b byte) smpp.TLVs {
		return smpp.TLVs{smpp.CString(smpp.TagReceiptedMessageID, "a"), smpp.Uint8(smpp.TagMessageState, b)}
	}
	for name, c := range map[string]struct {
		m         smpp.Message
		ok        bool
		id, tlvID string
		state     smpp.MessageState
	}{
		"flag and text":            {smpp.Message{ESMClass: 4, ShortMessage: text}, true, "10", "", smpp.StateDelivered},
		"flag and options":         {smpp.Message{ESMClass: 4, TLVs: state(5)}, true, "", "a", smpp.StateUndeliverable},
		"options win over text":    {smpp.Message{ESMClass: 4, ShortMessage: text, TLVs: state(3)}, true, "10", "a", smpp.StateExpired},
		"no flag, text":            {smpp.Message{ShortMessage: text}, true, "10", "", smpp.StateDelivered},
		"no flag, options":         {smpp.Message{TLVs: state(2)}, true, "", "a", smpp.StateDelivered},
		"intermediate":             {smpp.Message{ESMClass: 0x20, ShortMessage: "id:10"}, true, "10", "", smpp.StateEnroute},
		"UCS-2 text":               {smpp.Message{ESMClass: 4, DataCoding: 8, ShortMessage: wide("id:10 stat:DELIVRD")}, true, "10", "", smpp.StateDelivered},
		"text in payload":          {smpp.Message{ESMClass: 4, TLVs: smpp.TLVs{{smpp.TagMessagePayload, text}}}, true, "10", "", smpp.StateDelivered},
		"a person's answer":        {smpp.Message{ShortMessage: "OUI id:10"}, false, "", "", 0},
		"flag without anything":    {smpp.Message{ESMClass: 4, ShortMessage: "bonjour"}, false, "", "", 0},
		"flag without state":       {smpp.Message{ESMClass: 4, ShortMessage: "id:10"}, false, "", "", 0},
		"a user's acknowledgement": {smpp.Message{ESMClass: 0x10, ShortMessage: text}, false, "", "", 0},
		"an impossible state":      {smpp.Message{ESMClass: 4, TLVs: state(200)}, false, "", "", 0},
	} {
		got, ok := smpp.ParseReceipt(&c.m)
		if ok != c.ok {
			t.Errorf("%s: got %v %+v", name, ok, got)
			continue
		}
		if ok && (got.ID != c.id || got.TLVID != c.tlvID || got.State != c.state) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func wide(s string) string { return "\x00" + strings.Join(strings.Split(s, ""), "\x00") }

func TestReceiptReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	for state := smpp.StateEnroute; state <= smpp.StateRejected; state++ {
		want := smpp.Receipt{ID: "12", State: state, Submitted: "2611220830", Done: "2611220831", Count: "001", Delivered: "000", Error: "007", Text: "Plan"}
		got, ok := smpp.ParseReceiptText(want.FormatText())
		if !ok || got != want {
			t.Errorf("%s: got %+v", state, got)
		}
		want.TLVID = "c"
		got, ok = smpp.ParseReceipt(&smpp.Message{ESMClass: smpp.ESMReceipt, TLVs: want.Optional()})
		if !ok || got.TLVID != "c" || got.State != state || got.State.Final() == (state == smpp.StateEnroute) {
			t.Errorf("%s as options: got %+v", state, got)
		}
	}
}

func TestNetworkErrorCode(t *testing.T) {
	t.Parallel()
	m := smpp.Message{ESMClass: 4, ShortMessage: "id:1 stat:UNDELIV", TLVs: smpp.TLVs{{smpp.TagNetworkErrorCode, "\x03\x01\x02"}}}
	if got, ok := smpp.ParseReceipt(&m); !ok || got.Error != "3/258" {
		t.Errorf("got %+v", got)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	if got := smpp.FormatAbsolute(now.Add(300 * time.Millisecond).In(time.FixedZone("", 3600))); got != "261122083000300+" {
		t.Errorf("absolute: %s", got)
	}
	for d, want := range map[time.Duration]string{
		0:                          "000000000001000R",
		-time.Hour:                 "000000000001000R",
		90 * time.Minute:           "000000013000000R",
		48*time.Hour + time.Second: "000002000001000R",
		31 * 24 * time.Hour:        "000101000000000R",
		400 * 24 * time.Hour:       "010110000000000R",
	} {
		if got := smpp.FormatRelative(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
		back, err := smpp.ParseTime(want, now)
		if err != nil || back.Sub(now) != max(d, time.Second) {
			t.Errorf("%s: read back %s (%v)", want, back.Sub(now), err)
		}
	}
	for s, want := range map[string]time.Time{
		"":                 {},
		"261122083000300+": now.Add(300 * time.Millisecond),
		"261122093000004+": now,
		"261122073000004-": now,
	} {
		if got, err := smpp.ParseTime(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s (%v)", s, got, err)
		}
	}
	for _, s := range []string{"2611220830", "261322083000000+", "26112208300000x+", "261122083000000*", "260022083000000+"} {
		if got, err := smpp.ParseTime(s, now); err == nil {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add("id:0123456789 sub:001 dlvrd:001 submit date:2611220830 done date:2611220831 stat:DELIVRD err:000 text:Plan blanc", byte(4))
	f.Add("ID : 7,stat:delivered Text:id:8", byte(0))
	f.Add(wide("id:7 stat:EXPIRED"), byte(0x24))
	f.Fuzz(func(t *testing.T, text string, class byte) {
		r, ok := smpp.ParseReceiptText(text)
		if ok != (r.ID != "" || r.State != smpp.StateNone) {
			t.Fatalf("%v with %+v", ok, r)
		}
		for _, s := range []string{r.ID, r.Text, r.Error, r.Done, r.Submitted} {
			if !strings.Contains(text, s) {
				t.Fatalf("%q is not in the text", s)
			}
		}
		m := smpp.Message{ESMClass: class, ShortMessage: text}
		if r, ok := smpp.ParseReceipt(&m); ok && (r.ID == "" || r.State == smpp.StateNone) {
			t.Fatalf("accepted %+v", r)
		}
	})
}
