package cap_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/wire/cap"
)

func sample() cap.Alert {
	at := time.Date(2026, 11, 30, 4, 0, 0, 0, time.FixedZone("", 3600))
	info := cap.Info{
		Language: "fr-FR", Categories: []string{"Health", "Infra"}, Event: "Panne & <repli>", Responses: []string{"Monitor"}, Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
		Onset: at, Expires: at.Add(6 * time.Hour), SenderName: "CHU de Valbrume", Headline: "Panne électrique", Description: "Les urgences restent ouvertes.", Instruction: "Appelez le 15.",
		Areas: []cap.Area{{Description: "Valbrume", Geocodes: []cap.Geocode{{Name: "INSEE", Value: "59999"}}}},
	}
	english := info
	english.Language, english.Headline = "en-GB", "Power cut"
	return cap.Alert{
		Identifier: "a-1", Sender: "x@tocsin.example", Sent: at, Status: cap.Actual, Kind: cap.Updating, Scope: "Public",
		References: []cap.Reference{{Sender: "x@tocsin.example", Identifier: "a-0", Sent: at.Add(-time.Hour)}}, Infos: []cap.Info{info, english},
	}
}

// valid asks the schema of OASIS.
func valid(t *testing.T, body []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.xml")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", "testdata/CAP-v1.2.xsd", path).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}

func TestWhatIsWrittenIsValidAndReadBack(t *testing.T) {
	t.Parallel()
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -4*3600)} {
		a := sample()
		a.Sent = a.Sent.In(zone)
		body, err := a.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, body); err != nil {
			t.Errorf("in %v: %v", zone, err)
		}
		back, err := cap.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Sent.Equal(a.Sent) || back.Identifier != a.Identifier || !slices.EqualFunc(back.References, a.References, func(x, y cap.Reference) bool { return x.String() == y.String() }) ||
			back.In("fr").Event != "Panne & <repli>" || back.In("en").Headline != "Power cut" || !back.Expires().Equal(a.Expires()) || back.Infos[0].Areas[0].Geocodes[0].Value != "59999" {
			t.Errorf("read back as %+v", back)
		}
	}
	bare := cap.Alert{Identifier: "b", Sender: "s", Sent: time.Now(), Status: cap.Test, Kind: cap.Alerting, Scope: "Private", Infos: sample().Infos[:1]}
	bare.Infos[0].Description = "lettre interdite \x01 \uFFFE"
	body, err := bare.Marshal()
	if err == nil {
		err = valid(t, body)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestWhatTheProtocolDoesNotAllowIsNotWritten(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*cap.Alert){
		"a space in the identifier": func(a *cap.Alert) { a.Identifier = "a b" },
		"a comma in the sender":     func(a *cap.Alert) { a.Sender = "a,b" },
		"no time":                   func(a *cap.Alert) { a.Sent = time.Time{} },
		"a status of ours":          func(a *cap.Alert) { a.Status = "Réel" },
		"an update of nothing":      func(a *cap.Alert) { a.References = nil },
		"no category":               func(a *cap.Alert) { a.Infos[0].Categories = nil },
		"a severity of ours":        func(a *cap.Alert) { a.Infos[0].Severity = "Grave" },
		"an area without a word":    func(a *cap.Alert) { a.Infos[0].Areas[0].Description = "" },
	} {
		a := sample()
		spoil(&a)
		if _, err := a.Marshal(); !errors.Is(err, cap.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	good, err := sample().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"an entity of a file":        {strings.Replace(text, "<alert", `<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert`, 1), cap.ErrDocType},
		"a billion laughs":           {`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><alert xmlns="` + cap.Namespace + `">&b;</alert>`, cap.ErrDocType},
		"an entity never declared":   {strings.Replace(text, "Valbrume", "&x;", 1), cap.ErrUnreadable},
		"a document type of outside": {strings.Replace(text, "<alert", `<!DOCTYPE alert SYSTEM "http://evil.example/a.dtd"><alert`, 1), cap.ErrDocType},
		"a style sheet":              {strings.Replace(text, "<alert", `<?xml-stylesheet href="http://evil.example"?><alert`, 1), cap.ErrDocType},
		"another encoding":           {strings.Replace(text, "UTF-8", "UTF-16", 1), cap.ErrUnreadable},
		"version 1.1":                {strings.Replace(text, "cap:1.2", "cap:1.1", 1), cap.ErrNamespace},
		"no namespace":               {strings.Replace(text, ` xmlns="`+cap.Namespace+`"`, "", 1), cap.ErrNamespace},
		"two identifiers":            {strings.Replace(text, "<sender>", "<identifier>other</identifier><sender>", 1), cap.ErrTwice},
		"depth":                      {`<alert xmlns="` + cap.Namespace + `">` + strings.Repeat("<a>", 5000), cap.ErrDeep},
		"elements":                   {`<alert xmlns="` + cap.Namespace + `">` + strings.Repeat("<info/>", 30_000) + `</alert>`, cap.ErrDeep},
		"two roots":                  {text + text[strings.Index(text, "<alert"):], cap.ErrUnreadable},
		"half of one":                {text[:len(text)/2], cap.ErrUnreadable},
		"nothing":                    {"", cap.ErrUnreadable},
		"a page":                     {"<html><body>Erreur 500</body></html>", cap.ErrNamespace},
		"a day without an hour":      {strings.Replace(text, "T04:00:00+01:00", "", 1), cap.ErrInvalid},
		"references of two parts":    {strings.Replace(text, "x@tocsin.example,a-0,", "a-0,", 1), cap.ErrInvalid},
	} {
		if _, err := cap.Parse([]byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, _, err := cap.Links([]byte(c.body)); err == nil && c.want != cap.ErrInvalid {
			t.Errorf("%s passes as a feed", name)
		}
	}
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	body := cap.Feed("Alertes & co", "CHU", "https://t.example/cap/x", at, []cap.Entry{{ID: "urn:uuid:1", Title: "A<B", Link: "https://t.example/cap/x/1?a=b&c", Updated: at}})
	links, alone, err := cap.Links(body)
	if err != nil || alone || !slices.Equal(links, []string{"https://t.example/cap/x/1?a=b&c"}) {
		t.Errorf("our own feed reads as %v, %v, %v", links, alone, err)
	}
	links, _, err = cap.Links([]byte(`<rss version="2.0"><channel><link>https://page.example</link><item><link> https://a.example/1.xml </link></item><item/></channel></rss>`))
	if err != nil || !slices.Equal(links, []string{"https://a.example/1.xml"}) {
		t.Errorf("RSS reads as %v, %v", links, err)
	}
	links, _, err = cap.Links([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="edit" href="no"/><link href="page"/><link type="application/cap+xml" href="cap"/></entry></feed>`))
	if err != nil || !slices.Equal(links, []string{"cap"}) {
		t.Errorf("the CAP link is %v, %v", links, err)
	}
	one, err := sample().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, alone, err = cap.Links(one); err != nil || !alone {
		t.Errorf("a message alone: %v, %v", alone, err)
	}
}

func FuzzParse(f *testing.F) {
	one, err := sample().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(one)
	f.Add([]byte(`<!DOCTYPE a><alert/>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := cap.Parse(body)
		if err != nil {
			return
		}
		again, err := a.Marshal()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := cap.Parse(again); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, again)
		}
	})
}
