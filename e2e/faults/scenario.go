//go:build e2e

package faults

import (
	"slices"
	"strings"
	"time"
)

// Scenario is one way to break a service, and what is right then.
type Scenario struct {
	Name string // also of its first container, and the beginning of the others'
	Row  string // of the table of faults
	// Group of scenarios that run under one LogStream; empty: beside the others.
	Group string
	// Containers: what is said without a role is of the first.
	Containers []Container
	Prepare    func(*Stage) error // before the containers; nil: nothing
	Inject     func(*Stage) error // nil: it is broken from the start
	AtOnce     bool               // it is broken as soon as LogStream shows it as UP
	Want       Want
	// Harmful are the actions that do harm here, with every policy: an action of
	// the first container, or role:action. Whatever is done to a container of
	// which Want expects nothing does harm as well, where it is healthy.
	Harmful []string
	// NotFor names the policies that it says nothing about, with the reason.
	NotFor map[string]string
	// Few: the policy watches its containers alone, and not the others beside them.
	Few bool
	// Quick scenarios are those of make test.
	Quick bool
}

// ofEngine begins the names of the groups that end the engine.
const ofEngine = "engine"

// Container is one of a scenario's.
type Container struct {
	Role   string   // empty: the first
	Image  string   // empty: the web application
	Args   []string // of docker run
	Cmd    []string // after the image
	Config string   // what its entry in config.yaml has beyond name, url and container, such as `heal: {mode: observe}`
	Needs  []string // roles: depends_on
	URL    URL      // how it is checked
	Down   bool     // it is not UP before the fault
	Create bool     // it is created and not started
	Made   bool     // Prepare makes it
	Extra  bool     // it is no service of config.yaml
	Alone  bool     // it publishes no port
}

// URL is how a service is checked.
type URL int

// The kinds of check.
const (
	Published URL = iota // over the port that it publishes
	Own                  // at the container's own address
	None                 // by what Docker says of it
	TLS                  // as Published, over TLS
	TCP                  // as Published, where a connection is enough
	Wrong                // at a port where nothing listens
)

// End is how a scenario has to end.
type End string

// The ends.
const (
	Healed    End = "healed"    // repaired and verified
	Recovered End = "recovered" // by itself, or by others; without an incident as well
	Escalated End = "escalated" // a person is called
	Held      End = "held"      // by the gate that Want names; it waits
	Quiet     End = "quiet"     // no incident, nothing red
)

// Want is what is right.
type Want struct {
	// Actions that are right, in order; each entry is one way. Of another
	// container: role:action. None: nothing may be done.
	Actions []string
	End     []End              // each is right; empty: Healed
	Gate    []string           // of Held
	Cause   []string           // cause IDs, each is right; empty: whatever
	Within  time.Duration      // from the fault to the end; 0: a minute
	Stay    time.Duration      // how long it is watched beyond that for what must not come; 0: 8 s
	Answers []string           // roles whose service has to answer at the end; empty: the first, where it is to be healed or to recover
	Check   func(*Stage) error // what else has to be so at the end; nil: nothing
}

func (w Want) ends() []End {
	if len(w.End) == 0 {
		return []End{Healed}
	}
	return w.End
}

func (w Want) within() time.Duration {
	if w.Within == 0 {
		return time.Minute
	}
	return w.Within
}

func (w Want) stay() time.Duration {
	if w.Stay == 0 {
		return 8 * time.Second
	}
	return w.Stay
}

// ways are the sequences of role:action that are right. The role of the first
// container is left out.
func (w Want) ways() [][]string {
	if len(w.Actions) == 0 {
		return [][]string{{}}
	}
	var ways [][]string
	for _, way := range w.Actions {
		ways = append(ways, strings.Fields(way))
	}
	return ways
}

// expects says whether some right way acts on the role.
func (w Want) expects(role string) bool {
	return slices.ContainsFunc(w.ways(), func(way []string) bool {
		return slices.ContainsFunc(way, func(act string) bool { r, _ := split(act); return r == role })
	})
}

// split is the role and the action of role:action.
func split(act string) (role, action string) {
	if role, action, is := strings.Cut(act, ":"); is {
		return role, action
	}
	return "", act
}

// name of a container of the scenario, under a policy.
func (s Scenario) container(policy, role string) string {
	name := s.Name
	if role != "" {
		name += "-" + role
	}
	if policy != logstream {
		name = policy + "-" + name // all policies run on one engine
	}
	return name
}

// groups are the scenarios by group, in the order of the list and at most size of
// them at once; beside are those that may run at the same time as others.
func groups(all []Scenario, size int) (beside, alone [][]Scenario) {
	var order []string
	by := map[string][]Scenario{}
	for _, s := range all {
		if by[s.Group] == nil {
			order = append(order, s.Group)
		}
		by[s.Group] = append(by[s.Group], s)
	}
	for _, group := range order {
		switch {
		case group == "":
			beside = append(slices.Collect(slices.Chunk(by[group], size)), beside...)
		case strings.HasPrefix(group, ofEngine):
			alone = append(alone, by[group])
		default:
			beside = append(beside, by[group])
		}
	}
	return beside, alone
}

// Scenarios are all of them.
func Scenarios() []Scenario {
	return slices.Concat(ended, running, loops, dependencies, environment, gates, unusual, fleet)
}
