package ui

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func documentTitle(c *Context, title string) string {
	parts := []string{title}
	if name := c.Visitor.Establishment.Name; name != "" {
		parts = append(parts, name)
	}
	return strings.Join(append(parts, c.Loc.T("ui.app")), " · ")
}

func colorScheme(t Theme) string {
	if t == Auto {
		return "light dark"
	}
	return string(t)
}

func pressed(yes bool) string { return strconv.FormatBool(yes) }

func current(yes bool) string {
	if yes {
		return "page"
	}
	return "false"
}

// returnPath is the page shown, without the ?lang that would win over the cookie.
func returnPath(c *Context) string {
	if c.Request.Method != http.MethodGet {
		return "/"
	}
	u := *c.Request.URL
	q := u.Query()
	q.Del("lang")
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

func withReturn(path string, c *Context) string {
	return path + "?suite=" + url.QueryEscape(returnPath(c))
}

// failureTitle is the title of a status; those without one of their own are
// told as an internal error.
func failureTitle(c *Context, status int) string {
	switch status {
	case http.StatusForbidden:
		return c.Loc.T("ui.fail.title.403")
	case http.StatusNotFound:
		return c.Loc.T("ui.fail.title.404")
	case http.StatusMethodNotAllowed:
		return c.Loc.T("ui.fail.title.405")
	case http.StatusConflict:
		return c.Loc.T("ui.fail.title.409")
	case http.StatusRequestEntityTooLarge:
		return c.Loc.T("ui.fail.title.413")
	case http.StatusUnprocessableEntity:
		return c.Loc.T("ui.fail.title.422")
	case http.StatusTooManyRequests:
		return c.Loc.T("ui.fail.title.429")
	case http.StatusServiceUnavailable:
		return c.Loc.T("ui.fail.title.503")
	}
	return c.Loc.T("ui.fail.title.500")
}

// colourOf lets only "#rrggbb" through: the colour of an establishment is typed
// by a person.
func colourOf(text string) string {
	if len(text) != 7 || text[0] != '#' {
		return "#64748b"
	}
	if _, err := strconv.ParseUint(text[1:], 16, 32); err != nil {
		return "#64748b"
	}
	return text
}
