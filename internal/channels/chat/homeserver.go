package chat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/web"
)

// said is what a homeserver answered; code is its error, as M_FORBIDDEN.
type said struct {
	web.Answer
	code string
	wait time.Duration
}

// read reads an answer that is a success.
func (a said) read(into any) bool {
	return a.Err == nil && !a.Over && a.Status >= 200 && a.Status < 300 && json.Unmarshal([]byte(a.Text), into) == nil
}

// detail is what is kept of an error: its code, never its text, which may name people.
func (a said) detail() string {
	if a.code == "" {
		return http.StatusText(a.Status)
	}
	return a.code
}

func (c *matrix) get(ctx context.Context, path string, query url.Values) said {
	return c.ask(ctx, c.client, http.MethodGet, path, query, nil)
}

func (c *matrix) put(ctx context.Context, path string, content any) said {
	return c.ask(ctx, c.client, http.MethodPut, path, nil, content)
}

func (c *matrix) post(ctx context.Context, path string, content any) said {
	return c.ask(ctx, c.client, http.MethodPost, path, nil, content)
}

func (c *matrix) ask(ctx context.Context, by *web.Client, method, path string, query url.Values, content any) said {
	r := web.Request{Method: method, URL: c.server + "/_matrix/client/v3" + path, ContentType: "application/json", Header: []web.Pair{{Name: "Authorization", Value: "Bearer " + c.token}}}
	if len(query) > 0 {
		r.URL += "?" + query.Encode()
	}
	if content != nil {
		text, err := json.Marshal(content)
		if err != nil {
			return said{Answer: web.Answer{Err: err}}
		}
		r.Body = string(text)
	}
	a := said{Answer: by.Ask(ctx, r)}
	if a.Err == nil && a.Status >= 300 {
		var trouble struct {
			Code string  `json:"errcode"`
			Wait float64 `json:"retry_after_ms"`
		}
		if json.Unmarshal([]byte(a.Text), &trouble) == nil {
			a.code, a.wait = errorCode(trouble.Code), time.Duration(min(max(trouble.Wait, 0), 300_000))*time.Millisecond
		}
	}
	return a
}

// errorCode keeps what looks like the code of an error.
func errorCode(s string) string {
	if len(s) > 64 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return s
}

// outcome is the truth about an answer that is no success (client–server API,
// « Standard error response »).
func (c *matrix) outcome(a said) channels.Outcome {
	out := channels.Judged(a.verdict(), a.Answer, c.now())
	out.Detail = a.detail()
	if a.verdict() == web.Throttled && a.wait > 0 && a.Header.Get("Retry-After") == "" {
		out.RetryAfter = max(a.wait, time.Millisecond)
	}
	return out
}

func (a said) verdict() web.Verdict {
	switch a.code {
	case "M_LIMIT_EXCEEDED":
		return web.Throttled
	case "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN":
		return web.Auth
	case "M_USER_DEACTIVATED", "M_USER_SUSPENDED", "M_USER_LOCKED", "M_RESOURCE_LIMIT_EXCEEDED", "M_CONSENT_NOT_GIVEN":
		return web.Suspended
	case "M_TOO_LARGE", "M_BAD_JSON", "M_NOT_JSON", "M_INVALID_PARAM":
		return web.Rejected
	case "M_FORBIDDEN":
		return web.Blocked
	case "M_UNRECOGNIZED": // what answers is no homeserver, or an old one
		return web.Down
	}
	if v := web.Usual(a.Status); v != web.Suspended {
		return v
	}
	return web.Later
}

// account is the one whose token we have.
func (c *matrix) account(ctx context.Context) (string, channels.Outcome, bool) {
	c.mu.Lock()
	self := c.self
	c.mu.Unlock()
	if self != "" {
		return self, channels.Outcome{}, true
	}
	a := c.get(ctx, "/account/whoami", nil)
	var who struct {
		UserID string `json:"user_id"`
	}
	if !a.read(&who) || !person(who.UserID) {
		return "", c.before(a), false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = who.UserID
	return who.UserID, channels.Outcome{}, true
}

// before is the outcome of a call that comes before the message: whatever became of
// it, the message did not leave.
func (c *matrix) before(a said) channels.Outcome {
	var out channels.Outcome
	if a.Err != nil {
		out = channels.Unanswered(a.Answer)
	} else {
		out = c.outcome(a)
	}
	out.Uncertain = false
	return out
}
