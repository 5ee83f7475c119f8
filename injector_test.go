package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/process"
)

// TestWhatRepairsCannotBreak: no runtime that the healer gets can inject, and
// none of its files names what can.
func TestWhatRepairsCannotBreak(t *testing.T) {
	injector := reflect.TypeFor[container.Injector]()
	for _, runtime := range []reflect.Type{reflect.TypeFor[container.Runtime](), reflect.TypeFor[healer.Runtime](), reflect.TypeFor[*docker.Runtime](), reflect.TypeFor[*process.Runtime]()} {
		for i := range injector.NumMethod() {
			if _, has := runtime.MethodByName(injector.Method(i).Name); has {
				t.Errorf("%s has the method %s", runtime, injector.Method(i).Name)
			}
		}
		for i := range runtime.NumMethod() {
			if name := strings.ToLower(runtime.Method(i).Name); strings.Contains(name, "inject") || strings.Contains(name, "remove") || strings.Contains(name, "exec") || strings.Contains(name, "prune") {
				t.Errorf("%s has the method %s", runtime, runtime.Method(i).Name)
			}
		}
	}
	seen := 0
	sources(t, func(path string) {
		if !strings.HasPrefix(filepath.ToSlash(path), "healer/") {
			return
		}
		seen++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if id, is := node.(*ast.Ident); is && slices.Contains([]string{"Injector", "NewInjector", "Inject"}, id.Name) {
				t.Errorf("%s names %s", path, id.Name)
			}
			return true
		})
	}, ".go")
	if seen < 10 {
		t.Fatalf("only %d files of the healer were found", seen)
	}
}
