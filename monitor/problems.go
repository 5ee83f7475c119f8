package monitor

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"logstream/internal/health"
)

// maxTold is how many notices one trouble spells out.
const maxTold = 3

// notices are the monitor's own troubles, by what each is about. The board
// has room for one trouble of the monitor, so they are told together.
type notices struct {
	board *health.Registry

	mu  sync.Mutex
	all map[string]health.Problem
}

func (n *notices) raise(about string, t health.Problem) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Part = health.Monitor
	if n.all[about] == t {
		return
	}
	if n.all == nil {
		n.all = map[string]health.Problem{}
	}
	n.all[about] = t
	n.tell()
}

func (n *notices) clear(about string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, was := n.all[about]; !was {
		return
	}
	delete(n.all, about)
	n.tell()
}

func (n *notices) tell() {
	if len(n.all) == 0 {
		n.board.Clear(health.Monitor)
		return
	}
	keys := make([]string, 0, len(n.all))
	for key := range n.all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var what []string
	for _, key := range keys[:min(len(keys), maxTold)] {
		what = append(what, n.all[key].What)
	}
	if more := len(keys) - maxTold; more > 0 {
		what = append(what, fmt.Sprintf("and %d more", more))
	}
	t := n.all[keys[0]]
	t.What = strings.Join(what, "; ")
	n.board.Report(t)
}
