//go:build e2e

package docker_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/e2e/sockproxy"
	"logstream/internal/container"
	"logstream/internal/docker"
)

// image derives an image from the web application, and gives its ID.
func (b bench) image(name string, changes ...string) string {
	b.t.Helper()
	b.docker("create", "--name", "base", images.Webapp.Name)
	args := []string{"commit"}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	b.docker(append(args, "base", name)...)
	b.docker("rm", "base")
	return b.docker("image", "inspect", "-f", "{{.Id}}", name)
}

// write puts a file into the container, and read gives what is there.
func (b bench) write(name, path, text string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "f")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.docker("cp", file, name+":"+path)
}

func (b bench) read(name, path string) string {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "f")
	b.docker("cp", name+":"+path, file)
	text, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b bench) inspect(name, format string) string {
	b.t.Helper()
	return b.docker("inspect", "-f", format, name)
}

// The new container has the old one's files, networks, labels and policy; the
// old one is out of the way of its service; and back.
func TestRecreateKeepsWhatIsNotInTheImage(t *testing.T) { engines.Each(t, recreateKeeps) }

func recreateKeeps(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	b.docker("network", "create", "--subnet", b.Subnet(0), "front")
	b.docker("network", "create", "--subnet", b.Subnet(1), "back")
	bound := t.TempDir()
	url := b.web("shop-web-1", 200, "--network", "front", "--network-alias", "web", "-v", "/data", "-v", "named:/named", "-v", bound+":/bound:ro",
		"--mount", "type=volume,dst=/more", "--tmpfs", "/scratch", "--restart", "unless-stopped", "-e", "TOKEN=s3cret", "-m", "100m",
		"-l", "com.docker.compose.project=shop", "-l", "com.docker.compose.service=web", "-l", "logstream.heal=auto")
	b.docker("network", "connect", "--ip", b.Address(1, 77), "--alias", "store", "back", "shop-web-1")
	b.docker("run", "-d", "--name", "peer", "--network", "back", "-e", "NEEDS=http://store:"+images.Port, images.Webapp.Name)
	b.write("shop-web-1", "/data/kept", "anonymous")
	b.write("shop-web-1", "/more/kept", "as well")
	before := find(t, runtime, "shop/web")

	id, kept, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID})
	if err != nil {
		t.Fatal(err)
	}
	b.answers(url, 200)
	now := find(t, runtime, "shop/web")
	if now.ID != id || kept != before.ID || now.RestartPolicy != "unless-stopped" || now.Memory != 100<<20 || now.SpecHash != before.SpecHash || now.Image != before.Image || now.ImageID != before.ImageID {
		t.Errorf("recreated:\n\t%+v\nbefore:\n\t%+v", now, before)
	}
	if !reflect.DeepEqual(now.Networks[0].Aliases, []string{"store"}) || now.Networks[0].Address != b.Address(1, 77) || now.Networks[0].IPv4 != b.Address(1, 77) ||
		!reflect.DeepEqual(now.Networks[1].Aliases, []string{"web"}) || now.Networks[1].IPv4 != "" {
		t.Errorf("its networks are %+v, and were %+v", now.Networks, before.Networks)
	}
	files := func() {
		t.Helper()
		if a, m := b.read("shop-web-1", "/data/kept"), b.read("shop-web-1", "/more/kept"); a != "anonymous" || m != "as well" {
			t.Errorf("in its anonymous volumes are %q and %q", a, m)
		}
	}
	files()
	if old := find(t, runtime, now.Kept); old.ID != kept || old.Status != container.Exited || old.RestartPolicy != "no" {
		t.Errorf("kept is\n\t%+v", old)
	}
	env := b.inspect("shop-web-1", "{{.Config.Env}}")
	if !strings.Contains(env, "TOKEN=s3cret") || strings.Count(env, "PATH=") != 1 {
		t.Errorf("its variables are %s", env)
	}

	if err := runtime.Restore(t.Context(), container.Restoration{ID: id, Kept: kept}); err != nil {
		t.Fatal(err)
	}
	b.answers(url, 200)
	files()
	again := find(t, runtime, "shop/web")
	if again.ID != before.ID || again.RestartPolicy != "unless-stopped" || again.SpecHash != before.SpecHash || again.Kept != "" {
		t.Errorf("restored:\n\t%+v\nbefore:\n\t%+v", again, before)
	}
	// The name of a container that was kept once is free for the next.
	if second, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID}); err != nil || second == id {
		t.Errorf("recreated once more: %s, %v", second, err)
	}
	b.answers(url, 200)
}

// A replacement that was cut off before the new container was made is put back,
// unless another container has the name.
func TestRestoreWhereNoneWasMade(t *testing.T) { engines.Each(t, restoreWhereNoneWasMade) }

func restoreWhereNoneWasMade(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	url := b.web("cut-off", 200, "--restart", "on-failure:3")
	before := find(t, runtime, "cut-off")
	with := container.Restoration{Kept: before.ID, RestartPolicy: before.RestartPolicy, RestartLimit: before.RestartLimit}
	aside := func() {
		b.docker("stop", "-t", "1", "cut-off")
		b.docker("rename", "cut-off", "cut-off-logstream-kept-"+before.ID[:8])
	}
	aside()
	b.docker("update", "--restart", "no", before.ID)
	for range 2 { // what is restored already stays so
		if err := runtime.Restore(t.Context(), with); err != nil {
			t.Fatal(err)
		}
		b.answers(url, 200)
		if now := find(t, runtime, "cut-off"); now.ID != before.ID || now.RestartPolicy != "on-failure" || now.RestartLimit != 3 || now.SpecHash != before.SpecHash {
			t.Errorf("restored:\n\t%+v\nbefore:\n\t%+v", now, before)
		}
	}
	aside()
	with.Stopped = true
	if err := runtime.Restore(t.Context(), with); err != nil {
		t.Fatal(err)
	}
	if now := find(t, runtime, "cut-off"); now.ID != before.ID || now.Status != container.Exited {
		t.Errorf("restored, not to be started, is\n\t%+v", now)
	}
	aside()
	b.docker("run", "-d", "--name", "cut-off", images.Webapp.Name)
	if err := runtime.Restore(t.Context(), with); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("restored into a taken place: %v", err)
	}
	if old, err := runtime.Inspect(t.Context(), before.ID); err != nil || old.Name != "cut-off-logstream-kept-"+before.ID[:8] {
		t.Errorf("kept is\n\t%+v, %v", old, err)
	}
}

// A rollback takes what the other image says, and keeps what was asked for.
func TestRecreateFromAnotherImage(t *testing.T) { engines.Each(t, recreateFromAnotherImage) }

func recreateFromAnotherImage(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	good := b.image("app:1", "ENV VERSION=1", `CMD ["one"]`, "LABEL version=1", "WORKDIR /tmp", `HEALTHCHECK CMD ["/webapp", "-check"]`)
	b.image("app:2", "ENV VERSION=2 ONLY_HERE=1", `CMD ["two"]`, "LABEL version=2 broken=yes", "EXPOSE 9999")
	port := freePort(t)
	b.docker("run", "-d", "--name", "app", "-p", "127.0.0.1:"+port+":"+images.Port, "-e", "OWN=mine", "-l", "own=mine", "--hostname", "chosen", "app:2")
	url := "http://127.0.0.1:" + port
	b.answers(url, 200)
	before := find(t, runtime, "app")

	id, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID, ImageID: good})
	if err != nil {
		t.Fatal(err)
	}
	b.answers(url, 200)
	if now := find(t, runtime, "app"); now.ID != id || now.ImageID != good || now.Image != "app:1" || now.Health == "" {
		t.Errorf("%+v", now)
	}
	for format, want := range map[string]string{
		"{{.Config.Env}}":                                   "[OWN=mine PATH=/ VERSION=1]",
		"{{.Config.Cmd}}":                                   "[one]",
		"{{.Config.Entrypoint}}":                            "[/webapp]",
		"{{.Config.WorkingDir}}":                            "/tmp",
		"{{.Config.Hostname}}":                              "chosen",
		"{{.Config.ExposedPorts}}":                          "map[8080/tcp:{}]",
		"{{.Config.Labels.version}} {{.Config.Labels.own}}": "1 mine",
		"{{.Config.Labels.broken}}":                         "<no value>",
	} {
		if got := b.inspect("app", format); got != want {
			t.Errorf("%s is %s, want %s", format, got, want)
		}
	}
}

// What cannot start leaves everything as it was, and itself beside it.
func TestRecreateThatFailsPutsTheOldOneBack(t *testing.T) { engines.Each(t, recreateThatFails) }

func recreateThatFails(t *testing.T, e *engine.Engine) {
	b := newBench(t, e)
	bad := b.image("app:bad", `ENTRYPOINT ["/nope"]`)
	b.docker("network", "create", "--subnet", b.Subnet(0), "back")
	url := b.web("app", 200, "--network", "back", "--ip", b.Address(0, 9), "--restart", "always",
		"-l", "com.docker.compose.project=shop", "-l", "com.docker.compose.service=app")
	const timeIsOver = "the caller leaves during the creation"
	for name, rule := range map[string]sockproxy.Rule{
		"the start":               {},
		"the creation is refused": {Method: "POST", Path: "/containers/create", Outcome: sockproxy.Refuse},
		"its answer is lost":      {Method: "POST", Path: "/containers/create", Outcome: sockproxy.Drop},
		timeIsOver:                {Method: "POST", Path: "/containers/create", Outcome: sockproxy.Drop},
		"the renaming is refused": {Method: "POST", Path: "/containers/*/rename", Times: 1, Outcome: sockproxy.Refuse},
	} {
		t.Run(name, func(t *testing.T) {
			proxy, runtime := behind(t, e)
			before := find(t, runtime, "shop/app")
			with := container.Replacement{ID: before.ID, ImageID: bad}
			ctx, end := context.WithCancel(t.Context())
			defer end()
			if name == timeIsOver {
				rule.Before = end
			}
			if rule.Method != "" {
				proxy.Set(rule)
				with.ImageID = ""
			}
			id, kept, err := runtime.Recreate(ctx, with)
			if err == nil || !strings.Contains(err.Error(), "in its place again, and running") || id != "" || kept != "" {
				t.Fatalf("Recreate gives %q, %q and %v", id, kept, err)
			}
			if unknown := errors.Is(err, container.ErrUnavailable); unknown != (rule.Method != "") {
				t.Errorf("ErrUnavailable: %v, of %v", unknown, err)
			}
			if made := rule.Outcome != sockproxy.Refuse; name != timeIsOver && made != strings.Contains(err.Error(), "what was made instead is kept as app-logstream-kept-") {
				t.Errorf("a container was made: %v; the error is %v", made, err)
			}
			b.answers(url, 200)
			now := find(t, runtime, "shop/app")
			if now.ID != before.ID || now.SpecHash != before.SpecHash || now.RestartPolicy != "always" || now.Networks[0].Address != b.Address(0, 9) {
				t.Errorf("it is\n\t%+v\nbefore\n\t%+v", now, before)
			}
		})
	}
}

// What the runtime does not replace is left alone.
func TestRecreateRefuses(t *testing.T) { engines.Each(t, recreateRefuses) }

func recreateRefuses(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	b.docker("run", "-d", "--rm", "--name", "fleeting", images.Webapp.Name)
	b.docker("run", "-d", "--name", "main", images.Webapp.Name)
	b.docker("run", "-d", "--name", "sidecar", "-e", "ADDR=:9090", "--network", "container:main", images.Webapp.Name)
	bound := filepath.Join(t.TempDir(), "conf")
	if err := os.Mkdir(bound, 0o700); err != nil {
		t.Fatal(err)
	}
	b.docker("run", "-d", "--name", "bound", "-v", bound+":/conf", images.Webapp.Name)
	if err := os.Remove(bound); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"fleeting": "--rm", "main": "sidecar", "bound": bound} {
		before := find(t, runtime, name)
		_, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: before.ID})
		refusedFor(t, name, err, says)
		if now := find(t, runtime, name); !reflect.DeepEqual(now, before) {
			t.Errorf("%s is\n\t%+v\nbefore\n\t%+v", name, now, before)
		}
	}
	// One that uses another's network can be replaced itself.
	sidecar := find(t, runtime, "sidecar")
	if main := find(t, runtime, "main"); sidecar.NetworkOf != main.ID || len(sidecar.Networks) != 0 {
		t.Errorf("the network of the sidecar is %q and %+v", sidecar.NetworkOf, sidecar.Networks)
	}
	if _, _, err := runtime.Recreate(t.Context(), container.Replacement{ID: sidecar.ID}); err != nil {
		t.Error(err)
	}
	if now := find(t, runtime, "sidecar"); now.NetworkOf != sidecar.NetworkOf || now.Status != container.Running || now.SpecHash != sidecar.SpecHash {
		t.Errorf("the sidecar is\n\t%+v\nbefore\n\t%+v", now, sidecar)
	}
}

func refusedFor(t *testing.T, what string, err error, says string) {
	t.Helper()
	if !errors.Is(err, container.ErrUnsupported) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want ErrUnsupported, and that it says %q", what, err, says)
	}
}

// A removed container is made again of what was remembered, with its volume;
// not where the volume or the network is gone.
func TestRecreateOfWhatWasRemoved(t *testing.T) { engines.Each(t, recreateOfWhatWasRemoved) }

func recreateOfWhatWasRemoved(t *testing.T, e *engine.Engine) {
	b, runtime := newBench(t, e), open(t, e.Host())
	b.docker("network", "create", "back")
	url := b.web("app", 200, "--network", "back", "-v", "/data", "-e", "PASSWORD=hunter2")
	b.write("app", "/data/kept", "anonymous")
	spec := specification(t, runtime, "app")
	b.docker("rm", "-f", "app")

	if _, kept, err := runtime.Recreate(t.Context(), container.Replacement{Spec: spec}); err != nil || kept != "" {
		t.Fatalf("keeps %q, %v", kept, err)
	}
	b.answers(url, http.StatusOK)
	if got := b.read("app", "/data/kept"); got != "anonymous" {
		t.Errorf("in its volume is %q", got)
	}
	spec = specification(t, runtime, "app")
	b.docker("rm", "-f", "app")
	b.removeVolumes()
	_, _, err := runtime.Recreate(t.Context(), container.Replacement{Spec: spec})
	refusedFor(t, "its volume is gone", err, "/data")
	b.docker("network", "rm", "back")
	_, _, err = runtime.Recreate(t.Context(), container.Replacement{Spec: spec})
	refusedFor(t, "its network is gone", err, `"back"`)
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error has a secret in it: %v", err)
	}
}

func specification(t *testing.T, runtime *docker.Runtime, name string) []byte {
	t.Helper()
	spec, err := runtime.Specification(t.Context(), find(t, runtime, name).ID)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
