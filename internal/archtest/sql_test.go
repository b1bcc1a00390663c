package archtest

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// table finds the tables a statement names.
var table = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE|JOIN|TABLE(?: IF (?:NOT )?EXISTS)?|ON)\s+([a-z]+_[a-z_]+)\b`)

var statement = regexp.MustCompile(`(?s)^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// TestSQLStaysAtHome reads every SQL text: a room names its own tables only.
func TestSQLStaysAtHome(t *testing.T) {
	owners := map[string]bool{}
	for room := range doors {
		owners[room] = true
	}
	for _, tool := range tools {
		owners[tool] = true
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil || !statement.MatchString(text) {
				return true
			}
			for _, m := range table.FindAllStringSubmatch(text, -1) {
				owner, _, _ := strings.Cut(strings.ToLower(m[1]), "_")
				if owners[owner] && owner != s.room {
					t.Errorf("%s: SQL of %s names %s", s.path, s.room, m[1])
				}
			}
			return true
		})
	}
}

// TestMigrationsKeepTheirPrefix and lead every key with the establishment.
func TestMigrationsKeepTheirPrefix(t *testing.T) {
	create := regexp.MustCompile(`(?is)CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*?)\n\);`)
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) != "migrations" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		room := filepath.Base(filepath.Dir(filepath.Dir(path)))
		for _, m := range create.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(m[1], room+"_") {
				t.Errorf("%s: table %s is not prefixed by %s_", path, m[1], room)
			}
			if strings.Contains(m[2], "organisation_id") && !regexp.MustCompile(`PRIMARY KEY \(organisation_id|organisation_id UUID (NOT NULL )?PRIMARY KEY`).MatchString(m[2]) {
				t.Errorf("%s: the key of %s does not begin with organisation_id", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
