package pages

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/i18n"
	"tocsin/internal/live"
	"tocsin/internal/ui"
)

// look is all that makes two viewers of one alert see different things.
type look struct {
	launch   uuid.UUID
	wall     bool
	language i18n.Language
	rights   string
}

func lookOf(c *ui.Context, launch uuid.UUID) look {
	return look{launch: launch, wall: c.Query().Get("vue") == "mur", language: c.Loc.Language(), rights: c.Scope.Rights()}
}

// drawings keeps the last drawing of each look, so that a thousand viewers who
// see the same cost one drawing and not a thousand.
type drawings struct {
	mu   sync.Mutex
	last map[look]*drawing
}

// drawing is what a look shows of one reading.
type drawing struct {
	at   time.Time
	make sync.Once

	event live.Event
	err   error
}

// drawingLife is how long a drawing that nobody asks for any more is kept.
const drawingLife = time.Minute

func newDrawings() *drawings { return &drawings{last: make(map[look]*drawing)} }

// at returns the drawing of the reading made at that time; draw is called by the
// first who asks, and the others wait for it.
func (d *drawings) at(l look, at time.Time, draw func() (live.Event, error)) (live.Event, error) {
	mine := d.place(l, at)
	mine.make.Do(func() {
		mine.event, mine.err = draw()
		mine.event = live.Ready(mine.event)
	})
	return mine.event, mine.err
}

// place finds where a drawing is or will be. A viewer who is late with an older
// reading draws it for himself.
func (d *drawings) place(l look, at time.Time) *drawing {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := d.last[l]
	if kept != nil && kept.at.Equal(at) {
		return kept
	}
	mine := &drawing{at: at}
	if kept != nil && kept.at.After(at) {
		return mine
	}
	for other, old := range d.last {
		if at.Sub(old.at) > drawingLife {
			delete(d.last, other)
		}
	}
	d.last[l] = mine
	return mine
}
