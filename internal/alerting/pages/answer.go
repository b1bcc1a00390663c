package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// unknownFloor is how long a page for a wrong code takes at least, so that its
// time tells nothing of what was looked up.
const unknownFloor = 80 * time.Millisecond

// reply is what the answer page shows.
type reply struct {
	Code string
	Link alerting.Link
	// Asked is the language of the switch, empty for the agent's own.
	Asked string
	// Noted tells that the answer was just recorded.
	Noted bool
	// Space receives the wish for a space of one's own; empty where there is none.
	Space string
	// Wrong is why a form was refused.
	Wrong string
}

// answer shows the page of an agent. It records nothing.
func (p *Pages) answer(c *ui.Context) error {
	noKeeping(c)
	v, err := p.open(c)
	if err != nil {
		return err
	}
	if !v.Link.Found {
		return p.unknown(c)
	}
	v.Noted = c.Request.URL.Query().Has("note") && v.Link.Given != ""
	return c.Render(answerPage(c, v))
}

// noKeeping keeps the page out of caches: what it says changes, and is personal.
func noKeeping(c *ui.Context) {
	c.Writer.Header().Set("Cache-Control", "no-store")
}

// open follows the code of the address, in the agent's language.
func (p *Pages) open(c *ui.Context) (reply, error) {
	v := reply{Code: c.PathValue("code"), Space: p.space}
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return v, fault.New(fault.TooMany, "alerting.page.answer.too_many")
	}
	var err error
	if lang := c.Request.URL.Query().Get("lang"); slices.Contains(i18n.Languages(), i18n.Language(lang)) {
		v.Asked = lang
	}
	if v.Link, err = p.s.OpenLinkIn(c.Ctx(), v.Code, v.Asked, c.Now); err != nil {
		return v, err
	}
	p.codes.Tried(address, v.Link.Found, c.Now)
	if v.Link.Found {
		c.Loc, c.Zone = p.catalog.For(i18n.Language(v.Link.Language)), v.Link.Zone
	}
	return v, nil
}

// unknown is the page of a code that leads nowhere, whatever the reason.
func (p *Pages) unknown(c *ui.Context) error {
	p.takeTime(c)
	return c.Status(http.StatusNotFound).Render(unknownPage(c))
}

// takeTime lets a wrong code take as long as any other.
func (p *Pages) takeTime(c *ui.Context) {
	select {
	case <-p.clock.After(unknownFloor - p.clock.Now().Sub(c.Now)):
	case <-c.Ctx().Done():
	}
}

// record keeps the answer of a button.
func (p *Pages) record(c *ui.Context) error {
	noKeeping(c)
	v, err := p.open(c)
	if err != nil {
		return err
	}
	if !v.Link.Found {
		return p.unknown(c)
	}
	meaning, minutes := parseChoice(c.FormValue("reponse"))
	_, err = p.s.AnswerByLink(c.Ctx(), v.Code, meaning, minutes, ui.AddressOf(c.Ctx()), c.Now)
	switch {
	case fault.Is(err, fault.NotFound):
		return p.unknown(c)
	case fault.Is(err, fault.Invalid):
		v.Wrong = c.Loc.T("alerting.page.answer.wrong")
		return c.Status(http.StatusUnprocessableEntity).Render(answerPage(c, v))
	case err != nil:
		return err
	}
	return c.Redirect(v.path() + "note=1")
}

// path is this page, ready for one more query value.
func (v reply) path() string {
	path := AnswerPath + url.PathEscape(v.Code) + "?"
	if v.Asked != "" {
		path += "lang=" + v.Asked + "&"
	}
	return path
}

// choiceValue and parseChoice write and read what a button posts: "coming-30".
func choiceValue(m alerting.Meaning, minutes int) string {
	if minutes < 0 {
		return string(m)
	}
	return string(m) + "-" + strconv.Itoa(minutes)
}

func parseChoice(text string) (alerting.Meaning, int) {
	meaning, after, found := strings.Cut(text, "-")
	if !found {
		return alerting.Meaning(meaning), -1
	}
	minutes, err := strconv.Atoi(after)
	if err != nil || minutes < 0 {
		return "", -1
	}
	return alerting.Meaning(meaning), minutes
}

// delays are the arrivals proposed by an option; those of the house when it says none.
func delays(o alerting.Option) []int {
	if len(o.Delays) > 0 {
		return o.Delays
	}
	return []int{15, 30, 60, 90}
}

// option finds the answer of a meaning among those proposed.
func (v reply) option(m alerting.Meaning) (alerting.Option, bool) {
	i := slices.IndexFunc(v.Link.Answers, func(o alerting.Option) bool { return o.Meaning == m })
	if i < 0 {
		return alerting.Option{}, false
	}
	return v.Link.Answers[i], true
}

// understood says back what was answered, with the hour it means.
func (v reply) understood(c *ui.Context) string {
	l := v.Link
	if l.Given == alerting.Coming && l.GivenMinutes >= 0 {
		at := l.GivenAt.Add(time.Duration(l.GivenMinutes) * time.Minute)
		return c.Loc.T("alerting.page.answer.given.coming_at", "minutes", l.GivenMinutes, "at", c.Loc.Clock(at, c.Zone))
	}
	return c.Loc.T("alerting.page.answer.given." + string(l.Given))
}

// otherLanguage is the one the switch leads to.
func otherLanguage(c *ui.Context) i18n.Language {
	if c.Loc.Language() == i18n.English {
		return i18n.French
	}
	return i18n.English
}

func markClass(m alerting.Mode) string {
	if m == alerting.Real {
		return "mark"
	}
	return "mark exercise"
}

// spoken is a number of minutes as one says it: 15 min, 1 h, 1 h 30.
func spoken(c *ui.Context, minutes int) string {
	return c.Loc.Duration(time.Duration(minutes) * time.Minute)
}
