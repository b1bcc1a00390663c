package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
)

func voice(t testing.TB, lang i18n.Language) *i18n.Localizer {
	return i18ntest.Localizer(t, lang, report.Locales, alerting.Locales, channels.Locales)
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	return zone
}

// sheets reads a workbook back: rows of texts by sheet, as stored.
func sheets(t *testing.T, r alerting.Report) map[string][][]string {
	t.Helper()
	var b bytes.Buffer
	must(t, report.XLSX(&b, r, voice(t, i18n.French), paris(t)))
	file, err := excelize.OpenReader(&b)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	out := map[string][][]string{}
	for _, name := range file.GetSheetList() {
		rows, err := file.GetRows(name, excelize.Options{RawCellValue: true})
		must(t, err)
		out[name] = rows
	}
	return out
}

// cell is the number beside a label of a sheet; -1 when there is none.
func cell(rows [][]string, label string, column int) float64 {
	for _, row := range rows {
		if row[0] == label && column < len(row) {
			if n, err := strconv.ParseFloat(row[column], 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// TestFiguresEqualTheFacts plays an alert through the outbox, then counts the
// tables by plain SQL: what the workbook says must be that, line for line.
func TestFiguresEqualTheFacts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.played()
	book := sheets(t, r)
	const reached = `SELECT COUNT(*) FROM (SELECT subject_id FROM dispatch_deliveries WHERE state = 'delivered'
		UNION SELECT subject_id FROM dispatch_replies WHERE subject_id IS NOT NULL) AS r`
	meaning := `SELECT COUNT(*) FROM (SELECT DISTINCT recipient_id FROM alerting_answers WHERE meaning = '%s') AS r`
	figures := book["L’alerte en chiffres"]
	for label, query := range map[string]string{
		"Personnes concernées par l’alerte":          `SELECT COUNT(*) FROM alerting_recipients WHERE left_out = ''`,
		"Personnes appelées":                         `SELECT COUNT(DISTINCT subject_id) FROM dispatch_deliveries`,
		"Jointes (message remis ou réponse reçue)":   reached,
		"Ont répondu":                                `SELECT COUNT(DISTINCT subject_id) FROM dispatch_replies`,
		"Ont dit venir":                              fmt.Sprintf(meaning, "coming"),
		"Indisponibles":                              fmt.Sprintf(meaning, "unavailable"),
		"Arrivées, pointées à l’entrée":              `SELECT COUNT(*) FROM alerting_recipients WHERE arrived_us IS NOT NULL`,
		"Personnes non appelées":                     `SELECT COUNT(*) FROM alerting_recipients WHERE left_out <> ''`,
		"Appelées sans qu’aucun message soit remis":  `SELECT COUNT(*) FROM alerting_recipients WHERE left_out = '' AND id NOT IN (SELECT subject_id FROM dispatch_deliveries WHERE state = 'delivered' UNION SELECT subject_id FROM dispatch_replies WHERE subject_id IS NOT NULL)`,
		"Messages retenus par la limite de sécurité": `SELECT COUNT(*) FROM alerting_attempts WHERE state = 'guarded'`,
	} {
		if got, want := cell(figures, label, 1), float64(h.number(query)); got != want {
			t.Errorf("%s: the report says %v, the tables %v", label, got, want)
		}
	}
	failures := book["Échecs d’envoi"]
	for _, row := range failures[1:] {
		reason := map[bool]string{true: "blocked", false: "invalid_address"}[strings.Contains(row[1], "bloqué")]
		if want := h.number(`SELECT COUNT(*) FROM dispatch_deliveries WHERE state = 'failed' AND reason = $1`, reason); row[2] != strconv.Itoa(want) {
			t.Errorf("%s: %s, the tables %d", row[1], row[2], want)
		}
	}
	if len(failures) != 3 {
		t.Errorf("failures: %v", failures)
	}
	media := book["Par moyen d’envoi"]
	for column, query := range map[int]string{
		1: `SELECT COUNT(*) FROM dispatch_deliveries`, 3: `SELECT COUNT(*) FROM dispatch_deliveries WHERE state = 'delivered'`,
		5: `SELECT COUNT(*) FROM dispatch_deliveries WHERE state = 'failed'`, 10: `SELECT COUNT(*) FROM dispatch_replies`,
	} {
		if got, want := cell(media, "SMS", column), float64(h.number(query)); got != want {
			t.Errorf("SMS, %s: the report says %v, the tables %v", media[0][column], got, want)
		}
	}
	h.delaysAgree(r, book["Délais"])
	h.presenceAgrees(book)
}

// presenceAgrees counts orders, comings, goings and the roll by plain SQL.
func (h *house) presenceAgrees(book map[string][][]string) {
	h.t.Helper()
	door := book["Rappels, arrivées et départs"]
	for label, query := range map[string]string{
		"Personnes qui ont reçu un ordre de rappel": `SELECT COUNT(*) FROM (SELECT DISTINCT recipient_id FROM alerting_answers WHERE meaning = 'coming' AND NOT late) AS r`,
		"Personnes arrivées":                        `SELECT COUNT(*) FROM alerting_recipients WHERE arrived_us IS NOT NULL`,
		"Personnes reparties":                       `SELECT COUNT(*) FROM alerting_stays WHERE left_us IS NOT NULL AND undone_us IS NULL`,
		"Personnes encore sur place":                `SELECT COUNT(*) FROM alerting_stays WHERE left_us IS NULL AND undone_us IS NULL`,
	} {
		if got, want := cell(door, label, 1), float64(h.number(query)); got != want || want == 0 {
			h.t.Errorf("%s: the report says %v, the tables %v", label, got, want)
		}
	}
	rolls := book["Déjà sur place"]
	said := h.number(`SELECT others + (SELECT COUNT(*) FROM alerting_roll_people p WHERE p.roll_id = r.id) FROM alerting_rolls r ORDER BY at_us DESC LIMIT 1`)
	if got := cell(rolls, "Total", 5); got != float64(said) || said != 8 {
		h.t.Errorf("already there: the report says %v, the tables %d", got, said)
	}
}

// delaysAgree recomputes the time to half of the people called: the instant of
// the first receipt or reply of each, in order.
func (h *house) delaysAgree(r alerting.Report, rows [][]string) {
	h.t.Helper()
	half := (h.number(`SELECT COUNT(DISTINCT subject_id) FROM dispatch_deliveries`) + 1) / 2
	us := h.number(`SELECT first_us FROM (SELECT subject_id, MIN(at_us) AS first_us FROM (
		SELECT subject_id, settled_us AS at_us FROM dispatch_deliveries WHERE state = 'delivered'
		UNION ALL SELECT subject_id, at_us FROM dispatch_replies WHERE subject_id IS NOT NULL) AS a GROUP BY subject_id) AS f ORDER BY first_us LIMIT 1 OFFSET $1`, half-1)
	launched := h.number(`SELECT launched_us FROM alerting_launches`)
	want := time.Duration(us-launched) * time.Microsecond
	if got := r.Delays.Reached50; got == nil || (*got-want).Abs() > 2*time.Millisecond {
		h.t.Errorf("half reached: the report says %v, the tables %v", got, want)
	}
	if got := cell(rows, "50\u00a0% des personnes appelées jointes en", 1); got < 0 {
		h.t.Errorf("delays: %v", rows)
	}
	if rows[3][1] != "Jamais atteint" {
		h.t.Errorf("95 %% was never reached: %v", rows[3])
	}
	if met := h.number(`SELECT COUNT(*) FROM alerting_events WHERE kind = 'quota_met'`); (met > 0) != (r.Delays.Quota != nil) {
		h.t.Errorf("quota: %d events, %v", met, r.Delays.Quota)
	}
}

// TestPDFIsTaggedAndSays checks the file with programs that did not learn PDF from us.
func TestPDFIsTaggedAndSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.played()
	path := filepath.Join(t.TempDir(), "rapport.pdf")
	var b bytes.Buffer
	must(t, report.PDF(&b, r, voice(t, i18n.French), paris(t)))
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Error(out)
	}
	structure := tool(t, "pdfinfo", "-struct-text", path)
	for _, want := range []string{"H1 (block)", "H2 (block)", "Table (block)", "TH:", "/Scope /Column", "Figure"} {
		if !strings.Contains(structure, want) {
			t.Errorf("no %s in the structure", want)
		}
	}
	text := tool(t, "pdftotext", "-layout", path, "-")
	for _, want := range []string{
		"Rapport d’alerte : Plan blanc : afflux", "EXERCICE", "Dr Ordre", "Mme Garde", "hall A", "Ce numéro ou cette adresse n’existe pas",
		"Aucune coordonnée utilisable", "A pointé des arrivées", "Fin d’alerte par Mme Garde", "Infirmier anesthésiste",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(text, "⟦") || strings.Contains(text, "+336") || strings.Contains(text, "63998") {
		t.Error("an unknown sentence or a number is in the report")
	}
	must(t, report.PDF(&b, r, voice(t, i18n.English), paris(t)))
}

// TestNobodyIsNamedWhoWasAway: absences and refusals name nobody, in any format.
func TestNobodyIsNamedWhoWasAway(t *testing.T) {
	t.Parallel()
	r := alerting.Report{
		Launch: alerting.Launch{Title: alerting.Localized{"fr": "Test"}, Mode: alerting.Real, Family: "autre"},
		Unreached: []alerting.ReportPerson{
			{LastName: "Absente", LeftOut: alerting.LeftAbsent},
			{LastName: "Reposée", LeftOut: alerting.LeftResting},
			{LastName: "Perdue", LeftOut: alerting.LeftNoAddress},
			{LastName: "Muette", State: alerting.Exhausted},
		},
	}
	r.Counters.LeftOut = 3
	book := sheets(t, r)
	names := fmt.Sprint(book["Personnes non jointes"])
	if strings.Contains(names, "Absente") || strings.Contains(names, "Reposée") || !strings.Contains(names, "Perdue") || !strings.Contains(names, "Muette") {
		t.Errorf("named: %s", names)
	}
	if got := cell(book["Personnes non appelées"], "Absent", 1); got != 1 {
		t.Errorf("absent people counted: %v", got)
	}
	var b bytes.Buffer
	must(t, report.JSON(&b, r))
	var machine struct {
		Unreached []struct {
			LastName string `json:"last_name"`
		} `json:"unreached"`
		LeftOut map[string]int `json:"left_out"`
	}
	must(t, json.Unmarshal(b.Bytes(), &machine))
	if len(machine.Unreached) != 2 || machine.LeftOut["absent"] != 1 || machine.LeftOut["resting"] != 1 {
		t.Errorf("JSON: %+v", machine)
	}
}

// TestHoursAreThoseOfTheZone reads an instant back from the workbook.
func TestHoursAreThoseOfTheZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	r := alerting.Report{
		Launch:   alerting.Launch{Title: alerting.Localized{"fr": "Test"}, Mode: alerting.Real, LaunchedAt: at},
		Timeline: []alerting.Event{{At: at.Add(90 * time.Second), Kind: alerting.EventEnded, By: "Zoé"}},
	}
	row := sheets(t, r)["Chronologie"][1]
	serial, err := strconv.ParseFloat(row[0], 64)
	must(t, err)
	// 46348 is 22 November 2026 in the calendar of spreadsheets; 02:01:30 UTC is 03:01:30 in Paris.
	want := 46348 + (3*time.Hour+90*time.Second).Hours()/24
	if serial < want-1e-6 || serial > want+1e-6 || row[1] != "1.5" || row[2] != "Fin d’alerte par Zoé." {
		t.Errorf("%v, want %v", row, want)
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: run make test-deps", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
