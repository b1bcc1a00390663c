package pages

import (
	"slices"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/ui"
)

// The pages of a text that is recorded from a telephone.
const (
	phoneUnder  = "/voix/telephone"
	cancelUnder = "/voix/telephone/abandonner"
	// phonePrefix tells the form of the telephone from that of the file.
	phonePrefix = "tel."
)

// phonePath is the state of the recording of one text.
func phonePath(v spokenView, t alerting.Text) string {
	return scenarioPath(v.Scenario.ID, phoneUnder) + "?texte=" + spokenName(t)
}

// dictationOf is the last recording of a text from a telephone; nil for none.
func (v spokenView) dictationOf(t alerting.Text) *alerting.Dictation {
	at := slices.IndexFunc(v.Dictations, func(d alerting.Dictation) bool { return d.Use == t.Use && d.Language == t.Language })
	if at < 0 {
		return nil
	}
	return &v.Dictations[at]
}

// phoneForm is the form that asks for a call, filled with the person's own number.
func (v spokenView) phoneForm(c *ui.Context, t alerting.Text) *ui.Form {
	if v.At == phonePrefix+spokenName(t) {
		return v.Form.As(v.At)
	}
	return c.NewForm(map[string]string{"number": v.Own}).As(phonePrefix + spokenName(t))
}

// askedByPhone tells that the form of the telephone of a text has something to say.
func (v spokenView) askedByPhone(t alerting.Text) bool { return v.At == phonePrefix+spokenName(t) }

// dictationTone is the severity of where a recording stands.
func dictationTone(d alerting.Dictation) ui.Tone {
	switch d.State {
	case alerting.DictationKept:
		return ui.Success
	case alerting.DictationUnanswered, alerting.DictationRefused:
		return ui.Attention
	case alerting.DictationCancelled, alerting.DictationGivenUp:
		return ui.Neutral
	}
	return ui.Information
}

// dictationWords say where a recording stands, and why.
func dictationWords(c *ui.Context, d alerting.Dictation) string {
	words := c.Loc.T("alerting.spoken.phone.state." + string(d.State))
	switch {
	case d.State == alerting.DictationRefused:
		words += " " + d.Why
	case d.State == alerting.DictationUnanswered:
		words += " " + dictationReason(c, channels.Reason(d.Why))
	}
	return words
}

// dictationReason says why nothing came of a call.
func dictationReason(c *ui.Context, why channels.Reason) string {
	switch why {
	case channels.ReasonNone, channels.ReasonInterrupted:
		return c.Loc.T("alerting.spoken.phone.why.cut")
	case channels.ReasonNoKey:
		return c.Loc.T("alerting.spoken.phone.why.no_key")
	case channels.ReasonExpired:
		return c.Loc.T("alerting.spoken.phone.why.no_line")
	}
	return c.Loc.T("channels.reason." + string(why))
}

// dictate asks for the call that records a text.
func (p scenarioPages) dictate(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	v.Form = c.Form()
	text := v.Form.Value("texte")
	v.At = phonePrefix + text
	if _, err := p.s.Dictate(c.Ctx(), c.Scope, c.Now, v.Scenario.ID, spokenOf(text), v.Form.Value("number")); err != nil {
		return c.Refill(v.Form, err, spokenPage(c, v))
	}
	return c.Redirect(scenarioPath(v.Scenario.ID, spokenUnder) + "#" + spokenName(textNamed(v, text)))
}

// textNamed is the text of that name; an empty one for none.
func textNamed(v spokenView, name string) alerting.Text {
	at := slices.IndexFunc(v.Texts, func(t alerting.Text) bool { return spokenName(t) == name })
	if at < 0 {
		return alerting.Text{}
	}
	return v.Texts[at]
}

// dictation is where the recording of one text stands, asked again and again by the
// page; once it is over the page shows what came of it.
func (p scenarioPages) dictation(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	t := textNamed(v, c.Query().Get("texte"))
	if d := v.dictationOf(t); c.Partial() && d != nil && !d.Over() {
		return c.Render(dictationState(c, *d))
	}
	return c.Redirect(scenarioPath(v.Scenario.ID, spokenUnder))
}

// cancelDictation gives a recording up from the page.
func (p scenarioPages) cancelDictation(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	if d := v.dictationOf(textNamed(v, c.Form().Value("texte"))); d != nil && !d.Over() {
		if err := p.s.CancelDictation(c.Ctx(), c.Scope, c.Now, v.Scenario.ID, d.ID); err != nil {
			return err
		}
	}
	return c.Redirect(scenarioPath(v.Scenario.ID, spokenUnder))
}

// readDictations adds to a view what is recorded from a telephone, for who may ask for it.
func (p scenarioPages) readDictations(c *ui.Context, v *spokenView) (err error) {
	if !c.May(access.ScenarioWrite) {
		return nil
	}
	if p.ownNumber != nil {
		if v.Own, err = p.ownNumber(c.Ctx(), c.Scope); err != nil {
			return err
		}
	}
	v.Dictations, err = p.s.Dictations(c.Ctx(), c.Scope, c.Now, v.Scenario.ID)
	return err
}
