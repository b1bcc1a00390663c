package pages

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// blank is an empty sheet: a text, who, how many, and the mode.
func (p *Pages) blank(c *ui.Context) error {
	who, err := p.crowd(c)
	if err != nil {
		return err
	}
	return c.Render(improvisePage(c, c.NewForm(map[string]string{"profil": string(alerting.Rappel), "reponse": "oui"}), who))
}

// improvise keeps the scenario and leads to its verification sheet.
func (p *Pages) improvise(c *ui.Context) error {
	who, err := p.crowd(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("texte")
	i := alerting.Improvisation{
		Title: f.Value("titre"), Text: f.Value("texte"), TextEN: f.Value("texte-en"),
		Profile: alerting.Profile(f.Value("profil")), Needed: f.Int("effectif", 0, 100_000), AskAnswer: f.Checked("reponse", "oui"),
	}
	mode := alerting.Mode(f.Value(modeField))
	if !known(mode) {
		f.Add(modeField, c.Loc.T("alerting.page.launch.mode.missing"))
	}
	if i.Title == "" {
		i.Title = firstWords(i.Text)
	}
	if i.Audience, err = rule(f); err != nil {
		return err
	}
	if !f.Valid() {
		return c.Refill(f, nil, improvisePage(c, f, who))
	}
	sc, err := p.s.Improvise(c.Ctx(), c.Scope, c.Now, i)
	if err != nil {
		return c.Refill(f, atImprovised(err), improvisePage(c, f, who))
	}
	q := url.Values{modeField: {string(mode)}, stepField: {"fiche"}, "ordre": {f.Value("ordre")}}
	return c.Redirect(SheetPath + sc.ID.String() + "?" + q.Encode())
}

// atImprovised moves a fault of the scenario to the field that was typed.
func atImprovised(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	switch field := f.Field; {
	case strings.HasPrefix(field, "title"):
		return f.At("titre")
	case strings.HasPrefix(field, "text"), strings.HasPrefix(field, "messages"):
		return f.At("texte")
	case strings.HasPrefix(field, "quotas"):
		return f.At("effectif")
	case field == "":
		return err
	}
	return f.At("")
}

// firstWords names an alert whose author had no time for a title.
func firstWords(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if utf8.RuneCountInString(line) <= 60 {
		return line
	}
	short := string([]rune(line)[:60])
	if at := strings.LastIndexByte(short, ' '); at > 20 {
		short = short[:at]
	}
	return short + "…"
}
