package pages

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/document/qr"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// RecallPath begins the page where anybody verifies a recall order.
const RecallPath = "/ordre/"

func (p *Pages) recallRoutes(r *ui.Router) {
	r.Get(AnswerPath+"{code}/ordre", ui.Public, p.ownRecall, ui.Bare())
	r.Get(AnswerPath+"{code}/ordre.pdf", ui.Public, p.ownRecallPDF, ui.Bare())
	r.Get(RecallPath+"cle", ui.Public, p.recallKeys, ui.Bare())
	r.Get(RecallPath+"{code}", ui.Public, p.checkRecall, ui.Bare())
	r.Get(RecallPath+"{code}/texte", ui.Public, p.signedPart("ordre.txt", "text/plain; charset=utf-8", func(o alerting.RecallOrder) []byte { return []byte(o.Text) }), ui.Bare())
	r.Get(RecallPath+"{code}/signature", ui.Public, p.signedPart("ordre.sig", "application/octet-stream", func(o alerting.RecallOrder) []byte { return o.Signature }), ui.Bare())
	r.Get("/alertes/{id}/personnes/{personne}/ordre.pdf", access.AlertPayroll, p.recallForPayroll)
	r.Get("/alertes/{id}/paie.xlsx", access.AlertPayroll, p.payroll("xlsx", xlsxType, report.PayrollXLSX), ui.Lasting(2*time.Minute))
	r.Get("/alertes/{id}/paie.csv", access.AlertPayroll, p.payroll("csv", "text/csv; charset=utf-8", report.PayrollCSV), ui.Lasting(2*time.Minute))
}

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// recall is what a page says of an order.
type recall struct {
	alerting.RecallCheck
	// Answer is the code of the person's own page; empty for who verifies.
	Answer string
	// Address is what the QR says.
	Address string
}

// apart keeps an order out of caches and search engines.
func apart(c *ui.Context) {
	noKeeping(c)
	c.Writer.Header().Set("X-Robots-Tag", "noindex, nofollow, noarchive")
}

// guarded counts wrong codes together with those of answers: an address that
// guesses is slowed down whatever it guesses.
func (p *Pages) guarded(c *ui.Context, check func() (alerting.RecallCheck, error)) (recall, error) {
	apart(c)
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return recall{}, fault.New(fault.TooMany, "alerting.page.answer.too_many")
	}
	v := recall{}
	var err error
	if v.RecallCheck, err = check(); err != nil {
		return v, err
	}
	p.codes.Tried(address, v.Reason != alerting.RecallUnknown, c.Now)
	c.Zone = v.Zone
	v.Address = p.recallBase + v.Order.Code
	return v, nil
}

// checkRecall is what the camera of a cordon opens. It records nothing.
func (p *Pages) checkRecall(c *ui.Context) error {
	v, err := p.verified(c)
	if err != nil {
		return err
	}
	if v.Reason == alerting.RecallUnknown {
		p.takeTime(c)
		return c.Status(http.StatusNotFound).Render(recallCheckPage(c, v))
	}
	return c.Render(recallCheckPage(c, v))
}

func (p *Pages) verified(c *ui.Context) (recall, error) {
	return p.guarded(c, func() (alerting.RecallCheck, error) { return p.s.CheckRecall(c.Ctx(), c.PathValue("code"), c.Now) })
}

// signedPart gives the bytes of an order to who verifies without us.
func (p *Pages) signedPart(name, kind string, part func(alerting.RecallOrder) []byte) ui.Handler {
	return func(c *ui.Context) error {
		v, err := p.verified(c)
		if err != nil {
			return err
		}
		if v.Status == alerting.RecallInvalid {
			p.takeTime(c)
			return c.Status(http.StatusNotFound).Render(recallCheckPage(c, v))
		}
		_, err = c.Download(name, kind).Write(part(v.Order))
		return err
	}
}

// recallKeys publishes the keys by which an order is verified without us.
func (p *Pages) recallKeys(c *ui.Context) error {
	keys, err := p.s.RecallKeys(c.Ctx())
	if err != nil {
		return err
	}
	return c.Render(recallKeysPage(c, keys))
}

// own opens the order of the person whose answer page it is.
func (p *Pages) own(c *ui.Context) (recall, error) {
	code := c.PathValue("code")
	link, err := p.open(c)
	if err != nil || !link.Link.Found {
		return recall{RecallCheck: alerting.RecallCheck{Status: alerting.RecallInvalid, Reason: alerting.RecallUnknown}}, err
	}
	apart(c)
	v := recall{Answer: code}
	if v.RecallCheck, err = p.s.OpenRecall(c.Ctx(), code, c.Now); err != nil {
		return v, err
	}
	c.Zone = v.Zone
	v.Address = p.recallBase + v.Order.Code
	return v, nil
}

// ownRecall is what the person shows: her order and its QR.
func (p *Pages) ownRecall(c *ui.Context) error {
	v, err := p.own(c)
	switch {
	case err != nil:
		return err
	case v.Answer == "":
		return p.unknown(c)
	case v.Status == alerting.RecallInvalid:
		return c.Redirect(AnswerPath + url.PathEscape(v.Answer))
	}
	drawn, err := square(v.Address, c.Loc.T("alerting.page.recall.qr"))
	if err != nil {
		return err
	}
	return c.Render(ownRecallPage(c, v, drawn))
}

// ownRecallPDF is the same on paper.
func (p *Pages) ownRecallPDF(c *ui.Context) error {
	v, err := p.own(c)
	if err != nil {
		return err
	}
	if v.Status == alerting.RecallInvalid {
		return p.unknown(c)
	}
	return p.recallPDF(c, v)
}

// recallForPayroll is the order of a person, for her file.
func (p *Pages) recallForPayroll(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	id, err := c.ID("personne")
	if err != nil {
		return err
	}
	check, err := p.s.RecallOf(c.Ctx(), c.Scope, l.ID, id, c.Now)
	if err != nil {
		return err
	}
	c.Zone = check.Zone
	return p.recallPDF(c, recall{RecallCheck: check, Address: p.recallBase + check.Order.Code})
}

func (p *Pages) recallPDF(c *ui.Context, v recall) error {
	var b bytes.Buffer
	if err := report.RecallPDF(&b, v.RecallCheck, v.Address, c.Now, c.Loc); err != nil {
		return err
	}
	_, err := b.WriteTo(c.Download(c.Loc.T("alerting.page.recall.file", "code", alerting.SpacedCode(v.Order.Code))+".pdf", "application/pdf"))
	return err
}

// payroll gives orders, arrivals and departures as a file.
func (p *Pages) payroll(ending, kind string, write report.PayrollWriter) ui.Handler {
	return func(c *ui.Context) error {
		id, err := c.ID("id")
		if err != nil {
			return err
		}
		l, lines, err := p.s.Payroll(c.Ctx(), c.Scope, c.Now, id)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := write(&b, l, lines, c.Now, c.Loc, c.Zone); err != nil {
			return err
		}
		name := c.Loc.T("alerting.page.payroll.file", "at", l.LaunchedAt.In(c.Zone).Format("2006-01-02-15h04")) + "." + ending
		_, err = b.WriteTo(c.Download(name, kind))
		return err
	}
}

// square draws an address; the page carries the drawing itself, since nothing
// else may be fetched at night from a car park.
func square(address, title string) (templ.Component, error) {
	code, err := qr.New(address)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := code.SVG(&b, title); err != nil {
		return nil, err
	}
	return templ.Raw(b.String()), nil
}

// recallFacts are the lines of an order, as signed, those that say nothing left out.
func recallFacts(c *ui.Context, o alerting.RecallOrder, zone *time.Location) []fact {
	var out []fact
	add := func(key, value string) {
		if value != "" {
			out = append(out, fact{c.Loc.T("alerting.page.recall." + key), value})
		}
	}
	add("name", o.Name)
	add("matricule", o.Matricule)
	add("metier", o.Metier)
	add("house", o.Establishment)
	add("alert", c.Loc.T("alerting.page.recall.alert.value", "number", o.Number, "title", o.Title))
	add("ordered", o.OrderedBy)
	add("issued", c.Loc.DateTime(o.IssuedAt, zone))
	add("eta", c.Loc.DateTime(o.ETA, zone))
	add("until", c.Loc.DateTime(o.Until, zone))
	add("entrance", o.Entrance)
	add("roads", o.Roads)
	add("parking", o.Parking)
	return out
}

// fact is a word and what it stands for.
type fact struct{ Label, Value string }

// recallWhy says why an order is not valid, and since when.
func recallWhy(c *ui.Context, v recall) string {
	return c.Loc.T("alerting.page.recall.why."+string(v.Reason), "at", c.Loc.DateTime(v.At, c.Zone), "until", c.Loc.DateTime(v.Order.Until, c.Zone))
}

// recallWord is the answer in capitals; that of an exercise says so first.
func recallWord(c *ui.Context, v recall) string {
	word := c.Loc.T("alerting.page.recall.status." + string(v.Status))
	if v.Order.Mode == alerting.Exercise {
		return c.Loc.T("alerting.page.recall.status.drill", "status", word)
	}
	return word
}
