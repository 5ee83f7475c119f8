//go:build e2e

package docker_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/container/containertest"
	"logstream/internal/docker"
)

// checked is an image with a HEALTHCHECK.
var checked = images.Image{Name: "logstream-webapp-checked", Health: []string{"/webapp", "-check"}}

// engines are those of this package's tests, and ours to harm.
var engines engine.Set

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	engines.Prepare = func(e *engine.Engine) error {
		return images.LoadAll(context.Background(), e, images.Webapp, images.Quit, checked)
	}
	defer func() {
		if err := engines.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

func open(t *testing.T, host string) *docker.Runtime {
	t.Helper()
	r, err := docker.New(docker.Config{Host: host}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestConformance(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		for name, image := range map[string]images.Image{"SIGTERM": images.Webapp, "SIGQUIT": images.Quit} {
			t.Run(name, func(t *testing.T) {
				containertest.Exercise(t, func(t *testing.T) containertest.Fixture { return fixture(t, e, image) })
			})
		}
	})
}

// fixture runs the two containers of one subtest.
func fixture(t *testing.T, e *engine.Engine, image images.Image) containertest.Fixture {
	const name, stubborn = "conforming", "stubborn"
	port := freePort(t)
	url := "http://127.0.0.1:" + port
	var both sync.WaitGroup
	both.Go(func() {
		e.Docker(t, "run", "-d", "--name", name, "-p", "127.0.0.1:"+port+":"+images.Port, image.Name)
	})
	both.Go(func() {
		e.Docker(t, "run", "-d", "--name", stubborn, "--stop-timeout", "1", "-e", "STOP=ignore", images.Webapp.Name)
	})
	both.Wait()
	t.Cleanup(func() {
		// The test's own context has ended by now. An old engine may write into
		// the directory that it is removing, and then says that it is not empty.
		// A recreation leaves another container behind.
		var err error
		for range 5 {
			var all string
			if all, err = e.Command(context.Background(), nil, "ps", "-aq"); err == nil && all == "" {
				return
			}
			if _, err = e.Command(context.Background(), nil, append([]string{"rm", "-f"}, strings.Fields(all)...)...); err == nil || strings.Contains(err.Error(), "No such container") {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
		t.Error(err)
	})
	await(t, "the web application answers", func() bool { return get(url) == http.StatusOK })
	await(t, "the stubborn one is deaf", func() bool {
		return strings.Contains(e.Docker(t, "logs", stubborn), "listening")
	})
	signal := "15"
	if image.StopSignal == "SIGQUIT" {
		signal = "3"
	}
	runtime := open(t, e.Host())
	return containertest.Fixture{
		Runtime:    runtime,
		Injector:   docker.NewInjector(runtime),
		Name:       name,
		URL:        url,
		StopSignal: signal,
		Stubborn:   stubborn,
		Exit: func(t *testing.T, code int) {
			// The process ends before it answers, so an error is what we want.
			if status := get(fmt.Sprintf("%s/exit?code=%d", url, code)); status != 0 {
				t.Errorf("asked to exit, it answers %d", status)
			}
		},
		Say: func(t *testing.T, text string) {
			response, err := http.Post(url+"/log", "text/plain", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Fatalf("asked to write a line, it answers %s", response.Status)
			}
		},
		Remove: func(t *testing.T) { e.Docker(t, "rm", "-f", name) },
	}
}

func get(url string) int {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !condition(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func freePort(t *testing.T) string { return strconv.Itoa(engine.FreePort(t)) }
