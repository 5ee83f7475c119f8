package docker

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

// replacing is an engine with one container, which is renamed and replaced.
type replacing struct {
	*replay
	mu      sync.Mutex
	old     apicontainer.InspectResponse
	made    apicontainer.InspectResponse // ID empty: none
	held    bool                         // its name, by a creation that goes on
	refused func()                       // called where a rename meets a name that is held
}

// newReplacing calls renamed once the old container has another name, and creates
// after its creation was begun, before it is answered.
func newReplacing(t *testing.T, renamed func(), creates func(*replacing, *http.Request)) *replacing {
	t.Helper()
	e := &replacing{replay: newReplay(t), old: inspected(t, "inspect-running")}
	place := e.old.Name
	answer := func(method, path string, do func(*http.Request) (status int, body any)) {
		e.on(method, path, func(w http.ResponseWriter, r *http.Request) {
			status, body := do(r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			if body != nil {
				_ = json.NewEncoder(w).Encode(body) // the client may leave
			}
		})
	}
	locked := func(do func(r *http.Request) (int, any)) func(*http.Request) (int, any) {
		return func(r *http.Request) (int, any) {
			e.mu.Lock()
			defer e.mu.Unlock()
			return do(r)
		}
	}
	answer("GET", "/containers/json", locked(func(*http.Request) (int, any) {
		list := []apicontainer.Summary{}
		for _, c := range []apicontainer.InspectResponse{e.old, e.made} {
			if c.ContainerJSONBase != nil && c.Name == place {
				list = append(list, apicontainer.Summary{ID: c.ID, Names: []string{c.Name}, State: c.State.Status})
			}
		}
		return 200, list
	}))
	answer("POST", "/containers/create", func(r *http.Request) (int, any) {
		creates(e, r)
		<-r.Context().Done() // the client has left
		return 500, map[string]string{"message": "it is never read"}
	})
	image := func(*http.Request) (int, any) {
		return 200, map[string]any{"Id": e.old.Image, "Config": map[string]any{}}
	}
	answer("GET", "/images/"+e.old.Image+"/json", image)
	answer("GET", "/images/"+e.old.Config.Image+"/json", image)
	for name := range e.old.NetworkSettings.Networks {
		answer("GET", "/networks/"+name, func(*http.Request) (int, any) { return 200, map[string]any{"Name": name} })
	}
	of := func(id string, c *apicontainer.InspectResponse) {
		answer("GET", "/containers/"+id+"/json", locked(func(*http.Request) (int, any) { return 200, *c }))
		answer("POST", "/containers/"+id+"/rename", func(r *http.Request) (int, any) {
			e.mu.Lock()
			to := "/" + r.URL.Query().Get("name")
			taken := to == place && (e.held || e.made.ContainerJSONBase != nil && e.made.Name == place && c != &e.made)
			if taken {
				e.mu.Unlock()
				e.refused()
				return 409, map[string]string{"message": "Conflict. The container name is already in use"}
			}
			base := *c.ContainerJSONBase
			base.Name = to
			c.ContainerJSONBase = &base
			e.mu.Unlock()
			if to != place && c == &e.old {
				renamed()
			}
			return 204, nil
		})
		for path, running := range map[string]bool{"stop": false, "start": true} {
			answer("POST", "/containers/"+id+"/"+path, locked(func(*http.Request) (int, any) {
				base, state := *c.ContainerJSONBase, *c.State
				state.Running = running
				base.State, c.ContainerJSONBase = &state, &base
				return 204, nil
			}))
		}
		answer("POST", "/containers/"+id+"/update", locked(func(r *http.Request) (int, any) {
			var to apicontainer.UpdateConfig
			if err := json.NewDecoder(r.Body).Decode(&to); err != nil {
				return 400, nil
			}
			base, host := *c.ContainerJSONBase, *c.HostConfig
			host.RestartPolicy = to.RestartPolicy
			base.HostConfig, c.ContainerJSONBase = &host, &base
			return 200, map[string]any{}
		}))
	}
	of(e.old.ID, &e.old)
	of(madeID, &e.made)
	return e
}

var madeID = strings.Repeat("b", 64)

// create has the engine end the creation with a container of ours in that place.
func (e *replacing) create(place string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	base, config := *e.old.ContainerJSONBase, *e.old.Config
	base.ID, base.Name = madeID, place
	base.State = &apicontainer.State{Status: "created"}
	config.Labels = map[string]string{labelReplaces: e.old.ID}
	e.made = e.old
	e.made.ContainerJSONBase, e.made.Config = &base, &config
	e.held = false
}

// TestADeadlineThatEndsAfterTheRename puts the old container back in a time of its
// own, also where the engine goes on with a creation whose caller has left.
func TestADeadlineThatEndsAfterTheRename(t *testing.T) {
	place := inspected(t, "inspect-running").Name
	for name, tt := range map[string]struct {
		early   bool // the time is over before the creation is begun
		created func(e *replacing)
		kept    bool // what was made
	}{
		"before the creation":                             {early: true},
		"during it, and nothing is made":                  {created: func(e *replacing) { e.release() }},
		"during it, and the engine makes it all the same": {created: func(e *replacing) { e.create(place) }, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			defer end()
			renamed := func() {
				if tt.early {
					end()
				}
			}
			var after sync.WaitGroup
			refused := make(chan struct{})
			e := newReplacing(t, renamed, func(e *replacing, r *http.Request) {
				e.hold()
				end()
				after.Go(func() { // the engine is at it until the name was found to be taken
					<-refused
					tt.created(e)
				})
			})
			e.refused = sync.OnceFunc(func() { close(refused) })
			r := e.runtime(t)
			_, _, err := r.Recreate(ctx, container.Replacement{ID: e.old.ID})
			after.Wait()
			if err == nil || !strings.Contains(err.Error(), "the former container is in its place again, and running") {
				t.Errorf("Recreate gives %v", err)
			}
			if !errors.Is(err, container.ErrUnavailable) {
				t.Errorf("its effect is known: %v", err)
			}
			want := inspected(t, "inspect-running")
			if e.old.Name != place || !e.old.State.Running || e.old.HostConfig.RestartPolicy != want.HostConfig.RestartPolicy {
				t.Errorf("it is named %s, running %v, with the policy %+v", e.old.Name, e.old.State.Running, e.old.HostConfig.RestartPolicy)
			}
			if tt.kept != (e.made.ContainerJSONBase != nil) || tt.kept && e.made.Name != "/"+keptName(place[1:], madeID) {
				t.Errorf("made was %+v", e.made.ContainerJSONBase)
			}
		})
	}
}

func (e *replacing) hold() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = true
}

func (e *replacing) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = false
}

// TestARenamedContainerGetsNoTwin: its name is free, and its volumes are in use. What
// Recreate itself left behind is no reason.
func TestARenamedContainerGetsNoTwin(t *testing.T) {
	for name, tt := range map[string]struct {
		status string
		made   bool
	}{
		"payment-service-old": {"running", false},
		"payment-service-by":  {"exited", false},
		keptName("payment-service", strings.Repeat("a", 64)): {"exited", true},
	} {
		ctx, end := context.WithCancel(t.Context())
		var created bool
		e := newReplacing(t, nil, func(e *replacing, _ *http.Request) { created = true; end() })
		r := e.runtime(t)
		spec, err := r.Specification(ctx, e.old.ID)
		if err != nil {
			t.Fatal(err)
		}
		base := *e.old.ContainerJSONBase
		base.Name, base.State = "/"+name, &apicontainer.State{Status: tt.status}
		e.old.ContainerJSONBase = &base
		_, _, err = r.Recreate(ctx, container.Replacement{Spec: spec})
		want := "container payment-service was renamed to " + name + ", and a second one would use the same volumes: docker rename " + name + " payment-service, or set the service's container to " + name
		if created != tt.made || !tt.made && (!errors.Is(err, container.ErrUnsupported) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: made %v, and %v", name, created, err)
		}
		end()
	}
}
