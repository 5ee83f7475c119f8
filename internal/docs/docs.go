// Package docs holds the documents under docs/ that are made of the code true: the
// test of the package that has a list writes the list's document, and fails where
// the file differs. Only tests import it.
package docs

import (
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documents under docs/ again")

// Root is the module's folder, found from that of the test that runs.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}

// Check holds a document, such as causes.md, against what the code makes of it. With
// -update it is written instead.
func Check(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(Root(t), "docs", name)
	if *update {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	written, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if line, has, wants := difference(string(written), content); line > 0 {
		t.Errorf("docs/%s differs from the code in line %d: it has\n\t%s\nwant\n\t%s\nWrite it again with go test . -update in this package's folder, and read what changed.", name, line, has, wants)
	}
}

// difference is the first line in which two texts differ; 0 where none does.
func difference(has, wants string) (line int, a, b string) {
	if has == wants {
		return 0, "", ""
	}
	x, y := strings.Split(has, "\n"), strings.Split(wants, "\n")
	for i := 0; ; i++ {
		switch {
		case i == len(x) || i == len(y):
			return i + 1, strings.Join(x[i:min(i+1, len(x))], ""), strings.Join(y[i:min(i+1, len(y))], "")
		case x[i] != y[i]:
			return i + 1, x[i], y[i]
		}
	}
}

// Sources are the parsed files of a folder, less its tests, with their comments.
func Sources(t testing.TB, dir string) (*token.FileSet, []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files in %s", dir)
	}
	return set, files
}

// Sentence is a comment as it stands in a document: on one line, with the words of
// somebody who reads and does not write the code.
func Sentence(comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	return strings.NewReplacer("our own check", "LogStream's own check", "check of our own", "check of LogStream's own", "our own resolver", "LogStream's resolver").Replace(text)
}

// Cell is a text inside of a table.
func Cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
