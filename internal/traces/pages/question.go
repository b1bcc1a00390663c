package pages

import (
	"encoding/json"
	"net/http"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/ui"
)

// whyMost bounds the reason of a question, in letters.
const whyMost = 300

// asked is a question being filled, and its answer once there is one.
type asked struct {
	phrase traces.Phrase
	answer *told
	// under is the request for audit that it is asked under; nil for those who may
	// ask.
	under *audits.Request
}

// action is where the form is posted.
func (q asked) action() string {
	if q.under != nil {
		return requestPath(q.under.ID) + "/questions/" + q.phrase.Key
	}
	return questionPath + q.phrase.Key
}

func (p pages) phrase(c *ui.Context) (traces.Phrase, error) {
	ph, ok := traces.FindPhrase(c.PathValue("key"))
	if !ok {
		return ph, fault.New(fault.NotFound, "traces.phrase.unknown")
	}
	return ph, nil
}

// question shows the sentence. Of its address it reads what names nobody: the
// period and the choices.
func (p pages) question(c *ui.Context) error {
	ph, err := p.phrase(c)
	if err != nil {
		return err
	}
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	q := c.Query()
	values := map[string]string{"periode": q.Get("periode"), "de": q.Get("de"), "a": q.Get("a")}
	for _, b := range ph.Blanks {
		if b.Kind == traces.BlankChoice {
			values[b.Name] = q.Get(b.Name)
		}
	}
	return c.Render(questionPage(c, c.NewForm(values), asked{phrase: ph}))
}

// answer asks. It is posted: a question about a person is an act that leaves a
// trace, and must be neither in an address nor in the memory of a link.
func (p pages) answer(c *ui.Context) error {
	ph, err := p.phrase(c)
	if err != nil {
		return err
	}
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	f := c.Form()
	if f.Value("preparer") != "" {
		return c.Render(questionPage(c, f, asked{phrase: ph}))
	}
	t, err := p.ask(c, f, ph, "")
	if err != nil || t == nil {
		return c.Refill(f, err, questionPage(c, f, asked{phrase: ph}))
	}
	return c.Render(questionPage(c, f, asked{phrase: ph, answer: t}))
}

// readQuestion reads the blanks, the period and the reason; what is wrong is noted.
func readQuestion(c *ui.Context, f *ui.Form, ph traces.Phrase) (traces.Filling, traces.Period) {
	when := period(c, f)
	f.Require("motif")
	if len([]rune(f.Value("motif"))) > whyMost {
		f.Add("motif", c.Loc.T("traces.phrase.long", "most", whyMost))
	}
	in := traces.Filling{}
	for _, b := range ph.Blanks {
		in[b.Name] = f.Value(b.Name)
	}
	if _, err := ph.Fill(in); err != nil {
		f.Take(err)
	}
	return in, when
}

// ask reads the form and puts the question; nil when the form does not hold,
// which it then says.
func (p pages) ask(c *ui.Context, f *ui.Form, ph traces.Phrase, takes string) (*told, error) {
	in, when := readQuestion(c, f, ph)
	if !f.Valid() {
		return nil, nil
	}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	reply, err := p.s.Pose(c.Ctx(), c.Scope, traces.Look{Phrase: ph.Key, Why: f.Value("motif"), Takes: takes}, in, when)
	if err != nil {
		return nil, err
	}
	return tell(c.Loc, c.Zone, reply, sources), nil
}

// file is the same question, whose answer leaves as a file.
func (p pages) file(c *ui.Context) error {
	ph, err := p.phrase(c)
	if err != nil {
		return err
	}
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	f := c.Form()
	kind := f.Value("format")
	write, ok := writers()[kind]
	if !ok {
		return c.Status(http.StatusUnprocessableEntity).Render(questionPage(c, f, asked{phrase: ph}))
	}
	t, err := p.ask(c, f, ph, kind)
	if err != nil || t == nil {
		return c.Refill(f, err, questionPage(c, f, asked{phrase: ph}))
	}
	return p.give(c, f, t, kind, write)
}

// pin is what a form of the answer posts again: the same question over the same
// period, to the minute.
func (a *told) pin(f *ui.Form) [][2]string {
	if a.again {
		return nil
	}
	out := [][2]string{
		{"periode", fromTo}, {"de", a.reply.When.From.In(a.zone).Format(typedTime)}, {"a", a.reply.When.To.In(a.zone).Format(typedTime)}, {"motif", f.Value("motif")},
	}
	for _, b := range a.reply.Phrase.Blanks {
		out = append(out, [2]string{b.Name, a.reply.Filling[b.Name]})
	}
	return out
}

// handed is what was asked, as conditions, for a request of an archive; empty for
// who may not ask for one, or when the question is not conditions alone.
func (a *told) handed(c *ui.Context) string {
	if !c.May(access.TracesExport) || a.none() || a.reply.Phrase.Circle != "" {
		return ""
	}
	text, err := json.Marshal(a.reply.Phrase.Conditions(a.reply.Filling))
	if err != nil {
		return ""
	}
	return string(text)
}

// troubled ties a hole to what is wrong with it.
func troubled(f *ui.Form, name string) templ.Attributes {
	if len(f.Errors(name)) == 0 {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": f.FieldID(name) + "-error"}
}

func choicesOf(loc *i18n.Localizer, ph traces.Phrase, b traces.Blank) []ui.Choice {
	var out []ui.Choice
	for _, v := range b.Choices {
		out = append(out, ui.Choice{Value: v, Label: choiceWord(loc, ph, v)})
	}
	return out
}
