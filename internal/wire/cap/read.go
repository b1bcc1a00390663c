package cap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Why something is refused.
var (
	ErrUnreadable = errors.New("cap: not XML in UTF-8")
	ErrDocType    = errors.New("cap: a document type or an instruction")
	ErrDeep       = errors.New("cap: too deep or too many elements")
	ErrNamespace  = errors.New("cap: not an alert of CAP 1.2")
	ErrTwice      = errors.New("cap: something is said twice")
	ErrInvalid    = errors.New("cap: a value the protocol does not allow")
)

// The limits of what is read.
const (
	deepest  = 12
	elements = 20_000
)

// survey reads the tokens of a document before anything of it is believed: no
// document type (entities are declared there), no instruction, nothing deep.
// It gives the root.
func survey(body []byte) (root xml.Name, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	once := map[string]bool{}
	depth, n := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && root.Local != "" {
			return root, nil
		}
		if err != nil {
			return root, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return root, ErrDocType
		case xml.ProcInst:
			if t.Target != "xml" {
				return root, ErrDocType
			}
		case xml.StartElement:
			if depth, n = depth+1, n+1; depth > deepest || n > elements {
				return root, ErrDeep
			}
			if depth == 1 && root.Local != "" {
				return root, ErrUnreadable // two roots
			}
			if depth == 1 {
				root = t.Name
			}
			if depth == 2 && t.Name.Space == Namespace && t.Name.Local != "info" && t.Name.Local != "code" {
				if once[t.Name.Local] {
					return root, fmt.Errorf("%w: %s", ErrTwice, t.Name.Local)
				}
				once[t.Name.Local] = true
			}
		case xml.EndElement:
			depth--
		}
	}
}

// raw is a message as it is written.
type raw struct {
	Identifier string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 identifier"`
	Sender     string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 sender"`
	Sent       string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 sent"`
	Status     string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 status"`
	Kind       string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 msgType"`
	Scope      string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 scope"`
	Note       string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 note"`
	References string    `xml:"urn:oasis:names:tc:emergency:cap:1.2 references"`
	Infos      []rawInfo `xml:"urn:oasis:names:tc:emergency:cap:1.2 info"`
}

type rawInfo struct {
	Language    string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 language"`
	Categories  []string `xml:"urn:oasis:names:tc:emergency:cap:1.2 category"`
	Event       string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 event"`
	Responses   []string `xml:"urn:oasis:names:tc:emergency:cap:1.2 responseType"`
	Urgency     string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 urgency"`
	Severity    string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 severity"`
	Certainty   string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 certainty"`
	Onset       string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 onset"`
	Expires     string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 expires"`
	SenderName  string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 senderName"`
	Headline    string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 headline"`
	Description string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 description"`
	Instruction string   `xml:"urn:oasis:names:tc:emergency:cap:1.2 instruction"`
	Areas       []struct {
		Description string `xml:"urn:oasis:names:tc:emergency:cap:1.2 areaDesc"`
		Geocodes    []struct {
			Name  string `xml:"urn:oasis:names:tc:emergency:cap:1.2 valueName"`
			Value string `xml:"urn:oasis:names:tc:emergency:cap:1.2 value"`
		} `xml:"urn:oasis:names:tc:emergency:cap:1.2 geocode"`
	} `xml:"urn:oasis:names:tc:emergency:cap:1.2 area"`
}

// Parse reads a message. Errors: those above, with what it was about.
func Parse(body []byte) (Alert, error) {
	root, err := survey(body)
	if err != nil {
		return Alert{}, err
	}
	if root.Space != Namespace || root.Local != "alert" {
		return Alert{}, ErrNamespace
	}
	var in raw
	if err := xml.Unmarshal(body, &in); err != nil {
		return Alert{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return in.alert()
}

func (in raw) alert() (a Alert, err error) {
	a = Alert{
		Identifier: trim(in.Identifier), Sender: trim(in.Sender), Status: trim(in.Status), Kind: trim(in.Kind), Scope: trim(in.Scope), Note: trim(in.Note),
	}
	if a.Sent, err = instant(in.Sent); err != nil {
		return a, err
	}
	for text := range strings.FieldsSeq(in.References) {
		parts := strings.Split(text, ",")
		if len(parts) != 3 {
			return a, fmt.Errorf("%w: references", ErrInvalid)
		}
		at, err := instant(parts[2])
		if err != nil {
			return a, err
		}
		a.References = append(a.References, Reference{parts[0], parts[1], at})
	}
	for _, i := range in.Infos {
		info, err := i.info()
		if err != nil {
			return a, err
		}
		a.Infos = append(a.Infos, info)
	}
	return a, a.check()
}

func (in rawInfo) info() (i Info, err error) {
	i = Info{
		Language: trim(in.Language), Event: trim(in.Event), Urgency: trim(in.Urgency), Severity: trim(in.Severity), Certainty: trim(in.Certainty),
		SenderName: trim(in.SenderName), Headline: trim(in.Headline), Description: trim(in.Description), Instruction: trim(in.Instruction),
	}
	for _, c := range in.Categories {
		i.Categories = append(i.Categories, trim(c))
	}
	for _, r := range in.Responses {
		i.Responses = append(i.Responses, trim(r))
	}
	for text, at := range map[string]*time.Time{in.Onset: &i.Onset, in.Expires: &i.Expires} {
		if trim(text) == "" {
			continue
		}
		if *at, err = instant(text); err != nil {
			return i, err
		}
	}
	for _, area := range in.Areas {
		out := Area{Description: trim(area.Description)}
		for _, g := range area.Geocodes {
			out.Geocodes = append(out.Geocodes, Geocode{trim(g.Name), trim(g.Value)})
		}
		i.Areas = append(i.Areas, out)
	}
	return i, nil
}

func trim(text string) string { return strings.TrimSpace(text) }

// instant reads a time: RFC 3339 also when a sender writes Z, against the standard.
func instant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, trim(text))
	if err != nil {
		return t, fmt.Errorf("%w: a time", ErrInvalid)
	}
	return t, nil
}

// check holds a message to the rules of § 3.2.
func (a Alert) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrInvalid, what) }
	for what, text := range map[string]string{"identifier": a.Identifier, "sender": a.Sender} {
		if text == "" || len(text) > 200 || strings.ContainsAny(text, " ,<&\t\n") {
			return bad(what)
		}
	}
	switch {
	case a.Sent.IsZero():
		return bad("sent")
	case !slices.Contains(Statuses(), a.Status):
		return bad("status")
	case !slices.Contains(Kinds(), a.Kind):
		return bad("msgType")
	case !slices.Contains(Scopes(), a.Scope):
		return bad("scope")
	case len(a.Infos) > 20 || len(a.References) > 200:
		return ErrDeep
	case (a.Kind == Updating || a.Kind == Canceling) && len(a.References) == 0:
		return bad("references")
	}
	for _, i := range a.Infos {
		if err := i.check(); err != nil {
			return err
		}
	}
	return nil
}

func (i Info) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrInvalid, what) }
	switch {
	case len(i.Categories) == 0 || slices.ContainsFunc(i.Categories, func(c string) bool { return !slices.Contains(Categories(), c) }):
		return bad("category")
	case slices.ContainsFunc(i.Responses, func(r string) bool { return !slices.Contains(Responses(), r) }):
		return bad("responseType")
	case i.Event == "":
		return bad("event")
	case !slices.Contains(Urgencies(), i.Urgency):
		return bad("urgency")
	case !slices.Contains(Severities(), i.Severity):
		return bad("severity")
	case !slices.Contains(Certainties(), i.Certainty):
		return bad("certainty")
	case slices.ContainsFunc(i.Areas, func(a Area) bool { return a.Description == "" }):
		return bad("areaDesc")
	}
	return nil
}
