package email

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText reads an HTML mail as a person would: block elements end lines,
// what mail programs mark as quotation is left out. It never builds a tree, so
// that a thousand nested tables cost nothing.
func htmlText(source string) string {
	r := htmlReader{tokens: html.NewTokenizer(strings.NewReader(source))}
	r.tokens.SetMaxBuf(maxTextBytes)
	for r.step() {
	}
	return r.out.String()
}

type htmlReader struct {
	tokens *html.Tokenizer
	out    strings.Builder
	// skip is the element being left out and how many of its name are open.
	skip  atom.Atom
	depth int
}

// step reads one token; false at the end, or where the quotation starts.
func (r *htmlReader) step() bool {
	switch r.tokens.Next() {
	case html.ErrorToken:
		return false
	case html.TextToken:
		if r.skip == 0 {
			r.out.WriteString(oneSpaced(string(r.tokens.Text())))
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		return r.start()
	case html.EndTagToken:
		name, _ := r.tokens.TagName()
		tag := atom.Lookup(name)
		if r.skip != 0 {
			if tag == r.skip {
				r.depth--
			}
			if r.depth == 0 {
				r.skip = 0
			}
			return true
		}
		r.breakLine(tag)
	}
	return true
}

func (r *htmlReader) start() bool {
	token := r.tokens.Token()
	tag := token.DataAtom
	if r.skip != 0 {
		if tag == r.skip && token.Type == html.StartTagToken {
			r.depth++
		}
		return true
	}
	if opensQuote(token) {
		// Everything below is the original; the text above is the answer.
		return false
	}
	if token.Type == html.StartTagToken && (isSilent(tag) || tag == atom.Blockquote || isSignatureBlock(token)) {
		r.skip, r.depth = tag, 1
		if tag == atom.Blockquote {
			r.out.WriteString("\n")
		}
		return true
	}
	r.breakLine(tag)
	return true
}

func (r *htmlReader) breakLine(tag atom.Atom) {
	switch tag {
	case atom.Br, atom.P, atom.Div, atom.Li, atom.Tr, atom.H1, atom.H2, atom.H3, atom.H4, atom.Table, atom.Ul, atom.Ol, atom.Hr, atom.Section, atom.Article:
		r.out.WriteString("\n")
	}
}

func isSilent(tag atom.Atom) bool {
	return tag == atom.Style || tag == atom.Script || tag == atom.Head || tag == atom.Title || tag == atom.Template || tag == atom.Noscript
}

// opensQuote knows how mail programs mark where the original begins.
func opensQuote(t html.Token) bool {
	for _, a := range t.Attr {
		value := strings.ToLower(a.Val)
		switch a.Key {
		case "id":
			if value == "divrplyfwdmsg" || value == "appendonsend" || value == "mail-editor-reference-message-container" || value == "stopspelling" {
				return true
			}
		case "class":
			for class := range strings.FieldsSeq(value) {
				switch class {
				case "gmail_quote", "gmail_quote_container", "gmail_extra", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "zmail_extra", "moz-forward-container":
					return true
				}
			}
		case "style":
			// Outlook for Windows draws a line above the headers it quotes.
			if strings.Contains(strings.ReplaceAll(value, " ", ""), "border-top:solid#e1e1e1") ||
				strings.Contains(strings.ReplaceAll(value, " ", ""), "border-top:solid#b5c4df") {
				return true
			}
		}
	}
	return false
}

func isSignatureBlock(t html.Token) bool {
	for _, a := range t.Attr {
		value := strings.ToLower(a.Val)
		if (a.Key == "class" || a.Key == "id") &&
			(strings.Contains(value, "gmail_signature") || strings.Contains(value, "moz-signature") ||
				value == "signature" || value == "ms-outlook-mobile-signature") {
			return true
		}
	}
	return false
}

// oneSpaced folds white space as a browser does.
func oneSpaced(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	if space {
		b.WriteByte(' ')
	}
	return b.String()
}
