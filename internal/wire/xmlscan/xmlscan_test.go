package xmlscan_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tocsin/internal/wire/xmlscan"
)

func walk(s string) (string, error) {
	var x xmlscan.Scanner
	x.Reset(s)
	var out strings.Builder
	for {
		switch x.Next() {
		case xmlscan.Done:
			return out.String(), x.Err()
		case xmlscan.Start:
			fmt.Fprintf(&out, "<%s", x.Name())
			for _, a := range x.Attrs() {
				fmt.Fprintf(&out, " %s=%s", a.Name, a.Value)
			}
			out.WriteString(">")
		case xmlscan.End:
			fmt.Fprintf(&out, "</%s>", x.Name())
		case xmlscan.Text:
			out.WriteString(x.Text())
		}
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in, want string
		err      error
	}{
		{"\ufeff<?xml version=\"1.0\"?>\n<!-- a --><n:a xmlns:n='u' b=\"1\" n:c='&lt;&#233;&#x20AC;'><d/>é &amp; <![CDATA[<x>]]></n:a >", "<a b=1 c=<é€><d></d>é & <x></a>", nil},
		{"<a>", "<a>", xmlscan.ErrCut},
		{"<a", "", xmlscan.ErrCut},
		{"<a b='", "", xmlscan.ErrCut},
		{"", "", xmlscan.ErrCut},
		{"<a></b>", "<a>", xmlscan.ErrSyntax},
		{"</a>", "", xmlscan.ErrSyntax},
		{"text", "", xmlscan.ErrSyntax},
		{"<a b=1/>", "", xmlscan.ErrSyntax},
		{"<a b='<'/>", "", xmlscan.ErrSyntax},
		{"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "", xmlscan.ErrDoctype},
		{"<a>&b;</a>", "<a>", xmlscan.ErrDoctype},
		{"<a>&#x110000;</a>", "<a>", xmlscan.ErrDoctype},
		{"<a>&#0;</a>", "<a>\ufffd</a>", nil},
		{strings.Repeat("<a>", 65), strings.Repeat("<a>", 64), xmlscan.ErrDeep},
		{"<a" + strings.Repeat(" b='1'", 65) + "/>", "", xmlscan.ErrDeep},
		{"<!--", "", xmlscan.ErrCut},
		{"<a/><b/>", "<a></a><b></b>", nil},
	}
	for _, c := range cases {
		got, err := walk(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%.60q: %q, %v", c.in, got, err)
		}
	}
}

func TestSkipAndContent(t *testing.T) {
	t.Parallel()
	var x xmlscan.Scanner
	x.Reset("<a><b>1<c>2</c></b><d> 3<e>4</e>5 </d></a>")
	x.Next()
	x.Next()
	x.Skip()
	if x.Next() != xmlscan.Start || x.Name() != "d" || x.Content() != " 35 " {
		t.Error(x.Name(), x.Err())
	}
	if x.Next() != xmlscan.End || x.Next() != xmlscan.Done || x.Err() != nil {
		t.Error(x.Err())
	}
}

// FuzzWalk holds our reading against the standard library's: what both accept,
// both read alike.
func FuzzWalk(f *testing.F) {
	f.Add("<?xml version=\"1.0\"?><n:a b=\"1\" c='&lt;&#233;'><d/>é &amp; <![CDATA[<x>]]></n:a >")
	f.Add("<a><b></a></b>")
	f.Fuzz(func(t *testing.T, s string) {
		_, err := walk(s)
		if err != nil {
			return
		}
		var x xmlscan.Scanner
		x.Reset(s)
		d := xml.NewDecoder(strings.NewReader(s))
		var theirs, ours []string
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			if start, ok := token.(xml.StartElement); ok {
				theirs = append(theirs, start.Name.Local)
			}
		}
		for k := x.Next(); k != xmlscan.Done; k = x.Next() {
			if k == xmlscan.Start {
				ours = append(ours, x.Name())
			}
		}
		if fmt.Sprint(ours) != fmt.Sprint(theirs) && !strings.Contains(s, ":") {
			t.Fatalf("%q: %q, and they read %q", s, ours, theirs)
		}
	})
}
