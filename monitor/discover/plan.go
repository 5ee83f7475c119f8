// Package discover finds services in the containers of the engine, so that they
// need no entry in config.yaml. Plan decides, purely, which containers are
// services and how they are monitored; Discovery lists the containers when one
// comes or goes, and says which services there are.
//
// What it promises:
//
//   - config.yaml wins: a container that a configured service names is not
//     discovered again, and no configured name is taken.
//   - A service is in mode observe unless its label logstream.heal says auto.
//     Labels are hostile input: they are bounded, nothing in them is expanded,
//     and none reads a file or sends a secret.
//   - A label that is wrong is reported with container and label. Its service is
//     monitored by its container's state alone, and not repaired.
//   - Two live containers for one name are reported, and neither is chosen.
//   - A container that stopped stays a service. One that was removed leaves after
//     leaveAfter, so that one that is recreated is the same service.
package discover

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"logstream/internal/container"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// Mode says which containers are discovered.
type Mode string

// The modes, as docker.discover has them.
const (
	Off      Mode = "off"
	Labelled Mode = "labelled" // those with a label of ours
	All      Mode = "all"      // every one
)

// Container is a container that was listed, and where its first published port
// is reached; empty: there is none, or it is not asked for.
type Container struct {
	container.Listed
	Published string
}

// Rules are what a plan follows beside the containers.
type Rules struct {
	Mode       Mode
	Defaults   service.Definition   // what each service begins with
	Configured []service.Definition // in config.yaml
}

// Problem is something that is wrong with a container's labels or name.
type Problem struct {
	Container  string
	Label      string // whole; empty: it is none label's
	Value      string // masked, and fit to be shown; may be empty
	Message    string
	Suggestion string // what was likely meant, or empty
	others     string // further containers
	leftOut    bool   // it alone has no effect
}

// String is the problem in one sentence.
func (p Problem) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "container %s", p.Container)
	if p.others != "" {
		fmt.Fprintf(&s, " and %s", p.others)
	}
	s.WriteString(": ")
	if p.Label != "" {
		fmt.Fprintf(&s, "label %s ", shown("", p.Label))
		if p.Value != "" {
			fmt.Fprintf(&s, "%q ", p.Value)
		}
	}
	s.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&s, "; did you mean %s?", p.Suggestion)
	}
	return s.String()
}

// found is a service and the container that it is.
type found struct {
	service.Definition
	of      container.Listed
	reduced bool // a label is wrong: by its container's state alone
}

// plan is a plan while it is made.
type plan struct {
	Rules
	services []found
	problems []Problem
	naming   naming
	known    known
}

func (p *plan) problem(wrong Problem) { p.problems = append(p.problems, wrong) }

// Plan says which of the containers are services, by name, and what is wrong.
// before is what it said last: of several stopped containers for one name that
// which was the service before still is. The same input gives the same plan.
func (r Rules) Plan(containers []Container, before []service.Definition) ([]service.Definition, []Problem) {
	named := r.naming(containers)
	p := &plan{Rules: r, naming: named, known: known{named, map[string]bool{}, map[string][]string{}, map[[2]string][]string{}}}
	for _, d := range r.Configured {
		p.known.names[d.Name] = true
	}
	byName := map[string][]Container{}
	for _, c := range containers {
		if name, is := p.candidate(c); is {
			byName[name] = append(byName[name], c)
		}
	}
	for name, candidates := range byName {
		if c, is := p.choose(name, candidates, before); is {
			p.services = append(p.services, c)
		}
	}
	slices.SortFunc(p.services, func(a, b found) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range p.services {
		p.known.add(f.Name, f.of)
	}
	p.depend()
	slices.SortStableFunc(p.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
	})
	services := make([]service.Definition, len(p.services))
	for i, f := range p.services {
		services[i] = f.Definition
	}
	return services, p.problems
}

// candidate is the name of the service that a container may be; false where it
// is none.
func (p *plan) candidate(c Container) (string, bool) {
	if c.Temporary {
		return "", false
	}
	if i := slices.IndexFunc(p.Configured, func(d service.Definition) bool { return names(d.Container, c.Listed) }); i >= 0 {
		p.known.add(p.Configured[i].Name, c.Listed)
		return "", false
	}
	labelled := len(c.Labels) > 0
	if on, _ := enabled(c.Listed); !on || !labelled && (p.Mode != All || c.Self) {
		return "", false
	}
	name, err := p.naming.name(c.Listed)
	switch {
	case err != nil:
		p.problem(Problem{Container: c.Name, Message: fmt.Sprintf("its service cannot have that name (%v), so it is not monitored; set label %s", err, labelName)})
		return "", false
	case slices.ContainsFunc(p.Configured, func(d service.Definition) bool { return d.Name == name }):
		if labelled {
			p.problem(Problem{Container: c.Name, Message: fmt.Sprintf(
				"service %s is in config.yaml, without this container, so it is not monitored; set its container there, or label %s", name, labelName)})
		}
		return "", false
	}
	return name, true
}

// names says whether a configured container is c.
func names(ref string, c container.Listed) bool {
	project, of, compose := strings.Cut(ref, "/")
	if compose {
		return project != "" && c.Project == project && c.Service == of
	}
	return ref == c.Name
}

// choose is the one of the candidates that is the service. Where more than one
// could be there is none, or one without a container if all have the same url.
func (p *plan) choose(name string, candidates []Container, before []service.Definition) (found, bool) {
	if len(candidates) == 1 {
		return p.define(name, candidates[0]), true
	}
	live := slices.DeleteFunc(slices.Clone(candidates), func(c Container) bool { return !c.Live() })
	if len(live) == 1 {
		return p.define(name, live[0]), true
	}
	if i := slices.IndexFunc(before, func(d service.Definition) bool { return d.Name == name }); i >= 0 && len(live) == 0 {
		if j := slices.IndexFunc(candidates, func(c Container) bool { return c.Name == before[i].Container }); j >= 0 {
			return p.define(name, candidates[j]), true
		}
	}
	slices.SortFunc(candidates, func(a, b Container) int { return cmp.Compare(a.Name, b.Name) })
	var others []string
	for _, c := range candidates[1:min(len(candidates), maxNamed)] {
		others = append(others, c.Name)
	}
	if more := len(candidates) - maxNamed; more > 0 {
		others = append(others, fmt.Sprintf("%d more", more))
	}
	none := Problem{Container: candidates[0].Name, others: strings.Join(others, " and ")}
	one := p.define(name, candidates[0])
	if one.URL == "" || slices.ContainsFunc(candidates, func(c Container) bool { return c.Labels[labelURL] != one.URL }) {
		none.Message = fmt.Sprintf("each is service %s, so none is monitored or repaired under that name; remove one, or change its label %s", name, labelName)
		p.problem(none)
		return found{}, false
	}
	none.Message = fmt.Sprintf("each is service %s, so its url is checked and none is repaired; remove one, or change its label %s", name, labelName)
	p.problem(none)
	one.Container, one.Heal.Mode = "", service.Observe
	return one, true
}

// define is the service that a container is. Where a label is wrong it is
// monitored by the container's state alone.
func (p *plan) define(name string, c Container) found {
	d := p.base(name, c.Listed)
	if len(c.Labels) == 0 {
		if u := (&url.URL{Scheme: "tcp", Host: c.Published}).String(); c.Published != "" && isChecked(u) {
			d.URL = u
		}
		return found{Definition: limited(d), of: c.Listed}
	}
	wrong := read(&d, c.Listed)
	if len(wrong) == 0 {
		return found{Definition: d, of: c.Listed}
	}
	p.problems = append(p.problems, wrong...)
	return found{Definition: limited(p.base(name, c.Listed)), of: c.Listed, reduced: true}
}

// limited is d with a time-out that ends before the next check begins.
func limited(d service.Definition) service.Definition {
	d.Timeout = min(d.Timeout, max(d.Interval, service.MinTimeout))
	return d
}

// isChecked says whether there is a check for a url.
func isChecked(u string) bool {
	_, is := check.Of(u)
	return is
}

// base is a service by its container's state alone, in mode observe. Of the
// defaults it takes what sends nothing and allows nothing: a label could have
// it sent elsewhere.
func (p *plan) base(name string, c container.Listed) service.Definition {
	of, d := p.Defaults, service.Default()
	d.Name, d.Container, d.Group, d.Note, d.Discovered = name, c.Name, p.naming.group(c, of), of.Note, true
	d.Interval, d.Timeout, d.KeepAlive, d.StartPeriod = of.Interval, of.Timeout, of.KeepAlive, of.StartPeriod
	d.FailureThreshold, d.SuccessThreshold, d.Window, d.Expect = of.FailureThreshold, of.SuccessThreshold, of.Window, of.Expect
	d.Heal = service.Heal{Mode: service.Observe, Never: of.Heal.Never, ManualStop: of.Heal.ManualStop, Confirm: of.Heal.Confirm}
	return d
}
