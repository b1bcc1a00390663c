package lab

import (
	"errors"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// form is a form ready to be sent.
type form struct {
	action string
	fields url.Values
}

// control is one thing of a form that a finger can press.
type control struct {
	name, value, label string
	submits            bool
}

// paper is a form as the page draws it.
type paper struct {
	action   string
	fixed    url.Values // hidden and typed fields
	controls []control
}

var errNoForm = errors.New("the page has no button for this answer")

// chooseForm finds the button or the circle that says what a person wants, in
// any form of the page that is sent by POST. The delay nearest to minutes is
// chosen when the page proposes several.
func chooseForm(page io.Reader, intent Intent, minutes int) (form, error) {
	doc, err := html.Parse(page)
	if err != nil {
		return form{}, err
	}
	best, bestScore, found := form{}, 0, false
	for _, p := range papers(doc) {
		if f, score, ok := p.fill(intent, minutes); ok && (!found || score < bestScore) {
			best, bestScore, found = f, score, true
		}
	}
	if !found {
		return form{}, errNoForm
	}
	return best, nil
}

// fill presses what says the intent, then what says the delay. The score is how
// far the delay is from the one wanted, in minutes.
func (p paper) fill(intent Intent, minutes int) (form, int, bool) {
	fields := url.Values{}
	for name, values := range p.fixed {
		fields[name] = append([]string(nil), values...)
	}
	meant, score, meantBy := false, 0, ""
	var pressed *control
	for _, c := range p.controls {
		if intentOf(c.value) != intent && intentOf(c.label) != intent {
			continue
		}
		distance := delayDistance(c, minutes)
		if meant && distance >= score {
			continue
		}
		meant, score, meantBy = true, distance, c.name
		chosen := c
		pressed = &chosen
	}
	if !meant {
		return form{}, 0, false
	}
	press(fields, *pressed)
	// A delay asked by controls of its own.
	for name, c := range p.nearestDelays(minutes, meantBy) {
		if intent == Coming {
			fields.Set(name, c.value)
			if c.submits {
				pressed = &c
			}
		}
	}
	if !pressed.submits {
		for _, c := range p.controls {
			if c.submits && intentOf(c.label+" "+c.value) == Silent {
				press(fields, c)
				break
			}
		}
	}
	return form{action: p.action, fields: fields}, score, true
}

func press(fields url.Values, c control) {
	if c.name != "" {
		fields.Set(c.name, c.value)
	}
}

var digits = regexp.MustCompile(`\d+`)

// delayOf reads the minutes of a control: its value, else its label.
func delayOf(c control) (int, bool) {
	for _, text := range []string{c.value, c.label} {
		if found := digits.FindString(text); found != "" {
			n, err := strconv.Atoi(found)
			return n, err == nil
		}
	}
	return 0, false
}

func delayDistance(c control, minutes int) int {
	n, ok := delayOf(c)
	if !ok || minutes < 0 {
		return 0
	}
	return max(n-minutes, minutes-n)
}

// nearestDelays gives, for each group of controls that are bare numbers, the nearest.
func (p paper) nearestDelays(minutes int, except string) map[string]control {
	out := map[string]control{}
	for _, c := range p.controls {
		if _, err := strconv.Atoi(c.value); err != nil || c.name == "" || c.name == except {
			continue
		}
		if best, ok := out[c.name]; !ok || delayDistance(c, minutes) < delayDistance(best, minutes) {
			out[c.name] = c
		}
	}
	return out
}

// papers reads the forms sent by POST.
func papers(doc *html.Node) []paper {
	var out []paper
	labels := labelsOf(doc)
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" && strings.EqualFold(attribute(n, "method"), "post") {
			p := paper{action: attribute(n, "action"), fixed: url.Values{}}
			for c := range n.Descendants() {
				p.add(c, labels)
			}
			out = append(out, p)
		}
	}
	return out
}

func (p *paper) add(n *html.Node, labels map[string]string) {
	if n.Type != html.ElementNode || has(n, "disabled") {
		return
	}
	name, value, kind := attribute(n, "name"), attribute(n, "value"), strings.ToLower(attribute(n, "type"))
	switch n.Data {
	case "button":
		if kind == "" || kind == "submit" {
			p.controls = append(p.controls, control{name, value, textOf(n), true})
		}
	case "input":
		switch kind {
		case "submit":
			p.controls = append(p.controls, control{name, value, value, true})
		case "radio", "checkbox":
			p.controls = append(p.controls, control{name, value, labels[attribute(n, "id")] + " " + textOf(enclosingLabel(n)), false})
		default:
			if name != "" {
				p.fixed.Add(name, value)
			}
		}
	case "option":
		if s := enclosing(n, "select"); s != nil {
			p.controls = append(p.controls, control{attribute(s, "name"), value, textOf(n), false})
		}
	}
}

func labelsOf(doc *html.Node) map[string]string {
	out := map[string]string{}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "label" && has(n, "for") {
			out[attribute(n, "for")] = textOf(n)
		}
	}
	return out
}

func enclosingLabel(n *html.Node) *html.Node { return enclosing(n, "label") }

func enclosing(n *html.Node, element string) *html.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && p.Data == element {
			return p
		}
	}
	return nil
}

func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
