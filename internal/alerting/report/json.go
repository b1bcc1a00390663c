package report

import (
	"encoding/json"
	"fmt"
	"io"

	"tocsin/internal/alerting"
)

// JSON writes the report for machines. Instants are RFC 3339, lengths of time
// seconds or nanoseconds as the name of the field ends; codes are those stored,
// never words of one language. The rules of who is named are those of the PDF.
func JSON(out io.Writer, r alerting.Report) error {
	left := map[alerting.LeftOut]int{}
	named := []alerting.ReportPerson{}
	for _, p := range r.Unreached {
		if p.LeftOut != "" {
			left[p.LeftOut]++
		}
		if mendable(p) {
			named = append(named, p)
		}
	}
	r.Unreached = named
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(struct {
		alerting.Report
		LeftOut map[alerting.LeftOut]int `json:"left_out"`
	}{r, left}); err != nil {
		return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	return nil
}
