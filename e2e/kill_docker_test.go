//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/e2e/sockproxy"
	"logstream/internal/event"
)

// repairable is a service in a real container, and a repair of it that is to be
// made once.
type repairable struct {
	action string
	args   []string // of docker run
	more   string   // of the service in the configuration
	// prepare makes the repair possible, once the service is UP.
	prepare func(t *testing.T, docker *engine.Engine, c *killCase)
	// fault makes it needed; nil: an operator requests it.
	fault func(*testing.T, *engine.Engine, string)
	made  func(t *testing.T, docker *engine.Engine, name string, since time.Time) int
	// undone says whether it was undone; nil: nothing undoes it.
	undone func(t *testing.T, docker *engine.Engine, name, former string) bool
}

func eventsOf(action string) func(*testing.T, *engine.Engine, string, time.Time) int {
	return func(t *testing.T, docker *engine.Engine, name string, since time.Time) int {
		return engineActions(t, docker, name, since, action)
	}
}

// failingImage is one in which the service fails.
var failingImage = images.Image{Name: "logstream-webapp-500", Env: []string{"MODE=500"}}

// onlyAsked keeps LogStream from repairing by itself what is prepared.
const onlyAsked = ", heal: {mode: observe}"

// isFormer says whether the container of before is in its place again.
func isFormer(t *testing.T, docker *engine.Engine, name, former string) bool {
	return of(t, docker, name, ".Id") == former
}

func repairables(dir string) []repairable {
	limit := func(t *testing.T, docker *engine.Engine, name string) string {
		return of(t, docker, name, ".HostConfig.Memory")
	}
	networks := func(t *testing.T, docker *engine.Engine, name string) string {
		return of(t, docker, name, "json .NetworkSettings.Networks")
	}
	return []repairable{
		{action: "start", fault: dockerDoes("kill"), made: eventsOf("start")},
		{action: "unpause", fault: dockerDoes("pause"), made: eventsOf("unpause")},
		{action: "restart", fault: fails, made: eventsOf("restart")},
		{action: "kill_start", made: eventsOf("restart")},
		{action: "run", more: fmt.Sprintf(", heal: {mode: observe, commands: {note: [/bin/sh, -c, 'echo ran >> %s/$LOGSTREAM_SERVICE']}}", dir),
			made: func(_ *testing.T, _ *engine.Engine, name string, _ time.Time) int {
				ran, _ := os.ReadFile(filepath.Join(dir, name))
				return bytes.Count(ran, []byte("ran"))
			}},
		{action: "connect", args: []string{"--network", "kill-net", "--network-alias", "pay"}, more: onlyAsked,
			prepare: func(t *testing.T, docker *engine.Engine, c *killCase) {
				docker.Docker(t, "network", "disconnect", "kill-net", c.service)
			},
			made: func(t *testing.T, docker *engine.Engine, name string, _ time.Time) int {
				return strings.Count(networks(t, docker, name), `"Aliases":["pay"`)
			},
			undone: func(t *testing.T, docker *engine.Engine, name, _ string) bool {
				return !strings.Contains(networks(t, docker, name), "kill-net")
			}},
		{action: "raise_memory", args: []string{"-m", "64m"}, more: ", heal: {mode: observe, max_memory: 512MiB}",
			made: func(t *testing.T, docker *engine.Engine, name string, _ time.Time) int {
				return map[string]int{"134217728": 1, "268435456": 2, "536870912": 3}[limit(t, docker, name)]
			},
			undone: func(t *testing.T, docker *engine.Engine, name, _ string) bool {
				return limit(t, docker, name) == "67108864"
			}},
		{action: "rollback", more: onlyAsked, prepare: updatedTo(failingImage.Name), made: eventsOf("create"), undone: isFormer},
		{action: "recreate", more: onlyAsked, prepare: updatedTo("logstream-webapp", "-e", "MODE=500"), made: eventsOf("create"), undone: isFormer},
	}
}

// updatedTo has a user replace the container by one that fails.
func updatedTo(image string, args ...string) func(*testing.T, *engine.Engine, *killCase) {
	return func(t *testing.T, docker *engine.Engine, c *killCase) {
		port := docker.Docker(t, "port", c.service, "8080/tcp")
		docker.Docker(t, "rm", "-f", c.service)
		docker.Docker(t, slices.Concat([]string{"run", "-d", "--name", c.service, "-p", strings.Fields(port)[0] + ":8080"}, args, []string{image})...)
		c.d.until(60*time.Second, c.service+" is DOWN in its new container", func() bool {
			return c.d.service(c.service).Status == "DOWN" && strings.Contains(c.d.raw("/api/v1/services/"+c.service), of(t, docker, c.service, ".Id"))
		})
	}
}

// onDocker is a case of the matrix in a container of its own.
func onDocker(t *testing.T, docker *engine.Engine, r repairable, at boundary) *killCase {
	t.Helper()
	name := strings.ReplaceAll("kill-"+r.action+"-"+at.name, "_", "-")
	url := container(t, docker, name, r.args...)
	t.Cleanup(func() {
		kept, _ := docker.Command(context.Background(), nil, "ps", "-aq", "--filter", "name="+name)
		for _, id := range strings.Fields(kept) {
			_, _ = docker.Command(context.Background(), nil, "rm", "-f", id)
		}
	})
	c := &killCase{service: name, action: r.action, at: at, d: configured(t, docker.Host(), quickly, yaml(name, url, r.more))}
	var since time.Time
	c.ready = func() bool { return true }
	c.prepare = func() {
		c.d.remembers(docker, name)
		if r.prepare != nil {
			r.prepare(t, docker, c)
		}
	}
	c.provoke = func() {
		since = time.Now()
		if r.fault != nil {
			r.fault(t, docker, name)
			return
		}
		c.heal()
	}
	c.calls = func() int { return r.made(t, docker, name, since) }
	return c
}

// TestKilledInEachActionOnDocker kills logstream in the course of every action on
// real containers, once its effect is there and the result is not written; with
// LOGSTREAM_BOUNDARIES=all at every boundary. What can be undone then is, and
// logstream is killed at the same boundary of that.
func TestKilledInEachActionOnDocker(t *testing.T) {
	t.Parallel()
	images.Load(t, docker, failingImage)
	docker.Docker(t, "network", "create", "kill-net")
	t.Cleanup(func() { _, _ = docker.Command(context.Background(), nil, "network", "rm", "kill-net") })
	all := boundaries
	if os.Getenv("LOGSTREAM_BOUNDARIES") != "all" {
		i := slices.IndexFunc(boundaries, func(b boundary) bool { return b.name == "before-action_finished" })
		all = boundaries[i : i+1]
	}
	for _, at := range all {
		t.Run(at.name, func(t *testing.T) { killedOnDocker(t, docker, at) })
	}
}

func killedOnDocker(t *testing.T, docker *engine.Engine, at boundary) {
	var cases []*killCase
	formers := map[string]string{}
	list := repairables(t.TempDir())
	for _, r := range list {
		if r.action == "run" && strings.HasSuffix(at.name, "-call") {
			continue // the runtime is not called for it
		}
		c := onDocker(t, docker, r, at)
		cases = append(cases, c)
		prepare := c.prepare
		c.prepare = func() {
			prepare()
			formers[c.service] = of(t, docker, c.service, ".Id")
		}
	}
	survive(t, cases, func() {
		undoing := slices.DeleteFunc(slices.Clone(cases), func(c *killCase) bool { return undoneBy(list, c.action) == nil || t.Failed() })
		for _, c := range undoing {
			if at.name != "after-diagnosed" { // of an undo nothing is diagnosed
				c.killUndo(t)
				continue
			}
			if out, err := exec.Command(c.d.program, "undo", c.incident, "--url", "http://"+c.d.page).CombinedOutput(); err != nil {
				t.Errorf("undo of %s: %v: %s", c.action, err, out)
			}
		}
		for _, c := range undoing {
			undo := c.undo()
			if how(undo) != event.HowOperator || !undoneBy(list, c.action)(t, docker, c.service, formers[c.service]) {
				t.Errorf("undone, %s: its incident ended as %q: %s", c.action, how(undo), c.d.raw("/api/v1/incidents/"+undo.ID))
			}
			made := 0
			for n, e := range undo.Events {
				if result, is := e.Data.(event.ActionFinished); is && result.OK {
					made++
				}
				if e.Seq != n+1 {
					t.Errorf("undone, %s: event %d has seq %d", c.action, n+1, e.Seq)
				}
			}
			if made != 1 {
				t.Errorf("undone, %s: %d results are good, want one: %s", c.action, made, c.d.raw("/api/v1/incidents/"+undo.ID))
			}
		}
	})
}

// undoneBy says whether a repair was undone; nil: nothing undoes it.
func undoneBy(list []repairable, action string) func(t *testing.T, docker *engine.Engine, name, former string) bool {
	return list[slices.IndexFunc(list, func(r repairable) bool { return r.action == action })].undone
}

// killUndo has the repair undone, kills logstream at the same boundary of the undo,
// and starts it again.
func (c *killCase) killUndo(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.kills(), c.service+"."+c.at.name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, answer := c.d.post("/api/v1/incidents/"+c.incident+"/undo", "")
	c.d.until(2*time.Minute, "the undo of "+c.action+" comes to "+c.at.name, func() bool {
		if result := c.d.command(answer); !c.ended() && strings.Contains(result, `"ok":false`) { // it may be busy at this moment
			_, answer = c.d.post("/api/v1/incidents/"+c.incident+"/undo", "")
		}
		return c.ended()
	})
	c.again(t)
}

// undo is the incident of the undo, once it has ended.
func (c *killCase) undo() (undo apiIncident) {
	c.d.until(3*time.Minute, c.action+" is undone", func() bool { // what was there before may fail again by now
		all := c.d.incidents(c.service)
		i := slices.IndexFunc(all, func(in apiIncident) bool {
			return in.ID != c.incident && in.State != "open" && in.Action == c.action
		})
		if i < 0 {
			return false
		}
		undo = apiIncident{}
		return c.d.get("/api/v1/incidents/"+all[i].ID, &undo) == nil
	})
	return undo
}

// TestAReplacementThatWasCutOffIsPutBack kills logstream after it has renamed the
// old container and before it creates the new one.
func TestAReplacementThatWasCutOffIsPutBack(t *testing.T) {
	t.Parallel()
	const name = "kill-cut-off"
	url := container(t, docker, name, "--restart", "on-failure:3")
	p := before(t, docker)
	d := configured(t, p.Host(), quickly, yaml(name, url, onlyAsked)).start()
	d.up(name)
	d.remembers(docker, name)
	c := &killCase{service: name, d: d}
	updatedTo("logstream-webapp", "-e", "MODE=500", "--restart", "on-failure:3")(t, docker, c)
	former, since := of(t, docker, name, ".Id"), time.Now()
	p.Set(sockproxy.Rule{Method: http.MethodPost, Path: "/containers/create", Outcome: sockproxy.Hang})
	body := ""
	d.until(60*time.Second, "the old container is renamed", func() bool {
		if body == "" || strings.Contains(d.command(body), `"ok":false`) { // it may be busy at this moment
			_, body = d.post("/api/v1/services/"+name+"/heal", `{"action":"recreate"}`)
		}
		return len(p.Calls(http.MethodPost, "/containers/create")) > 0
	})
	d.kill()
	if all := docker.Docker(t, "ps", "-a", "--format", "{{.Names}}"); !strings.Contains(all, name+"-logstream-kept-") {
		t.Fatalf("it was not renamed: %s; %s", all, body)
	}
	p.Set()
	d.start()
	d.until(3*time.Minute, "it is in its place again, and runs", func() bool {
		return strings.Contains(docker.Docker(t, "ps", "--format", "{{.Names}} {{.ID}}", "--no-trunc"), name+" "+former)
	})
	if got := of(t, docker, name, "json .HostConfig.RestartPolicy"); got != `{"Name":"on-failure","MaximumRetryCount":3}` {
		t.Errorf("its restart policy is %s", got)
	}
	in := d.newest(30*time.Second, name, "has it verified", func(in apiIncident) bool {
		return strings.Contains(d.raw("/api/v1/incidents/"+in.ID), `"type":"verified"`)
	})
	if got := actions(in); !slices.Equal(got, []string{"recreate", "recreate"}) || !results(in)[1].OK || results(in)[0].Outcome != event.OutcomeUnknown {
		t.Errorf("actions %v, results %+v", got, results(in))
	}
	if n := engineActions(t, docker, name, since, "create"); n > 0 {
		t.Errorf("the engine reports %d new containers", n)
	}
}
