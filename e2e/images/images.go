//go:build e2e

// Package images makes the images of the end-to-end tests from nothing: one
// static binary in one layer, packed as docker load reads it. It takes no
// registry and no builder.
package images

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"logstream/e2e/engine"
)

// Port is where the web application listens inside its container.
const Port = "8080"

// Image is the web application under some name.
type Image struct {
	Name       string   // such as payment-service:1
	StopSignal string   // such as SIGQUIT, which nginx has; empty: SIGTERM
	Env        []string // such as MODE=500
	Health     []string // command of its HEALTHCHECK, such as /webapp -check; empty: none
}

// Webapp is the image that most tests want.
var Webapp = Image{Name: "logstream-webapp"}

// Quit is a service that is stopped by SIGQUIT, as nginx is.
var Quit = Image{Name: "logstream-webapp-quit", StopSignal: "SIGQUIT"}

// Load builds the web application and loads it under those names.
func Load(t testing.TB, e *engine.Engine, images ...Image) {
	t.Helper()
	if err := LoadAll(t.Context(), e, images...); err != nil {
		t.Fatal(err)
	}
}

// LoadAll is Load for TestMain.
func LoadAll(ctx context.Context, e *engine.Engine, images ...Image) error {
	binary, err := build(ctx)
	if err != nil {
		return err
	}
	for _, image := range images {
		archive, err := pack(image, binary)
		if err != nil {
			return fmt.Errorf("pack image %s: %w", image.Name, err)
		}
		if _, err := e.Command(ctx, bytes.NewReader(archive), "load"); err != nil {
			return fmt.Errorf("load image %s: %w", image.Name, err)
		}
	}
	return nil
}

func build(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "webapp-")
	if err != nil {
		return nil, fmt.Errorf("build the web application: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "webapp")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "logstream/e2e/images/webapp")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the web application: %w: %s", err, out)
	}
	return os.ReadFile(path)
}

// pack makes the archive that docker load reads: the layer, the image's
// configuration, and a manifest that names both.
func pack(image Image, binary []byte) ([]byte, error) {
	layer, err := archive(file{"webapp", binary, 0o755}, file{"tmp/.keep", nil, 0o644})
	if err != nil {
		return nil, err
	}
	settings := map[string]any{
		"Entrypoint":   []string{"/webapp"},
		"Env":          append([]string{"PATH=/"}, image.Env...),
		"ExposedPorts": map[string]any{Port + "/tcp": map[string]any{}},
		"StopSignal":   image.StopSignal,
	}
	if len(image.Health) > 0 {
		settings["Healthcheck"] = map[string]any{"Test": append([]string{"CMD"}, image.Health...), "Interval": 1_000_000_000, "Retries": 1}
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       settings,
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum(layer)}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": sum(config) + ".json", "RepoTags": []string{tagged(image.Name)}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return nil, err
	}
	return archive(file{sum(config) + ".json", config, 0o644}, file{"layer.tar", layer, 0o644}, file{"manifest.json", manifest, 0o644})
}

type file struct {
	name string
	data []byte
	mode int64
}

func archive(files ...file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: f.mode}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// tagged is a name with its tag: docker load doesn't add latest by itself.
func tagged(name string) string {
	if bytes.ContainsRune([]byte(name), ':') {
		return name
	}
	return name + ":latest"
}
