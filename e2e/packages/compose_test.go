//go:build e2e

package packages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/e2e/kafka"
)

// TestComposeRunsLogStreamBesideKafka has the profile of docker-compose.yml and
// config.yaml as they are shipped, but for the ports of this machine.
func TestComposeRunsLogStreamBesideKafka(t *testing.T) {
	e, err := engines.Default()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page := fmt.Sprintf("127.0.0.1:%d", engine.FreePort(t))
	config := strings.Replace(string(shipped), "listen: 127.0.0.1:5000", "listen: "+page, 1)
	for variable, shipped := range map[string]string{"KAFKA_PORT": "9092", "PAYMENT_PORT": "8080", "INVENTORY_PORT": "8081"} {
		port := fmt.Sprint(engine.FreePort(t))
		t.Setenv(variable, port)
		config = strings.ReplaceAll(config, "localhost:"+shipped, "localhost:"+port)
	}
	file, err := filepath.Abs("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COMPOSE_FILE", file) // the reader types in its folder
	dir := write(t, "config.yaml", config)
	t.Setenv("CONFIG_DIR", dir)
	t.Setenv("DOCKER_SOCKET", e.Guarded())
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range regexp.MustCompile(`(?m)^ +image: (\S+)`).FindAllStringSubmatch(string(content), -1) {
		switch name := image[1]; {
		case strings.HasPrefix(name, "apache/kafka:"):
			if err := kafka.LoadImage(t.Context(), e, name); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(name, "nginx:"):
			images.Load(t, e, images.Image{Name: name, StopSignal: "SIGQUIT", Env: []string{"ADDR=:80"}})
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if out, err := e.Command(ctx, nil, "compose", "--profile", "*", "down", "-v"); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	remove(t, e, "logstream")
	types(t, e, dir, os.Getenv("HOME"), readme(t, "export COMPOSE_PROFILES", e)+"\n"+readme(t, "docker compose up", e))
	if !isHealthy(t, e, "logstream")() {
		t.Error("docker compose up --wait returned, and it is not healthy")
	}
	until(t, "payment-service is UP", func() bool { return status(page, "payment-service") == "UP" })
	var info struct {
		Bus struct{ Kind string }
	}
	if get(page, "info", &info); info.Bus.Kind != "kafka" {
		t.Errorf("its log is in %q, want kafka", info.Bus.Kind)
	}
	e.Docker(t, "kill", "payment-service")
	healed(t, page, "payment-service")
	if got := e.Docker(t, "inspect", "-f", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}", "logstream"); got != "65532:65532 true [ALL]" {
		t.Errorf("it runs as %q", got)
	}
}
