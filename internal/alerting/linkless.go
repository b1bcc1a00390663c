package alerting

import (
	"regexp"
	"slices"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
)

// linkWords are the words that lead to a link and mean nothing without it.
var linkWords = regexp.MustCompile(`(?i)[ ,:\x{a0}\x{202f}]*(?:\b(?:ou|or|via|sur|par|ici|here|at|on)\b[ :]*)?\{lien\}`)

// linkless is a text for the time when nobody outside can open our links: the
// link goes, and the answers are asked for by SMS, unless the text asks for them
// already.
func (d Definition) linkless(t Text, body string) string {
	if !strings.Contains(body, linkPlaceholder) {
		return body
	}
	body = linkWords.ReplaceAllString(body, "")
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " :,-–")
	}
	body = strings.TrimSpace(strings.Join(lines, "\n"))
	ask := d.askBySMS(t, body)
	if ask == "" {
		return body
	}
	if body != "" && !strings.ContainsAny(body[len(body)-1:], ".!?\n") {
		body += "."
	}
	return strings.TrimSpace(body + " " + ask)
}

// askBySMS asks for the keys of the answers; empty for what asks nothing.
func (d Definition) askBySMS(t Text, body string) string {
	if len(d.Answers) == 0 || !slices.Contains([]Use{UseAlert, UseReminder, UseProgress, UseKeptBack, UseRelief}, t.Use) || (t.Medium == channels.SMS || t.Medium == channels.Chat) && d.asksAlready(body) {
		return ""
	}
	keys := make([]string, len(d.Answers))
	for i, a := range d.Answers {
		keys[i] = a.Key + " " + a.Label.In(t.Language)
	}
	list := strings.Join(keys, ", ")
	var ask string
	switch {
	case t.Language == "en" && t.Medium == channels.SMS:
		ask = "Reply by SMS: " + list + "."
	case t.Language == "en" && t.Medium == channels.Chat:
		ask = "Reply here: " + list + "."
	case t.Language == "en":
		ask = "Our links are out of order: reply by SMS, to the message you received: " + list + "."
	case t.Medium == channels.SMS:
		ask = "Répondez par SMS : " + list + "."
	case t.Medium == channels.Chat:
		ask = "Répondez ici : " + list + "."
	default:
		ask = "Nos liens ne fonctionnent pas : répondez par SMS, au message reçu : " + list + "."
	}
	if t.Medium == channels.SMS && gsm.Count(body).Encoding == gsm.GSM7 {
		return gsm.Plain(ask) // one more letter must not double the segments
	}
	return ask
}

// asksAlready tells whether a text names the first two keys, as in "Rép 1 oui 2 non".
func (d Definition) asksAlready(body string) bool {
	if len(d.Answers) < 2 {
		return false
	}
	first := regexp.MustCompile(`\b` + regexp.QuoteMeta(d.Answers[0].Key) + `\b.*\b` + regexp.QuoteMeta(d.Answers[1].Key) + `\b`)
	return first.MatchString(body)
}
