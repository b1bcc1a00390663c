package pdf

import (
	"fmt"
	"strings"
)

// element is a node of the structure tree: what a screen reader walks.
type element struct {
	kind   string // the standard type: "P", "TH"
	parent *element
	kids   []kid
	alt    string
	attrs  string // the attribute dictionaries, ready to write
	ref    ref
}

// kid is one of: an element, marked content of a page, a link annotation.
type kid struct {
	child *element
	page  *page
	mark  int
	link  *link
}

func (e *element) add(kind string) *element {
	child := &element{kind: kind, parent: e}
	e.kids = append(e.kids, kid{child: child})
	return child
}

// number reserves an object for each element, in reading order.
func (e *element) number(o *objects) {
	e.ref = o.reserve()
	for _, k := range e.kids {
		if k.child != nil {
			k.child.number(o)
		}
	}
}

// write sets the dictionaries of the element and of those below.
func (e *element) write(o *objects, parent ref) {
	var b strings.Builder
	fmt.Fprintf(&b, "<</S/%s/P %s", e.kind, parent)
	first := e.firstPage()
	if first != nil {
		fmt.Fprintf(&b, "/Pg %s", first.ref)
	}
	if e.alt != "" {
		b.WriteString("/Alt" + text(e.alt))
	}
	if e.attrs != "" {
		b.WriteString("/A" + e.attrs)
	}
	b.WriteString("/K[")
	for _, k := range e.kids {
		switch {
		case k.child != nil:
			fmt.Fprintf(&b, "%s ", k.child.ref)
			k.child.write(o, e.ref)
		case k.link != nil:
			fmt.Fprintf(&b, "<</Type/OBJR/Pg %s/Obj %s>> ", k.link.page.ref, k.link.ref)
		case k.page == first:
			fmt.Fprintf(&b, "%d ", k.mark)
		default:
			fmt.Fprintf(&b, "<</Type/MCR/Pg %s/MCID %d>> ", k.page.ref, k.mark)
		}
	}
	b.WriteString("]>>")
	o.set(e.ref, b.String())
}

func (e *element) firstPage() *page {
	for _, k := range e.kids {
		if k.page != nil {
			return k.page
		}
	}
	return nil
}

// writeStructure adds the tree and the table that leads from the pages back to it.
func (d *Document) writeStructure(o *objects) ref {
	root := o.reserve()
	d.root.number(o)
	d.root.write(o, root)
	var nums strings.Builder
	next := 0
	for _, p := range d.pages {
		p.key = next
		next++
		fmt.Fprintf(&nums, "%d[", p.key)
		for _, e := range p.marks {
			fmt.Fprintf(&nums, "%s ", e.ref)
		}
		nums.WriteString("]")
	}
	for _, p := range d.pages {
		for _, l := range p.links {
			l.key = next
			next++
			fmt.Fprintf(&nums, "%d %s ", l.key, l.element.ref)
		}
	}
	parents := o.add("<</Nums[" + nums.String() + "]>>")
	o.set(root, fmt.Sprintf("<</Type/StructTreeRoot/K %s/ParentTree %s/ParentTreeNextKey %d>>", d.root.ref, parents, next))
	return root
}
