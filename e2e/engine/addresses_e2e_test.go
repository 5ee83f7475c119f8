//go:build e2e

package engine_test

import (
	"fmt"
	"net"
	"sync"
	"testing"

	"logstream/e2e/engine"
)

// TestNoTwoEnginesHaveTheSameAddresses, although they choose those of a new
// network at the same time: what is sent to a container of the one would reach
// that of the other. An engine that ended has none any more.
func TestNoTwoEnginesHaveTheSameAddresses(t *testing.T) {
	kinds, err := engine.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	var bridges []string
	t.Run("while they run", func(t *testing.T) { bridges = createAtOnce(t, append(kinds, kinds[0])) })
	for _, bridge := range bridges {
		if _, err := net.InterfaceByName(bridge); err == nil {
			t.Errorf("%s is left of an engine that ended", bridge)
		}
	}
}

// createAtOnce creates networks on so many engines, and returns their bridges.
func createAtOnce(t *testing.T, kinds []engine.Kind) (bridges []string) {
	owners := map[string]string{} // by a network's addresses
	var mu sync.Mutex
	var all sync.WaitGroup
	started := make(chan struct{})
	for i, kind := range kinds {
		e, owner := engine.Start(t, kind), fmt.Sprintf("engine %d (%s)", i, kind)
		create := func(args ...string) {
			id, err := e.Command(t.Context(), nil, append([]string{"network", "create"}, args...)...)
			if err != nil {
				t.Error(err)
				return
			}
			subnet, err := e.Command(t.Context(), nil, "network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", id)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if other, taken := owners[subnet]; taken {
				t.Errorf("%s has %s, which %s has as well", owner, subnet, other)
			}
			owners[subnet] = owner
			bridges = append(bridges, "br-"+id[:12])
		}
		all.Go(func() {
			<-started
			for n := range 4 {
				create(fmt.Sprintf("chosen-%d", n))
				create("--subnet", e.Subnet(n), fmt.Sprintf("given-%d", n))
			}
		})
	}
	close(started) // all of them run
	all.Wait()
	return bridges
}
