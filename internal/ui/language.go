package ui

import (
	"net/http"
	"slices"

	"tocsin/internal/i18n"
)

const (
	languageCookie = "tocsin_langue"
	themeCookie    = "tocsin_theme"
	aYear          = 365 * 24 * 3600
)

// chosenLanguage is ?lang, else the cookie, else what the browser prefers.
func chosenLanguage(r *http.Request) i18n.Language {
	if lang, ok := knownLanguage(r.URL.Query().Get("lang")); ok {
		return lang
	}
	if cookie, err := r.Cookie(languageCookie); err == nil {
		if lang, ok := knownLanguage(cookie.Value); ok {
			return lang
		}
	}
	return i18n.Negotiate(r.Header.Get("Accept-Language"))
}

func knownLanguage(text string) (i18n.Language, bool) {
	lang := i18n.Language(text)
	return lang, slices.Contains(i18n.Languages(), lang)
}

func chosenTheme(r *http.Request) Theme {
	cookie, err := r.Cookie(themeCookie)
	if err != nil {
		return Auto
	}
	return knownTheme(cookie.Value)
}

func knownTheme(text string) Theme {
	if t := Theme(text); t == Light || t == Dark {
		return t
	}
	return Auto
}

// ownRoutes are the few pages that belong to the frame itself.
func (r *Router) ownRoutes() {
	r.Post("/preferences/theme", Public, setTheme)
	r.Post("/preferences/langue", Public, setLanguage)
	if r.opt.Frame.Search != nil {
		r.Get("/recherche", SignedIn, r.search)
	}
	if r.opt.StyleGuide {
		r.Get("/styleguide", Public, styleGuide)
		r.Post("/styleguide", Public, styleGuide)
		r.Get("/styleguide/{cadre}", Public, styleGuideFrame)
	}
}

func setTheme(c *Context) error {
	if theme := knownTheme(c.FormValue("theme")); theme != Auto {
		c.setCookie(themeCookie, string(theme), aYear)
	} else {
		c.setCookie(themeCookie, "", -1)
	}
	return c.Redirect(LocalPath(c.FormValue("retour"), "/"))
}

func setLanguage(c *Context) error {
	if lang, ok := knownLanguage(c.FormValue("langue")); ok {
		c.setCookie(languageCookie, string(lang), aYear)
	}
	return c.Redirect(LocalPath(c.FormValue("retour"), "/"))
}
