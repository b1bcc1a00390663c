package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
)

// An alert that lasts all night survives a restart of the program and the change
// of hour: waves leave after the time that passed, hours are those of the clock
// on the wall, and nothing is said twice.
func TestAnAlertSurvivesTheNight(t *testing.T) {
	t.Parallel()
	for name, launched := range map[string]time.Time{
		"winter":          time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC),
		"summer begins":   time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC),   // 02:00 becomes 03:00 at 01:00 UTC
		"summer finishes": time.Date(2026, 10, 24, 23, 30, 0, 0, time.UTC), // 03:00 becomes 02:00 at 01:00 UTC
	} {
		t.Run(name, func(t *testing.T) { onBothEngines(t, launched, theNight) })
	}
}

func theNight(t *testing.T, h *hospital) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	early, early2, late := h.agent("Tôt", "iade"), h.agent("Muet", "iade"), h.agent("Tard", "ide")
	begun := h.now()
	l := h.launch(recall(waves("iade", "ide"), needs(2, ""), func(d *alerting.Definition) {
		d.Waves[1].After, d.Limits.Validity = minutes(180), minutes(720)
	}))
	if !strings.Contains(h.sms.received(mobile(early))[0].Text, "VENEZ") {
		t.Fatal("the first wave has not left")
	}
	h.sleep(30 * time.Minute)
	h.sms.answer(mobile(early), "j'arrive à 4h")
	if who := h.person(l, early); who.ETA.In(paris).Format("15:04") != "04:00" || who.ETA.Sub(h.now()) > 4*time.Hour {
		t.Errorf("announced for 04:00 on the wall, noted for %s", who.ETA.In(paris))
	}

	h.restart()
	h.sleep(begun.Add(179 * time.Minute).Sub(h.now()))
	count(t, h.sms.received(mobile(late)), 0, "SMS to the second wave before three hours")
	h.restart()
	h.pass(62 * time.Second)
	second := h.sms.received(mobile(late))
	count(t, second, 1, "SMS to the second wave after three hours")
	if took := second[0].At.Sub(begun); took < 180*time.Minute || took > 180*time.Minute+2*time.Second {
		t.Errorf("the second wave left %s after the launch", took)
	}

	h.sleep(begun.Add(8 * time.Hour).Sub(h.now()))
	h.sms.answer(mobile(late), "1 15")
	if err := h.Alerting.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.restart()
	h.sleep(30 * time.Minute)
	for _, p := range []directory.Person{early, early2, late} {
		if n := len(h.sms.received(mobile(p))) + len(h.mail.received(mailbox(p))); n == 0 {
			t.Errorf("%s was never called", p.LastName)
		}
		ends := 0
		for _, letter := range append(h.sms.received(mobile(p)), h.mail.received(mailbox(p))...) {
			if strings.Contains(letter.Text, "FIN aux urgences") {
				ends++
			}
		}
		if ends != 1 {
			t.Errorf("%s was told the end %d times", p.LastName, ends)
		}
	}
	count(t, h.sms.all("VENEZ"), 3, "first calls of the night")
	for _, post := range []*post{h.sms, h.mail} {
		for id, n := range post.Times() {
			if n != 1 {
				t.Errorf("message %s left %d times", id, n)
			}
		}
	}
	report, err := h.Alerting.ReportData(t.Context(), h.scope, l.ID, h.now())
	if err != nil {
		t.Fatal(err)
	}
	if lasted := report.Launch.EndedAt.Sub(report.Launch.LaunchedAt); lasted != 8*time.Hour {
		t.Errorf("the report says that the alert lasted %s", lasted)
	}
	for i := 1; i < len(report.Timeline); i++ {
		if report.Timeline[i].At.Before(report.Timeline[i-1].At) {
			t.Errorf("the timeline goes back at its line %d", i+1)
		}
	}
}
