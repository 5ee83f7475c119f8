//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/e2e/sockproxy"
	"logstream/internal/event"
)

// before puts a proxy before an engine's socket.
func before(t *testing.T, e *engine.Engine) *sockproxy.Proxy {
	t.Helper()
	p, err := sockproxy.New(filepath.Join(t.TempDir(), "docker.sock"), e.Guarded(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func results(in apiIncident) []event.ActionFinished {
	var list []event.ActionFinished
	for _, e := range in.Events {
		if data, is := e.Data.(event.ActionFinished); is {
			list = append(list, data)
		}
	}
	return list
}

// TestKilledBetweenTheCallAndItsResult kills logstream while its start call is
// under way: once the engine has acted and the answer is held back, once the
// call never reached the engine.
func TestKilledBetweenTheCallAndItsResult(t *testing.T) {
	engines.Each(t, killedBetweenTheCallAndItsResult)
}

func killedBetweenTheCallAndItsResult(t *testing.T, docker *engine.Engine) {
	for _, tt := range []struct {
		name   string
		effect bool
	}{{"the effect is there", true}, {"the effect is not there", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := map[bool]string{true: "acted", false: "not-acted"}[tt.effect]
			url := container(t, docker, name)
			p := before(t, docker)
			d := configured(t, p.Host(), "", yaml(name, url, "")).start()
			d.up(name)
			if tt.effect {
				p.Set(sockproxy.Rule{Method: http.MethodPost, Path: "/containers/*/start", After: func() { <-t.Context().Done() }})
			} else {
				p.Set(sockproxy.Rule{Method: http.MethodPost, Path: "/containers/*/start", Outcome: sockproxy.Hang})
			}
			since := time.Now()
			docker.Docker(t, "kill", name)
			d.until(20*time.Second, "the call is under way", func() bool {
				if len(p.Calls(http.MethodPost, "/containers/*/start")) == 0 {
					return false
				}
				return !tt.effect || docker.Docker(t, "inspect", "-f", "{{.State.Running}}", name) == "true"
			})
			id := d.incidents(name)[0].ID
			d.kill()
			p.Set()
			d.start()
			in := d.newest(90*time.Second, name, "is resolved", resolved)
			if in.ID != id {
				t.Errorf("the incident is %s, and was %s: it was forgotten", in.ID, id)
			}
			want := 1
			if !tt.effect {
				want = 2 // the first was never made, and says so
			}
			if got := actions(in); len(got) != 1 || len(results(in)) != want || results(in)[0].OK != tt.effect {
				t.Errorf("actions %v, results %+v", got, results(in))
			}
			if n := engineActions(t, docker, name, since, "start"); n != 1 {
				t.Errorf("the engine reports %d starts, want 1", n)
			}
		})
	}
}

// TestDockerIsUnreachableAtTheStartAndLater starts without an engine, and loses it while it runs.
func TestDockerIsUnreachableAtTheStartAndLater(t *testing.T) {
	t.Parallel()
	e := engine.Start(t, docker.Kind)
	images.Load(t, e, images.Webapp)
	url := container(t, e, "lonely")
	p := before(t, e)
	if err := p.Vanish(); err != nil {
		t.Fatal(err)
	}
	d := configured(t, p.Host(), "", yaml("lonely", url, "")).start()
	d.up("lonely") // probing goes on without an engine
	d.until(20*time.Second, "the page says that Docker is missing", func() bool { return len(problems(d, "docker")) == 1 })
	if response, err := http.Get("http://" + d.page + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("readyz without Docker: %v %v", response, err)
	} else {
		response.Body.Close()
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	d.until(30*time.Second, "Docker is back, and the container was seen running", func() bool {
		return len(problems(d, "docker")) == 0 && strings.Contains(d.raw("/api/v1/services"), `"ran":true`)
	})

	// It vanishes while the service is broken, and comes back.
	since := time.Now()
	if err := p.Vanish(); err != nil {
		t.Fatal(err)
	}
	e.Docker(t, "kill", "lonely")
	d.newest(30*time.Second, "lonely", "is held by the engine gate", heldBy("engine"))
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "what is missing, since when, what works, what waits and how to fix it", `(() => {
		const text = document.querySelector('.banner[data-problem="docker"]')?.innerText.toLowerCase() ?? "";
		return ["since", "still works", "on hold", "how to fix"].every((part) => text.includes(part));
	})()`)
	sees(t, ctx, "the last known state of the service, and why nothing is done", `(() => {
		const card = document.querySelector('[data-service="lonely"]');
		return card?.dataset.status === "DOWN" && card.dataset.held === "engine" && card.innerText.includes("On hold.");
	})()`)
	if n := engineActions(t, e, "lonely", since, "start"); n != 0 {
		t.Errorf("%d starts without an engine", n)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	in := d.newest(60*time.Second, "lonely", "is resolved", resolved)
	if got := actions(in); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions %v: want one start", got)
	}
	if n := engineActions(t, e, "lonely", since, "start"); n != 1 {
		t.Errorf("the engine reports %d starts, want 1", n)
	}

	// The engine itself is restarted: its stops are not intentional.
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	d.until(90*time.Second, "what the engine stopped runs again", d.isUp("lonely"))
}

func problems(d *daemon, part string) []string {
	var info struct {
		Troubles []struct {
			Part string `json:"part"`
			What string `json:"what"`
		} `json:"troubles"`
	}
	if err := d.get("/api/v1/info", &info); err != nil {
		return nil
	}
	var list []string
	for _, problem := range info.Troubles {
		if problem.Part == part {
			list = append(list, problem.What)
		}
	}
	return list
}

// TestKilledAtEachStep kills logstream the moment that a step of an incident
// stands on the log, and starts it again.
func TestKilledAtEachStep(t *testing.T) {
	for _, step := range []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified} {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			name := "step-" + strings.ReplaceAll(string(step), "_", "-")
			url := container(t, docker, name)
			d := configured(t, docker.Host(), "", yaml(name, url, "")).start()
			d.up(name)
			d.until(20*time.Second, "its container was seen running", func() bool { return strings.Contains(d.raw("/api/v1/services"), `"ran":true`) })
			since := time.Now()
			seen := onLog(t, d, step)
			docker.Docker(t, "kill", name)
			select {
			case <-seen:
			case <-time.After(2 * time.Minute):
				t.Fatalf("no %s on the log within 2 minutes", step)
			}
			d.kill()
			d.start()
			in := d.newest(90*time.Second, name, "is resolved", resolved)
			if len(d.incidents(name)) != 1 {
				t.Errorf("there are %d incidents, want the one", len(d.incidents(name)))
			}
			for n, e := range in.Events {
				if e.Seq != n+1 {
					t.Errorf("event %d has seq %d", n+1, e.Seq)
				}
			}
			if n := engineActions(t, docker, name, since, "start"); n != 1 {
				t.Errorf("the engine reports %d starts, want 1", n)
			}
		})
	}
}

// onLog is closed once an incident event of that type stands on the log.
func onLog(t *testing.T, d *daemon, step event.Type) <-chan struct{} {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(d.broker), kgo.ConsumeTopics(event.TopicIncidents), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for {
			fetches := client.PollFetches(t.Context())
			for _, r := range fetches.Records() {
				if e, err := event.DecodeIncident(r.Value); err == nil && e.Type == step {
					return
				}
			}
			if fetches.IsClientClosed() || t.Context().Err() != nil {
				return
			}
		}
	}()
	return seen
}
