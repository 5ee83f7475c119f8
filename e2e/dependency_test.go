//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
)

// TestWhatDependsOnAFailedServiceIsLeftAlone: four services behind one database,
// three beside each other and one above them. The database alone is repaired,
// whether its container ended or its process hangs, and whichever turns DOWN first.
func TestWhatDependsOnAFailedServiceIsLeftAlone(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		docker.Docker(t, "network", "create", "dep-shop")
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_, _ = docker.Command(ctx, nil, "network", "rm", "dep-shop")
		})
		behind := func(name, other string) string {
			return container(t, docker, name, "--network", "dep-shop", "-e", "NEEDS=http://"+other+":8080/")
		}
		services := yaml("dep-db", container(t, docker, "dep-db", "--network", "dep-shop"), ", interval: 4s")
		above := map[string]string{"dep-a": "dep-db", "dep-b": "dep-db", "dep-c": "dep-db", "dep-web": "dep-a"}
		names := []string{"dep-a", "dep-b", "dep-c", "dep-web"}
		for _, name := range names {
			services += yaml(name, behind(name, above[name]), fmt.Sprintf(", depends_on: [%s]", above[name]))
		}
		d := configured(t, docker.Host(), "", services)
		text, err := os.ReadFile(d.config)
		if err != nil {
			t.Fatal(err)
		}
		d.write(strings.Replace(string(text), "manual_grace: 1s", "manual_grace: 20s", 1)) // time for all to turn DOWN
		d.start()
		for _, name := range append(names, "dep-db") {
			d.up(name)
		}
		for _, fault := range []struct {
			do     func()
			action string
		}{
			{func() { docker.Docker(t, "stop", "dep-db") }, "start"},
			{func() { visit(t, docker, "dep-db", "/hang") }, "restart"},
		} {
			since := time.Now()
			fault.do()
			root := d.newest(90*time.Second, "dep-db", "is resolved", func(in apiIncident) bool { return resolved(in) && in.Opened.After(since) })
			if got := actions(root); !slices.Equal(got, []string{fault.action}) {
				t.Errorf("the database got %v, want %s", got, fault.action)
			}
			for _, name := range names {
				in := d.newest(60*time.Second, name, "is resolved", func(in apiIncident) bool { return resolved(in) && in.Opened.After(since) })
				if got := actions(in); len(got) != 0 || how(in) != "recovered" || in.Root != "dep-db" {
					t.Errorf("%s got %v, ended %s with root %q: want no action, recovered, dep-db", name, got, how(in), in.Root)
				}
				if n := engineActions(t, docker, name, since, "start") + engineActions(t, docker, name, since, "die"); n != 0 {
					t.Errorf("the engine reports %d starts and ends of %s", n, name)
				}
			}
			if n := engineActions(t, docker, "dep-db", since, "start"); n != 1 {
				t.Errorf("the engine reports %d starts of the database, want 1", n)
			}
			var shown struct {
				Dependents []struct{ Service string }
			}
			if err := d.get("/api/v1/incidents/"+root.ID, &shown); err != nil || len(shown.Dependents) != len(names) {
				t.Errorf("the root's incident shows the dependents %+v (%v)", shown.Dependents, err)
			}
		}
	})
}
