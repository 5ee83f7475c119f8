//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
)

// Each action that changes what a container is, once, on real containers.

// requested has an operator request an action, and waits until it was verified.
func (d *daemon) requested(name, action string) apiIncident {
	d.t.Helper()
	result := ""
	for end := time.Now().Add(time.Minute); !strings.Contains(result, `"ok":true`); { // it may be changing at this moment
		status, body := d.post("/api/v1/services/"+name+"/heal", `{"action":"`+action+`"}`)
		if status != 202 || time.Now().After(end) {
			d.t.Fatalf("heal %s: %d %s; %s", action, status, body, result)
		}
		result = d.answered(body)
	}
	in := d.newest(120*time.Second, name, "is resolved by "+action, func(in apiIncident) bool {
		return resolved(in) && in.Action == action
	})
	if got := actions(in); !slices.Equal(got, []string{action}) || how(in) != "healed" {
		d.t.Errorf("actions %v, how %q, want one %s, healed", got, how(in), action)
	}
	d.up(name)
	return in
}

// of is one field of what the engine reports a container.
func of(t *testing.T, docker *engine.Engine, name, field string) string {
	t.Helper()
	return strings.TrimSpace(docker.Docker(t, "inspect", "-f", "{{"+field+"}}", name))
}

func TestConnectGivesItsNetworksBack(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		docker.Docker(t, "network", "create", "act-net")
		t.Cleanup(func() { _, _ = docker.Command(context.Background(), nil, "network", "rm", "act-net") })
		url := container(t, docker, "act-connect", "--network", "act-net", "--network-alias", "pay")
		d := configured(t, docker.Host(), "", yaml("act-connect", url, "")).start()
		d.up("act-connect")
		d.remembers(docker, "act-connect")
		docker.Docker(t, "network", "disconnect", "act-net", "act-connect")
		d.requested("act-connect", "connect")
		if got := of(t, docker, "act-connect", `json (index .NetworkSettings.Networks "act-net").Aliases`); !strings.Contains(got, `"pay"`) {
			t.Errorf("its aliases are %s", got)
		}
	})
}

func TestKillStartAndRaiseMemory(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		url := container(t, docker, "act-memory", "-m", "64m")
		d := configured(t, docker.Host(), "", yaml("act-memory", url, ", heal: {max_memory: 96MiB}")).start()
		d.up("act-memory")
		d.remembers(docker, "act-memory")
		since := time.Now()
		d.requested("act-memory", "kill_start")
		if n := engineActions(t, docker, "act-memory", since, "restart"); n != 1 {
			t.Errorf("the engine reports %d restarts, want 1", n)
		}
		began := of(t, docker, "act-memory", ".State.StartedAt")
		d.requested("act-memory", "raise_memory")
		if got := of(t, docker, "act-memory", ".HostConfig.Memory"); got != "100663296" {
			t.Errorf("its limit is %s", got)
		}
		if now := of(t, docker, "act-memory", ".State.StartedAt"); now != began {
			t.Error("it was restarted for it")
		}
		// What is requested while the container is still being inspected is accepted, and
		// found impossible then.
		d.until(60*time.Second, "more is refused at the ceiling", func() bool {
			_, body := d.post("/api/v1/services/act-memory/heal", `{"action":"raise_memory"}`)
			return strings.Contains(d.answered(body), "heal.max_memory allows 96MiB")
		})
		if got := of(t, docker, "act-memory", ".HostConfig.Memory"); got != "100663296" {
			t.Errorf("past the ceiling its limit is %s", got)
		}
	})
}

// command is what became of a command, by the answer to its request.
func (d *daemon) command(accepted string) string {
	_, id, _ := strings.Cut(accepted, `"command":"`)
	id, _, _ = strings.Cut(id, `"`)
	return d.raw("/api/v1/commands/" + id)
}

// TestRollbackAndRecreate: to the image before, with its variables and its
// anonymous volume; and what was removed comes back.
func TestRollbackAndRecreate(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		const name = "act-rollback"
		url := container(t, docker, name, "-e", "API_PASSWORD=hunter2-canary", "-v", "/data")
		d := configured(t, docker.Host(), "", yaml(name, url, "")).start()
		d.up(name)
		d.remembers(docker, name)
		before := of(t, docker, name, ".Image")
		port := url[strings.LastIndex(url, ":")+1:]
		docker.Docker(t, "rm", "-f", name)
		docker.Docker(t, "run", "-d", "--name", name, "-p", "127.0.0.1:"+port+":8080", "-e", "API_PASSWORD=hunter2-canary", "-v", "/data", "logstream-webapp-quit")
		updated := of(t, docker, name, ".Image")
		d.remembers(docker, name)
		volume := of(t, docker, name, "(index .Mounts 0).Name")
		in := d.requested(name, "rollback")
		if now := of(t, docker, name, ".Image"); now != before || now == updated {
			t.Errorf("it runs %s, before it was %s", now, before)
		}
		if now := of(t, docker, name, "(index .Mounts 0).Name"); now != volume {
			t.Errorf("its volume is %s instead of %s", now, volume)
		}
		if env := of(t, docker, name, "json .Config.Env"); !strings.Contains(env, "API_PASSWORD=hunter2-canary") {
			t.Errorf("its variables are %s", env)
		}
		if all := docker.Docker(t, "ps", "-a", "--format", "{{.Names}} {{.Status}}"); !strings.Contains(all, name+"-logstream-kept-") {
			t.Errorf("the one before was not kept: %s", all)
		}
		t.Cleanup(func() {
			kept, _ := docker.Command(context.Background(), nil, "ps", "-aq", "--filter", "name="+name+"-logstream-kept-")
			for _, id := range strings.Fields(kept) {
				_, _ = docker.Command(context.Background(), nil, "rm", "-f", id)
			}
		})
		// While one is kept, nothing is replaced.
		d.until(time.Minute, "a second rollback is refused", func() bool {
			_, body := d.post("/api/v1/services/"+name+"/heal", `{"action":"rollback"}`)
			return strings.Contains(d.answered(body), "is still kept from the last time")
		})
		kept := strings.Fields(docker.Docker(t, "ps", "-aq", "--filter", "name="+name+"-logstream-kept-"))
		if len(kept) != 1 {
			t.Errorf("%d containers are kept, want one", len(kept))
		}
		docker.Docker(t, append([]string{"rm", "-f"}, kept...)...)
		d.remembers(docker, name)
		docker.Docker(t, "rm", "-f", name)
		d.requested(name, "recreate")
		if now := of(t, docker, name, ".Image"); now != before {
			t.Errorf("it runs %s, before it was %s", now, before)
		}
		if env := of(t, docker, name, "json .Config.Env"); !strings.Contains(env, "API_PASSWORD=hunter2-canary") {
			t.Errorf("its variables are %s", env)
		}
		if got := d.raw("/api/v1/incidents/" + in.ID); strings.Contains(got, "hunter2") {
			t.Errorf("the incident has its secret: %s", got)
		}
		d.onlyOwnerReads()
	})
}

// answered is a command's record once it has a result.
func (d *daemon) answered(accepted string) string {
	d.t.Helper()
	last := ""
	d.until(20*time.Second, "the command is answered", func() bool { last = d.command(accepted); return strings.Contains(last, `"ok":`) })
	return last
}

// onlyOwnerReads checks who may read the specifications.
func (d *daemon) onlyOwnerReads() {
	d.t.Helper()
	_ = filepath.Walk(filepath.Join(d.dir, "data", "specifications"), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			d.t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return nil
	})
}
