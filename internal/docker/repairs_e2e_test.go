//go:build e2e

package docker_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/container"
)

// bench is an engine with the containers, networks and volumes of one test,
// which are removed with it.
type bench struct {
	*engine.Engine
	t *testing.T
}

func newBench(t *testing.T, e *engine.Engine) bench {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.Background()
		if all, err := e.Command(ctx, nil, "ps", "-aq"); err != nil {
			t.Error(err)
		} else if all != "" {
			if _, err := e.Command(ctx, nil, append([]string{"rm", "-f", "-v"}, strings.Fields(all)...)...); err != nil {
				t.Error(err)
			}
		}
		if _, err := e.Command(ctx, nil, "network", "prune", "-f"); err != nil {
			t.Error(err)
		}
		bench{e, t}.removeVolumes()
	})
	return bench{e, t}
}

// removeVolumes removes all, which no container may have.
func (b bench) removeVolumes() {
	b.t.Helper()
	ctx := context.Background()
	all, err := b.Command(ctx, nil, "volume", "ls", "-q")
	if err == nil && all != "" {
		_, err = b.Command(ctx, nil, append([]string{"volume", "rm"}, strings.Fields(all)...)...)
	}
	if err != nil {
		b.t.Error(err)
	}
}

func (b bench) docker(args ...string) string {
	b.t.Helper()
	return b.Docker(b.t, args...)
}

// web runs the web application, published at the port that it returns the
// address of, and waits until it answers with that status.
func (b bench) web(name string, status int, args ...string) (url string) {
	b.t.Helper()
	port := freePort(b.t)
	b.docker(append(append([]string{"run", "-d", "--name", name, "-p", "127.0.0.1:" + port + ":" + images.Port}, args...), images.Webapp.Name)...)
	url = "http://127.0.0.1:" + port
	b.answers(url, status)
	return url
}

func (b bench) answers(url string, status int) {
	b.t.Helper()
	await(b.t, url+" answers "+strconv.Itoa(status), func() bool { return get(url) == status })
}

// A service that another reaches by an alias, at an address of its own, lost its
// network: connected as it was remembered, it is reached again.
func TestConnectBringsTheAliasBack(t *testing.T) { engines.Each(t, connectBringsTheAliasBack) }

func connectBringsTheAliasBack(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	b.docker("network", "create", "--subnet", b.Subnet(0), "backend")
	b.docker("run", "-d", "--name", "db", "--network", "backend", "--network-alias", "database", "--ip", b.Address(0, 50), images.Webapp.Name)
	url := b.web("api", 200, "--network", "backend", "-e", "NEEDS=http://database:"+images.Port)

	before := find(t, runtime, "db")
	want := []container.Network{{Name: "backend", Aliases: []string{"database"}, IPv4: b.Address(0, 50), Address: b.Address(0, 50)}}
	if !reflect.DeepEqual(before.Networks, want) {
		t.Fatalf("its networks are %+v, want %+v", before.Networks, want)
	}
	b.docker("network", "disconnect", "backend", "db")
	if lost := find(t, runtime, "db"); len(lost.Networks) != 0 || lost.SpecHash == before.SpecHash {
		t.Errorf("disconnected:\n\t%+v\nbefore:\n\t%+v", lost, before)
	}
	b.answers(url, 503)

	b.docker("network", "connect", "backend", "db") // by a user who forgot the alias
	if err := runtime.Connect(t.Context(), before.ID, before.Networks); err == nil {
		t.Error("connected already without the alias, it is said to be connected")
	}
	if err := runtime.Disconnect(t.Context(), before.ID, before.Networks); err != nil {
		t.Fatal(err)
	}
	if err := runtime.Connect(t.Context(), before.ID, before.Networks); err != nil {
		t.Fatal(err)
	}
	b.answers(url, 200)
	if now := find(t, runtime, "db"); !reflect.DeepEqual(now, before) {
		t.Errorf("connected:\n\t%+v\nbefore:\n\t%+v", now, before)
	}

	b.docker("rm", "-f", "api")
	b.docker("network", "disconnect", "backend", "db")
	b.docker("network", "rm", "backend")
	err := runtime.Connect(t.Context(), before.ID, before.Networks)
	if err == nil || !strings.Contains(err.Error(), `network "backend"`) || !strings.Contains(err.Error(), "docker network create") {
		t.Errorf("Connect to a network that is gone gives %v, want its name and what to do", err)
	}
	if err := runtime.Disconnect(t.Context(), before.ID, before.Networks); err != nil {
		t.Errorf("Disconnect from a network that is gone gives %v", err)
	}
}

func TestKillStartDoesNotWaitForTheStopTimeout(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		b, runtime := newBench(t, e), open(t, e.Host())
		url := b.web("deaf", 200, "-e", "STOP=ignore", "--stop-timeout", "60")
		begun := time.Now()
		if err := runtime.KillStart(t.Context(), find(t, runtime, "deaf").ID, time.Second); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("it took %v, with a grace of 1s and a stop time-out of 60s", took)
		}
		b.answers(url, 200)
	})
}

// The kernel has the new limit, and the container as much swap as before.
func TestSetMemoryReachesTheKernel(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		b, runtime := newBench(t, e), open(t, e.Host())
		for _, test := range []struct {
			name, swap string // of docker run
			want       string // MemorySwap afterwards
		}{
			{"twice", "", "192"},
			{"none", "64m", "128"},
			{"unlimited", "-1", "-1"},
		} {
			args := []string{"-m", "64m"}
			if test.swap != "" {
				args = append(args, "--memory-swap", test.swap)
			}
			b.web(test.name, 200, args...)
			id := find(t, runtime, test.name).ID
			if err := runtime.SetMemory(t.Context(), id, 128<<20); err != nil {
				t.Fatal(err)
			}
			swap := b.docker("inspect", "-f", "{{.HostConfig.MemorySwap}}", test.name)
			if n, err := strconv.ParseInt(swap, 10, 64); err == nil && n > 0 {
				swap = strconv.FormatInt(n>>20, 10)
			}
			if now := find(t, runtime, test.name); now.Memory != 128<<20 || swap != test.want {
				t.Errorf("%s: %d bytes of memory, and memory with swap %s, want %s", test.name, now.Memory, swap, test.want)
			}
			if limit := kernelLimit(t, id); limit != strconv.Itoa(128<<20) {
				t.Errorf("%s: the kernel's limit is %q", test.name, limit)
			}
			stats, err := runtime.Stats(t.Context(), id)
			if err != nil || stats.MemoryLimit != 128<<20 || stats.Memory <= 0 || stats.Memory > 64<<20 {
				t.Errorf("%s: the statistics are %+v, %v", test.name, stats, err)
			}
			if err := runtime.SetMemory(t.Context(), id, 0); !errors.Is(err, container.ErrUnsupported) {
				t.Errorf("%s: to remove the limit gives %v", test.name, err)
			}
		}
	})
}

// kernelLimit is what the control group of the container says.
func kernelLimit(t *testing.T, id string) (limit string) {
	t.Helper()
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || !strings.Contains(entry.Name(), id) {
			return nil
		}
		for _, file := range []string{"memory.max", "memory.limit_in_bytes"} {
			if data, err := os.ReadFile(filepath.Join(path, file)); err == nil {
				limit = strings.TrimSpace(string(data))
				return fs.SkipAll
			}
		}
		return fs.SkipDir
	})
	return limit
}

// What is read of a busy container with limits.
func TestStatsAndProcesses(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		b, runtime := newBench(t, e), open(t, e.Host())
		url := b.web("busy", 200, "--cpus", "0.2", "--pids-limit", "77")
		if state := find(t, runtime, "busy"); state.CPUs != 0.2 || state.Memory != 0 || state.ReadOnly {
			t.Errorf("%+v", state)
		}
		get(url + "/busy")
		id := find(t, runtime, "busy").ID
		await(t, "it is throttled", func() bool {
			stats, err := runtime.Stats(t.Context(), id)
			return err == nil && stats.CPUs > 0.1 && stats.CPUs < 0.4 && stats.Throttled > 0.1 && stats.PIDLimit == 77 && stats.MemoryLimit == 0
		})
		found, err := runtime.Processes(t.Context(), id)
		if err != nil || len(found) != 1 || found[0].Command != "/webapp" || !strings.Contains("RSD", found[0].State) || found[0].State == "" {
			t.Errorf("the processes are %+v, %v", found, err)
		}
	})
}
