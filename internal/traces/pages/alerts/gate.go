package alerts

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/document/pdf"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/rules"
	"tocsin/internal/ui"
)

// law is the page of the three steps, with what was typed and refused.
type law struct {
	cases.Gate
	assess, consult, inform, service *ui.Form
}

func (p pages) law(c *ui.Context) (l law, err error) {
	l.Gate, err = p.o.Cases.Gate(c.Ctx(), c.Scope)
	a, s, n := l.Assessment, l.Consultation, l.Notice
	l.assess = c.NewForm(map[string]string{"day": a.Day, "author": a.Author, "advice": a.Advice, "document": a.Document}).As("a")
	l.consult = c.NewForm(map[string]string{"body": s.Body, "day": s.Day, "opinion": s.Opinion}).As("c")
	l.inform = c.NewForm(map[string]string{"day": n.Day, "how": n.How}).As("i")
	l.service = c.NewForm(nil).As("s")
	return l, err
}

func (p pages) gate(c *ui.Context) error {
	l, err := p.law(c)
	if err != nil {
		return err
	}
	return c.Render(gatePage(c, l))
}

// governed goes back to the page, or shows it with what was refused.
func (p pages) governed(c *ui.Context, err error, f *ui.Form, put func(l *law, f *ui.Form), said string) error {
	if err == nil {
		c.Flash(ui.Success, said)
		return c.Redirect(DetectionPath)
	}
	l, lawErr := p.law(c)
	if lawErr != nil {
		return lawErr
	}
	put(&l, f)
	return c.Refill(f, err, gatePage(c, l))
}

func (p pages) assess(c *ui.Context) error {
	f := c.Form().As("a")
	a := cases.Assessment{Day: f.Value("day"), Author: f.Value("author"), Advice: f.Value("advice"), Document: f.Value("document")}
	return p.governed(c, p.o.Cases.Assess(c.Ctx(), c.Scope, a), f, func(l *law, f *ui.Form) { l.assess = f }, c.Loc.T("traces.alerts.gate.done"))
}

func (p pages) consult(c *ui.Context) error {
	f := c.Form().As("c")
	s := cases.Consultation{Body: f.Value("body"), Day: f.Value("day"), Opinion: f.Value("opinion")}
	return p.governed(c, p.o.Cases.Consult(c.Ctx(), c.Scope, s), f, func(l *law, f *ui.Form) { l.consult = f }, c.Loc.T("traces.alerts.gate.done"))
}

func (p pages) inform(c *ui.Context) error {
	f := c.Form().As("i")
	return p.governed(c, p.o.Cases.Inform(c.Ctx(), c.Scope, cases.Notice{Day: f.Value("day"), How: f.Value("how")}), f, func(l *law, f *ui.Form) { l.inform = f }, c.Loc.T("traces.alerts.gate.done"))
}

func (p pages) switchGate(c *ui.Context) error {
	f := c.Form().As("s")
	on := f.Value("sens") == "marche"
	key := "traces.alerts.gate.stopped"
	if on {
		key = "traces.alerts.gate.started"
	}
	return p.governed(c, p.o.Cases.Switch(c.Ctx(), c.Scope, on, f.Value("why")), f, func(l *law, f *ui.Form) { l.service = f }, c.Loc.T(key))
}

// entry drafts the entry of the register from what is set.
func (p pages) entry(c *ui.Context) (cases.Entry, error) {
	f := cases.Facts{Establishment: c.Visitor.Establishment.Name}
	sources, err := p.o.Traces.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return cases.Entry{}, err
	}
	for _, s := range sources {
		if s.Retired.IsZero() {
			f.Sources = append(f.Sources, s.Name)
		}
	}
	durations, err := p.o.Traces.Durations(c.Ctx(), c.Scope)
	if err != nil {
		return cases.Entry{}, err
	}
	for _, d := range durations {
		f.Durations = append(f.Durations, cases.DurationFact{Class: c.Loc.T("traces.class." + d.Class.String()), Months: d.Months})
	}
	if p.o.Behaviour != nil {
		for _, key := range p.o.Behaviour() {
			f.Rules = append(f.Rules, c.Loc.T(key))
		}
	}
	sheet, err := p.o.Rules.List(c.Ctx(), c.Scope)
	if err != nil {
		return cases.Entry{}, err
	}
	for _, r := range sheet.Rules {
		if r.Off.By == "" {
			f.Systems++
		}
	}
	return p.o.Cases.Register(c.Ctx(), c.Scope, c.Loc, c.Zone, f)
}

func (p pages) register(c *ui.Context) error {
	e, err := p.entry(c)
	if err != nil {
		return err
	}
	return c.Render(registerPage(c, e))
}

func (p pages) registerPDF(c *ui.Context) error {
	e, err := p.entry(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := writeEntry(&b, c, e); err != nil {
		return fmt.Errorf("write the entry of the register: %w", err)
	}
	_, err = b.WriteTo(c.Download(c.Loc.T("traces.alerts.register.file")+".pdf", "application/pdf"))
	return err
}

func writeEntry(out io.Writer, c *ui.Context, e cases.Entry) error {
	lang := "fr-FR"
	if c.Loc.Language() == i18n.English {
		lang = "en-GB"
	}
	d, err := pdf.New(pdf.Meta{Title: e.Title, Author: c.Visitor.Establishment.Name, Subject: c.Loc.T("traces.alerts.register.title"), Language: lang, At: c.Now.In(c.Zone)}, pdf.Options{
		Header: c.Visitor.Establishment.Name + " · " + c.Loc.T("traces.alerts.register.title"), Footer: c.Loc.T("traces.alerts.register.draft", "at", c.Loc.DateTime(c.Now, c.Zone)),
		PageLabel: func(page, total int) string {
			return c.Loc.T("traces.alerts.register.page", "page", page, "total", total)
		},
	})
	if err != nil {
		return err
	}
	d.Heading(1, e.Title)
	if len(e.Missing) > 0 {
		d.Heading(2, c.Loc.T("traces.alerts.register.missing"))
		d.List(e.Missing, false)
	}
	for _, s := range e.Sections {
		d.Heading(2, s.Title)
		for _, line := range s.Lines {
			d.Text(line)
		}
	}
	return d.Write(out)
}

func (p pages) registerText(c *ui.Context) error {
	e, err := p.entry(c)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", e.Title, c.Loc.T("traces.alerts.register.draft", "at", c.Loc.DateTime(c.Now, c.Zone)))
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "! %s\n", m)
	}
	for _, s := range e.Sections {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, line := range s.Lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	_, err = io.WriteString(c.Download(c.Loc.T("traces.alerts.register.file")+".txt", "text/plain; charset=utf-8"), b.String())
	return err
}

func mayGovern(c *ui.Context) bool { return c.May(access.TracesGovern) }
func mayRule(c *ui.Context) bool   { return c.May(access.TracesRules) }

func holds(r rules.Rule, word string) bool {
	return strings.Contains(storage.Fold(r.Title+" "+r.Source+" "+string(r.Level)), storage.Fold(word))
}
