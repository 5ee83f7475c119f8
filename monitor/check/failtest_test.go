//go:build unix

package check

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/failtest"
	"logstream/internal/service"
)

// TestEveryWayToFailHasItsFailure checks real listeners, each with credentials
// in its address that nothing may repeat.
func TestEveryWayToFailHasItsFailure(t *testing.T) {
	for _, c := range failtest.Cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			def := service.Default()
			def.Name = "pay"
			c.Apply(&def)
			def.URL += "?token=t0ken"
			if c.Code != http.StatusUnauthorized && def.Request.Bearer == "" { // there a login means something else
				def.URL = strings.Replace(def.URL, "://", "://me:s3cret@", 1)
			}
			seen := once(t, def, Env{Version: "1.2.3", Resolver: c.Resolver, Roots: c.Roots, Detail: true})
			if seen.Unknown != nil || seen.Status != c.Status || seen.Failure != c.Failure || seen.Code != c.Code {
				t.Errorf("saw %+v, want %s %q with HTTP %d", seen, c.Status, c.Failure, c.Code)
			}
			if seen.Error == "" {
				t.Error("no sentence says why")
			}
			for _, secret := range []string{"s3cret", "t0ken"} {
				if strings.Contains(seen.Error, secret) {
					t.Errorf("%q holds a credential of the address", seen.Error)
				}
				for _, d := range seen.Detail {
					if strings.Contains(d.Value, secret) {
						t.Errorf("the detail %+v holds a credential of the address", d)
					}
				}
			}
			if seen.Took > c.Timeout+5*time.Second {
				t.Errorf("a check with a timeout of %s took %s", c.Timeout, seen.Took)
			}
			t.Log(seen.Error)
		})
	}
}

// once is one check of a service, by the kind of its url.
func once(t *testing.T, def service.Definition, env Env) Observation {
	t.Helper()
	kind, is := Of(def.URL)
	if !is {
		t.Fatalf("%s has no kind", def.URL)
	}
	checker := kind.New(def, env)
	defer checker.Close()
	return checker.Check(t.Context())
}
