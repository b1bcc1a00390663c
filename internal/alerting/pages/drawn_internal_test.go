package pages

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/live"
)

func TestAThousandViewersCostOneDrawing(t *testing.T) {
	t.Parallel()
	d, noon := newDrawings(), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	hospital, launch := uuid.New(), uuid.New()
	reader := look{launch: launch, language: "fr", rights: access.For(hospital, access.Actor{ID: uuid.New()}, false, access.Reader).Rights()}
	var drawn int // within the mutex of one drawing
	draw := func(text string) func() (live.Event, error) {
		return func() (live.Event, error) {
			drawn++
			return live.Event{Data: []byte(text)}, nil
		}
	}
	var viewers sync.WaitGroup
	for range 1000 {
		viewers.Go(func() {
			if e, err := d.at(reader, noon, draw("à midi")); err != nil || string(e.Data) != "à midi" {
				t.Errorf("%q %v", e.Data, err)
			}
		})
	}
	viewers.Wait()
	if drawn != 1 {
		t.Errorf("%d drawings for a thousand viewers who see the same", drawn)
	}
	if e, _ := d.at(reader, noon.Add(time.Second), draw("plus tard")); string(e.Data) != "plus tard" {
		t.Errorf("the next reading shows %q", e.Data)
	}
	if e, _ := d.at(reader, noon, draw("en retard")); string(e.Data) != "en retard" {
		t.Errorf("who is late is shown %q", e.Data)
	}
	if e, _ := d.at(reader, noon.Add(time.Second), draw("refait")); string(e.Data) != "plus tard" {
		t.Errorf("who is late took the place of the last reading: %q", e.Data)
	}
	torn := errors.New("torn")
	if _, err := d.at(reader, noon.Add(2*time.Second), func() (live.Event, error) { return live.Event{}, torn }); !errors.Is(err, torn) {
		t.Errorf("a drawing that failed: %v", err)
	}
}

// What makes two viewers see different things makes two drawings.
func TestViewersWhoSeeDifferentThings(t *testing.T) {
	t.Parallel()
	d, noon := newDrawings(), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	hospital, other := uuid.New(), uuid.New()
	scope := func(establishment uuid.UUID, strong bool, roles ...access.Role) string {
		return access.For(establishment, access.Actor{Kind: access.Person, ID: uuid.New()}, strong, roles...).Rights()
	}
	base := look{launch: uuid.New(), language: "fr", rights: scope(hospital, true, access.Reader, access.Launcher)}
	looks := []look{base, base, base, base, base, base, base}
	looks[1].launch = uuid.New()
	looks[2].wall = true
	looks[3].language = "en"
	looks[4].rights = scope(other, true, access.Reader, access.Launcher)
	looks[5].rights = scope(hospital, false, access.Reader, access.Launcher)
	looks[6].rights = scope(hospital, true, access.Reader)
	for i, l := range looks {
		e, err := d.at(l, noon, func() (live.Event, error) { return live.Event{ID: string(rune('a' + i))}, nil })
		if err != nil || e.ID != string(rune('a'+i)) {
			t.Errorf("viewer %d is shown %q %v", i, e.ID, err)
		}
	}
	same := base
	same.rights = scope(hospital, true, access.Launcher, access.Reader)
	if e, _ := d.at(same, noon, func() (live.Event, error) { return live.Event{ID: "z"}, nil }); e.ID != "a" {
		t.Errorf("a colleague with the same roles is drawn apart: %q", e.ID)
	}
	d.at(base, noon.Add(2*drawingLife), func() (live.Event, error) { return live.Event{}, nil })
	if len(d.last) != 1 {
		t.Errorf("%d drawings are kept that nobody asks for", len(d.last))
	}
}
