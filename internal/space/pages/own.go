package pages

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/space"
	"tocsin/internal/ui"
)

// alerts are those that called the person.
func (p pages) alerts(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	list, err := p.Service.Alerts(c.Ctx(), v.holder, c.Now)
	if err != nil {
		return err
	}
	return c.Render(alertsPage(v, p, list, c.Request.URL.Query().Has("note")))
}

func (p pages) answers(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	list, err := p.Service.Answers(c.Ctx(), v.holder)
	if err != nil {
		return err
	}
	return c.Render(answersPage(v, list))
}

// me is what is held about the person, his code, and his devices.
func (p pages) me(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	m, err := p.mine(v)
	if err != nil {
		return err
	}
	m.noted = c.Request.URL.Query().Get("note") == "code"
	return c.Render(mePage(v, m))
}

// subscribe has this device notified.
func (p pages) subscribe(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	x := space.Subscription{Endpoint: c.FormValue("endpoint"), Key: c.FormValue("p256dh"), Secret: c.FormValue("auth")}
	if err := p.Service.Subscribe(c.Ctx(), v.holder, x, ui.AddressOf(c.Ctx())); err != nil {
		return err
	}
	c.Writer.WriteHeader(http.StatusNoContent)
	return nil
}

// unsubscribe ends it.
func (p pages) unsubscribe(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	if err := p.Service.Unsubscribe(c.Ctx(), v.holder, ui.AddressOf(c.Ctx())); err != nil {
		return err
	}
	return c.Redirect(Path + "/moi")
}

// pulse tells the app whether the server is there and the space still open.
func (p pages) pulse(c *ui.Context) error {
	status := http.StatusNoContent
	if _, err := p.open(c); fault.Is(err, fault.Unauthenticated) {
		status = http.StatusUnauthorized
	} else if err != nil {
		return err
	}
	c.Writer.WriteHeader(status)
	return nil
}

// answer records an answer: a form of the page, or one that the app kept until a
// network came back.
func (p pages) answer(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	a := alerting.OwnAnswer{Code: c.FormValue("code"), Key: cut(c.FormValue("cle"), 64)}
	a.Meaning, a.Minutes = choice(c.FormValue("reponse"))
	if ms, err := strconv.ParseInt(c.FormValue("a"), 10, 64); err == nil && ms > 0 {
		a.At = time.UnixMilli(ms)
	}
	_, err = p.Service.Answer(c.Ctx(), v.holder, a, ui.AddressOf(c.Ctx()), c.Now)
	if err != nil {
		return err
	}
	if c.FormValue("muet") != "" {
		c.Writer.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.Redirect(Path + "?note=1")
}

func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// choice reads what a button posts: "coming-30".
func choice(text string) (alerting.Meaning, int) {
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

// button is one answer that can be given.
type button struct {
	value, label string
	main         bool
}

// buttons are the answers an alert proposes, in the words of its author.
func buttons(c *ui.Context, l alerting.Link) (out []button) {
	for _, o := range l.Answers {
		label := o.Label.In(l.Language)
		if o.Meaning != alerting.Coming {
			out = append(out, button{string(o.Meaning), label, false})
			continue
		}
		list := o.Delays
		if len(list) == 0 {
			list = []int{15, 30, 60, 90}
		}
		for _, n := range list {
			out = append(out, button{string(o.Meaning) + "-" + strconv.Itoa(n), label + " · " + c.Loc.Duration(time.Duration(n)*time.Minute), true})
		}
	}
	return out
}

// given says back what was answered.
func given(c *ui.Context, zone *time.Location, m alerting.Meaning, minutes int, at time.Time) string {
	if m == alerting.Coming && minutes >= 0 {
		return c.Loc.T("space.given.coming_at", "at", c.Loc.Clock(at.Add(time.Duration(minutes)*time.Minute), zone))
	}
	return c.Loc.T("space.given." + string(m))
}

// split parts the alerts that run from those that are over.
func split(list []alerting.Own) (running, over []alerting.Own) {
	i := slices.IndexFunc(list, func(o alerting.Own) bool { return o.Link.State != alerting.Running })
	if i < 0 {
		return list, nil
	}
	return list[:i], list[i:]
}

// leave shuts the space on this device.
func (p pages) leave(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	if err := p.Service.RevokeOwn(c.Ctx(), v.holder, v.holder.Device.ID, ui.AddressOf(c.Ctx())); err != nil {
		return err
	}
	p.setToken(c, "")
	return c.Redirect(Path)
}

// revokeOwn shuts another device of the same person.
func (p pages) revokeOwn(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	id, err := c.ID("appareil")
	if err != nil {
		return err
	}
	if err := p.Service.RevokeOwn(c.Ctx(), v.holder, id, ui.AddressOf(c.Ctx())); err != nil {
		return err
	}
	return c.Redirect(Path + "/moi")
}

// worker is the service worker, at an address that does not change.
func (p pages) worker(c *ui.Context) error { return c.SendWorker("worker.js", Path) }

// manifest makes the site an app (W3C Web Application Manifest).
func (p pages) manifest(c *ui.Context) error {
	icon := func(name, size, purpose string) map[string]string {
		return map[string]string{"src": c.Asset(name), "sizes": size, "type": "image/png", "purpose": purpose}
	}
	body, err := json.Marshal(map[string]any{
		"name": c.Loc.T("space.app.name"), "short_name": "Tocsin", "id": Path, "start_url": Path, "scope": Path, "display": "standalone", "lang": string(c.Loc.Language()),
		"background_color": "#0f2a3d", "theme_color": "#0f2a3d",
		"icons": []any{icon("icon-192.png", "192x192", "any"), icon("icon-512.png", "512x512", "any"), icon("icon-512.png", "512x512", "maskable")},
	})
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Type", "application/manifest+json")
	_, err = c.Writer.Write(body)
	return err
}

// mine tells the device in the hand from the others.
func (v *visit) mine(d space.Device) bool { return d.ID == v.holder.Device.ID }
