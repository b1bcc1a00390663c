package ui

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// Tone is how grave a notice or a badge is. Each has a colour, a shape and a
// word, so that it is read without colours.
type Tone string

// The four severities of the house, and what went well.
const (
	Information Tone = "information"
	Attention   Tone = "attention"
	Alert       Tone = "alerte"
	Critical    Tone = "critique"
	Success     Tone = "succes"
	Neutral     Tone = "neutre"
)

// Notice is a sentence shown once at the top of the next page.
type Notice struct {
	Tone Tone   `json:"t"`
	Text string `json:"m"`
}

const (
	flashCookie   = "tocsin_notice"
	flashCookieSz = 3000
)

// Flash keeps a sentence for the page shown after the redirect.
func (c *Context) Flash(tone Tone, text string) {
	if !c.shown && c.flashes == nil {
		c.flashes = c.readFlashes()
	}
	c.flashes = append(c.flashes, Notice{tone, text})
	for len(c.flashes) > 0 {
		value := c.seal(c.flashes)
		if len(value) <= flashCookieSz {
			c.setCookie(flashCookie, value, 300)
			return
		}
		c.flashes = c.flashes[:len(c.flashes)-1]
	}
}

// Notices are the sentences to show now; a page frame calls it once.
func (c *Context) notices() []Notice {
	if c.flashes == nil {
		c.flashes = c.readFlashes()
	}
	c.shown = true
	return c.flashes
}

func (c *Context) clearFlashes() {
	if len(c.flashes) > 0 {
		c.setCookie(flashCookie, "", -1)
	}
}

// seal signs the notices: what a page says comes from us, not from a cookie
// somebody planted.
func (c *Context) seal(n []Notice) string {
	body, err := json.Marshal(n)
	if err != nil {
		c.logFailure(http.StatusInternalServerError, err)
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(c.router.sign(flashCookie, text))
}

func (c *Context) readFlashes() []Notice {
	cookie, err := c.Request.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	text, signature, found := strings.Cut(cookie.Value, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !found || err != nil || !hmac.Equal(given, c.router.sign(flashCookie, text)) {
		return nil
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	var out []Notice
	if err := json.Unmarshal(body, &out); err != nil {
		return nil
	}
	return out
}

func (r *Router) sign(purpose, text string) []byte {
	m := hmac.New(sha256.New, r.opt.Key)
	m.Write([]byte(purpose + "\x00" + text))
	return m.Sum(nil)
}

// setCookie sets or (maxAge < 0) drops a cookie of the whole site.
func (c *Context) setCookie(name, value string, maxAge int) {
	kept := c.Writer.Header()["Set-Cookie"]
	c.Writer.Header().Del("Set-Cookie")
	for _, line := range kept {
		if !strings.HasPrefix(line, name+"=") {
			c.Writer.Header().Add("Set-Cookie", line)
		}
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure: c.router.secure || c.Request.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}
