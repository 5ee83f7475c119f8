package docker

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"logstream/internal/container"
)

// What the engine mixed is separated: what is left is what was asked for.
func TestSubtract(t *testing.T) {
	second := time.Second
	image := imageConfig{
		User: "app", WorkingDir: "/srv", StopSignal: "SIGQUIT", Env: []string{"PATH=/bin", "V=1"}, Cmd: []string{"serve"}, Entrypoint: []string{"/app"},
		ExposedPorts: map[string]struct{}{"80/tcp": {}, "81/tcp": {}}, Volumes: map[string]struct{}{"/data": {}}, Labels: map[string]string{"a": "1", "b": "1"},
		Healthcheck: &apicontainer.HealthConfig{Test: []string{"CMD", "check"}, Interval: second, Retries: 3},
	}
	mixed := func() apicontainer.Config {
		return apicontainer.Config{
			User: "app", WorkingDir: "/srv", StopSignal: "SIGQUIT", Env: []string{"OWN=1", "V=2", "PATH=/bin"}, Cmd: []string{"serve"}, Entrypoint: []string{"/app"},
			ExposedPorts: nat.PortSet{"80/tcp": {}, "81/tcp": {}, "82/tcp": {}}, Volumes: map[string]struct{}{"/data": {}, "/own": {}},
			Labels:      map[string]string{"a": "1", "b": "2", "own": "1"},
			Healthcheck: &apicontainer.HealthConfig{Test: []string{"CMD", "check"}, Interval: 2 * second, Retries: 3},
		}
	}
	original := mixed()
	got := subtract(original, nat.PortMap{"81/tcp": {}}, image)
	want := &apicontainer.Config{
		Env: []string{"OWN=1", "V=2"}, ExposedPorts: nat.PortSet{"81/tcp": {}, "82/tcp": {}}, Volumes: map[string]struct{}{"/own": {}},
		Labels: map[string]string{"b": "2", "own": "1"}, Healthcheck: &apicontainer.HealthConfig{Interval: 2 * second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("left is\n\t%+v\nwant\n\t%+v", got, want)
	}
	if !reflect.DeepEqual(original, mixed()) {
		t.Errorf("what it was taken from became\n\t%+v", original)
	}
	type words = []string
	for name, test := range map[string]struct{ entrypoint, cmd, wantEntrypoint, wantCmd words }{
		"both the image's":                    {words{"/app"}, words{"serve"}, nil, nil},
		"a command of its own":                {words{"/app"}, words{"other"}, nil, words{"other"}},
		"an entrypoint of its own":            {words{"/sh"}, words{"serve"}, words{"/sh"}, words{"serve"}},
		"the image's entrypoint, set alone":   {words{"/app"}, nil, words{"/app"}, nil},
		"an entrypoint of its own, set alone": {words{"/sh"}, nil, words{"/sh"}, nil},
	} {
		c := subtract(apicontainer.Config{Entrypoint: test.entrypoint, Cmd: test.cmd}, nil, image)
		if !reflect.DeepEqual(words(c.Entrypoint), test.wantEntrypoint) || !reflect.DeepEqual(words(c.Cmd), test.wantCmd) {
			t.Errorf("%s: left are %q and %q", name, c.Entrypoint, c.Cmd)
		}
	}
	same := *image.Healthcheck
	if left := subtractHealth(&same, image.Healthcheck); left != nil {
		t.Errorf("of the image's own health check is left %+v", left)
	}
}

func TestPlan(t *testing.T) {
	c := inspected(t, "inspect-running")
	c.HostConfig.Links = []string{"/db:/payment-service/database"}
	c.HostConfig.Binds = []string{"/srv:/srv:ro", "named:/named"}
	c.HostConfig.Mounts = []mount.Mount{{Type: mount.TypeVolume, Target: "/more/"}}
	c.Config.Volumes = map[string]struct{}{"/data": {}}
	c.Config.Labels[labelReplace] = "payment-service"
	c.Mounts = []apicontainer.MountPoint{
		{Type: mount.TypeBind, Source: "/srv", Destination: "/srv"}, {Type: mount.TypeVolume, Name: "named", Destination: "/named"},
		{Type: mount.TypeVolume, Name: "0123", Destination: "/data", RW: true}, {Type: mount.TypeVolume, Name: "4567", Destination: "/more", RW: true},
	}
	c.NetworkSettings.Networks["other"] = &network.EndpointSettings{Aliases: []string{"x", short(c.ID)}, IPAddress: "10.0.0.3", MacAddress: "02:42:0a:00:00:03",
		IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: "10.0.0.3"}}
	spec := specification{Name: "payment-service", ID: c.ID, ImageID: c.Image, Config: c.Config, Host: c.HostConfig, Networks: c.NetworkSettings.Networks, Mounts: c.Mounts}
	before, _ := json.Marshal(spec)

	made := plan(spec, "webapp:0", c.ID, anonymousVolumes(spec.Host, spec.Mounts))
	if made.name != "payment-service" || made.config.Image != "webapp:0" || made.config.Hostname != "" || len(made.config.Volumes) != 0 ||
		made.config.Labels[labelReplaces] != c.ID || made.config.Labels[labelReplace] != "" || made.config.Labels[labelNumber] != "0" {
		t.Errorf("%s of %+v", made.name, made.config)
	}
	if !reflect.DeepEqual(made.host.Mounts, []mount.Mount{{Type: mount.TypeVolume, Source: "4567", Target: "/more/"}, {Type: mount.TypeVolume, Source: "0123", Target: "/data"}}) ||
		!reflect.DeepEqual(made.host.Links, []string{"db:database"}) {
		t.Errorf("mounts %+v, links %q", made.host.Mounts, made.host.Links)
	}
	if first := made.networks["shop_default"]; len(made.networks) != 1 || !reflect.DeepEqual(first, &network.EndpointSettings{Aliases: []string{"payment", "payment-service"}}) {
		t.Errorf("made with the networks %+v", made.networks)
	}
	if len(made.others) != 1 || !reflect.DeepEqual(made.others[0].endpoint, &network.EndpointSettings{Aliases: []string{"x"}, IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: "10.0.0.3"}}) {
		t.Errorf("connected to %+v", made.others)
	}
	if after, _ := json.Marshal(spec); string(after) != string(before) {
		t.Errorf("the specification became %s", after)
	}

	delete(spec.Networks, "shop_default") // it was detached from the network of its mode
	if moved := plan(spec, "webapp", "", nil); moved.host.NetworkMode != "other" || moved.networks["other"] == nil || len(moved.others) != 0 || spec.Host.NetworkMode != "shop_default" {
		t.Errorf("mode %s, made with %+v", moved.host.NetworkMode, moved.networks)
	}
	clear(spec.Networks)
	if lost := plan(spec, "webapp", "", nil); lost.host.NetworkMode != "shop_default" || len(lost.networks) != 0 || !reflect.DeepEqual(lost.allNetworks(), []string{"shop_default"}) {
		t.Errorf("mode %s, made with %+v", lost.host.NetworkMode, lost.networks)
	}
}

func TestKeptContainersAreNotFound(t *testing.T) {
	kept := keptName("shop-web-1", "0123456789abcdef")
	if kept != "shop-web-1-logstream-kept-01234567" || placeOf(kept) != "shop-web-1" || placeOf("shop-web-1") != "" {
		t.Fatalf("kept is named %s, of %q", kept, placeOf(kept))
	}
	labels := []string{labelProject, "shop", labelService, "web"}
	one, err := pick("shop/web", []apicontainer.Summary{summary(kept, "exited", labels...), summary("shop-web-1", "running", labels...)})
	if err != nil || summaryName(one) != "shop-web-1" {
		t.Errorf("found %v, %v", one.Names, err)
	}
	// Compose may have started it: then it is the service's.
	if _, err := pick("shop/web", []apicontainer.Summary{summary(kept, "running", labels...)}); err != nil {
		t.Errorf("one that runs under such a name is not found: %v", err)
	}
	for _, more := range [][]string{nil, labels} {
		if l := (&Runtime{}).listed(kept, summary(kept, "exited", more...)); !l.Temporary {
			t.Errorf("listed as %+v", l)
		}
	}
}

func TestReplicaNumbers(t *testing.T) {
	for _, test := range []struct{ number, before string }{{"1", "0"}, {"0", "-1"}, {"-1", "-2"}, {"3", "0"}, {"x", "x"}} {
		if got := numberBefore(test.number); got != test.before {
			t.Errorf("before %s is %s, want %s", test.number, got, test.before)
		}
	}
	for _, test := range []struct {
		label, name string
		want        int
	}{{"2", "shop-web-2", 2}, {"0", "shop-web-2", 2}, {"-1", "shop_web_7", 7}, {"0", "payment-service", 1}, {"", "shop-web-2", 0}, {"99999", "x", 0}, {"0", "shop-web-99999", 0}} {
		if got := replica(test.label, test.name); got != test.want {
			t.Errorf("%q and %s: %d, want %d", test.label, test.name, got, test.want)
		}
	}
}

func TestSwapBeside(t *testing.T) {
	for _, test := range []struct{ memory, swap, want int64 }{
		{0, 0, 200}, {50, 100, 150}, {50, 50, 100}, {50, -1, -1}, {0, -1, -1}, {50, 0, 200},
	} {
		if got := swapBeside(100, test.memory, test.swap); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

func TestStatsOfTwoReads(t *testing.T) {
	first, second := apicontainer.StatsResponse{Read: time.Unix(100, 0)}, apicontainer.StatsResponse{Read: time.Unix(102, 0)}
	first.CPUStats.CPUUsage.TotalUsage, second.CPUStats.CPUUsage.TotalUsage = 1e9, 4e9
	second.CPUStats.ThrottlingData = apicontainer.ThrottlingData{Periods: 8, ThrottledPeriods: 2}
	second.MemoryStats = apicontainer.MemoryStats{Usage: 100, Limit: 1 << 40, Stats: map[string]uint64{"inactive_file": 30}}
	second.PidsStats = apicontainer.PidsStats{Current: 3, Limit: math.MaxUint64}
	if got, want := toStats(first, second, time.Second, 0), (container.Stats{Memory: 70, PIDs: 3, CPUs: 1.5, Throttled: 0.25}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	second.Read = first.Read // an engine that does not date them
	if got := toStats(first, second, 3*time.Second, 500); got.CPUs != 1 || got.MemoryLimit != 500 {
		t.Errorf("%+v", got)
	}
	second.MemoryStats.Stats = map[string]uint64{"inactive_file": 1, "total_inactive_file": 40}
	if got := toStats(second, second, 0, 0); got.Memory != 60 || got.CPUs != 0 {
		t.Errorf("control groups of version 1: %+v", got)
	}
}

// A limit that was lowered later shows between the two reads; where nothing ran
// between them, or little, the share since the start does.
func TestThrottledOfTwoReads(t *testing.T) {
	for name, test := range map[string]struct {
		periods, held [2]uint64
		want          float64
	}{
		"no limit":                              {want: 0},
		"held back since it started":            {[2]uint64{95, 100}, [2]uint64{86, 90}, 0.9},
		"held back since its limit was lowered": {[2]uint64{495, 500}, [2]uint64{45, 50}, 1},
		"nothing ran between the reads":         {[2]uint64{100, 100}, [2]uint64{90, 90}, 0.9},
		"little ran between the reads":          {[2]uint64{99, 100}, [2]uint64{90, 90}, 0.9},
		"never held back":                       {[2]uint64{95, 100}, [2]uint64{0, 0}, 0},
		"started between the reads":             {[2]uint64{500, 4}, [2]uint64{400, 1}, 0.25},
		"more than all":                         {[2]uint64{10, 15}, [2]uint64{10, 16}, 1},
	} {
		at := func(i int) apicontainer.StatsResponse {
			var s apicontainer.StatsResponse
			s.CPUStats.ThrottlingData = apicontainer.ThrottlingData{Periods: test.periods[i], ThrottledPeriods: test.held[i]}
			return s
		}
		if got := toStats(at(0), at(1), time.Second, 0).Throttled; got != test.want {
			t.Errorf("%s: %g, want %g", name, got, test.want)
		}
	}
}

// The processes' own words are hostile.
func TestProcessesAreBoundedAndRedacted(t *testing.T) {
	top := apicontainer.TopResponse{Titles: []string{"PID", "STAT", "COMMAND"}}
	for range 2 * maxProcesses {
		top.Processes = append(top.Processes, []string{"12", "Ssl", "/app --password hunter2 \x1b[31m" + strings.Repeat("x", 1000)})
	}
	got := toProcesses(top)
	if len(got) != maxProcesses || got[0].PID != "12" || got[0].State != "S" || !strings.HasPrefix(got[0].Command, "/app --password *** xxx") || len(got[0].Command) > maxCommand {
		t.Errorf("%d, the first %+v", len(got), got[0])
	}
	if odd := toProcesses(apicontainer.TopResponse{Titles: []string{"PID"}, Processes: [][]string{{}, {"7"}}}); len(odd) != 2 || odd[1].PID != "7" || odd[0].State != "" {
		t.Errorf("%+v", odd)
	}
}

func TestLimitsAndNamesOfTheState(t *testing.T) {
	c := inspected(t, "inspect-running")
	c.HostConfig.NetworkMode, c.HostConfig.Memory, c.HostConfig.ReadonlyRootfs = "container:abc", 1<<20, true
	c.HostConfig.CPUQuota, c.HostConfig.CPUPeriod, c.HostConfig.AutoRemove = 50_000, 100_000, true
	c.Config.Env = []string{"B=secret", "A", "B=twice"}
	c.Config.Labels[labelDependsOn] = "db:service_healthy:false,cache:service_started:true,init:service_completed_successfully:false"
	state, err := toState(c)
	if err != nil || state.NetworkOf != "abc" || state.Memory != 1<<20 || !state.ReadOnly || !state.AutoRemove || state.CPUs != 0.5 ||
		!reflect.DeepEqual(state.Variables, []string{"A", "B"}) || !reflect.DeepEqual(state.DependsOn, []string{"db", "cache"}) {
		t.Errorf("%+v, %v", state, err)
	}
	c.HostConfig.NanoCPUs, c.HostConfig.NetworkMode = 250_000_000, "bridge"
	if state, err := toState(c); err != nil || state.CPUs != 0.25 || state.NetworkOf != "" {
		t.Errorf("%+v, %v", state, err)
	}
}
