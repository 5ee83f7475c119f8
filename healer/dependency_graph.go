package healer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/depend"
	"logstream/internal/container"
	"logstream/internal/event"
)

// Which service needs which: by their definitions, and by what their containers
// show.

// links are what a container shows of its dependencies.
type links struct {
	seen             bool
	id, name         string
	project, compose string
	networkOf        string   // an ID or a name
	dependsOn        []string // services of its Compose project
}

func linksOf(of container.State) links {
	return links{seen: true, id: of.ID, name: of.Name, project: of.Project, compose: of.Service, networkOf: of.NetworkOf, dependsOn: of.DependsOn}
}

// noteLinks takes what an inspection shows.
func noteLinks(c *Controller, s *serviceState, of container.State) {
	if seen := linksOf(of); !s.links.equal(seen) {
		s.links, c.graph = seen, nil
	}
}

// isUnseen says whether a service's container was not seen in this life, as one that was
// removed before: what was published of its dependencies holds until it is.
func isUnseen(s *serviceState) bool { return s.def.Container != "" && !s.links.seen }

func (l links) equal(other links) bool {
	return l.seen == other.seen && l.id == other.id && l.name == other.name && l.project == other.project && l.compose == other.compose &&
		l.networkOf == other.networkOf && slices.Equal(l.dependsOn, other.dependsOn)
}

// graphOf is the graph of the services as they are now.
func graphOf(c *Controller) *depend.Graph {
	if c.graph != nil {
		return c.graph
	}
	if edges := edgesOf(c); c.made == nil || !slices.Equal(edges, c.edges) {
		c.made, c.edges = depend.New(edges), edges
	}
	c.graph = c.made
	return c.graph
}

func edgesOf(c *Controller) []depend.Edge {
	compose, containers := map[[2]string][]string{}, map[string]string{}
	for _, name := range c.order {
		s := c.services[name]
		if s.removed {
			continue
		}
		if l := s.links; l.compose != "" {
			of := [2]string{l.project, l.compose}
			compose[of] = append(compose[of], name)
		}
		if s.container != nil {
			containers[s.container.ID] = name
		}
		containers[s.containerName()] = name
	}
	delete(containers, "")
	var all []depend.Edge
	for _, name := range c.order {
		s := c.services[name]
		if s.removed {
			continue
		}
		defined := depend.Configured
		if s.def.Discovered {
			defined = depend.Labels
		}
		for _, on := range s.def.DependsOn {
			if needed := c.services[on]; needed != nil && !needed.removed {
				all = append(all, depend.Edge{Of: name, On: on, Kind: defined})
			}
		}
		for _, on := range s.links.dependsOn {
			for _, needed := range compose[[2]string{s.links.project, on}] {
				all = append(all, depend.Edge{Of: name, On: needed, Kind: depend.Compose})
			}
		}
		if parent, known := containers[s.links.networkOf]; known {
			all = append(all, depend.Edge{Of: name, On: parent, Kind: depend.Network})
		}
		unknown := map[string]bool{ // whether what its container names may be of one that is unseen
			string(depend.Compose): slices.ContainsFunc(s.links.dependsOn, func(on string) bool { return len(compose[[2]string{s.links.project, on}]) == 0 }),
			string(depend.Network): s.links.networkOf != "" && containers[s.links.networkOf] == "",
		}
		for _, n := range s.needed { // by its container alone: its definition is known
			byContainer := n.From == string(depend.Compose) || n.From == string(depend.Network)
			if other := c.services[n.Service]; byContainer && other != nil && !other.removed && (isUnseen(s) || isUnseen(other) && unknown[n.From]) {
				all = append(all, depend.Edge{Of: name, On: n.Service, Kind: depend.Kind(n.From)})
			}
		}
	}
	return all
}

// needNames are their names.
func needNames(c *Controller, name string) []string {
	var all []string
	for _, e := range graphOf(c).Needs(name) {
		all = append(all, e.On)
	}
	return all
}

// isLinked says whether what a service's container names as its dependencies is
// known to be a service or none: a container that was not inspected in this life
// may be it.
func isLinked(c *Controller, s *serviceState) bool {
	if s.links.networkOf == "" && len(s.links.dependsOn) == 0 {
		return true
	}
	return !slices.ContainsFunc(c.order, func(name string) bool { return !c.services[name].inspected() })
}

// needsOf are the services that one needs itself, as they are published.
func needsOf(c *Controller, name string) []event.Need {
	var all []event.Need
	for _, e := range graphOf(c).Needs(name) {
		all = append(all, event.Need{Service: e.On, From: string(e.Kind)})
	}
	return all
}

// parentOf is the service whose container's network a service's container uses;
// empty: there is none.
func parentOf(c *Controller, s *serviceState) string {
	for _, e := range graphOf(c).Needs(s.def.Name) {
		if e.Kind == depend.Network {
			return e.On
		}
	}
	return ""
}

// networkParent is the same, and when that container was started, where it runs.
func networkParent(c *Controller, s *serviceState) (string, time.Time) {
	if parent := parentOf(c, s); parent != "" {
		if of := c.services[parent].inspection; of.err == nil && of.state.Status == container.Running {
			return parent, of.state.StartedAt
		}
	}
	return "", time.Time{}
}

// networkMayBeGone says whether the container whose network a service's container
// uses was started after it, as far as that is known by now.
func networkMayBeGone(c *Controller, s *serviceState, now time.Time) bool {
	parent := parentOf(c, s)
	if parent == "" {
		return false
	}
	_, started := networkParent(c, s)
	return c.services[parent].inspection.dueAfter(s.incident.Opened, now) != fresh || started.After(s.inspection.state.StartedAt)
}

// cycles are the dependencies that are ignored since they would make a cycle, in
// words; empty: none is.
func cycles(g *depend.Graph) string {
	var all []string
	for _, e := range g.Ignored() {
		all = append(all, fmt.Sprintf("%s on %s (%s)", e.Of, e.On, e.Kind))
	}
	return strings.Join(all, ", ")
}
