//go:build e2e

package faults

import (
	"path"
	"strings"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/sockproxy"
)

// Act is what a policy had the engine do, as it came in at the engine.
type Act struct {
	Container string // its name; empty: the call does not name it
	Kind      string // the engine's word, such as start
	At        time.Time
}

// actsOf are the calls that change a container, in their order. Containers are
// named by the engine's own events, also those that are gone.
func actsOf(calls []sockproxy.Call, events []engine.Event) []Act {
	names := map[string]string{}
	for _, e := range events {
		if names[e.ID] == "" {
			names[e.ID] = e.Name // its first: a container that is kept gets another
		}
	}
	var acts []Act
	for _, c := range calls {
		dir, kind := path.Split(c.Path)
		switch {
		case c.Method == "DELETE" && strings.HasPrefix(c.Path, "/containers/"):
			dir, kind = c.Path+"/", "remove"
		case c.Method != "POST", kind == "wait", kind == "exec", kind == "auth", kind == "create" && !strings.HasPrefix(c.Path, "/containers/"):
			continue
		}
		name := strings.TrimPrefix(strings.TrimSuffix(dir, "/"), "/containers/")
		if strings.HasPrefix(c.Path, "/networks/") || kind == "create" {
			name = ""
		}
		if known := names[name]; known != "" {
			name = known
		}
		acts = append(acts, Act{name, kind, c.At})
	}
	return acts
}

// calls are the engine's words for one action.
var calls = map[string]string{"start": "start", "restart": "restart", "unpause": "unpause"}

// of are those of one container.
func of(acts []Act, name string) (found []Act) {
	for _, a := range acts {
		if a.Container == name {
			found = append(found, a)
		}
	}
	return found
}

// count counts the acts of one kind.
func count(acts []Act, kind string) (n int) {
	for _, a := range acts {
		if a.Kind == kind {
			n++
		}
	}
	return n
}
