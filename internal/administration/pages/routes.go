package pages

import (
	"context"
	"io"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/journal"
	"tocsin/internal/ui"
)

// The addresses of this room.
const (
	HomePath    = "/administration"
	JournalPath = "/administration/journal"
	HealthPath  = "/administration/sante"
	ManualPath  = "/api"
)

// Card leads from the home of the administration to a page of a room.
type Card struct {
	// Label and Hint are catalogue keys, Icon a name of ui.Icons.
	Label, Hint, Path, Icon string
	// Need hides the card from those who may not enter.
	Need access.Action
}

// Options are what the pages rest on.
type Options struct {
	Journal *journal.Reader
	Doctor  *administration.Doctor
	// Sealed writes the sealed journal of an establishment, to be verified without us.
	Sealed func(ctx context.Context, scope access.Scope, now time.Time, to io.Writer) error
	Manual Manual
	// Cards are those of other rooms, shown before ours.
	Cards []Card
}

type pages struct {
	journal *journal.Reader
	doctor  *administration.Doctor
	sealed  func(context.Context, access.Scope, time.Time, io.Writer) error
	manual  Manual
	cards   []Card
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{journal: o.Journal, doctor: o.Doctor, sealed: o.Sealed, manual: o.Manual, cards: append(o.Cards, ownCards()...)}
	r.Get(HomePath, ui.SignedIn, p.home)
	r.Get(JournalPath, access.JournalRead, p.list)
	r.Get(JournalPath+"/export.csv", access.JournalRead, p.export, ui.Lasting(5*time.Minute))
	r.Get(JournalPath+"/export.jsonl", access.JournalRead, p.exportSealed, ui.Lasting(5*time.Minute))
	r.Get(HealthPath, access.HealthRead, p.health)
	r.Get(ManualPath, ui.Public, p.showManual)
}

func ownCards() []Card {
	return []Card{
		{Label: "administration.journal.title", Hint: "administration.journal.hint", Path: JournalPath, Icon: "journal", Need: access.JournalRead},
		{Label: "administration.health.title", Hint: "administration.health.hint", Path: HealthPath, Icon: "gauge", Need: access.HealthRead},
		{Label: "administration.manual.title", Hint: "administration.manual.hint", Path: ManualPath, Icon: "book", Need: access.AccountRead},
	}
}

func (p pages) home(c *ui.Context) error {
	var open []Card
	for _, card := range p.cards {
		if c.May(card.Need) {
			open = append(open, card)
		}
	}
	return c.Render(homePage(c, open))
}

func (p pages) health(c *ui.Context) error {
	seen, err := p.doctor.Examine(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(healthPage(c, seen))
}

func toneOf(s administration.State) ui.Tone {
	switch s {
	case administration.Well:
		return ui.Success
	case administration.Unused:
		return ui.Neutral
	case administration.Weak:
		return ui.Attention
	case administration.Broken:
	}
	return ui.Critical
}
