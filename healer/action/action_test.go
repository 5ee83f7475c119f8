package action

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// called is a runtime that remembers what was called.
type called []string

func (c *called) add(format string, args ...any) error {
	*c = append(*c, fmt.Sprintf(format, args...))
	return nil
}

func (c *called) Start(_ context.Context, id string) error   { return c.add("start %s", id) }
func (c *called) Restart(_ context.Context, id string) error { return c.add("restart %s", id) }
func (c *called) Unpause(_ context.Context, id string) error { return c.add("unpause %s", id) }
func (c *called) Connect(_ context.Context, id string, n []container.Network) error {
	return c.add("connect %s %v", id, n)
}
func (c *called) Disconnect(_ context.Context, id string, n []container.Network) error {
	return c.add("disconnect %s %v", id, n)
}
func (c *called) KillStart(_ context.Context, id string, grace time.Duration) error {
	return c.add("kill_start %s %s", id, grace)
}
func (c *called) SetMemory(_ context.Context, id string, bytes int64) error {
	return c.add("memory %s %d", id, bytes)
}
func (c *called) Recreate(_ context.Context, with container.Replacement) (id, kept string, err error) {
	return "new", with.ID, c.add("recreate %s %s %s", with.ID, with.Spec, with.ImageID)
}
func (c *called) Restore(_ context.Context, with container.Restoration) error {
	return c.add("restore %s %s", with.ID, with.Kept)
}
func (c *called) Run(_ context.Context, command Command) (string, error) {
	return "done", c.add("run %s %q", command.Name, command.Args)
}

// everything are the signs that all is DOWN.
var everything = Signs{Level: true, Own: true, Foreign: true}

func TestEveryActionIsComplete(t *testing.T) {
	for _, a := range All {
		if !slices.Contains(service.Actions, a.Name) {
			t.Errorf("%s is not an action of the contract", a.Name)
		}
		if found, known := ByName(a.Name); !known || found.Name != a.Name {
			t.Errorf("%s is not found by its name", a.Name)
		}
		if a.Prepare == nil || a.Cost == "" {
			t.Errorf("%s lacks a part: %+v", a.Name, a)
		}
		if a.Needed(Signs{}) || !a.Needed(everything) {
			t.Errorf("%s is needed where nothing is DOWN, or not where all is", a.Name)
		}
		if Lossless(a.Name) != (a.Tier == 0) {
			t.Errorf("%s of tier %d is lossless: %v", a.Name, a.Tier, Lossless(a.Name))
		}
		all := []Action{a}
		if a.Undo != nil {
			all = append(all, *a.Undo)
		}
		for _, of := range all {
			if of.Name != a.Name || of.Timeout == nil || of.Timeout(10*time.Second) < 10*time.Second || of.Events == nil || of.Events(event.Pins{}) == nil && of.Replaces ||
				of.Needed == nil || of.Leaves == nil || of.Call == nil || of.Cost == "" || of.EffectSeen == nil && of.Name != service.ActionRun {
				t.Errorf("%s, or what undoes it, lacks a part: %+v", a.Name, of)
			}
		}
	}
	for _, name := range service.Actions {
		if _, known := ByName(name); !known {
			t.Errorf("the action %s of the contract is not known", name)
		}
	}
	if _, known := ByName("remove"); known || Lossless(service.ActionNone) || Lossless(service.ActionEscalate) {
		t.Error("what is no action is taken for one")
	}
}

var (
	front = event.Network{Name: "shop_front", Aliases: []string{"web"}}
	back  = event.Network{Name: "shop_back", Aliases: []string{"web", "api"}, IPv4: "10.9.0.7"}
	good  = event.Good{ContainerID: "a", SpecHash: "s1", ImageID: "i2", Image: "web:2", PreviousImageID: "i1", PreviousImage: "web:1", Networks: []event.Network{front, back}}
)

// target is one to which everything can be done but unpause and start.
func target(change ...func(*Target)) Target {
	def := service.Default()
	def.Name, def.Container = "web", "web"
	def.Heal.MaxMemory = 96 << 20
	def.Heal.Commands = service.Commands{{Name: "reload"}, {Name: "flush"}}
	t := Target{Def: def, Name: "web", Good: &good, SpecKept: true, State: container.State{ID: "a", Name: "web", ImageID: "i2", Image: "web:2", SpecHash: "s2",
		Status: container.Running, Memory: 64 << 20, Networks: []container.Network{{Name: "shop_front", Aliases: []string{"web", "a"}}}, Project: "shop", Service: "web"}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func TestPreparedIsExactlyWhatIsDone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		target  Target
		params  event.Params
		undo    *event.Params
		calls   []string
		undone  string
		command string
	}{
		{"start", target(is(container.Exited)), event.Params{}, nil, []string{"start a"}, "", "docker start web"},
		{"unpause", target(is(container.Paused)), event.Params{}, nil, []string{"unpause a"}, "", "docker unpause web"},
		{"restart", target(), event.Params{}, nil, []string{"restart a"}, "", "docker restart web"},
		{"kill_start", target(), event.Params{}, nil, []string{"kill_start a 1s"}, "", "docker restart -t 1 web"},
		{"connect", target(), event.Params{Networks: []event.Network{back}}, &event.Params{Networks: []event.Network{back}},
			[]string{"connect a [{shop_back [web api] 10.9.0.7  }]"}, "disconnect a [{shop_back [web api] 10.9.0.7  }]",
			"docker network connect --alias web --alias api --ip 10.9.0.7 shop_back web"},
		{"connect", target(func(t *Target) { t.Good, t.Networks, t.NetworksKnown = nil, []event.Network{back}, true }), event.Params{Networks: []event.Network{back}}, &event.Params{Networks: []event.Network{back}},
			[]string{"connect a [{shop_back [web api] 10.9.0.7  }]"}, "disconnect a [{shop_back [web api] 10.9.0.7  }]",
			"docker network connect --alias web --alias api --ip 10.9.0.7 shop_back web"},
		{"run", target(), event.Params{Command: "reload"}, nil, []string{`run reload ["x"]`}, "", ""},
		{"raise_memory", target(), event.Params{MemoryBytes: 96 << 20}, &event.Params{MemoryBytes: 64 << 20}, []string{"memory a 100663296"}, "memory a 67108864",
			"docker update --memory 100663296 --memory-swap 100663296 web"},
		{"raise_memory", target(func(t *Target) { t.State.Memory, t.State.Status = 32<<20, container.Exited }), event.Params{MemoryBytes: 64 << 20}, &event.Params{MemoryBytes: 32 << 20},
			[]string{"memory a 67108864", "start a"}, "memory a 33554432", "docker update --memory 67108864 --memory-swap 67108864 web"},
		{"rollback", target(), event.Params{ImageID: "i1", Image: "web:1"}, &event.Params{}, []string{"recreate a  i1"}, "restore new a",
			"docker tag i1 web:2 && docker compose -p shop up -d --no-deps --force-recreate web"},
		{"rollback", target(func(t *Target) { t.State.ImageID, t.BadImage = "i3", "i2" }), event.Params{ImageID: "i1", Image: "web:1"}, &event.Params{}, []string{"recreate a  i1"}, "restore new a",
			"docker tag i1 web:2 && docker compose -p shop up -d --no-deps --force-recreate web"},
		{"rollback", target(func(t *Target) { t.State.ImageID = "i3" }), event.Params{ImageID: "i2", Image: "web:2"}, &event.Params{}, []string{"recreate a  i2"}, "restore new a",
			"docker tag i2 web:2 && docker compose -p shop up -d --no-deps --force-recreate web"},
		{"recreate", target(), event.Params{ImageID: "i2", Image: "web:2", SpecHash: "s1"}, &event.Params{}, []string{"recreate a secret i2"}, "restore new a",
			"docker compose -p shop up -d --no-deps --force-recreate web"},
		{"recreate", target(gone), event.Params{ImageID: "i2", Image: "web:2", SpecHash: "s1"}, nil, []string{"recreate  secret i2"}, "", "docker compose up -d web"},
	} {
		a, _ := ByName(tt.name)
		params, undo, why := a.Prepare(tt.target)
		if why != "" || !reflect.DeepEqual(params, tt.params) || !reflect.DeepEqual(undo, tt.undo) {
			t.Errorf("%s is prepared as %+v, undone by %+v; %s", tt.name, params, undo, why)
		}
		if got := a.CommandLine("docker", tt.target, params); got != tt.command {
			t.Errorf("%s is shown as %q, want %q", tt.name, got, tt.command)
		}
		if got := a.CommandLine("", tt.target, params); got != "" {
			t.Errorf("without a program %s is shown as %q", tt.name, got)
		}
		var c called
		r := Request{ID: tt.target.State.ID, Pins: event.Pins{State: string(tt.target.State.Status)}, Params: params, Command: Command{Name: params.Command, Args: []string{"x"}}}
		if params.SpecHash != "" {
			r.Spec = []byte("secret")
		}
		done, err := a.Call(t.Context(), &c, r)
		if err != nil || !slices.Equal(c, tt.calls) {
			t.Errorf("%s calls %q, want %q", tt.name, c, tt.calls)
		}
		intent := event.ActionStarted{Action: tt.name, Pins: event.Pins{ContainerID: tt.target.State.ID}, Params: &params, Undo: undo}
		finished := event.ActionFinished{OK: true, ContainerID: done.ContainerID, KeptID: done.KeptID}
		with, is := UndoParams(intent, finished)
		if is != (tt.undone != "") {
			t.Errorf("%s can be undone: %v", tt.name, is)
			continue
		}
		if !is {
			continue
		}
		c = nil
		if _, err := a.Undo.Call(t.Context(), &c, Request{ID: Left(intent, finished), Params: with}); err != nil || !slices.Equal(c, called{tt.undone}) {
			t.Errorf("%s is undone by %q, want %q", tt.name, c, tt.undone)
		}
	}
}

func is(status container.Status) func(*Target) {
	return func(t *Target) { t.State.Status = status }
}

func gone(t *Target) { t.State, t.Missing = container.State{}, true }

func TestWhatCannotBeDoneSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		action string
		change func(*Target)
		why    string
	}{
		{"start", is(container.Running), "it runs"},
		{"start", gone, notThere},
		{"unpause", is(container.Running), "it is not paused"},
		{"restart", func(t *Target) { t.Def.Container = "" }, notDefined},
		{"kill_start", is(container.Exited), "starting it is enough"},
		{"connect", func(t *Target) { t.Good = nil }, notKnown},
		{"connect", func(t *Target) { t.State.NetworkOf = "vpn" }, "it uses the network of the container vpn"},
		{"connect", func(t *Target) { t.State.Networks = networks(good.Networks) }, "it has all the networks"},
		{"run", func(t *Target) { t.Def.Heal.Commands = nil }, "names no command"},
		{"raise_memory", func(t *Target) { t.Def.Heal.MaxMemory = 0 }, "heal.max_memory"},
		{"raise_memory", func(t *Target) { t.Def.Heal.MaxMemory = 64 << 20 }, "its limit is 64MiB already"},
		{"raise_memory", func(t *Target) { t.State.Memory = 0 }, "no memory limit"},
		{"raise_memory", is(container.Paused), "paused"},
		{"rollback", func(t *Target) { t.Good = nil }, notKnown},
		{"rollback", func(t *Target) { t.State.Kept = "web-kept" }, "web-kept is still kept"},
		{"rollback", func(t *Target) { t.State.AutoRemove = true }, "started with --rm"},
		{"rollback", func(t *Target) { t.RolledBack = []string{"i2"} }, "rolled back within the last day"},
		{"rollback", func(t *Target) { t.RolledBack = []string{"i1"} }, "rolled back within the last day"},
		{"rollback", func(t *Target) { g := good; g.PreviousImageID, t.Good = "", &g }, "knows of no image"},
		{"rollback", func(t *Target) { t.State.ID = "b" }, "last healthy with this image"},
		{"rollback", gone, notThere},
		{"recreate", func(t *Target) { t.Good = nil }, notKnown},
		{"recreate", is(container.Removing), "Docker is removing it"},
		{"recreate", func(t *Target) { t.State.Kept = "web-kept" }, "web-kept is still kept"},
		{"recreate", func(t *Target) { t.State.AutoRemove = true }, "started with --rm"},
		{"recreate", func(t *Target) { t.SpecKept = false }, "docker compose -p shop up -d --no-deps --force-recreate web"},
		{"recreate", func(t *Target) { gone(t); t.SpecKept = false }, "create it again with docker compose up -d web"},
		{"recreate", func(t *Target) { gone(t); t.SpecKept, t.Def.Container = false, "shop/web" }, "docker compose -p shop up -d --no-deps web"},
		{"recreate", func(t *Target) { t.State.SpecHash = "s1" }, "configured as it was"},
	} {
		a, _ := ByName(tt.action)
		params, undo, why := a.Prepare(target(tt.change))
		if !strings.Contains(why, tt.why) || why == "" || undo != nil || !reflect.ValueOf(params).IsZero() {
			t.Errorf("%s is not done because %q, want %q; %+v %+v", tt.action, why, tt.why, params, undo)
		}
	}
}

func TestTierTwoNeedsApprovalUnlessItIsListed(t *testing.T) {
	def := service.Default()
	for _, a := range All {
		if def.Heal.Actions = nil; a.NeedsApproval(def) != (a.Tier == 2) {
			t.Errorf("%s needs approval: %v", a.Name, a.NeedsApproval(def))
		}
		if def.Heal.Actions = []string{a.Name}; a.NeedsApproval(def) {
			t.Errorf("%s needs approval although heal.actions lists it", a.Name)
		}
	}
}

func TestCommandLinesAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"payment-service": "docker start payment-service", "a b": "docker start 'a b'", "x;rm -rf /": "docker start 'x;rm -rf /'", "it's": `docker start 'it'\''s'`, "": "docker start ''"} {
		if got := start.CommandLine("docker", Target{Name: name}, event.Params{}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	hostile := event.Params{Networks: []event.Network{{Name: "n; reboot", Aliases: []string{"$(id)"}}}}
	if got := connect.CommandLine("docker", Target{Name: "web"}, hostile); got != "docker network connect --alias '$(id)' 'n; reboot' web" {
		t.Error(got)
	}
}

func TestEffectsAreComparedWithTheIntent(t *testing.T) {
	pins := event.Pins{ContainerID: "a", ImageID: "i2", StartedAt: began, State: "exited"}
	on := []event.Network{back}
	for _, tt := range []struct {
		action string
		undoes int
		params event.Params
		c      container.State
		want   bool
	}{
		{"start", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began.Add(time.Second)}, true},
		{"start", 0, event.Params{}, container.State{ID: "a", Status: container.Exited, StartedAt: began.Add(time.Second)}, true},
		{"start", 0, event.Params{}, container.State{ID: "a", Status: container.Exited, StartedAt: began}, false},
		{"start", 0, event.Params{}, container.State{ID: "b", Status: container.Running, StartedAt: began.Add(time.Second)}, false},
		{"restart", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began.Add(time.Second)}, true},
		{"restart", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began}, false},
		{"restart", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began.Add(-time.Hour)}, true}, // its clock was set back
		{"kill_start", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began.Add(time.Second)}, true},
		{"kill_start", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began}, false},
		{"unpause", 0, event.Params{}, container.State{ID: "a", Status: container.Running, StartedAt: began}, true},
		{"unpause", 0, event.Params{}, container.State{ID: "a", Status: container.Paused, StartedAt: began}, false},
		{"unpause", 0, event.Params{}, container.State{ID: "b", Status: container.Running, StartedAt: began}, false},
		{"connect", 0, event.Params{Networks: on}, container.State{ID: "a", Networks: networks(on)}, true},
		{"connect", 0, event.Params{Networks: on}, container.State{ID: "a"}, false},
		{"connect", 0, event.Params{Networks: on}, container.State{ID: "a", Networks: []container.Network{{Name: "shop_back"}}}, false},
		{"connect", 1, event.Params{Networks: on}, container.State{ID: "a"}, true},
		{"connect", 1, event.Params{Networks: on}, container.State{ID: "a", Networks: networks(on)}, false},
		{"raise_memory", 0, event.Params{MemoryBytes: 2}, container.State{ID: "a", Memory: 2, StartedAt: began.Add(time.Second)}, true},
		{"raise_memory", 0, event.Params{MemoryBytes: 2}, container.State{ID: "a", Memory: 2, StartedAt: began}, false}, // it was to be started as well
		{"raise_memory", 0, event.Params{MemoryBytes: 2}, container.State{ID: "a", Memory: 1}, false},
		{"raise_memory", 0, event.Params{MemoryBytes: 2}, container.State{ID: "b", Memory: 2}, false},
		{"raise_memory", 1, event.Params{MemoryBytes: 1}, container.State{ID: "a", Memory: 1}, true},
		{"rollback", 0, event.Params{ImageID: "i1"}, container.State{ID: "b", ImageID: "i1", Kept: "k"}, true},
		{"rollback", 0, event.Params{ImageID: "i1"}, container.State{ID: "b", ImageID: "i1"}, false}, // a user's deployment
		{"rollback", 0, event.Params{ImageID: "i1"}, container.State{ID: "b", ImageID: "i2", Kept: "k"}, false},
		{"rollback", 0, event.Params{ImageID: "i1"}, container.State{ID: "a", ImageID: "i2"}, false},
		{"rollback", 1, event.Params{ContainerID: "k"}, container.State{ID: "k", Status: container.Running}, true},
		{"rollback", 1, event.Params{ContainerID: "k"}, container.State{ID: "a", Status: container.Running}, false},
		{"recreate", 0, event.Params{ImageID: "i2"}, container.State{ID: "b", ImageID: "i2", Kept: "k"}, true},
		{"recreate", 0, event.Params{ImageID: "i2"}, container.State{ID: "a", ImageID: "i2"}, false},
	} {
		intent := event.ActionStarted{Action: tt.action, Undoes: tt.undoes, Pins: pins, Params: &tt.params}
		a, known := Of(intent)
		if !known || a.EffectSeen(intent, tt.c) != tt.want {
			t.Errorf("%s (undoes %d) on %+v: %v", tt.action, tt.undoes, tt.c, !tt.want)
		}
	}
	removed := event.ActionStarted{Action: "recreate", Params: &event.Params{ImageID: "i2"}}
	if !recreate.EffectSeen(removed, container.State{ID: "b", ImageID: "i2"}) {
		t.Error("of a container that was removed nothing is kept, and the new one is not seen")
	}
	if _, known := Of(event.ActionStarted{Action: "start", Undoes: 1}); known {
		t.Error("a start can be undone")
	}
}

func TestChangesAgainstThePins(t *testing.T) {
	c := container.State{Name: "web", ID: "a", ImageID: "i", SpecHash: "s", StartedAt: began, Status: container.Exited, Project: "shop", Service: "front"}
	pins := event.Pins{ContainerID: "a", ImageID: "i", SpecHash: "s", StartedAt: began, State: "exited"}
	for _, ref := range []string{"web", "shop/front", ""} {
		if why := Changed(ref, pins, c); why != "" {
			t.Errorf("%q: nothing changed, and %s", ref, why)
		}
	}
	renamed := c
	renamed.Name = "web-old"
	if why, want := Changed("web", pins, renamed), "this container is named web-old now, and the service's container is web"; why != want {
		t.Errorf("renamed: %q, want %q", why, want)
	}
	if why := Changed("shop/front", pins, renamed); why != "" {
		t.Errorf("Compose's labels name it still, and %s", why)
	}
	for _, ref := range []string{"shop/back", "blog/front", "shop"} {
		if Changed(ref, pins, c) == "" {
			t.Errorf("%q names another container", ref)
		}
	}
	for _, change := range []func(*container.State){
		func(c *container.State) { c.ID = "b" },
		func(c *container.State) { c.ImageID = "b" },
		func(c *container.State) { c.SpecHash = "b" },
		func(c *container.State) { c.StartedAt = c.StartedAt.Add(1) },
		func(c *container.State) { c.Status = container.Created },
		func(c *container.State) { c.Replacing = "b" },
	} {
		other := c
		change(&other)
		if Changed("web", pins, other) == "" {
			t.Errorf("%+v is as it was pinned", other)
		}
	}
}
