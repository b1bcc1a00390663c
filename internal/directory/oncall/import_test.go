package oncall_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/document/table"
)

func (h *house) stage(text string, function uuid.UUID) (oncall.Import, error) {
	h.t.Helper()
	rows, err := table.Open(strings.NewReader(text), int64(len(text)), "planning.csv", table.DefaultLimits())
	h.must(err)
	return h.StageTable(h.t.Context(), h.scope, rows, "planning.csv", function)
}

func TestAPlanningExportIsShownConfirmedAndUndone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f, ctx := h.save(h.turns()), t.Context()
		i, err := h.stage("Date;Début;Fin;Matricule;Fonction\n23/03/2026;08:00;18:00;T2;Cadre de garde\n23/03/2026;18:00;08:00;CARON Chloé;cadre de garde\n"+
			"24/03/2026;08:00;18:00;T99;Cadre de garde\n24/03/2026;huit;18:00;T1;Cadre de garde\n24/03/2026;08:00;18:00;T1;Inconnue\n", uuid.Nil)
		h.must(err)
		var told []string
		for _, p := range i.Problems {
			told = append(told, fmt.Sprint(p.Line, " ", p.Key))
		}
		want(t, strings.Join(told, "\n"), "4 directory.oncall.person_not_found\n5 directory.oncall.import.no_hour\n6 directory.oncall.import.no_function")
		if i.Kept != 2 || i.Refused != 3 || i.Rows != 5 {
			t.Errorf("%+v", i)
		}
		if got := h.holder(f.ID); got != "ALBERT Alice rotation" {
			t.Errorf("a file that waits already counts: %s", got)
		}
		h.must(h.Confirm(ctx, h.scope, i.ID))
		wantFault(t, h.Confirm(ctx, h.scope, i.ID), "directory.oncall.import.state")
		if got := h.holder(f.ID); got != "BERNARD Bruno replacement" {
			t.Error(got)
		}
		_, list, names, err := h.Import(ctx, h.scope, i.ID)
		h.must(err)
		if len(list) != 2 || names[list[1].Person] == "" || list[1].To.Sub(list[1].From) != 14*time.Hour {
			t.Errorf("%+v %v", list, names)
		}
		wantFault(t, h.Undo(ctx, h.establishment("Clinique du Parc"), i.ID), "directory.oncall.import.not_found")
		h.must(h.Undo(ctx, h.scope, i.ID))
		if got := h.holder(f.ID); got != "ALBERT Alice rotation" {
			t.Error(got)
		}
		_, err = h.stage("Date;Début;Fin;Matricule\n24/03/2026;08:00;18:00;T1\n", uuid.Nil)
		wantFault(t, err, "directory.oncall.import.nothing")
		_, err = h.stage("Date;Début;Fin;Matricule\n24/03/2026;08:00;18:00;T1\n", f.ID)
		h.must(err)
		_, err = h.stage("Date;Matricule\n24/03/2026;T1\n", f.ID)
		wantFault(t, err, "directory.oncall.import.no_hours")
	})
}

// TestTenThousandLines: a large export is read whole, and its confirmation is one short step.
func TestTenThousandLines(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.save(h.turns())
		var b strings.Builder
		b.WriteString("Date;Début;Fin;Matricule;Fonction\n")
		for n := range 10_000 {
			fmt.Fprintf(&b, "%s;%02d:00;%02d:59;T%d;Cadre de garde\n", monday.AddDate(0, 0, n/24).Format("02/01/2006"), n%24, n%24, 1+n%3)
		}
		i, err := h.stage(b.String(), f.ID)
		h.must(err)
		if i.Rows != 10_000 || i.Refused != 3_333 || len(i.Problems) != 200 {
			t.Errorf("%d rows, %d refused, %d told", i.Rows, i.Refused, len(i.Problems))
		}
		h.must(h.Confirm(t.Context(), h.scope, i.ID))
		v, err := h.View(t.Context(), h.scope, f.ID, monday, monday.Add(oncall.Horizon))
		h.must(err)
		if len(v.Spans) < 28*20 {
			t.Errorf("%d spans", len(v.Spans))
		}
	})
}

const calendarFile = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Planning//FR
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Paris:20260325T183000
DTEND;TZID=Europe/Paris:20260326T083000
SUMMARY:Cadre de garde – CARON Chloé
RRULE:FREQ=DAILY;COUNT=6
EXDATE;TZID=Europe/Paris:20260327T183000
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART:20260325T060000Z
DTEND:20260325T080000Z
SUMMARY:Bruno Bernard
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20260325T060000Z
DTEND:20260325T080000Z
SUMMARY:Bruno Bernard
RRULE:FREQ=SECONDLY
END:VEVENT
BEGIN:VEVENT
UID:4
SUMMARY:Bruno Bernard
END:VEVENT
END:VCALENDAR
`

func TestACalendarIsReadAsReplacements(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.save(h.turns())
		i, err := h.StageCalendar(t.Context(), h.scope, strings.NewReader(strings.ReplaceAll(calendarFile, "\n", "\r\n")), "garde.ics", f.ID)
		h.must(err)
		var told []string
		for _, p := range i.Problems {
			told = append(told, fmt.Sprint(p.Line, " ", p.Key))
		}
		want(t, strings.Join(told, "\n"), "3 directory.oncall.import.rule\n4 directory.oncall.import.no_start")
		_, list, _, err := h.Import(t.Context(), h.scope, i.ID)
		h.must(err)
		var at []string
		for _, r := range list {
			at = append(at, r.From.Format("02 15:04"))
		}
		// Five nights at 18:30 by the wall clock, across the change of hour, but that of the 27th.
		want(t, strings.Join(at, " "), "25 06:00 25 17:30 26 17:30 28 17:30 29 16:30 30 16:30")
		_, err = h.StageCalendar(t.Context(), h.scope, strings.NewReader("ceci n’est pas un calendrier"), "x.ics", f.ID)
		wantFault(t, err, "directory.oncall.import.no_calendar")
		_, err = h.StageCalendar(t.Context(), h.scope, strings.NewReader(strings.Repeat("x", 5<<20)), "x.ics", f.ID)
		wantFault(t, err, "directory.oncall.import.large")
	})
}

// TestACalendarGoesOutAndComesBack: what one house publishes, another reads.
func TestACalendarGoesOutAndComesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f, ctx := h.save(h.turns()), t.Context()
		link, code, err := h.OpenCalendar(ctx, h.scope, oncall.OfFunction, f.ID)
		h.must(err)
		_, own, err := h.OpenCalendar(ctx, h.scope, oncall.OfPerson, h.bruno.ID)
		h.must(err)
		text, err := h.ICS(ctx, code, monday)
		h.must(err)
		his, err := h.ICS(ctx, own, monday)
		h.must(err)
		if !bytes.Contains(text, []byte("ALBERT")) || bytes.Contains(his, []byte("ALBERT")) || !bytes.Contains(his, []byte("BERNARD")) {
			t.Errorf("%s\n%s", text, his)
		}
		for _, secret := range []string{"6399800", "(T1)", code} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the calendar says %s", secret)
			}
		}
		i, err := h.StageCalendar(ctx, h.scope, bytes.NewReader(text), "retour.ics", uuid.Nil)
		h.must(err)
		if i.Refused != 0 || i.Kept < 16 {
			t.Errorf("%+v", i)
		}
		_, err = h.CloseCalendar(ctx, h.establishment("Clinique du Parc"), link.ID)
		wantFault(t, err, "directory.oncall.calendar.not_found")
		_, err = h.CloseCalendar(ctx, h.scope, link.ID)
		h.must(err)
		_, err = h.ICS(ctx, code, monday)
		wantFault(t, err, "directory.oncall.calendar.not_found")
		_, err = h.ICS(ctx, strings.Repeat("0", 24), monday)
		wantFault(t, err, "directory.oncall.calendar.not_found")
		_, _, err = h.OpenCalendar(ctx, h.establishment("Clinique du Lac"), oncall.OfPerson, h.bruno.ID)
		wantFault(t, err, "directory.person_not_found")
	})
}
