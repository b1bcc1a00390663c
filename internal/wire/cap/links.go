package cap

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Links gives the addresses of the messages that a feed leads to, as they are
// written, in the order of the feed: Atom, or RSS 2.0. A link that says it is a
// CAP message goes before others of its entry. alone tells that the document is
// itself a message. Errors: those of Parse; ErrNamespace for any other document.
func Links(body []byte) (links []string, alone bool, err error) {
	root, err := survey(body)
	if err != nil {
		return nil, false, err
	}
	switch {
	case root.Space == Namespace && root.Local == "alert":
		return nil, true, nil
	case root.Space == "http://www.w3.org/2005/Atom" && root.Local == "feed":
		links, err = atomLinks(body)
		return links, false, err
	case root.Local == "rss":
		links, err = rssLinks(body)
		return links, false, err
	}
	return nil, false, ErrNamespace
}

func atomLinks(body []byte) (out []string, err error) {
	var in struct {
		Entries []struct {
			Links []struct {
				Rel  string `xml:"rel,attr"`
				Kind string `xml:"type,attr"`
				Href string `xml:"href,attr"`
			} `xml:"http://www.w3.org/2005/Atom link"`
		} `xml:"http://www.w3.org/2005/Atom entry"`
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	for _, e := range in.Entries {
		best := ""
		for _, l := range e.Links {
			said := strings.HasPrefix(l.Kind, MediaType)
			if href := trim(l.Href); href != "" && (said || best == "" && (l.Rel == "" || l.Rel == "alternate")) {
				best = href
				if said {
					break
				}
			}
		}
		if best != "" {
			out = append(out, best)
		}
	}
	return out, nil
}

func rssLinks(body []byte) (out []string, err error) {
	var in struct {
		Items []struct {
			Link string `xml:"link"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	for _, i := range in.Items {
		if link := trim(i.Link); link != "" {
			out = append(out, link)
		}
	}
	return out, nil
}
