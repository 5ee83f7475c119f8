// Package depend is the graph of which service needs which. It is pure: the same
// edges give the same answers, in whatever order they are given.
package depend

import (
	"cmp"
	"slices"
	"strings"
)

// Kind says where a dependency comes from.
type Kind string

// The kinds, in the order in which they are believed: of the edges that make a
// cycle the last is ignored.
const (
	Configured Kind = "config"  // depends_on in config.yaml
	Labels     Kind = "labels"  // of a container that was discovered
	Network    Kind = "network" // the container uses the other's network
	Compose    Kind = "compose" // Compose's depends_on
)

var kinds = []Kind{Configured, Labels, Network, Compose}

// Edge says that a service needs another.
type Edge struct {
	Of, On string
	Kind   Kind
}

// Graph is all that is known of dependencies. It has no cycle. The zero value
// has no edge.
type Graph struct {
	needs   map[string][]Edge // by the service that needs, ordered by what it needs
	needed  map[string][]string
	ignored []Edge
}

// New is the graph of those edges. One that would close a cycle is ignored, and
// so is that of a service on itself.
func New(edges []Edge) *Graph {
	edges = slices.Clone(edges)
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Of, b.Of), cmp.Compare(a.On, b.On), cmp.Compare(a.Kind, b.Kind))
	})
	g := &Graph{needs: map[string][]Edge{}, needed: map[string][]string{}}
	for _, e := range slices.Compact(edges) {
		if e.Of == e.On {
			continue
		}
		if g.reaches(e.On, e.Of) {
			g.ignored = append(g.ignored, e)
			continue
		}
		g.needs[e.Of] = append(g.needs[e.Of], e)
		if !slices.Contains(g.needed[e.On], e.Of) {
			g.needed[e.On] = append(g.needed[e.On], e.Of)
		}
	}
	for _, list := range g.needs {
		slices.SortStableFunc(list, func(a, b Edge) int { return cmp.Compare(a.On, b.On) })
	}
	for _, list := range g.needed {
		slices.Sort(list)
	}
	return g
}

func rank(k Kind) int {
	if i := slices.Index(kinds, k); i >= 0 {
		return i
	}
	return len(kinds)
}

// Ignored are the edges that would have closed a cycle.
func (g *Graph) Ignored() []Edge { return g.ignored }

// Needs are the edges of a service: what it needs itself, by name. One that is
// known from several places is in it once for each.
func (g *Graph) Needs(service string) []Edge { return g.needs[service] }

// NeededBy are the services that need this one themselves, by name.
func (g *Graph) NeededBy(service string) []string { return g.needed[service] }

// DependenciesOf are the services that a service needs, directly or through
// others, by name.
func (g *Graph) DependenciesOf(service string) []string { return all(service, g.direct) }

// DependentsOf are the services that need a service, directly or through others,
// by name.
func (g *Graph) DependentsOf(service string) []string { return all(service, g.NeededBy) }

func (g *Graph) direct(service string) []string {
	list := make([]string, 0, len(g.needs[service]))
	for _, e := range g.needs[service] {
		list = append(list, e.On)
	}
	return list
}

// all is what next leads to from a service, without it, by name.
func all(from string, next func(string) []string) []string {
	seen := map[string]bool{from: true}
	var found []string
	for open := []string{from}; len(open) > 0; open = open[1:] {
		for _, name := range next(open[0]) {
			if !seen[name] {
				seen[name] = true
				found = append(found, name)
				open = append(open, name)
			}
		}
	}
	slices.Sort(found)
	return found
}

func (g *Graph) reaches(from, to string) bool {
	return from == to || slices.Contains(g.DependenciesOf(from), to)
}

// RootOf is the deepest red service that a service needs: one that is red while
// nothing that it needs itself is. Of several it is the one that most red
// services need, and then the first by name. Empty: nothing that it needs is red.
func (g *Graph) RootOf(service string, red func(string) bool) string {
	var roots []string
	for _, name := range g.DependenciesOf(service) {
		if red(name) && !slices.ContainsFunc(g.DependenciesOf(name), red) {
			roots = append(roots, name)
		}
	}
	if len(roots) < 2 { // of most there is one: who else needs it is not counted
		return strings.Join(roots, "")
	}
	root, most := "", -1
	for _, name := range roots {
		if n := count(g.DependentsOf(name), red); n > most {
			root, most = name, n
		}
	}
	return root
}

func count(names []string, is func(string) bool) int {
	n := 0
	for _, name := range names {
		if is(name) {
			n++
		}
	}
	return n
}

// Path is a shortest way from a service to one that it needs, with both ends;
// of several the first by the names on it. nil: there is none.
func (g *Graph) Path(from, to string) []string {
	before := map[string]string{from: from}
	for open := []string{from}; len(open) > 0; open = open[1:] {
		if open[0] == to {
			path := []string{to}
			for at := to; at != from; at = before[at] {
				path = append(path, before[at])
			}
			slices.Reverse(path)
			return path
		}
		for _, name := range g.direct(open[0]) {
			if _, seen := before[name]; !seen {
				before[name] = open[0]
				open = append(open, name)
			}
		}
	}
	return nil
}
