//go:build e2e

package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logstream/e2e/engine"
	"logstream/internal/container"
)

const recreatedFile = `
name: shop
services:
  web:
    image: logstream-webapp
    pull_policy: never
    environment: {VERSION: "VERSION_NOW"}
  payment:
    image: logstream-webapp
    pull_policy: never
    container_name: payment-service
    environment: {VERSION: "VERSION_NOW"}
`

// Compose goes on with a container that took another's place: it neither brings
// back what was kept, nor loses its way at the next change.
func TestComposeAfterARecreation(t *testing.T) { engines.Each(t, composeAfterARecreation) }

func composeAfterARecreation(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	file := filepath.Join(t.TempDir(), "compose.yaml")
	up := func(version string, more ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(recreatedFile, "VERSION_NOW", version)), 0o600); err != nil {
			t.Fatal(err)
		}
		b.docker(append([]string{"compose", "-f", file, "up", "-d"}, more...)...)
	}
	names := map[string]string{"shop/web": "shop-web-1", "shop/payment": "payment-service"}
	up("1")
	for range 2 { // the second time what was recreated is recreated
		for ref, name := range names {
			before := find(t, runtime, ref)
			id, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID})
			if err != nil {
				t.Fatal(err)
			}
			if now := find(t, runtime, ref); now.ID != id || now.Name != name || now.SpecHash != before.SpecHash {
				t.Errorf("recreated:\n\t%+v\nbefore:\n\t%+v", now, before)
			}
		}
		recreated := map[string]string{}
		for ref := range names {
			recreated[ref] = find(t, runtime, ref).ID
		}
		up("1")
		for ref, name := range names {
			if now := find(t, runtime, ref); now.ID != recreated[ref] || now.Name != name || now.Status != container.Running {
				t.Errorf("after an up that changes nothing:\n\t%+v\nwant %s, running", now, recreated[ref])
			}
		}
		listed(t, runtime, "shop-web-1", 1)
	}
	for ref := range names {
		if _, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: find(t, runtime, ref).ID}); err != nil {
			t.Fatal(err)
		}
	}
	up("2") // it names what has no container_name by the number, such as shop-web-0
	for ref, name := range names {
		if now := find(t, runtime, ref); now.Status != container.Running || ref == "shop/payment" && now.Name != name || b.inspect(now.Name, "{{index .Config.Env 0}}") != "VERSION=2" {
			t.Errorf("after a deployment it is\n\t%+v", now)
		}
	}

	// What was restored is older than what is kept then, and Compose brings that
	// back. It is found under whatever name.
	before := find(t, runtime, "shop/web")
	id, kept, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID})
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.Restore(t.Context(), container.Restoration{ID: id, Kept: kept}); err != nil {
		t.Fatal(err)
	}
	up("2")
	if now := find(t, runtime, "shop/web"); now.Status != container.Running {
		t.Errorf("after a restoration and an up it is\n\t%+v", now)
	}
}

// listed checks the replica's number in the list.
func listed(t *testing.T, runtime container.Runtime, name string, number int) {
	t.Helper()
	all, err := runtime.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name && (c.Number != number || c.Temporary) {
			t.Errorf("listed as %+v, want number %d", c, number)
		}
	}
}
