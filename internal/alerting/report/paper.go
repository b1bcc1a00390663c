package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/document/pdf"
	"tocsin/internal/i18n"
)

// PaperKind is one of the documents that an establishment owes its staff and its
// register.
type PaperKind string

// The kinds: the information of the staff (RGPD articles 13 and 14), and the
// entry of the register of processing (article 30).
const (
	Information PaperKind = "information"
	Register    PaperKind = "registre"
)

// Paper is a document filled with what the establishment set.
type Paper struct {
	Title, Lead string
	Parts       []PaperPart
	// Written is what its foot says: when, from which rules.
	Written string
}

// PaperPart is a title and its sentences.
type PaperPart struct {
	Title string
	Items []string
}

// PaperFacts are what fills a paper.
type PaperFacts struct {
	Establishment, FINESS string
	// HasWord tells that messages carry a word of authenticity.
	HasWord bool
	Rules   alerting.Governance
	// Carriers are the gateways that messages leave by, by their names.
	Carriers []string
	At       time.Time
}

// outline is a paper without its words: a title and the sentences under it.
type outline struct {
	title string
	items []string
}

func outlineOf(kind PaperKind) []outline {
	if kind == Register {
		return []outline{
			{"alerting.paper.register.who", []string{"alerting.paper.controller", "alerting.paper.dpo"}},
			{"alerting.paper.why", []string{"alerting.paper.why.recall", "alerting.paper.why.inform", "alerting.paper.why.proof", "alerting.paper.why.basis"}},
			{"alerting.paper.register.people", []string{"alerting.paper.register.people.text"}},
			{"alerting.paper.what", []string{"alerting.paper.what.directory", "alerting.paper.what.alert", "alerting.paper.what.never"}},
			{"alerting.paper.seen", []string{"alerting.paper.seen.answers", "alerting.paper.seen.numbers", "alerting.paper.seen.carriers", "alerting.paper.register.transfers"}},
			{"alerting.paper.kept", []string{"alerting.paper.kept.answers", "alerting.paper.kept.contacts", "alerting.paper.kept.journal"}},
			{"alerting.paper.register.security", []string{"alerting.paper.register.security.access", "alerting.paper.register.security.launch", "alerting.paper.register.security.traces", "alerting.paper.register.security.score"}},
		}
	}
	return []outline{
		{"alerting.paper.why", []string{"alerting.paper.why.recall", "alerting.paper.why.inform", "alerting.paper.why.basis"}},
		{"alerting.paper.what", []string{"alerting.paper.what.directory", "alerting.paper.what.alert", "alerting.paper.what.never"}},
		{"alerting.paper.free", []string{"alerting.paper.free.private", "alerting.paper.free.refuse", "alerting.paper.free.score"}},
		{"alerting.paper.seen", []string{"alerting.paper.seen.answers", "alerting.paper.seen.numbers", "alerting.paper.seen.carriers"}},
		{"alerting.paper.kept", []string{"alerting.paper.kept.answers", "alerting.paper.kept.contacts", "alerting.paper.kept.journal"}},
		{"alerting.paper.true", []string{"alerting.paper.true.word"}},
		{"alerting.paper.rights", []string{"alerting.paper.controller", "alerting.paper.rights.which", "alerting.paper.dpo", "alerting.paper.rights.cnil"}},
	}
}

// NewPaper writes a paper in the language of loc.
func NewPaper(kind PaperKind, f PaperFacts, loc *i18n.Localizer, zone *time.Location) Paper {
	house := f.Establishment
	if f.FINESS != "" {
		house += " (FINESS " + f.FINESS + ")"
	}
	carriers := strings.Join(f.Carriers, ", ")
	if carriers == "" {
		carriers = loc.T("alerting.paper.seen.nobody")
	}
	args := []any{"house", house, "keep", f.Rules.KeepDays, "carriers", carriers, "second", f.Rules.SecondAbove}
	p := Paper{
		Title: loc.T("alerting.paper.title." + string(kind)), Lead: loc.T("alerting.paper.lead."+string(kind), args...),
		Written: loc.T("alerting.paper.written", "house", f.Establishment, "date", loc.Date(f.At, zone)),
	}
	for _, o := range outlineOf(kind) {
		part := PaperPart{Title: loc.T(o.title)}
		for _, key := range o.items {
			if !f.says(key) {
				continue
			}
			part.Items = append(part.Items, loc.T(key, args...))
		}
		if len(part.Items) > 0 {
			p.Parts = append(p.Parts, part)
		}
	}
	return p
}

// says leaves out what is not so here.
func (f PaperFacts) says(key string) bool {
	switch key {
	case "alerting.paper.true.word":
		return f.HasWord
	case "alerting.paper.register.security.launch":
		return f.Rules.SecondAbove > 0
	}
	return true
}

// PaperPDF writes a paper as tagged PDF.
func PaperPDF(out io.Writer, p Paper, house string, at time.Time, loc *i18n.Localizer, zone *time.Location) error {
	d, err := pdf.New(pdf.Meta{Title: p.Title, Author: house, Language: locale(loc), At: at.In(zone)}, pdf.Options{
		Header: house, Footer: p.Written,
		PageLabel: func(page, total int) string { return loc.T("alerting.report.page", "page", page, "total", total) },
	})
	if err != nil {
		return fmt.Errorf("paper %q: %w", p.Title, err)
	}
	d.Heading(1, p.Title)
	d.Text(p.Lead)
	for _, part := range p.Parts {
		d.Heading(2, part.Title)
		d.List(part.Items, false)
	}
	if err := d.Write(out); err != nil {
		return fmt.Errorf("paper %q: %w", p.Title, err)
	}
	return nil
}
