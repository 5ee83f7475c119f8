package docker

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"

	"logstream/internal/container"
)

func inspected(t *testing.T, name string) apicontainer.InspectResponse {
	t.Helper()
	_, _, body := recording(t, name)
	var c apicontainer.InspectResponse
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func toStateOf(t *testing.T, name string) container.State {
	t.Helper()
	state, err := toState(inspected(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func instantOf(text string) time.Time {
	at, err := instant(text)
	if err != nil {
		panic(err) // unreachable: the tests' own times
	}
	return at
}

func TestState(t *testing.T) {
	got := toStateOf(t, "inspect-running")
	want := container.State{
		Name:        "payment-service",
		ID:          "57bdd467c4fea50c51562d0529ecb02429a2a54b014613475a3947e32adb6154",
		Image:       "webapp",
		ImageID:     "sha256:349ab7e2019481e9aea317a3de314f4312d39006a26ef5002448196009a6e399",
		SpecHash:    got.SpecHash,
		Status:      container.Running,
		StartedAt:   instantOf("2026-11-24T02:35:53.564113659Z"),
		StopTimeout: 10 * time.Second,
		Project:     "shop",
		Service:     "payment",
		Networks:    []container.Network{{Name: "shop_default", Aliases: []string{"payment", "payment-service"}, Address: "172.19.0.3"}},
		Variables:   []string{"PATH", "V"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(got.SpecHash) != 64 {
		t.Errorf("the hash of the specification is %q, want 64 digits", got.SpecHash)
	}
}

func TestStateAfterTheEnd(t *testing.T) {
	exited := toStateOf(t, "inspect-exited")
	if exited.Status != container.Exited || exited.ExitCode != 0 || !exited.FinishedAt.Equal(instantOf("2026-11-24T02:35:54.325424385Z")) {
		t.Errorf("stopped: %+v", exited)
	}
	if oom := toStateOf(t, "inspect-oom"); oom.Status != container.Exited || oom.ExitCode != 137 || !oom.OOMKilled {
		t.Errorf("out of memory: %+v", oom)
	}
	if port := toStateOf(t, "inspect-port-taken"); port.Status != container.Created || port.ExitCode != 128 || port.Error == "" || !port.StartedAt.IsZero() ||
		port.PortTaken != "127.0.0.1:18999" || port.Published != "18999:8080" {
		t.Errorf("never started, its port being taken: %+v", port)
	}
}

// The hash is that of what was asked for, whatever became of it.
func TestSpecHash(t *testing.T) {
	original, err := specHash(inspected(t, "inspect-running"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"inspect-paused", "inspect-exited"} {
		if got, err := specHash(inspected(t, name)); err != nil || got != original {
			t.Errorf("%s: %s and %v, want that of inspect-running, %s", name, got, err, original)
		}
	}
	for name, change := range map[string]func(*apicontainer.InspectResponse){
		"nothing":         func(*apicontainer.InspectResponse) {},
		"another ID":      func(c *apicontainer.InspectResponse) { renumber(c) },
		"Compose's label": func(c *apicontainer.InspectResponse) { c.Config.Labels[labelReplace] = "payment-service" },
		"address": func(c *apicontainer.InspectResponse) {
			c.NetworkSettings.Networks["shop_default"].IPAddress = "172.30.0.9"
		},
		"endpoint":         func(c *apicontainer.InspectResponse) { c.NetworkSettings.Networks["shop_default"].EndpointID = "" },
		"network's ID":     func(c *apicontainer.InspectResponse) { c.NetworkSettings.Networks["shop_default"].NetworkID = "f" },
		"order of aliases": func(c *apicontainer.InspectResponse) { reverse(c.NetworkSettings.Networks["shop_default"].Aliases) },
		"console":          func(c *apicontainer.InspectResponse) { c.HostConfig.ConsoleSize = [2]uint{24, 80} },
		"an empty list":    func(c *apicontainer.InspectResponse) { c.HostConfig.Binds = []string{} },
	} {
		if got := changed(t, change); got != original {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, change := range map[string]func(*apicontainer.InspectResponse){
		"a variable":  func(c *apicontainer.InspectResponse) { c.Config.Env[0] = "V=9" },
		"image":       func(c *apicontainer.InspectResponse) { c.Config.Image = "other" },
		"command":     func(c *apicontainer.InspectResponse) { c.Config.Cmd = []string{"x"} },
		"host name":   func(c *apicontainer.InspectResponse) { c.Config.Hostname = "chosen" },
		"stop signal": func(c *apicontainer.InspectResponse) { c.Config.StopSignal = "SIGQUIT" },
		"memory":      func(c *apicontainer.InspectResponse) { c.HostConfig.Memory = 1 << 20 },
		"policy":      func(c *apicontainer.InspectResponse) { c.HostConfig.RestartPolicy.Name = "always" },
		"a volume":    func(c *apicontainer.InspectResponse) { c.HostConfig.Binds = []string{"/srv:/srv"} },
		"an alias": func(c *apicontainer.InspectResponse) {
			n := c.NetworkSettings.Networks["shop_default"]
			n.Aliases = append(n.Aliases, "db")
		},
		"network lost": func(c *apicontainer.InspectResponse) { clear(c.NetworkSettings.Networks) },
	} {
		if got := changed(t, change); got == original {
			t.Errorf("%s doesn't change the hash", name)
		}
	}
}

func changed(t *testing.T, change func(*apicontainer.InspectResponse)) string {
	t.Helper()
	c := inspected(t, "inspect-running")
	change(&c)
	hash, err := specHash(c)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// A recreation mounts the volumes without a name by those that they got: that is
// the same specification.
func TestSpecHashOfUnnamedVolumes(t *testing.T) {
	const name = "60ff9abc2dac65769f5c0d6ba21601bfbc06224374604208c98b01ae2bb2fd43"
	asked := changed(t, func(c *apicontainer.InspectResponse) {
		c.Config.Volumes = map[string]struct{}{"/data": {}}
		c.HostConfig.Mounts = []mount.Mount{{Type: mount.TypeVolume, Target: "/more"}}
	})
	taken := func(source string) string {
		return changed(t, func(c *apicontainer.InspectResponse) {
			c.HostConfig.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: source, Target: "/data"}, {Type: mount.TypeVolume, Source: name, Target: "/more"}}
			c.HostConfig.RestartPolicy.Name = "no"
			c.Config.Labels[labelReplaces], c.Config.Labels[labelNumber] = "x", "0"
		})
	}
	if got := taken(name); got != asked {
		t.Errorf("with the volumes by their names the hash is %s, want %s", got, asked)
	}
	if taken("shared") == asked {
		t.Error("a named volume doesn't change the hash")
	}
}

// renumber gives the container another ID, as a recreation does.
func renumber(c *apicontainer.InspectResponse) {
	const other = "aaaaaaaaaaaa"
	aliases := c.NetworkSettings.Networks["shop_default"].Aliases
	for i, alias := range aliases {
		if alias == short(c.ID) {
			aliases[i] = other
		}
	}
	c.Config.Hostname, c.ID = other, other+c.ID[12:]
}

func reverse(list []string) {
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
}

// An answer that lacks what every container has is no answer.
func TestInspectRefusesInvalidAnswers(t *testing.T) {
	for _, body := range []string{`{}`, `null`, `{"Id":"x","State":{}}`, `{"Id":"x","State":{"StartedAt":"yesterday"},"Config":{},"HostConfig":{}}`, `[`} {
		r := newReplay(t)
		r.on("GET", "/containers/x/json", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		if state, err := r.runtime(t).Inspect(t.Context(), "x"); !errors.Is(err, container.ErrUnavailable) {
			t.Errorf("Inspect of %s gives %+v and %v, want ErrUnavailable", body, state, err)
		}
	}
}

func TestSelfID(t *testing.T) {
	const id = "57bdd467c4fea50c51562d0529ecb02429a2a54b014613475a3947e32adb6154"
	const onHost = "612 29 0:49 / /var/lib/docker/containers/" + id + "/mounts/shm rw,nosuid - tmpfs shm rw\n"
	for name, test := range map[string]struct {
		cgroup, mounts, hostname string
		want                     string
	}{
		"on the host":                {"0::/user.slice/user-1000.slice\n", onHost, "", ""},
		"cgroup version 1":           {"4:memory:/docker/" + id + "\n3:cpu:/docker/" + id + "\n", "", "", id},
		"systemd's scope":            {"0::/system.slice/docker-" + id + ".scope\n", "", "", id},
		"cgroup version 2":           {"0::/\n", "520 515 254:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n", "", id},
		"host name":                  {"0::/\n", "", "57bdd467c4fe", "57bdd467c4fe"},
		"host name of one's own":     {"0::/\n", "", "build-server", ""},
		"nothing":                    {"", "", "", ""},
		"a line that isn't complete": {"", "520 515\n", "", ""},
	} {
		if got := selfID(test.cgroup, test.mounts, test.hostname); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestHostPorts(t *testing.T) {
	if got := toStateOf(t, "inspect-oom").HostPorts; got != "18998" {
		t.Errorf("published is %q", got)
	}
	c := inspected(t, "inspect-running")
	c.HostConfig.PortBindings = nat.PortMap{"80/tcp": {{HostPort: "8080"}, {HostIP: "127.0.0.1", HostPort: "8080"}, {}}, "53/udp": {{HostPort: "53"}}}
	if state, err := toState(c); err != nil || state.HostPorts != "53 8080" {
		t.Errorf("published is %q, %v", state.HostPorts, err)
	}
}

func TestHealthOf(t *testing.T) {
	failed := &apicontainer.HealthcheckResult{ExitCode: 1, Output: "  no route\n" + strings.Repeat("x", 2*maxOutput)}
	for _, test := range []struct {
		of     *apicontainer.Health
		health container.Health
		output string // how it begins
	}{
		{nil, "", ""},
		{&apicontainer.Health{Status: "none"}, "", ""},
		{&apicontainer.Health{Status: "odd", Log: []*apicontainer.HealthcheckResult{failed}}, "", ""},
		{&apicontainer.Health{Status: "starting", Log: []*apicontainer.HealthcheckResult{failed}}, container.Starting, ""},
		{&apicontainer.Health{Status: "healthy"}, container.Healthy, ""},
		{&apicontainer.Health{Status: "unhealthy"}, container.Unhealthy, ""},
		{&apicontainer.Health{Status: "unhealthy", Log: []*apicontainer.HealthcheckResult{nil}}, container.Unhealthy, ""},
		{&apicontainer.Health{Status: "unhealthy", Log: []*apicontainer.HealthcheckResult{{Output: "ok"}}}, container.Unhealthy, ""},
		{&apicontainer.Health{Status: "unhealthy", Log: []*apicontainer.HealthcheckResult{{Output: "ok"}, failed}}, container.Unhealthy, "no route x"},
		{&apicontainer.Health{Status: "unhealthy", Log: []*apicontainer.HealthcheckResult{{ExitCode: 1, Output: "ann: h\x1b[1munter2, \x1b[31mpass\x1b[0mword=xyzzy"}}}, container.Unhealthy, "ann: ***, password=***"},
		{&apicontainer.Health{Status: "unhealthy", Log: []*apicontainer.HealthcheckResult{{ExitCode: 1, Output: strings.Repeat("x", maxOutput-30) + " hunter2"}}}, container.Unhealthy, strings.Repeat("x", maxOutput-30) + " ***"},
	} {
		health, output := healthOf(test.of, []string{"hunter2"})
		if health != test.health || !strings.HasPrefix(output, test.output) || (output == "") != (test.output == "") || len(output) > maxOutput {
			t.Errorf("%+v: %q and %q, want %q and %q", test.of, health, output, test.health, test.output)
		}
	}
}

func TestNewestRunOfAHealthcheck(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	run := func(after time.Duration, code int) *apicontainer.HealthcheckResult {
		return &apicontainer.HealthcheckResult{Start: began.Add(after), End: began.Add(after + 50*time.Millisecond), ExitCode: code}
	}
	for name, test := range map[string]struct {
		of   *apicontainer.Health
		want container.HealthRun
	}{
		"no HEALTHCHECK":   {nil, container.HealthRun{}},
		"none ended":       {&apicontainer.Health{}, container.HealthRun{}},
		"an empty one":     {&apicontainer.Health{Log: []*apicontainer.HealthcheckResult{nil}}, container.HealthRun{}},
		"the last is good": {&apicontainer.Health{Log: []*apicontainer.HealthcheckResult{run(0, 1), run(time.Second, 0)}}, container.HealthRun{Began: began.Add(time.Second), Took: 50 * time.Millisecond, OK: true}},
		"the last fails":   {&apicontainer.Health{Log: []*apicontainer.HealthcheckResult{run(0, 0), run(time.Second, 1)}}, container.HealthRun{Began: began.Add(time.Second), Took: 50 * time.Millisecond}},
	} {
		if got := newestRun(test.of); got != test.want {
			t.Errorf("%s: it is %+v, want %+v", name, got, test.want)
		}
	}
	often := &apicontainer.HealthConfig{Interval: 2 * time.Second}
	if healthEach("", often) != 0 || healthEach(container.Healthy, often) != 2*time.Second || healthEach(container.Starting, nil) != 30*time.Second ||
		healthEach(container.Healthy, &apicontainer.HealthConfig{}) != 30*time.Second {
		t.Error("how often it runs is read wrongly")
	}
}

// A limit that was removed is none, by whatever an engine keeps of it.
func TestRemovedLimitIsNone(t *testing.T) {
	none := apicontainer.Resources{}
	for _, was := range []apicontainer.Resources{
		{CPUQuota: -1}, {Memory: -1, MemorySwap: -1}, {Memory: noMemoryLimit, MemorySwap: noSwapLimit}, {MemorySwap: -1},
	} {
		if got := unlimitedIsNone(was); !reflect.DeepEqual(got, none) {
			t.Errorf("%+v is %+v", was, got)
		}
	}
	for was, want := range map[[2]int64][2]int64{{5, 7}: {5, 7}, {5, -1}: {5, -1}, {5, noSwapLimit}: {5, -1}} {
		if got := unlimitedIsNone(apicontainer.Resources{Memory: was[0], MemorySwap: was[1]}); got.Memory != want[0] || got.MemorySwap != want[1] {
			t.Errorf("%v is %d and %d, want %v", was, got.Memory, got.MemorySwap, want)
		}
	}
}

// TestDetached: a container that was taken out of all its networks, and not one that was
// made to have none.
func TestDetached(t *testing.T) {
	for mode, want := range map[string]bool{"": true, "default": true, "bridge": true, "shop_default": true,
		"none": false, "host": false, "container:57bd": false, "pasta": false, "slirp4netns:mtu=1500": false} {
		c := inspected(t, "inspect-running")
		c.HostConfig.NetworkMode = apicontainer.NetworkMode(mode)
		if detached(c) {
			t.Errorf("%q: it is detached from %v", mode, c.NetworkSettings.Networks)
		}
		clear(c.NetworkSettings.Networks)
		if got := detached(c); got != want {
			t.Errorf("%q, no network: it is detached: %t", mode, got)
		}
		if c.State.Status = "exited"; detached(c) {
			t.Errorf("%q: what does not run is detached", mode)
		}
	}
}
