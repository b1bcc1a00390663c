package i18ntest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// use is a key, or the literal beginning of computed keys, and where it is written.
type use struct {
	key    string
	prefix bool
	at     string
}

// uses is what the code says.
type uses struct {
	// required must exist: the keys given to T, N, fault.New, fault.Wrap, i18n.Key.
	required []use
	// mentioned are all other literals; one that equals a key is a use of it,
	// one that begins a concatenation and ends with a dot uses all that follows.
	mentioned []use
}

// scan reads the Go and templ files under dir. Tests are left out (they invent
// keys), generated code too (its source is read), and so are folders that hold
// no code of ours.
func scan(dir string) (uses, error) {
	var found uses
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != dir && foreign(name) {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, "_templ.go"):
			return nil
		case strings.HasSuffix(name, ".go"):
			return found.scanGo(path)
		case strings.HasSuffix(name, ".templ"):
			return found.scanTempl(path)
		}
		return nil
	})
	return found, err
}

// foreign tells whether a folder of that name holds no code of ours.
func foreign(name string) bool {
	return strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata"
}

func (u *uses) scanGo(path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.CallExpr:
			if arg := keyArgument(n); arg != nil {
				if found, ok := literal(arg); ok {
					found.at = set.Position(arg.Pos()).String()
					u.required = append(u.required, found)
				}
			}
		case *ast.BinaryExpr, *ast.BasicLit:
			if found, ok := literal(n.(ast.Expr)); ok {
				found.at = set.Position(n.Pos()).String()
				u.mentioned = append(u.mentioned, found)
			}
		}
		return true
	})
	return nil
}

// keyArgument returns the argument of a call that is a key, or nil.
func keyArgument(call *ast.CallExpr) ast.Expr {
	target, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	index := -1
	owner, _ := target.X.(*ast.Ident)
	of := func(pkg string) bool { return owner != nil && owner.Name == pkg }
	switch name := target.Sel.Name; {
	case name == "New" && of("fault"):
		index = 1
	case name == "Wrap" && of("fault"):
		index = 2
	case name == "T", name == "N", name == "Key" && of("i18n"):
		index = 0
	}
	if index < 0 || index >= len(call.Args) {
		return nil
	}
	return call.Args[index]
}

// literal returns the text of a literal, or the literal beginning of a concatenation.
func literal(expr ast.Expr) (use, bool) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return use{}, false
		}
		text, err := strconv.Unquote(e.Value)
		return use{key: text}, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return use{}, false
		}
		first, ok := literal(e.X)
		first.prefix = true
		return first, ok
	}
	return use{}, false
}

// scanTempl reads a templ file as text: its Go parts are not a Go file.
func (u *uses) scanTempl(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	call := regexp.MustCompile(`(?:\.[TN]\(|\bi18n\.Key\(|\bfault\.New\([^",()]+,|\bfault\.Wrap\([^"(),]+,[^"(),]+,)\s*"([^"\n]*)"(\s*\+)?`)
	word := regexp.MustCompile(`"([^"\n]*)"(\s*\+)?`)
	for number, line := range strings.Split(string(text), "\n") {
		at := fmt.Sprintf("%s:%d", path, number+1)
		for _, m := range call.FindAllStringSubmatch(line, -1) {
			u.required = append(u.required, use{key: m[1], prefix: m[2] != "", at: at})
		}
		for _, m := range word.FindAllStringSubmatch(line, -1) {
			u.mentioned = append(u.mentioned, use{key: m[1], prefix: m[2] != "", at: at})
		}
	}
	return nil
}
