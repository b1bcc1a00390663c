package fhir_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
)

func search(t testing.TB, query string) (fhir.Search, error) {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return fhir.ParseSearch(values, received, zone)
}

func TestSearchDates(t *testing.T) {
	t.Parallel()
	day := at("2026-11-29T23:00:00Z") // midnight in Paris
	const hour = int64(3600 * 1000000)
	cases := []struct {
		query    string
		from, to int64
	}{
		{"date=2026-11-30", day, day + 24*hour},
		{"date=ge2026-11-29&date=le2026-11-30", day - 24*hour, day + 24*hour},
		{"date=gt2026-11-29&date=lt2026-11-30T12:00:00Z", day, day + 13*hour},
		{"date=ge2026-11-30T10:00:00%2B01:00&date=le2026-11-30T10:00:00%2B01:00", day + 10*hour, day + 10*hour + 1000000},
		{"date=ge2026-11-30T10:00&date=lt2026-11-30T10:00:00.500", day + 10*hour, day + 10*hour + 500000},
		{"date=sa2026-11-29&date=eb2026-12", day, at("2026-11-30T23:00:00Z")},
		{"TDE_AuditEvent_period-start=2026-11-30", day, day + 24*hour},
		{"date=ge2026-11-30", day, received + 24*hour},
		{"date=le2026-11-30", day + 24*hour - traces.MaxSpan, day + 24*hour},
		{"date=2026&period-start=2026-11-30", day, day + 24*hour},
	}
	for _, c := range cases {
		s, err := search(t, c.query)
		if err != nil || s.Question.From != c.from || s.Question.To != c.to {
			t.Errorf("%s: %v to %v, %v", c.query, time.UnixMicro(s.Question.From).UTC(), time.UnixMicro(s.Question.To).UTC(), err)
		}
	}
}

func TestSearchParameters(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"patient=Patient/8001":                                       "[{patient is [8001]}]  100 0 false false",
		"patient.identifier=urn:oid:1.2%7C8001,8002":                 "[{patient is [8001 8002]}]  100 0 false false",
		"agent-name=mart":                                            "[{person begins [mart]}]  100 0 false false",
		"agent-name:contains=mart&altid=a.martin":                    "[{person contains [mart]} {account is [a.martin]}]  100 0 false false",
		"agent.identifier=https://rpps.esante.gouv.fr%7C10001234567": "[{account is [10001234567]}]  100 0 false false",
		"agent-name:exact=a%5C,b":                                    "[{person is [a,b]}]  100 0 false false",
		"action=R":                                                   "[{action is [read print export]}]  100 0 false false",
		"outcome=0":                                                  "[{outcome is [success]}]  100 0 false false",
		"outcome=4,8":                                                "[{outcome is [failure denied failure denied]}]  100 0 false false",
		"type=rest&subtype=operation":                                "[] |operation |rest 100 0 false false",
		"type=DCM%7C110110":                                          "[] DCM|110110 100 0 false false",
		"entity=Encounter/S26&entity-role=3":                         "[{stay is [S26]} {document not_empty []}]  100 0 false false",
		"address=10.1.&site=CHU/Nord&source=Device/dpi":              "[{address begins [10.1.]} {site is [CHU/Nord]} {application is [dpi]}]  100 0 false false",
		"_count=5&_offset=10&_sort=date":                             "[]  5 10 true false",
		"_count=100000":                                              "[]  1000 0 false false",
		"_summary=count&_format=json":                                "[]  1 0 false true",
	}
	for query, want := range cases {
		s, err := search(t, "date=2026-11-30&"+query)
		q := s.Question
		got := fmt.Sprint(q.Where, " ", q.Text, " ", q.Limit, " ", q.Skip, " ", q.Oldest, " ", s.Count)
		if err != nil || sorted(got) != sorted(want) {
			t.Errorf("%s:\n got %s\nwant %s\n%v", query, got, want, err)
		}
	}
}

// sorted lets conditions come in any order.
func sorted(s string) string {
	letters := strings.Split(s, "")
	for i := range letters {
		for j := i + 1; j < len(letters); j++ {
			if letters[j] < letters[i] {
				letters[i], letters[j] = letters[j], letters[i]
			}
		}
	}
	return strings.Join(letters, "")
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"patient=8001":                      "date_needed date",
		"date=hier":                         "search_date date",
		"date=ne2026-11-30":                 "search_date date",
		"date=2026-02-30":                   "search_date date",
		"date=2026&color=red":               "search_unknown color",
		"date=2026&agent-name:missing=true": "search_modifier agent-name:missing",
		"date=2026&action=Z":                "search_value action",
		"date=2026&outcome=ok":              "search_value outcome",
		"date=2026&patient=":                "search_value patient",
		"date=2026&_count=-1":               "search_value _count",
		"date=2026&_sort=agent":             "search_value _sort",
		"date=2026&entity=Group/1":          "search_value entity",
		"date=2026&entity-role=7":           "search_value entity-role",
		"date=2026&type=a,b":                "search_several type",
		"date=2026&_format=xml":             "search_value _format",
	}
	for query, want := range cases {
		_, err := search(t, query)
		if got := faults(err); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	_, err := search(t, "color=red&taste=sweet")
	if got := faults(err); len(got) != 3 {
		t.Errorf("not every fault is told: %q", got)
	}
	if _, err := search(t, "date=ge2026-11-30&date=le2026-11-29"); err == nil {
		t.Error("a period that ends before it begins")
	}
	if _, err := search(t, "date=2026&"+strings.Repeat("site=x&", 100)); err == nil {
		t.Error("a question too wide")
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("date=ge2026-11-30T10:00:00.5%2B01:00&agent-name:exact=a%5C,b&type=x%7Cy")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		s, err := fhir.ParseSearch(values, received, time.UTC)
		if err == nil && s.Question.Check() != nil {
			t.Fatalf("%q: %+v", query, s)
		}
	})
}
