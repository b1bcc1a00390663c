package pages

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/ui"
)

// The pages of the texts that are said by telephone.
const (
	spokenUnder = "/voix"
	soundUnder  = "/voix/son"
	eraseUnder  = "/voix/effacer"
)

// spokenView is what the page of the texts said by telephone shows.
type spokenView struct {
	Scenario alerting.Scenario
	Texts    []alerting.Text
	// Form holds what was wrong with the last file, At the text it was for.
	Form *ui.Form
	At   string
	// Dictations are the last recordings from a telephone; Own is the person's own
	// number. Both are empty for who may not record.
	Dictations []alerting.Dictation
	Own        string
}

// spokenName names a text in a form and an address: "alert.fr".
func spokenName(t alerting.Text) string { return string(t.Use) + "." + t.Language }

// spokenOf reads the name of a text; what is none is the name of no text.
func spokenOf(name string) alerting.Spoken {
	use, language, _ := strings.Cut(name, ".")
	return alerting.Spoken{Use: alerting.Use(use), Language: language}
}

// spokenTexts are those of a scenario, in the order of their uses.
func spokenTexts(def alerting.Definition) (out []alerting.Text) {
	for _, use := range uses() {
		for _, t := range def.Messages {
			if t.Medium == channels.Voice && t.Use == use {
				out = append(out, t)
			}
		}
	}
	return out
}

// formOf is the form of one text, with what was wrong with its last file.
func (v spokenView) formOf(c *ui.Context, t alerting.Text) *ui.Form {
	if v.At == spokenName(t) {
		return v.Form.As(spokenName(t))
	}
	return c.NewForm(nil).As(spokenName(t))
}

func (p scenarioPages) spokenView(c *ui.Context) (v spokenView, err error) {
	id, err := c.ID("id")
	if err != nil {
		return v, err
	}
	sc, def, err := p.s.Scenario(c.Ctx(), c.Scope, id)
	if err != nil {
		return v, err
	}
	v = spokenView{Scenario: sc, Texts: spokenTexts(def), Form: c.NewForm(nil)}
	return v, p.readDictations(c, &v)
}

func (p scenarioPages) spoken(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	return c.Render(spokenPage(c, v))
}

// record takes the file of one text.
func (p scenarioPages) record(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	v.Form = c.Form()
	v.At = v.Form.Value("texte")
	err = p.keepRecording(c, v.Scenario.ID, spokenOf(v.At))
	if err != nil {
		return c.Refill(v.Form, err, spokenPage(c, v))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.spoken.recorded"))
	return c.Redirect(scenarioPath(v.Scenario.ID, spokenUnder))
}

func (p scenarioPages) keepRecording(c *ui.Context, id uuid.UUID, of alerting.Spoken) error {
	file, _, err := c.File("fichier")
	if err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(file, alerting.RecordingFileMost))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return p.s.Record(c.Ctx(), c.Scope, c.Now, id, of, content)
}

func (p scenarioPages) unrecord(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.s.EraseRecording(c.Ctx(), c.Scope, c.Now, id, spokenOf(c.Form().Value("texte"))); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.spoken.erased"))
	return c.Redirect(scenarioPath(id, spokenUnder))
}

// sound lets a recording be heard. Without one, the page says how to give one.
func (p scenarioPages) sound(c *ui.Context) error {
	v, err := p.spokenView(c)
	if err != nil {
		return err
	}
	of := spokenOf(c.Query().Get("texte"))
	if !slices.ContainsFunc(v.Texts, func(t alerting.Text) bool {
		return t.Use == of.Use && t.Language == of.Language && t.Recording != uuid.Nil
	}) {
		return c.Redirect(scenarioPath(v.Scenario.ID, spokenUnder))
	}
	file, err := p.s.Recording(c.Ctx(), c.Scope, v.Scenario.ID, of)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Type", "audio/wav")
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(file))
	return nil
}
