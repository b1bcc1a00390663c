package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// clockFiles may read the machine's clock: the clock itself, and the programs
// that measure the machine.
var clockFiles = []string{"internal/clock/", "internal/bench/", "internal/lab/", "internal/storage/storagetest/"}

func TestNoForbiddenCall(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := call.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch pkg.Name + "." + call.Sel.Name {
			case "time.Now", "time.Since":
				if !s.test && !slices.ContainsFunc(clockFiles, func(p string) bool { return strings.HasPrefix(s.path, p) }) {
					t.Errorf("%s reads the machine's clock: pass the time", s.path)
				}
			case "time.Sleep":
				if s.test && !importsSynctest(s) {
					t.Errorf("%s sleeps: move the time or wait for a signal", s.path)
				}
			}
			return true
		})
	}
}

func importsSynctest(s source) bool { return slices.Contains(s.imports, "testing/synctest") }

func TestNoInitNoMutableGlobals(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s has an init()", s.path)
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkVars(t, s, d)
				}
			}
		}
	}
}

// checkVars lets pass what is set once and read only: embedded files, errors,
// compiled expressions, interface checks and tables in lower-case or
// upper-case names that no code assigns to (the compiler has no such check; a
// later assignment is found by assigned below).
func checkVars(t *testing.T, s source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, name := range v.Names {
			if name.Name != "_" && assigned(s, name.Name) {
				t.Errorf("%s: package variable %s is changed while the program runs", s.path, name.Name)
			}
		}
	}
}

func assigned(s source, name string) bool {
	found := false
	ast.Inspect(s.file, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || a.Tok == token.DEFINE {
			return true
		}
		for _, l := range a.Lhs {
			if id, ok := l.(*ast.Ident); ok && id.Name == name && (id.Obj == nil || id.Obj.Kind == ast.Var && isPackageLevel(s, id.Obj)) {
				found = true
			}
		}
		return true
	})
	return found
}

//lint:ignore SA1019 one file at a time is enough here, and needs no type information
func isPackageLevel(s source, o *ast.Object) bool { return s.file.Scope.Lookup(o.Name) == o }

func TestEveryPackageHasItsDoorPlate(t *testing.T) {
	plate := regexp.MustCompile(`^Package \S+ is « [^»]+ »`)
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if _, known := seen[s.pkg]; !known {
			seen[s.pkg] = false
		}
		if s.file.Doc != nil && plate.MatchString(strings.Join(strings.Fields(s.file.Doc.Text()), " ")) {
			seen[s.pkg] = true
		}
	}
	for pkg, ok := range seen {
		if !ok {
			t.Errorf("internal/%s: its doc comment must open with « its door-plate in French »", pkg)
		}
	}
}

func TestFilesAndFunctionsAreReadAtAGlance(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_templ.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, s.path))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > 600 {
			t.Errorf("%s has %d lines: an idea is missing", s.path, n)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || s.test {
				continue
			}
			if n := strings.Count(string(text[int(f.Pos()-s.file.FileStart):int(f.End()-s.file.FileStart)]), "\n"); n > 100 {
				t.Errorf("%s: %s has %d lines", s.path, f.Name.Name, n)
			}
		}
	}
}
