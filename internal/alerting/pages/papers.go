package pages

import (
	"bytes"

	"tocsin/internal/access"
	"tocsin/internal/alerting/report"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

func (p *Pages) paperRoutes(r *ui.Router) {
	for _, kind := range []report.PaperKind{report.Information, report.Register} {
		r.Get(RulesPath+"/"+string(kind), access.AlertGovern, p.paper(kind))
		r.Get(RulesPath+"/"+string(kind)+".pdf", access.AlertGovern, p.paperPDF(kind))
	}
}

// paperFacts are what fills the papers of the establishment.
func (p *Pages) paperFacts(c *ui.Context) (f report.PaperFacts, err error) {
	house, err := p.houses.Get(c.Ctx(), c.Scope)
	if err != nil {
		return f, err
	}
	f.Establishment, f.FINESS, f.HasWord, f.At = house.Name, house.FINESS.String(), house.Word != "", c.Now
	if f.Rules, err = p.s.Governance(c.Ctx(), c.Scope); err != nil {
		return f, err
	}
	f.Carriers, err = p.s.Carriers(c.Ctx(), c.Scope)
	return f, err
}

// spokenIn is the language asked for a paper; that of the page otherwise.
func (p *Pages) spokenIn(c *ui.Context) *i18n.Localizer {
	for _, l := range i18n.Languages() {
		if c.Query().Get("langue") == string(l) {
			return p.catalog.For(l)
		}
	}
	return c.Loc
}

// paper is a document to read, print and post up.
func (p *Pages) paper(kind report.PaperKind) ui.Handler {
	return func(c *ui.Context) error {
		f, err := p.paperFacts(c)
		if err != nil {
			return err
		}
		loc := p.spokenIn(c)
		return c.Render(paperPage(c, kind, report.NewPaper(kind, f, loc, c.Zone), string(loc.Language())))
	}
}

// paperPDF is the same as a file, written whole before its first byte leaves.
func (p *Pages) paperPDF(kind report.PaperKind) ui.Handler {
	return func(c *ui.Context) error {
		if p.pdf == nil {
			return fault.New(fault.NotFound, "ui.fail.no_page")
		}
		f, err := p.paperFacts(c)
		if err != nil {
			return err
		}
		loc := p.spokenIn(c)
		var b bytes.Buffer
		if err := report.PaperPDF(&b, report.NewPaper(kind, f, loc, c.Zone), f.Establishment, f.At, loc, c.Zone); err != nil {
			return err
		}
		_, err = b.WriteTo(c.Download(string(kind)+"-"+string(loc.Language())+".pdf", "application/pdf"))
		return err
	}
}
