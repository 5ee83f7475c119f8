//go:build e2e

package docker_test

import (
	"strings"
	"testing"

	"logstream/e2e/engine"
)

// TestRightsOfTheEngine tries every call on engines without a proxy: each is let
// through, and nothing is changed.
func TestRightsOfTheEngine(t *testing.T) { engines.Each(t, rightsOfTheEngine) }

func rightsOfTheEngine(t *testing.T, e *engine.Engine) {
	runtime := open(t, e.Host())
	rights, err := runtime.Rights(t.Context())
	if err != nil || len(rights) < 20 {
		t.Fatalf("%d rights, %v", len(rights), err)
	}
	for _, right := range rights {
		if !right.Allowed {
			t.Errorf("%s is refused", right.Call)
		}
	}
	if left := e.Docker(t, "ps", "-a", "--format", "{{.Names}}"); strings.Contains(left, "logstream-none-") {
		t.Errorf("there is %s", left)
	}
	a, err := runtime.About(t.Context())
	if err != nil || a.Podman || a.Version == "" || a.API == "" || a.Clock.IsZero() || a.Clock.Sub(a.Asked).Abs().Minutes() > 1 {
		t.Errorf("it is %+v, %v", a, err)
	}
}
