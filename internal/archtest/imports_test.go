package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file of the tree, read once.
type source struct {
	path    string // internal/alerting/pages/launch.go
	pkg     string // alerting/pages
	room    string // alerting
	sub     string // pages
	test    bool
	file    *ast.File
	imports []string
}

const root = "../.."

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		pkg := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(rel)), "internal/")
		room, sub, _ := strings.Cut(pkg, "/")
		s := source{path: rel, pkg: pkg, room: room, sub: sub, test: strings.HasSuffix(rel, "_test.go") || isTestPackage(pkg), file: f}
		for _, im := range f.Imports {
			p, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no source found")
	}
	return out
}

// isTestPackage tells the packages that exist for tests only.
func isTestPackage(pkg string) bool {
	last := pkg[strings.LastIndexByte(pkg, '/')+1:]
	return strings.HasSuffix(last, "test") || strings.Contains(pkg, "test/")
}

func TestEveryRoomIsOnThePlan(t *testing.T) {
	for _, s := range sources(t) {
		_, isRoom := doors[s.room]
		if !isRoom && !slices.Contains(tools, s.room) && !slices.Contains(assembly, s.room) && s.room != "archtest" {
			t.Errorf("%s: %q is on no floor of the plan", s.path, s.room)
		}
	}
}

func TestDoors(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || slices.Contains(assembly, s.room) || s.room == "archtest" {
			continue
		}
		for _, im := range s.imports {
			target, inside := strings.CutPrefix(im, "tocsin/internal/")
			if !inside {
				continue
			}
			room, sub, _ := strings.Cut(target, "/")
			if room == s.room {
				inRoom(t, s, sub)
				continue
			}
			checkDoor(t, s, room, sub)
		}
	}
}

// inRoom holds the root of a room away from its own pages and api.
func inRoom(t *testing.T, s source, sub string) {
	if isFace(sub) && !isFace(s.sub) {
		t.Errorf("%s enters its own %s: only app does", s.path, sub)
	}
	if outside(s.room, sub) && s.sub != sub {
		t.Errorf("%s enters %s/%s: only app does", s.path, s.room, sub)
	}
}

func checkDoor(t *testing.T, s source, room, sub string) {
	switch {
	case slices.Contains(assembly, room):
		t.Errorf("%s imports %s: only cmd and the tests do", s.path, room)
	case isTestPackage(room + "/" + sub):
		t.Errorf("%s imports the test package %s/%s", s.path, room, sub)
	case isFace(sub):
		t.Errorf("%s imports %s/%s: only app does", s.path, room, sub)
	case room == "ui":
		if !isFace(s.sub) {
			t.Errorf("%s enters ui: only pages do", s.path)
		}
	case room == "rest":
		if s.sub != "api" {
			t.Errorf("%s enters rest: only api does", s.path)
		}
	case slices.Contains(tools, room):
		if slices.Contains(tools, s.room) && s.room == "clock" {
			t.Errorf("%s: clock rests on nothing", s.path)
		}
	case slices.Contains(tools, s.room):
		t.Errorf("%s: a tool knows no room, and it imports %s", s.path, room)
	case !slices.Contains(doors[s.room], room):
		t.Errorf("%s: there is no door from %s to %s", s.path, s.room, room)
	case outside(room, sub):
		t.Errorf("%s imports the implementation %s/%s: only app does", s.path, room, sub)
	}
}

// outside tells the packages that speak to peers on the network: each stands
// beside its room, behind an interface that the room declares.
func outside(room, sub string) bool {
	return room == "channels" && sub != "" || room == "directory" && sub == "ldap"
}

func isFace(sub string) bool {
	first, _, _ := strings.Cut(sub, "/")
	return first == "pages" || first == "api"
}

func TestRootsKnowNeitherHTTPNorTemplates(t *testing.T) {
	for _, s := range sources(t) {
		if _, isRoom := doors[s.room]; !isRoom || s.test || s.sub != "" || s.room == "lab" {
			continue
		}
		for _, im := range s.imports {
			if im == "net/http" || im == "html/template" || im == "text/template" || strings.HasPrefix(im, "github.com/a-h/templ") {
				t.Errorf("%s imports %s", s.path, im)
			}
		}
	}
}
