package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a reader can take in: a file, and the files of one type.
const (
	maxLines       = 350
	maxFilesOfType = 3
)

// sources calls visit with each of our files whose name ends in one of the
// endings: no tests, nothing that others wrote.
func sources(t *testing.T, visit func(path string), endings ...string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "vendor" || name == "testdata" || name == "test" || name == "data" {
				return fs.SkipDir
			}
			return nil
		}
		if slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(path, end) }) && !strings.HasSuffix(path, "_test.go") {
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoFileIsTooLong(t *testing.T) {
	seen := 0
	sources(t, func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if seen++; strings.Count(string(text), "\n") > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, strings.Count(string(text), "\n"), maxLines)
		}
	}, ".go", ".js")
	if seen < 100 {
		t.Fatalf("only %d files were found", seen)
	}
}

func TestNoTypeOfTheHealerIsSpreadOverManyFiles(t *testing.T) {
	files := map[string][]string{} // by folder and type
	sources(t, func(path string) {
		if !strings.HasPrefix(path, "healer"+string(filepath.Separator)) {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || f.Recv == nil {
				continue
			}
			of := f.Recv.List[0].Type
			if star, is := of.(*ast.StarExpr); is {
				of = star.X
			}
			name, is := of.(*ast.Ident)
			key := filepath.Dir(path) + "." + name.Name
			if is && !slices.Contains(files[key], path) {
				files[key] = append(files[key], path)
			}
		}
	}, ".go")
	if len(files) < 10 {
		t.Fatalf("only %d types with methods were found", len(files))
	}
	for name, in := range files {
		if len(in) > maxFilesOfType {
			t.Errorf("%s has its methods in %d files, more than %d: %v", name, len(in), maxFilesOfType, in)
		}
	}
}
