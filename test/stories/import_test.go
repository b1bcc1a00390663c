package stories_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
)

// An import that is being read does not delay a launch, and the launch calls the
// people of the directory as it was: half an import is never seen.
func TestAnImportRunningDoesNotDelayALaunch(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		first := h.agent("Présent", "ide")
		file := &slowFile{rows: 3000, pause: 1500, reached: make(chan struct{}), resume: make(chan struct{})}
		staged := make(chan error, 1)
		scope := access.System(h.scope.Organisation(), "story")
		go func() {
			i, err := h.Directory.Stage(t.Context(), scope, file, directory.File{Name: "personnel.csv"})
			if err == nil {
				_, err = h.Directory.Preview(t.Context(), scope, i.ID)
			}
			if err == nil {
				_, err = h.Directory.Confirm(t.Context(), scope, i.ID)
			}
			staged <- err
		}()
		<-file.reached // the import holds still in the middle of its file
		l := h.launch(recall())
		count(t, h.sms.received(mobile(first)), 1, "SMS while the import is read")
		close(file.resume)
		// The import is now being compared and applied: another launch passes too,
		// and calls everybody of before or everybody of after.
		second, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now().Add(3*time.Minute), draft(h.scenario(recall())))
		if err != nil {
			t.Fatalf("launch beside the import: %v", err)
		}
		if err := <-staged; err != nil {
			t.Fatalf("import: %v", err)
		}
		if l.People != 1 {
			t.Errorf("the first launch called %d people, want the one of before", l.People)
		}
		if second.People != 1 && second.People != 1+file.rows {
			t.Errorf("the second launch called %d people: half of an import was seen", second.People)
		}
		if n, err := h.Directory.Count(t.Context(), h.scope, directory.Rule{}, h.now()); err != nil || n != 1+file.rows {
			t.Errorf("%d people after the import, want %d: %v", n, 1+file.rows, err)
		}
	})
}

// slowFile is a staff file that stops in the middle until it is told to go on.
type slowFile struct {
	rows, pause     int
	next            int
	reached, resume chan struct{}
}

func (f *slowFile) Header() []string {
	return []string{"Matricule", "Nom", "Prénom", "Métier", "Portable"}
}

func (f *slowFile) Format() table.Format {
	return table.Format{Kind: "csv", Encoding: "UTF-8", Delimiter: ";", HeaderLine: 1}
}

func (f *slowFile) Next() (table.Row, error) {
	if f.next == f.pause {
		close(f.reached)
		<-f.resume
	}
	if f.next == f.rows {
		return table.Row{}, io.EOF
	}
	n := f.next
	f.next++
	return table.Row{Line: n + 2, Cells: []string{fmt.Sprintf("M%06d", n), fmt.Sprintf("Import%d", n), "Camille", "IDE", fmt.Sprintf("06 39 98 %02d %02d", n/100+1, n%100)}}, nil
}
