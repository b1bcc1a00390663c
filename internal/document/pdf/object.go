package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// ref is the number of an object.
type ref int

func (r ref) String() string { return strconv.Itoa(int(r)) + " 0 R" }

// object is a dictionary or array (body), or a stream (body is then the inside
// of its dictionary).
type object struct {
	body     string
	data     []byte
	isStream bool
}

// objects is a PDF file being put together.
type objects struct{ list []object }

func (o *objects) reserve() ref {
	o.list = append(o.list, object{})
	return ref(len(o.list))
}

func (o *objects) set(r ref, body string) { o.list[r-1].body = body }

func (o *objects) add(body string) ref {
	r := o.reserve()
	o.set(r, body)
	return r
}

// stream adds a compressed stream; dict is the rest of its dictionary.
func (o *objects) stream(dict string, data []byte) (ref, error) {
	packed, err := deflate(data)
	if err != nil {
		return 0, err
	}
	return o.plainStream(dict+"/Filter/FlateDecode", packed), nil
}

func (o *objects) plainStream(dict string, data []byte) ref {
	o.list = append(o.list, object{body: dict, data: data, isStream: true})
	return ref(len(o.list))
}

func deflate(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// place is where an object lies: at an offset, or at an index in an object stream.
type place struct{ kind, where, index int }

// packSize is how many dictionaries share one object stream.
const packSize = 200

// write puts the objects in a file of PDF 1.7 with object streams and a
// cross-reference stream, which make a structure tree ten times smaller.
func (o *objects) write(w io.Writer, catalog, info ref) error {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	places := make(map[ref]place, len(o.list))
	count := len(o.list) // the packs come after and are streams
	for first := 0; first < count; {
		next, err := o.pack(first, count, places)
		if err != nil {
			return err
		}
		first = next
	}
	for i, x := range o.list {
		if !x.isStream {
			continue
		}
		places[ref(i+1)] = place{1, out.Len(), 0}
		fmt.Fprintf(&out, "%d 0 obj\n<<%s/Length %d>>\nstream\n", i+1, x.body, len(x.data))
		out.Write(x.data)
		out.WriteString("\nendstream\nendobj\n")
	}
	if err := o.crossReference(&out, places, catalog, info); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// pack gathers up to packSize dictionaries from first on; it returns where to go on.
func (o *objects) pack(first, count int, places map[ref]place) (int, error) {
	var index, bodies strings.Builder
	packed := ref(len(o.list) + 1)
	n, at := 0, first
	for ; at < count && n < packSize; at++ {
		if o.list[at].isStream {
			continue
		}
		fmt.Fprintf(&index, "%d %d ", at+1, bodies.Len())
		bodies.WriteString(o.list[at].body)
		bodies.WriteByte('\n')
		places[ref(at+1)] = place{2, int(packed), n}
		n++
	}
	if n == 0 {
		return at, nil
	}
	_, err := o.stream(fmt.Sprintf("/Type/ObjStm/N %d/First %d", n, index.Len()), []byte(index.String()+bodies.String()))
	return at, err
}

// crossReference ends the file. Its identifier is the digest of what precedes.
func (o *objects) crossReference(out *bytes.Buffer, places map[ref]place, catalog, info ref) error {
	size := len(o.list) + 2
	start := out.Len()
	places[ref(size-1)] = place{1, start, 0}
	table := make([]byte, 0, size*7)
	table = append(table, 0, 0, 0, 0, 0, 0xff, 0xff)
	for i := 1; i < size; i++ {
		p := places[ref(i)]
		table = append(table, byte(p.kind), byte(p.where>>24), byte(p.where>>16), byte(p.where>>8), byte(p.where), byte(p.index>>8), byte(p.index))
	}
	packed, err := deflate(table)
	if err != nil {
		return err
	}
	id := sha256.Sum256(out.Bytes())
	fmt.Fprintf(out, "%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root %s/Info %s/ID[<%x><%[5]x>]/Filter/FlateDecode/Length %[6]d>>\nstream\n",
		size-1, size, catalog, info, id[:16], len(packed))
	out.Write(packed)
	fmt.Fprintf(out, "\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", start)
	return nil
}

// text writes a string of a dictionary, any language.
func text(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	b.WriteByte('>')
	return b.String()
}

// num writes a length with two decimals at most.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "" || s == "-0" || s == "-" {
		return "0"
	}
	return s
}
