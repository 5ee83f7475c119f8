package packaging

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"logstream/internal/raced"
)

// TestTheProgramIsForEachSystem checks the types of all our packages in it as the
// compiler for that system does, from the sources: a build would compile every
// dependency first, which takes minutes. make release builds them all.
func TestTheProgramIsForEachSystem(t *testing.T) {
	raced.Skip(t)
	for _, target := range []string{"windows/amd64", "darwin/arm64"} {
		t.Run(target, func(t *testing.T) {
			system, processor, _ := strings.Cut(target, "/")
			env := append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0")
			all, err := packages.Load(&packages.Config{
				Context: t.Context(),
				Mode:    packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps | packages.NeedTypesSizes,
				Env:     env,
			}, oursIn(t, env)...) // what is not named here is taken without the bodies of its functions
			if err != nil {
				t.Fatal(err)
			}
			packages.Visit(all, nil, func(p *packages.Package) {
				for _, err := range p.Errors {
					t.Errorf("%s: %v", p.PkgPath, err)
				}
			})
		})
	}
}

// oursIn are those of our packages that are in the program for a system.
func oursIn(t *testing.T, env []string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "logstream")
	list.Env, list.Stderr = env, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := slices.DeleteFunc(strings.Fields(string(out)), func(path string) bool { return path != "logstream" && !strings.HasPrefix(path, "logstream/") })
	if len(ours) < 30 {
		t.Fatalf("only %d packages of ours were found", len(ours))
	}
	return ours
}
