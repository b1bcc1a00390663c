package pdf

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// entry is a bookmark.
type entry struct {
	level  int
	title  string
	page   *page
	y      float64
	ref    ref
	parent *entry
	kids   []*entry
}

// Write ends the document and writes it. It gives the first error met since the
// beginning; a document is written once.
func (d *Document) Write(w io.Writer) error {
	if d.err != nil {
		return fmt.Errorf("pdf: %w", d.err)
	}
	d.settle(0)
	if err := d.furnish(); err != nil {
		return fmt.Errorf("pdf: %w", err)
	}
	o := &objects{}
	catalog, info, tree := o.reserve(), o.reserve(), o.reserve()
	for _, p := range d.pages {
		p.ref = o.reserve()
		for _, l := range p.links {
			l.ref = o.reserve()
		}
	}
	structure := d.writeStructure(o)
	var fonts strings.Builder
	for _, f := range []*face{d.regular, d.bold} {
		if len(f.used) == 0 {
			continue
		}
		r, err := f.embed(o)
		if err != nil {
			return fmt.Errorf("pdf: %w", err)
		}
		fmt.Fprintf(&fonts, "/%s %s", f.name, r)
	}
	if err := d.writePages(o, tree, fonts.String()); err != nil {
		return fmt.Errorf("pdf: %w", err)
	}
	metadata := o.plainStream("/Type/Metadata/Subtype/XML", []byte(d.xmp()))
	o.set(info, d.info())
	o.set(catalog, fmt.Sprintf("<</Type/Catalog/Pages %s/Lang%s/MarkInfo<</Marked true>>/StructTreeRoot %s/ViewerPreferences<</DisplayDocTitle true>>/Metadata %s%s>>",
		tree, literal(d.meta.Language), structure, metadata, d.writeOutline(o)))
	if err := o.write(w, catalog, info); err != nil {
		return fmt.Errorf("pdf: %w", err)
	}
	return nil
}

// writeOutline adds the bookmarks and returns what the catalog says of them.
func (d *Document) writeOutline(o *objects) string {
	if len(d.outline) == 0 {
		return ""
	}
	root := &entry{ref: o.reserve()}
	last := root
	for _, e := range d.outline {
		e.ref = o.reserve()
		parent := last
		for parent != root && parent.level >= e.level {
			parent = parent.parent
		}
		e.parent = parent
		parent.kids = append(parent.kids, e)
		last = e
	}
	o.set(root.ref, fmt.Sprintf("<</Type/Outlines/First %s/Last %s/Count %d>>", root.kids[0].ref, root.kids[len(root.kids)-1].ref, len(d.outline)))
	d.writeEntries(o, root)
	return fmt.Sprintf("/Outlines %s/PageMode/UseOutlines", root.ref)
}

func (d *Document) writeEntries(o *objects, parent *entry) {
	for i, e := range parent.kids {
		var b strings.Builder
		fmt.Fprintf(&b, "<</Title%s/Parent %s/Dest[%s/XYZ null %s null]", text(e.title), parent.ref, e.page.ref, num(d.height-e.y))
		if i > 0 {
			fmt.Fprintf(&b, "/Prev %s", parent.kids[i-1].ref)
		}
		if i+1 < len(parent.kids) {
			fmt.Fprintf(&b, "/Next %s", parent.kids[i+1].ref)
		}
		if n := len(e.kids); n > 0 {
			fmt.Fprintf(&b, "/First %s/Last %s/Count %d", e.kids[0].ref, e.kids[n-1].ref, below(e))
		}
		b.WriteString(">>")
		o.set(e.ref, b.String())
		d.writeEntries(o, e)
	}
}

// below counts the bookmarks under one.
func below(e *entry) int {
	n := len(e.kids)
	for _, k := range e.kids {
		n += below(k)
	}
	return n
}

const producer = "Tocsin"

func (d *Document) info() string {
	date := "(" + pdfDate(d.meta.At) + ")"
	return fmt.Sprintf("<</Title%s/Author%s/Subject%s/Producer(%s)/CreationDate%s/ModDate%[5]s>>",
		text(d.meta.Title), text(d.meta.Author), text(d.meta.Subject), producer, date)
}

func pdfDate(t time.Time) string {
	zone := t.Format("-07:00")
	return "D:" + t.Format("20060102150405") + zone[:3] + "'" + zone[4:] + "'"
}

// xmp says the same to archives and checkers, with the conformance to PDF/UA-1.
func (d *Document) xmp() string {
	date := d.meta.At.Format("2006-01-02T15:04:05-07:00")
	return `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + escaped(d.meta.Title) + `</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>` + escaped(d.meta.Author) + `</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">` + escaped(d.meta.Subject) + `</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>` + escaped(d.meta.Language) + `</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>` + date + `</xmp:CreateDate><xmp:ModifyDate>` + date + `</xmp:ModifyDate>
<pdf:Producer>` + producer + `</pdf:Producer><pdfuaid:part>1</pdfuaid:part>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
