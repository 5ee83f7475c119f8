package main

import (
	"slices"
	"testing"

	"logstream/internal/docker"
	"logstream/internal/service"
	"logstream/monitor/discover"
)

// TestConfiguredServicesWinOverDiscovered: an edit of config.yaml and a
// container may name the same at the same time.
func TestConfiguredServicesWinOverDiscovered(t *testing.T) {
	s := serviceSet{
		configured: []service.Definition{{Name: "z", Container: "box"}, {Name: "web"}},
		discovered: []service.Definition{{Name: "a"}, {Name: "b", Container: "box"}, {Name: "c", Container: "c"}, {Name: "web", Container: "web", Discovered: true}},
	}
	var names []string
	for _, d := range s.combine() {
		names = append(names, d.Name)
		if d.Discovered {
			t.Errorf("%s is the discovered one", d.Name)
		}
	}
	if want := []string{"z", "web", "a", "c"}; !slices.Equal(names, want) || len(*s.all.Load()) != len(want) {
		t.Errorf("the services are %v, want %v", names, want)
	}
}

func TestDiscoveryHasTheModesOfTheConfiguration(t *testing.T) {
	for configured, mode := range map[docker.Discover]discover.Mode{docker.DiscoverOff: discover.Off, docker.DiscoverLabelled: discover.Labelled, docker.DiscoverAll: discover.All} {
		if discover.Mode(configured) != mode {
			t.Errorf("%q is %q", configured, mode)
		}
	}
}
