package pages

import (
	"bytes"
	"context"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/kept"
)

// Printer makes the documents of answers that were asked by the program itself.
type Printer struct {
	Traces  *traces.Service
	Catalog *i18n.Catalog
	// House gives the name and the language of an establishment.
	House func(ctx context.Context, scope access.Scope) (name string, lang i18n.Language, err error)
}

// Print implements kept.Printer.
func (p Printer) Print(ctx context.Context, scope access.Scope, paper kept.Paper) (out []kept.Printed, err error) {
	name, lang, err := p.House(ctx, scope)
	if err != nil {
		return nil, err
	}
	sources, err := p.Traces.Sources(ctx, scope)
	if err != nil {
		return nil, err
	}
	t := tell(p.Catalog.For(lang), paper.Zone, paper.Reply, sources)
	t.hunt = paper.Inquiry.Search
	l := leaf{told: t, establishment: name, by: paper.By, why: paper.Why, number: paper.Number, now: paper.At}
	for _, kind := range []string{"pdf", "csv"} {
		var b bytes.Buffer
		if err := writers()[kind].write(&b, l); err != nil {
			return nil, err
		}
		out = append(out, kept.Printed{Format: kind, Bytes: b.Bytes()})
	}
	return out, nil
}
