package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg is what go list reports of one of our packages.
type pkg struct {
	ImportPath   string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
	CgoFiles     []string
}

// ours are the module's packages, as go list has them with tags.
func ours(t *testing.T, tags string) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles,CgoFiles", "-tags", tags, "./...")
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %v\n%s", list, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list reports %d packages only", len(all))
	}
	return all
}

const module = "logstream"

// actors have a Run, and know nothing of each other. The bus is one of them.
var actors = []string{"monitor", "healer", "dashboard", "chaos", "rollup", "notify", "bus"}

// actorOf is the actor in whose folder a package is, or "".
func actorOf(importPath string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(importPath, module+"/"), "/")
	if importPath != module && slices.Contains(actors, top) {
		return top
	}
	return ""
}

// isDockerClient says whether a package is the Docker engine's own.
func isDockerClient(importPath string) bool {
	return strings.HasPrefix(importPath, "github.com/docker/docker/") || strings.HasPrefix(importPath, "github.com/moby/")
}

func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != module
}

// forbidden says why a package of ours may not import another, or "".
func forbidden(from, to string) string {
	within := func(name string) bool { return from == module+"/"+name || strings.HasPrefix(from, module+"/"+name+"/") }
	switch actor := actorOf(from); {
	case actor != "" && actorOf(to) != "" && actorOf(to) != actor:
		return "an actor imports no other actor, nor the bus: it declares the methods that it needs"
	case to == module+"/internal/config" && from != module:
		return "only main imports internal/config"
	case isDockerClient(to) && !within("internal/docker") && !within("e2e"):
		return "only internal/docker imports the Docker client"
	case within("internal/event") && !isStandard(to):
		return "internal/event imports the standard library only"
	case within("internal") && !within("internal/config") && actorOf(to) != "":
		return "what actors share does not import them"
	case (within("healer/runbook") || within("healer/llm")) && isKafkaOrEngine(to):
		return "the runbook and the model's client know nothing of Kafka or Docker"
	case (within("internal/state") || within("dashboard/view") || within("dashboard/hook")) && isIO(to):
		return "folds are pure"
	case strings.HasPrefix(to, module+"/e2e") && !within("e2e"):
		return "e2e is a test, not a library"
	}
	return ""
}

func isKafkaOrEngine(to string) bool {
	return strings.Contains(to, "sarama") || strings.Contains(to, "franz-go") || isDockerClient(to) ||
		slices.Contains([]string{module + "/bus", module + "/internal/docker", module + "/internal/process"}, to)
}

func isIO(to string) bool {
	return slices.Contains([]string{"os", "net", "net/http", "log/slog", "context", "math/rand", "math/rand/v2", "crypto/rand"}, to)
}

// inTests are the rules that hold for tests too: an actor's tests compile
// without Kafka. A package's own test may use its engine's own helpers, and the
// bus's a broker's.
func inTests(from, to string) string {
	if isStandard(to) || actorOf(from) == "" {
		return ""
	}
	if actorOf(from) == "bus" && to == module+"/e2e/kafka" {
		return ""
	}
	if strings.Contains(to, "sarama") && actorOf(from) != "bus" {
		return "an actor's tests run without Kafka"
	}
	return forbidden(from, to)
}

func TestImports(t *testing.T) {
	for _, tags := range []string{"", "e2e"} {
		for _, p := range ours(t, tags) {
			for _, to := range p.Imports {
				if why := forbidden(p.ImportPath, to); why != "" {
					t.Errorf("tags %q: %s imports %s: %s", tags, p.ImportPath, to, why)
				}
			}
			for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
				if why := inTests(p.ImportPath, to); why != "" {
					t.Errorf("tags %q: a test of %s imports %s: %s", tags, p.ImportPath, to, why)
				}
			}
		}
	}
}

// A rule that forbids nothing would pass unnoticed.
func TestTheImportRulesForbid(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"logstream/healer", "logstream/monitor", false},
		{"logstream/healer", "logstream/bus", false},
		{"logstream/healer/runbook", "logstream/dashboard", false},
		{"logstream/bus", "logstream/healer", false},
		{"logstream/healer", "logstream/healer/runbook", true},
		{"logstream/healer", "logstream/internal/config", false},
		{"logstream", "logstream/internal/config", true},
		{"logstream/healer", "github.com/docker/docker/client", false},
		{"logstream/internal/docker", "github.com/docker/docker/client", true},
		{"logstream/internal/event", "logstream/internal/service", false},
		{"logstream/internal/event", "github.com/IBM/sarama", false},
		{"logstream/internal/event", "encoding/json", true},
		{"logstream/internal/state", "logstream/healer", false},
		{"logstream/internal/state", "os", false},
		{"logstream/dashboard/view", "net/http", false},
		{"logstream/dashboard/hook", "log/slog", false},
		{"logstream/internal/config", "logstream/healer", true},
		{"logstream/healer/runbook", "logstream/internal/docker", false},
		{"logstream/healer/llm", "github.com/IBM/sarama", false},
	} {
		if why := forbidden(c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s imports %s: %q", c.from, c.to, why)
		}
	}
}

// TestGoroutinesAreSupervised forbids the go statement in production code: a
// panic in a bare goroutine ends the process. WaitGroup.Go and errgroup's Go
// are go statements under another name.
func TestGoroutinesAreSupervised(t *testing.T) {
	files := 0
	for _, p := range ours(t, "") {
		if strings.HasPrefix(p.ImportPath, module+"/e2e") || path.Base(p.ImportPath) == "containertest" {
			continue // test code that stands in ordinary files
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			file := filepath.Join(p.Dir, name)
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files++
			for _, at := range bareGoroutines(parsed) {
				if p.ImportPath != module+"/internal/supervise" {
					t.Errorf("%s starts a goroutine by itself: use supervise.Go", set.Position(at))
				}
			}
		}
	}
	if files < 50 {
		t.Errorf("checked %d files only", files)
	}
}

// bareGoroutines are the places where a file starts a goroutine: a go
// statement, or a call of a method Go on anything but the package supervise.
func bareGoroutines(file *ast.File) []token.Pos {
	var all []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			all = append(all, n.Pos())
		case *ast.CallExpr:
			method, is := n.Fun.(*ast.SelectorExpr)
			if !is || method.Sel.Name != "Go" {
				break
			}
			if on, is := method.X.(*ast.Ident); !is || on.Name != "supervise" {
				all = append(all, n.Pos())
			}
		}
		return true
	})
	return all
}

func TestBareGoroutinesAreFound(t *testing.T) {
	for source, want := range map[string]int{
		"go f()":                         1,
		"go func() { go f() }()":         2,
		"group.Go(f)":                    1,
		"a.b.Go(f)":                      1,
		"supervise.Go(ctx, g, \"x\", f)": 0,
		"f(func() { go f() })":           1,
		"gofer()":                        0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc x() {\n"+source+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(bareGoroutines(file)); got != want {
			t.Errorf("%s: found %d goroutines, want %d", source, got, want)
		}
	}
}

// TestThePageIsEmbeddedWhole compares what is embedded with what is in the
// folder, less its tests and tools: a file that is forgotten is missing only
// in the browser.
func TestThePageIsEmbeddedWhole(t *testing.T) {
	tool := func(name string) bool {
		base := path.Base(name)
		return strings.HasPrefix(name, "test/") || strings.HasPrefix(name, "node_modules/") || strings.HasPrefix(base, ".") ||
			strings.HasPrefix(base, "package") || strings.HasSuffix(base, ".mjs") || strings.HasPrefix(name, "vendor/axe-core/")
	}
	embedded := page()
	err := filepath.WalkDir("static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name = strings.TrimPrefix(filepath.ToSlash(name), "static/")
		_, missing := fs.Stat(embedded, name)
		switch is := missing == nil; {
		case is && tool(name):
			t.Errorf("%s is a tool, and is embedded", name)
		case !is && !tool(name):
			t.Errorf("%s is not embedded", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
