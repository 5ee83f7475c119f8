// Package health is the registry in which every component reports what it is
// missing, so that the page and /readyz can show it: since when, what still
// works, what is on hold, and how to fix it.
package health

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Components that can have a problem.
const (
	Bus       = "bus"
	Docker    = "docker"
	LLM       = "llm"
	Config    = "config"
	Monitor   = "monitor"
	Healer    = "healer"
	Dashboard = "dashboard"
	Chaos     = "chaos"
	Rollup    = "rollup"
	Discovery = "discovery"
	Notify    = "notify"
)

// Remedy is what a person can do about a problem: a sentence, and a command to
// paste where there is one.
type Remedy struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// String is the remedy in one line; the command stands last.
func (r Remedy) String() string {
	switch {
	case r.Command == "":
		return r.Text
	case r.Text == "":
		return r.Command
	}
	return r.Text + ": " + r.Command
}

// Problem is what is wrong with one component.
type Problem struct {
	Part   string
	Since  time.Time
	What   string // one sentence
	Works  string // what goes on meanwhile
	OnHold string // what waits
	Remedy Remedy
}

// MarshalJSON writes the contract's names: mend is the remedy in one line.
func (p Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Part   string    `json:"part"`
		Since  time.Time `json:"since"`
		What   string    `json:"what"`
		Works  string    `json:"works"`
		OnHold string    `json:"on_hold"`
		Mend   string    `json:"mend"`
		Remedy Remedy    `json:"remedy"`
	}{p.Part, p.Since, p.What, p.Works, p.OnHold, p.Remedy.String(), p.Remedy})
}

// Registry holds at most one problem for each component. The zero value is
// ready, and safe for concurrent use.
type Registry struct {
	mu       sync.Mutex
	problems map[string]Problem
	changed  chan struct{}
}

// Report says that a component has a problem. While it has one, Since stays.
func (r *Registry) Report(p Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, was := r.problems[p.Part]
	if was {
		p.Since = old.Since
		if p == old {
			return
		}
	} else if p.Since.IsZero() {
		p.Since = time.Now().UTC()
	}
	if r.problems == nil {
		r.problems = map[string]Problem{}
	}
	r.problems[p.Part] = p
	r.notify()
}

// Clear says that a component is healthy.
func (r *Registry) Clear(part string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, was := r.problems[part]; was {
		delete(r.problems, part)
		r.notify()
	}
}

// List is every problem, in the order of the components' names.
func (r *Registry) List() []Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Problem, 0, len(r.problems))
	for _, p := range r.problems {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Problem) int { return strings.Compare(a.Part, b.Part) })
	return list
}

// Get is the problem of one component, if it has one.
func (r *Registry) Get(part string) (Problem, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, is := r.problems[part]
	return p, is
}

// Changed is closed at the next change.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

func (r *Registry) notify() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
