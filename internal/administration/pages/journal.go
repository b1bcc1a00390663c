package pages

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/journal"
	"tocsin/internal/ui"
)

const (
	pageSize = 50
	// exportStep is read at once, exportMost in all: a longer period is asked
	// for in two.
	exportStep = 500
	exportMost = 200_000
)

// families are the beginnings of actions one may filter by, in the order shown.
func families() []string {
	return []string{"alert.", "scenario.", "directory.", "organisation.", "dispatch.", "identity.", "hooks.", "journal.", "instance."}
}

// filterOf reads the filter kept in the address. What cannot be read counts as
// not given: an old link still shows something.
func filterOf(c *ui.Context, q ui.Query) journal.Filter {
	f := journal.Filter{Text: q.Get("q"), Action: q.Get("action"), ObjectKind: q.Get("objet"), ObjectID: q.Get("id"), Limit: pageSize}
	if actor, err := uuid.Parse(q.Get("par")); err == nil {
		f.Actor = actor
	}
	if before, err := uuid.Parse(q.Get("avant")); err == nil {
		f.Before = before
	}
	f.From = day(q.Get("du"), c.Zone)
	if last := day(q.Get("au"), c.Zone); !last.IsZero() {
		f.To = last.AddDate(0, 0, 1) // the day asked for is included
	}
	return f
}

func day(text string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}
	}
	return at
}

func filtered(q ui.Query) bool {
	for _, name := range []string{"q", "action", "objet", "id", "par", "du", "au"} {
		if q.Get(name) != "" {
			return true
		}
	}
	return false
}

func (p pages) list(c *ui.Context) error {
	q := c.Query()
	f := filterOf(c, q)
	f.Limit = pageSize + 1 // one more tells that there is a next page
	records, err := p.journal.Search(c.Ctx(), c.Scope, f)
	if err != nil {
		return err
	}
	older := ""
	if len(records) > pageSize {
		records = records[:pageSize]
		older = q.With("avant", records[pageSize-1].ID.String())
	}
	return c.Render(journalPage(c, q, records, older))
}

// export writes the filtered journal, the newest first, for a spreadsheet. It is
// read portion by portion: memory does not grow with the journal.
func (p pages) export(c *ui.Context) error {
	f := filterOf(c, c.Query())
	f.Limit = exportStep
	records, err := p.journal.Search(c.Ctx(), c.Scope, f)
	if err != nil {
		return err
	}
	name := "journal-" + c.Now.In(c.Zone).Format("2006-01-02") + ".csv"
	out, err := xlsx.NewCSV(c.Download(name, "text/csv; charset=utf-8"), xlsx.CSVOptions{})
	if err != nil {
		return err
	}
	if err := out.Row(headings(c)...); err != nil {
		return fmt.Errorf("export the journal: %w", err)
	}
	for written := 0; len(records) > 0 && written < exportMost; written += exportStep {
		for _, r := range records {
			if err := out.Row(r.At.In(c.Zone), r.Actor.Name, string(r.Actor.Kind), r.Actor.From, administration.ActionWord(c.Loc, r.Action), r.Action,
				r.ObjectKind, r.ObjectName, r.ObjectID, r.Before, r.After); err != nil {
				return fmt.Errorf("export the journal: %w", err)
			}
		}
		if len(records) < exportStep {
			break
		}
		f.Before = records[len(records)-1].ID
		if records, err = p.journal.Search(c.Ctx(), c.Scope, f); err != nil {
			return err
		}
	}
	return out.Flush()
}

// exportSealed writes the whole sealed journal, for whoever verifies it elsewhere.
func (p pages) exportSealed(c *ui.Context) error {
	name := "journal-" + c.Now.In(c.Zone).Format("2006-01-02") + ".jsonl"
	return p.sealed(c.Ctx(), c.Scope, c.Now, c.Download(name, "application/jsonl"))
}

func headings(c *ui.Context) []any {
	return []any{
		c.Loc.T("administration.journal.when"), c.Loc.T("administration.journal.who"), c.Loc.T("administration.journal.kind"),
		c.Loc.T("administration.journal.from"), c.Loc.T("administration.journal.what"), c.Loc.T("administration.journal.code"),
		c.Loc.T("administration.journal.object.kind"), c.Loc.T("administration.journal.object"), c.Loc.T("administration.journal.object.id"),
		c.Loc.T("administration.journal.before"), c.Loc.T("administration.journal.after"),
	}
}

func actorWord(c *ui.Context, a access.Actor) string {
	if a.Kind == access.Person && a.Name != "" {
		return a.Name
	}
	return strings.TrimSpace(c.Loc.T("administration.actor."+string(a.Kind)) + " " + a.Name)
}
