package docker

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

// TestForeignContainerUnderTheNameIsNeverTouched: a deployment makes its container
// between our query and our creation, which then fails.
func TestForeignContainerUnderTheNameIsNeverTouched(t *testing.T) {
	for _, gone := range []bool{false, true} {
		old := inspected(t, "inspect-running")
		foreign := inspected(t, "inspect-running")
		foreign.ID = strings.Repeat("f", 64)
		engine := newReplay(t)
		answer := func(method, path string, status int, body func() any) {
			engine.on(method, path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				if body != nil {
					_ = json.NewEncoder(w).Encode(body()) // the client may leave
				}
			})
		}
		inPlace := ""
		answer("GET", "/containers/json", 200, func() any {
			if inPlace == "" {
				return []apicontainer.Summary{}
			}
			return []apicontainer.Summary{{ID: inPlace, Names: []string{old.Name}, State: "running"}}
		})
		answer("POST", "/containers/create", 409, func() any {
			inPlace = foreign.ID
			return map[string]string{"message": "Conflict. The container name is already in use"}
		})
		answer("GET", "/images/"+old.Image+"/json", 200, func() any { return map[string]any{"Id": old.Image, "Config": map[string]any{}} })
		answer("GET", "/images/"+old.Config.Image+"/json", 200, func() any { return map[string]any{"Id": old.Image, "Config": map[string]any{}} })
		for name := range old.NetworkSettings.Networks {
			answer("GET", "/networks/"+name, 200, func() any { return map[string]any{"Name": name} })
		}
		for _, c := range []apicontainer.InspectResponse{old, foreign} {
			answer("GET", "/containers/"+c.ID+"/json", 200, func() any { return c })
			answer("POST", "/containers/"+c.ID+"/stop", 204, nil)
			answer("POST", "/containers/"+c.ID+"/rename", 204, nil)
			answer("POST", "/containers/"+c.ID+"/update", 200, func() any { return map[string]any{} })
			answer("POST", "/containers/"+c.ID+"/start", 204, nil)
		}
		r := engine.runtime(t)
		with := container.Replacement{ID: old.ID}
		if gone {
			spec, err := r.Specification(t.Context(), old.ID)
			if err != nil {
				t.Fatal(err)
			}
			with = container.Replacement{Spec: spec}
			answer("GET", "/containers/"+old.ID+"/json", 404, func() any { return map[string]string{"message": "No such container"} })
		}
		_, _, err := r.Recreate(t.Context(), with)
		if err == nil || len(engine.calls("POST /containers/create")) != 1 {
			t.Errorf("gone %v: %v after %q", gone, err, engine.calls("POST"))
		}
		if touched := engine.calls("POST /containers/" + foreign.ID); len(touched) > 0 {
			t.Errorf("gone %v: it is touched: %q", gone, touched)
		}
	}
}
