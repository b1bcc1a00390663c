package email

import (
	"bytes"
	"fmt"
	"html/template"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// composer writes messages: text and a sober HTML, nothing remote.
type composer struct {
	from        netmail.Address
	replyDomain string
	domain      string
	catalog     *i18n.Catalog
	page        *template.Template
	// dkim is nil when messages leave unsigned.
	dkim *mail.DKIMSigner
}

// The layout uses style attributes because mail programs drop style sheets.
// There is no image and no font to load: a message opens the same without network.
const page = `<!DOCTYPE html>
<html lang="{{.Language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:16px;background:#ffffff;color:#1a1a1a;font-family:sans-serif;font-size:18px;line-height:1.5">
<main style="max-width:36em">
{{range .Paragraphs}}<p style="margin:0 0 16px">{{range $i, $line := .}}{{if $i}}<br>
{{end}}{{$line}}{{end}}</p>
{{end}}{{if .Link}}<p style="margin:24px 0"><a href="{{.Link}}" style="display:inline-block;padding:16px 32px;background:#00478f;color:#ffffff;font-size:22px;font-weight:bold;text-decoration:none;border-radius:6px">{{.Button}}</a></p>
<p style="margin:0 0 16px;font-size:14px;word-break:break-all">{{.Link}}</p>
{{end}}</main>
</body>
</html>
`

func newComposer(c config) (*composer, error) {
	catalog, err := i18n.Load(Locales)
	if err != nil {
		return nil, fmt.Errorf("load the sentences of e-mail: %w", err)
	}
	t, err := template.New("message").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("parse the layout of e-mail: %w", err)
	}
	out := &composer{
		from:        netmail.Address{Name: c.fromName, Address: c.from},
		replyDomain: c.replyDomain, domain: c.domain(), catalog: catalog, page: t,
	}
	if c.dkim != nil {
		out.dkim = c.dkim.dkimOf()
	}
	return out, nil
}

// compose writes m; the error means that m can never leave.
func (c *composer) compose(m channels.Message, now time.Time) (*mail.Msg, error) {
	to, err := parseAddress(m.To)
	if err != nil {
		return nil, err
	}
	// Quoted-printable leaves only short ASCII lines: no relay on the way can
	// spoil it, with or without 8BITMIME.
	msg := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithNoDefaultUserAgent())
	from := c.from
	msg.FromMailAddress(&from)
	msg.SetAddrHeaderFromMailAddress(mail.HeaderTo, &netmail.Address{Address: to})
	if err := c.returnPaths(msg, m); err != nil {
		return nil, err
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(now)
	msg.SetMessageIDWithValue(messageID(m.ID, c.domain))
	setHeaders(msg, m)
	msg.SetBodyString(mail.TypeTextPlain, normalise(m.Text))
	html, err := c.html(m)
	if err != nil {
		return nil, err
	}
	msg.AddAlternativeString(mail.TypeTextHTML, html)
	if c.dkim != nil {
		msg.SetDKIM(c.dkim)
	}
	return msg, nil
}

// returnPaths sets where bounces and answers go.
func (c *composer) returnPaths(msg *mail.Msg, m channels.Message) error {
	if c.replyDomain == "" {
		return msg.EnvelopeFrom(c.from.Address)
	}
	if err := msg.EnvelopeFrom(bounceAddress(m.ID, c.replyDomain)); err != nil {
		return err
	}
	if !validToken(m.ReplyToken) {
		return nil
	}
	msg.ReplyToMailAddress(&netmail.Address{Name: c.from.Name, Address: replyAddress(m.ReplyToken, c.replyDomain)})
	return nil
}

func setHeaders(msg *mail.Msg, m channels.Message) {
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	// Not "All": that would also suppress the non-delivery reports we live on.
	msg.SetGenHeader("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")
	if !m.Quiet {
		msg.SetImportance(mail.ImportanceHigh)
	}
	if m.Language == string(i18n.English) || m.Language == string(i18n.French) {
		msg.SetGenHeader("Content-Language", m.Language)
	}
	if !m.ExpiresAt.IsZero() {
		at := m.ExpiresAt.UTC().Format(time.RFC1123Z)
		msg.SetGenHeader("Expires", at)
		msg.SetGenHeader("Expiry-Date", at)
	}
}

func (c *composer) html(m channels.Message) (string, error) {
	loc := c.catalog.For(i18n.Language(m.Language))
	view := struct {
		Language, Subject, Link, Button string
		Paragraphs                      [][]string
	}{
		Language: string(loc.Language()), Subject: oneLine(m.Subject), Link: webLink(m.Link),
		Button: loc.T("channels.email.answer"),
	}
	view.Paragraphs = paragraphs(m.Text, view.Link)
	var b bytes.Buffer
	if err := c.page.Execute(&b, view); err != nil {
		return "", fmt.Errorf("write the HTML part: %w", err)
	}
	return b.String(), nil
}

// webLink returns the link when it is one that a button may carry.
func webLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return link
}

// paragraphs cuts a text at its empty lines, without the lines that hold only
// the link: the button shows it.
func paragraphs(text, link string) [][]string {
	var out [][]string
	var current []string
	for line := range strings.SplitSeq(normalise(text)+"\n\n", "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" && len(current) > 0:
			out, current = append(out, current), nil
		case line == "" || line == link:
		default:
			current = append(current, line)
		}
	}
	return out
}

// normalise leaves LF line ends, valid UTF-8, and no control character but
// line ends and tabs.
func normalise(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
