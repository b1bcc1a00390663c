package pdf_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/document/pdf"
)

// file is a PDF as qpdf describes it in JSON.
type file struct {
	objects map[string]map[string]any // "12 0 R" → its dictionary
	arrays  map[string][]any
	path    string
}

func readFile(t *testing.T, path string) file {
	t.Helper()
	var all struct {
		QPDF []map[string]json.RawMessage `json:"qpdf"`
	}
	if err := json.Unmarshal([]byte(tool(t, "qpdf", "--json=2", path)), &all); err != nil {
		t.Fatal(err)
	}
	f := file{objects: map[string]map[string]any{}, arrays: map[string][]any{}, path: path}
	for name, raw := range all.QPDF[1] {
		var object struct {
			Value  any `json:"value"`
			Stream struct {
				Dict map[string]any `json:"dict"`
			} `json:"stream"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			t.Fatal(err)
		}
		key := strings.TrimPrefix(name, "obj:")
		switch v := object.Value.(type) {
		case map[string]any:
			f.objects[key] = v
		case []any:
			f.arrays[key] = v
		default:
			f.objects[key] = object.Stream.Dict
		}
	}
	return f
}

func (f file) find(t *testing.T, kind string) map[string]any {
	t.Helper()
	for _, o := range f.objects {
		if o["/Type"] == kind {
			return o
		}
	}
	t.Fatalf("no object of type %s", kind)
	return nil
}

// marks gathers "page/mcid" → element for every marked content of the tree, and
// checks that parents and children agree.
func (f file) marks(t *testing.T, ref, parent string, into map[string]string) {
	t.Helper()
	e := f.objects[ref]
	if e["/P"] != parent {
		t.Errorf("element %s says its parent is %v, it is %s", ref, e["/P"], parent)
	}
	kids, ok := e["/K"].([]any)
	if !ok {
		t.Fatalf("element %s has kids %v", ref, e["/K"])
	}
	for _, k := range kids {
		switch v := k.(type) {
		case string:
			f.marks(t, v, ref, into)
		case float64:
			f.note(t, e["/Pg"], v, ref, into)
		case map[string]any:
			if v["/Type"] == "/MCR" {
				f.note(t, v["/Pg"], v["/MCID"], ref, into)
			}
		}
	}
}

func (f file) note(t *testing.T, page, mark any, ref string, into map[string]string) {
	t.Helper()
	key := fmt.Sprint(page, "/", mark)
	if other := into[key]; other != "" {
		t.Errorf("content %s belongs to %s and to %s", key, other, ref)
	}
	into[key] = ref
}

// TestEverySignIsTagged walks the file the way a checker of PDF/UA does: all
// content is tagged or artifact, the tree and the parent table agree, and
// everything that must have a text has one.
func TestEverySignIsTagged(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{Header: "CH de Valmont", Footer: "Exercice"})
	sample(d)
	d.Table(table(120))
	f := readFile(t, save(t, d))
	root := f.find(t, "/StructTreeRoot")
	var rootRef string
	for ref, o := range f.objects {
		if o["/Type"] == "/StructTreeRoot" {
			rootRef = ref
		}
	}
	marks := map[string]string{}
	f.marks(t, root["/K"].(string), rootRef, marks)
	nums := f.objects[root["/ParentTree"].(string)]["/Nums"].([]any)
	parents := map[float64]any{}
	for i := 0; i < len(nums); i += 2 {
		parents[nums[i].(float64)] = nums[i+1]
	}
	found := 0
	for ref, page := range f.objects {
		if page["/Type"] != "/Page" {
			continue
		}
		owners := parents[page["/StructParents"].(float64)].([]any)
		for i, owner := range owners {
			if marks[fmt.Sprint(ref, "/", i)] != owner {
				t.Errorf("page %s mark %d: the table says %v, the tree %q", ref, i, owner, marks[fmt.Sprint(ref, "/", i)])
			}
		}
		found += checkContent(t, f, page["/Contents"].(string), len(owners))
		checkAnnotations(t, f, page, parents)
	}
	if found != len(marks) {
		t.Errorf("%d marks on the pages, %d in the tree", found, len(marks))
	}
	for ref, o := range f.objects {
		if o["/S"] == "/Figure" && o["/Alt"] == nil {
			t.Errorf("figure %s has no alternate text", ref)
		}
	}
}

// checkContent reads the operators of a page: text and paths only inside marked
// content, marks in order. It returns the number of marks.
func checkContent(t *testing.T, f file, ref string, want int) int {
	t.Helper()
	content := tool(t, "qpdf", "--show-object="+strings.TrimSuffix(strings.Replace(ref, " 0 R", "", 1), " "), "--filtered-stream-data", f.path)
	depth, next := 0, 0
	mark := regexp.MustCompile(`^/\w+<</MCID (\d+)>>BDC$`)
	for number, line := range strings.Split(content, "\n") {
		if m := mark.FindStringSubmatch(line); m != nil {
			if m[1] != fmt.Sprint(next) {
				t.Errorf("mark %s where %d was due", m[1], next)
			}
			next++
			depth++
			continue
		}
		switch {
		case strings.HasSuffix(line, "BDC"), strings.HasSuffix(line, "BMC"):
			depth++
		case line == "EMC":
			depth--
		case strings.TrimSpace(line) != "" && depth == 0:
			t.Errorf("line %d draws outside of marked content: %s", number, line)
		}
		if depth < 0 || depth > 1 {
			t.Fatalf("line %d: marked content at depth %d", number, depth)
		}
	}
	if depth != 0 || next != want {
		t.Errorf("the page ends at depth %d after %d marks, want %d", depth, next, want)
	}
	return next
}

// checkAnnotations: a link belongs to a Link element and says where it leads.
func checkAnnotations(t *testing.T, f file, page map[string]any, parents map[float64]any) {
	t.Helper()
	annotations, ok := page["/Annots"].([]any)
	if !ok {
		return
	}
	for _, a := range annotations {
		o := f.objects[a.(string)]
		owner, ok := parents[o["/StructParent"].(float64)].(string)
		if !ok || f.objects[owner]["/S"] != "/Link" || o["/Contents"] == nil {
			t.Errorf("link %v belongs to %v", o, owner)
		}
	}
}

// TestBookmarks: the titles lead to their pages, nested as they are.
func TestBookmarks(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	for _, h := range []struct {
		level int
		title string
	}{{1, "Un"}, {2, "Un-un"}, {3, "Un-un-un"}, {2, "Un-deux"}, {1, "Deux"}, {9, "Deux-un"}} {
		d.Heading(h.level, h.title)
		d.Text("texte")
	}
	path := save(t, d)
	var outline struct {
		Outlines []bookmark `json:"outlines"`
	}
	if err := json.Unmarshal([]byte(tool(t, "qpdf", "--json=2", "--json-key=outlines", path)), &outline); err != nil {
		t.Fatal(err)
	}
	if got := tree(outline.Outlines); got != "Un(Un-un(Un-un-un)Un-deux)Deux(Deux-un)" {
		t.Errorf("bookmarks %s", got)
	}
}

type bookmark struct {
	Title string     `json:"title"`
	Kids  []bookmark `json:"kids"`
}

func tree(list []bookmark) string {
	var b strings.Builder
	for _, e := range list {
		b.WriteString(e.Title)
		if len(e.Kids) > 0 {
			b.WriteString("(" + tree(e.Kids) + ")")
		}
	}
	return b.String()
}

// TestHeadingStaysWithItsTable fills pages to every height: a title is never the
// last thing of a page.
func TestHeadingStaysWithItsTable(t *testing.T) {
	t.Parallel()
	for lines := 38; lines <= 52; lines += 2 {
		d := start(t, pdf.Options{})
		for range lines {
			d.Text("ligne")
		}
		d.Heading(2, "Titre")
		d.Table(pdf.Table{Caption: "Légende", Columns: []pdf.Column{{Title: "Colonne"}}, Rows: [][]string{{"cellule"}, {"deux"}}})
		for i, page := range strings.Split(tool(t, "pdftotext", save(t, d), "-"), "\f") {
			if strings.Contains(page, "Titre") != strings.Contains(page, "Légende") || strings.Contains(page, "Légende") != strings.Contains(page, "cellule") {
				t.Errorf("after %d lines, page %d: %q", lines, i+1, page)
			}
		}
	}
}

// TestDrawing looks at the ink: a page of text and curves is neither blank nor
// black, and the curve has its colour.
func TestDrawing(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Chart(curves(), 300)
	path := save(t, d)
	out := filepath.Join(t.TempDir(), "page")
	tool(t, "pdftoppm", "-r", "50", "-singlefile", path, out)
	picture, err := os.ReadFile(out + ".ppm")
	if err != nil {
		t.Fatal(err)
	}
	pixels := picture[len(picture)-414*585*3:]
	ink, blue := 0, 0
	for i := 0; i+2 < len(pixels); i += 3 {
		r, g, b := pixels[i], pixels[i+1], pixels[i+2]
		if r < 200 {
			ink++
		}
		if r < 80 && g < 110 && b > 110 {
			blue++
		}
	}
	if ink < 500 || ink > 60000 || blue < 50 {
		t.Errorf("%d dark points, %d of the first curve", ink, blue)
	}
}
