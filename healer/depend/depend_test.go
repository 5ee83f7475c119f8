package depend

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// shop is a diamond above a chain: web needs api and auth, both need db, and db
// needs disk.
var shop = []Edge{{"web", "api", Configured}, {"web", "auth", Configured}, {"api", "db", Compose}, {"auth", "db", Configured}, {"db", "disk", Network}}

func reds(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestRootIsTheDeepestRedDependency(t *testing.T) {
	g := New(shop)
	for _, tt := range []struct {
		of, root string
		red      []string
	}{
		{"web", "", nil},
		{"web", "", []string{"web"}},
		{"web", "api", []string{"web", "api"}},
		{"web", "db", []string{"web", "api", "db"}},
		{"web", "db", []string{"db"}}, // what is between them may turn red later
		{"web", "disk", []string{"db", "disk"}},
		{"db", "disk", []string{"db", "disk", "web"}},
		{"disk", "", []string{"db", "disk", "web"}},
		{"web", "api", []string{"api", "auth"}}, // by name
		{"unknown", "", []string{"db"}},
	} {
		if got := g.RootOf(tt.of, reds(tt.red...)); got != tt.root {
			t.Errorf("with red %v the root of %s is %q, want %q", tt.red, tt.of, got, tt.root)
		}
	}
}

func TestOfSeveralRootsTheOneWithMostRedDependentsIsChosen(t *testing.T) {
	g := New([]Edge{{"web", "a", Configured}, {"web", "z", Configured}, {"other", "z", Configured}})
	if got := g.RootOf("web", reds("a", "z", "web")); got != "a" {
		t.Errorf("the root is %q, want a: both have one red dependent", got)
	}
	if got := g.RootOf("web", reds("a", "z", "web", "other")); got != "z" {
		t.Errorf("the root is %q, want z, which two red services need", got)
	}
}

func TestNeighbours(t *testing.T) {
	g := New(append(shop, Edge{"api", "db", Configured}))
	if got := g.DependentsOf("db"); !slices.Equal(got, []string{"api", "auth", "web"}) {
		t.Errorf("the dependents of db are %v", got)
	}
	if got := g.NeededBy("db"); !slices.Equal(got, []string{"api", "auth"}) {
		t.Errorf("db is needed by %v", got)
	}
	if got := g.Needs("api"); !slices.Equal(got, []Edge{{"api", "db", Configured}, {"api", "db", Compose}}) {
		t.Errorf("api needs %v", got)
	}
	if got := g.Path("web", "disk"); !slices.Equal(got, []string{"web", "api", "db", "disk"}) {
		t.Errorf("the path is %v", got)
	}
	if got := g.Path("disk", "web"); got != nil {
		t.Errorf("there is a path %v", got)
	}
}

func TestCycleIsIgnoredAtItsLeastBelievedEdge(t *testing.T) {
	g := New([]Edge{{"a", "b", Compose}, {"b", "a", Configured}, {"c", "c", Network}})
	if got := g.Ignored(); !slices.Equal(got, []Edge{{"a", "b", Compose}}) {
		t.Errorf("ignored are %v", got)
	}
	if got := g.DependenciesOf("b"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("b needs %v", got)
	}
}

// FuzzGraph checks, for any edges and any red services, what RootOf promises,
// and that the order of the edges changes nothing.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 2, 1, 2, 0, 2}, uint16(7), uint64(1))
	f.Add([]byte{0, 1, 0, 0, 2, 0, 1, 3, 2, 2, 3, 2}, uint16(0xffff), uint64(2))
	f.Fuzz(func(t *testing.T, raw []byte, redBits uint16, seed uint64) {
		name := func(b byte) string { return fmt.Sprint(b % 16) }
		var edges []Edge
		for ; len(raw) >= 3 && len(edges) < 64; raw = raw[3:] {
			edges = append(edges, Edge{name(raw[0]), name(raw[1]), kinds[int(raw[2])%len(kinds)]})
		}
		red := func(s string) bool {
			for i := range 16 {
				if s == fmt.Sprint(i) {
					return redBits>>i&1 == 1
				}
			}
			return false
		}
		g := New(edges)
		shuffled := slices.Clone(edges)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		other := New(shuffled)
		if !slices.Equal(g.Ignored(), other.Ignored()) {
			t.Fatalf("in another order %v are ignored, and not %v", other.Ignored(), g.Ignored())
		}
		for i := range byte(16) {
			s := name(i)
			needs := g.DependenciesOf(s)
			if slices.Contains(needs, s) {
				t.Fatalf("%s needs itself", s)
			}
			root := g.RootOf(s, red)
			if got := other.RootOf(s, red); got != root {
				t.Fatalf("the root of %s is %q, and %q in another order", s, root, got)
			}
			if (root != "") != slices.ContainsFunc(needs, red) {
				t.Fatalf("the root of %s is %q, and it needs %v", s, root, needs)
			}
			if root == "" {
				continue
			}
			if !red(root) || !slices.Contains(needs, root) || slices.ContainsFunc(g.DependenciesOf(root), red) {
				t.Fatalf("the root of %s is %s", s, root)
			}
			if path := g.Path(s, root); len(path) < 2 || path[0] != s || path[len(path)-1] != root {
				t.Fatalf("the path from %s to %s is %v", s, root, path)
			}
			if !slices.Contains(g.DependentsOf(root), s) {
				t.Fatalf("%s is no dependent of its root %s", s, root)
			}
		}
	})
}
