package report_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// large is the report of an alert of 4,300 people, three hundred of them not reached.
func large() alerting.Report {
	const people = 4300
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	r := alerting.Report{
		Establishment: "CHU de Valbrume", Zone: "Europe/Paris", At: at.Add(3 * time.Hour),
		Launch: alerting.Launch{
			Title: alerting.Localized{"fr": "Plan blanc : afflux de victimes", "en": "Mass casualties"}, Mode: alerting.Exercise, LaunchedAt: at, EndedAt: at.Add(2 * time.Hour),
			LaunchedBy: "Camille Martin", OrderedBy: "Dr Lambert, directeur de garde", EndedBy: "Camille Martin", Values: map[string]string{"lieu": "hall A"}, Version: 3,
		},
		Counters: alerting.Counters{People: people, Reached: 4000, Answered: 2600, Coming: 1200, Unavailable: 1300, Exhausted: 250, LeftOut: 120},
	}
	for i := range 4000 {
		x := float64(i) / 4000
		r.Reached = append(r.Reached, 2+600*x*x*x)
		if i < 2600 {
			r.Answered = append(r.Answered, 20+3000*x*x)
		}
		if i < 1200 {
			r.Coming = append(r.Coming, 25+4000*x*x)
		}
	}
	for i := range 40 {
		r.Units = append(r.Units, alerting.ReportUnit{SiteName: fmt.Sprintf("Site %d", i%3), ServiceName: fmt.Sprintf("Service de médecine %02d", i), People: 107, Called: 107, Reached: 100, Answered: 65, Coming: 30, Arrived: 12, LeftOut: 3})
	}
	for i := range 420 {
		p := alerting.ReportPerson{LastName: fmt.Sprintf("Lefèvre-Dumont %03d", i), FirstName: "Anne-Cécile", SiteName: "Site 1", ServiceName: "Réanimation polyvalente", State: alerting.Exhausted, Reason: channels.ReasonInvalidAddress}
		if i%4 == 0 {
			p.LeftOut, p.Reason = alerting.LeftNoAddress, ""
		}
		r.Unreached = append(r.Unreached, p)
	}
	for i := range 200 {
		r.Timeline = append(r.Timeline, alerting.Event{At: at.Add(time.Duration(i) * 30 * time.Second), Kind: alerting.EventKinds()[i%len(alerting.EventKinds())], By: []string{"", "Camille Martin", "Dr Lambert"}[i%3], Wave: 1 + i%4, People: i, Text: "Anne-Cécile Lefèvre"})
	}
	half, most := 75*time.Second, 5*time.Minute
	r.Delays = alerting.ReportDelays{Reached50: &half, Reached80: &most}
	r.Quotas = []alerting.QuotaLine{{Skill: "iade", Needed: 12, Coming: 9, Arrived: 2}, {Needed: 300, Coming: 280, Arrived: 20, SiteName: "Site 1", To: 2 * time.Hour}}
	r.Waves = []alerting.WaveView{{Number: 1, Name: alerting.Localized{"fr": "Anesthésie, bloc"}, State: alerting.WaveOpen, People: 900, OpenedAt: at}, {Number: 2, Name: alerting.Localized{"fr": "Tous les services"}, State: alerting.WaveHeld, People: 3400}}
	r.Media = []alerting.ReportMedium{{Medium: channels.SMS, Sent: 9100, Submitted: 9000, Delivered: 8500, Failed: 400, Withdrawn: 50, Answers: 2600}, {Medium: channels.Email, Sent: 1700, Submitted: 1700, Delivered: 1600, Failed: 12}}
	r.Failures = []alerting.ReportFailure{{Medium: channels.SMS, Reason: channels.ReasonInvalidAddress, Messages: 312}, {Medium: channels.SMS, Reason: channels.ReasonBlocked, Messages: 88}, {Medium: channels.Email, Reason: channels.ReasonMailboxFull, Messages: 12}}
	return r
}

func BenchmarkPDF(b *testing.B) {
	r, loc, zone := large(), voice(b, i18n.French), paris(b)
	for b.Loop() {
		must(b, report.PDF(io.Discard, r, loc, zone))
	}
}

func BenchmarkXLSX(b *testing.B) {
	r, loc, zone := large(), voice(b, i18n.French), paris(b)
	for b.Loop() {
		must(b, report.XLSX(io.Discard, r, loc, zone))
	}
}
