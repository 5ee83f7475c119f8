package monitor

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"logstream/internal/health"
)

// maxNamed is how many problems one report spells out.
const maxNamed = 3

// problems are the monitor's own, by what each is about. The registry has room
// for one problem of the monitor, so they are reported as one.
type problems struct {
	registry *health.Registry

	mu  sync.Mutex
	all map[string]health.Problem
}

func (p *problems) report(about string, problem health.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	problem.Part = health.Monitor
	if p.all[about] == problem {
		return
	}
	if p.all == nil {
		p.all = map[string]health.Problem{}
	}
	p.all[about] = problem
	p.publish()
}

func (p *problems) clear(about string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, was := p.all[about]; !was {
		return
	}
	delete(p.all, about)
	p.publish()
}

func (p *problems) publish() {
	if len(p.all) == 0 {
		p.registry.Clear(health.Monitor)
		return
	}
	keys := make([]string, 0, len(p.all))
	for key := range p.all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var what []string
	for _, key := range keys[:min(len(keys), maxNamed)] {
		what = append(what, p.all[key].What)
	}
	if more := len(keys) - maxNamed; more > 0 {
		what = append(what, fmt.Sprintf("and %d more", more))
	}
	one := p.all[keys[0]]
	one.What = strings.Join(what, "; ")
	p.registry.Report(one)
}
