package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// gone lists the people of the same source whom the file does not speak of any
// more. When a row could not be read one cannot know, and nobody is gone.
func (c *comparison) gone(ctx context.Context) error {
	if c.i.Handling.Partial {
		return nil
	}
	if c.blind {
		c.i.Summary.Cautions = append(c.i.Summary.Cautions, Problem{Key: "directory.import.gone_unknown"})
		return nil
	}
	var results [][]any
	err := c.db.Read(ctx, c.scope, func(tx *storage.Tx) error {
		g, err := generation(ctx, tx, c.scope)
		if err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT id, last_name, first_name FROM directory_people WHERE organisation_id = $1 AND since_gen <= $2 AND until_gen > $2
			AND source = $3 AND departed_us IS NULL ORDER BY name_folded, id`, []any{c.scope.Organisation(), g, c.i.Source}, func(row func(...any) error) error {
			var p Person
			if err := row(&p.ID, &p.LastName, &p.FirstName); err != nil {
				return err
			}
			c.owned++
			if c.matched[p.ID] {
				return nil
			}
			result, err := c.row(staged{seq: goneFrom + len(results)}, KindGone, p.ID, p.Name(), &entry{}, nil, nil, 0, 0)
			results = append(results, result)
			return err
		})
	})
	if err != nil {
		return err
	}
	if len(results)*5 > c.owned && len(results) > 20 {
		c.i.Summary.Cautions = append(c.i.Summary.Cautions, Problem{Key: "directory.import.many_gone", Args: []any{"count", len(results), "total", c.owned}})
	}
	for chunk := range slices.Chunk(results, stageChunk) {
		if err := c.db.Write(ctx, c.scope, func(tx *storage.Tx) error {
			return tx.InsertRows(ctx, "directory_import_results", resultColumns, chunk)
		}); err != nil {
			return err
		}
	}
	return nil
}

// summarise counts the results.
func (c *comparison) summarise(ctx context.Context) error {
	s := &c.i.Summary
	s.Rows, s.Fields = c.i.Total, map[string]int{}
	if !c.i.Mapping.has(FieldMatricule) {
		s.Cautions = append(s.Cautions, Problem{Key: "directory.import.no_matricule"})
	}
	err := c.db.Read(ctx, c.scope, func(tx *storage.Tx) error {
		args := []any{c.scope.Organisation(), c.i.ID}
		if err := tx.Query(ctx, `SELECT kind, COUNT(*), SUM(warnings) FROM directory_import_results WHERE organisation_id = $1 AND import_id = $2 GROUP BY kind`,
			args, func(row func(...any) error) error {
				var kind string
				var n, warnings int
				err := row(&kind, &n, &warnings)
				s.Warnings += warnings
				switch kind {
				case KindNew:
					s.New = n
				case KindChanged:
					s.Changed = n
				case KindGone:
					s.Gone = n
				case KindRefused:
					s.Refused = n
				}
				return err
			}); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT fields, COUNT(*) FROM directory_import_results WHERE organisation_id = $1 AND import_id = $2 AND kind = 'changed' GROUP BY fields`,
			args, func(row func(...any) error) error {
				var fields string
				var n int
				err := row(&fields, &n)
				for _, f := range unpacked(fields) {
					s.Fields[f] += n
				}
				return err
			})
	})
	s.Same = s.Rows - s.New - s.Changed - s.Refused
	return err
}

// newPlaces notes the sites and services that do not exist yet.
func (c *comparison) newPlaces(e *entry) {
	site, service := c.reading.places.Find(e.Place)
	if e.Place.Site != "" && site == uuid.Nil {
		c.note(&c.i.Summary.Sites, "site", e.Place.Site)
	}
	if name := strings.TrimSpace(e.Place.Service + " " + e.Place.Code); name != "" && service == uuid.Nil {
		c.note(&c.i.Summary.Services, "service "+storage.Fold(e.Place.Site), name)
	}
}

func (c *comparison) note(list *[]string, prefix, name string) {
	key := prefix + " " + storage.Fold(name)
	if _, seen := c.place[key]; seen || len(*list) >= placesShown {
		return
	}
	c.place[key] = struct{}{}
	*list = append(*list, name)
}
