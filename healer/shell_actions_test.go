package healer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/healer/action"
	"logstream/healer/specification"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Each action, from an operator's wish to its verification, and across an end of
// the process at each boundary.

// memoryCommands executes nothing, and remembers what it was asked for. fault is
// as an engine's.
type memoryCommands struct {
	timeline *timeline
	mu       sync.Mutex
	fault    callFault
	ran      []action.Command
}

// Run is healer.Commands'.
func (m *memoryCommands) Run(ctx context.Context, c action.Command) (string, error) {
	m.mu.Lock()
	fault := m.fault
	if !fault.hang {
		m.ran = append(m.ran, c)
	}
	m.mu.Unlock()
	switch {
	case fault.hang, fault.mute:
		<-ctx.Done()
		return "", fmt.Errorf("it was killed: %w", ctx.Err())
	case fault.refuse:
		return "token=hunter2\nno such pool\x1b[31m\n", errors.New("it ended with exit code 3: token=hunter2")
	}
	return "token=hunter2\ndone\n", nil
}

func (m *memoryCommands) times() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ran)
}

// memorySpecs keeps specifications as long as the site lives.
type memorySpecs struct {
	mu   sync.Mutex
	kept map[string][]byte // by their keys
}

// Kept is healer.Specs'.
func (m *memorySpecs) Kept() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for key := range m.kept {
		keys = append(keys, key)
	}
	return keys, nil
}

// Keep is healer.Specs'.
func (m *memorySpecs) Keep(service, hash string, spec []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[string][]byte{}
	}
	m.kept[specification.Key(service, hash)] = spec
	return nil
}

// Sweep is healer.Specs'.
func (m *memorySpecs) Sweep([]string, time.Duration, time.Time) (bool, error) { return false, nil }

// Load is healer.Specs'.
func (m *memorySpecs) Load(service, hash string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	spec, is := m.kept[specification.Key(service, hash)]
	if !is {
		return nil, errors.New("it is not in the data directory any more")
	}
	return spec, nil
}

// has says whether the specification of that hash is kept.
func (s *site) has(hash string) func() bool {
	return func() bool {
		_, err := s.specs.Load("web", hash)
		return err == nil
	}
}

// change changes a container from outside, and has the engine say something of it.
func (s *site) change(name string, how func(*container.State)) {
	s.engine.each(name, func(u *unit) {
		how(&u.state)
		s.engine.signalled(u, "1")
	})
}

// acts are the actions, each with what makes it possible, and the method that
// the engine is called for.
var acts = []struct {
	name, method string
	prepare      func(*site)
	holds        func(container.State) bool
}{
	{"kill_start", "KillStart", func(*site) {}, func(container.State) bool { return true }},
	{"restart", "Restart", func(*site) {}, func(container.State) bool { return true }},
	{"connect", "Connect", func(s *site) { s.change("web", func(c *container.State) { c.Networks = nil }) },
		func(c container.State) bool {
			return len(c.Networks) == 1 && slices.Equal(c.Networks[0].Aliases, []string{"web"})
		}},
	{"raise_memory", "SetMemory", func(s *site) { s.change("web", func(c *container.State) { c.Memory = 64 << 20 }) },
		func(c container.State) bool { return c.Memory == 128<<20 }},
	{"rollback", "Recreate", func(s *site) {
		s.change("web", func(c *container.State) { c.Image, c.ImageID, c.SpecHash = "web:2", "sha256:web-2", "spec-2" })
	},
		func(c container.State) bool {
			return c.ImageID == "sha256:web" && c.Kept != "" && c.ID != "id-of-web"
		}},
	{"recreate", "Recreate", func(s *site) {
		s.change("web", func(c *container.State) { c.SpecHash, c.StopTimeout = "spec-2", time.Second })
	},
		func(c container.State) bool {
			return c.StopTimeout == 10*time.Second && c.Kept != "" && c.ID != "id-of-web"
		}},
	{"run", "", func(*site) {}, func(container.State) bool { return true }},
}

// onReadySite is a site on which an action is possible and was asked for.
func onReadySite(t *testing.T, prepare func(*site), scenario func(*site)) {
	onSite(t, []string{"web"}, func(s *site) {
		s.defs[0].Heal.MaxMemory, s.defs[0].Heal.Actions = 128<<20, []string{"raise_memory", "rollback", "recreate"}
		s.defs[0].Heal.Commands = service.Commands{{Name: "reload", Args: []string{"/usr/bin/reload", "--token", "hunter2"}}}
	}, func(s *site) {
		s.until("the good state is remembered", func() bool { g := s.published("web").Good; return g != nil && g.SpecHash == "spec-of-web" })
		s.until("its specification is kept", s.has("spec-of-web"))
		prepare(s)
		time.Sleep(time.Second)
		scenario(s)
	})
}

func (s *site) heal(name string) {
	c := event.Command{ID: "heal-" + name, Time: time.Now().UTC(), By: "operator:ada", Service: "web", Command: event.CommandHeal, Args: event.CommandArgs{Action: name}}
	s.log.put(event.Record{Topic: event.TopicCommands, Key: []byte(c.Service), Value: event.Encode(c), Signed: true})
}

// ended waits until the incident of a service has ended, for up to ten minutes.
func (s *site) ends(name string) {
	s.Helper()
	for range 12000 {
		if all := s.incidents(); len(all) > 0 && all[len(all)-1].Service == name && (all[len(all)-1].Resolved != nil || all[len(all)-1].State == "escalated") {
			return
		}
		time.Sleep(glance)
	}
	s.Fatalf("the incident of %s does not end: %s\n%s", name, s.eventTypes(name), s.timeline)
}

// effects are how often the method, or the command, was executed.
func (s *site) effects(method string) int {
	if method == "" {
		return s.commands.times()
	}
	n := 0
	for _, call := range s.calls() {
		if strings.HasPrefix(call, method+" ") {
			n++
		}
	}
	return n
}

func TestEachActionIsCarriedOutOnceAndVerified(t *testing.T) {
	for _, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			onReadySite(t, a.prepare, func(s *site) {
				s.heal(a.name)
				s.repaired("web")
				if n := s.effects(a.method); n != 1 {
					t.Errorf("it is executed %d times: %v", n, s.calls())
				}
				if got := s.eventTypes("web"); got != repair {
					t.Errorf("its incident is %s, want %s", got, repair)
				}
				c, _ := s.engine.state("web")
				if !a.holds(c) {
					t.Errorf("the container is %+v", c)
				}
				started := s.events(event.TypeActionStarted)[0].Data.(event.ActionStarted)
				finished := s.events(event.TypeActionFinished)[0].Data.(event.ActionFinished)
				if started.Action != a.name || finished.ContainerID != "" != (a.method == "Recreate") || finished.ContainerID != "" && (finished.ContainerID != c.ID || finished.KeptID != "id-of-web") {
					t.Errorf("%+v, %+v", started, finished)
				}
				if _, undone := action.UndoParams(started, finished); undone != slices.Contains([]string{"connect", "raise_memory", "rollback", "recreate"}, a.name) {
					t.Errorf("it can be undone: %v", undone)
				}
				if (a.name == "run") != (finished.Output != "") || strings.Contains(finished.Output, "hunter2") {
					t.Errorf("its output is %q", finished.Output)
				}
				s.until("what it left is published, without a hold", func() bool {
					p := s.published("web")
					return p.Container != nil && p.Container.ID == c.ID && p.OpenIncident == "" && p.Held == "" && p.Good != nil && p.Good.ContainerID == c.ID
				})
				before := len(s.events())
				s.engine.exit("web", 1) // and what it left is repaired as ever, without a deployment's quiet time
				began := time.Now()
				s.until("it is started again", func() bool { return s.effects("Start") > 0 && len(s.events(event.TypeActionFinished)) == 2 })
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("that takes %s: %+v", took, s.events()[before:])
				}
				s.ends("web")
			})
		})
	}
}

// breaks gives the calls of a method, or the commands, a fault.
func (s *site) breaks(method string, fault callFault) {
	if method != "" {
		s.engine.fail(method, fault)
		return
	}
	s.commands.mu.Lock()
	defer s.commands.mu.Unlock()
	s.commands.fault = fault
}

// TestTheGoodStateOutlivesTheProcess: it comes back from what was published, and
// with it what can be done, before the service is seen healthy again.
func TestTheGoodStateOutlivesTheProcess(t *testing.T) {
	onReadySite(t, func(*site) {}, func(s *site) {
		before := *s.published("web").Good
		s.stop()
		s.change("web", func(c *container.State) { c.Networks = nil })
		s.boot()
		time.Sleep(500 * time.Millisecond)
		s.heal("connect")
		s.repaired("web")
		s.wantCalls("Connect web")
		if after := s.published("web").Good; after == nil || !after.Since.Equal(before.Since) {
			t.Errorf("remembered was %+v, and is %+v", before, after)
		}
	})
}

// TestNoSecretOfASpecificationIsOnATopic: the values stay in the data directory.
func TestNoSecretOfASpecificationIsOnATopic(t *testing.T) {
	onReadySite(t, acts[5].prepare, func(s *site) {
		s.heal("recreate")
		s.repaired("web")
		s.heal("run")
		s.until("the command ran", func() bool { return s.commands.times() == 1 })
		s.ends("web")
		for _, topic := range []string{event.TopicIncidents, event.TopicServices, event.TopicCommands} {
			for _, r := range s.log.records(topic) {
				if strings.Contains(string(r.Value), "hunter2") || strings.Contains(string(r.Value), "/usr/bin/reload") {
					t.Errorf("%s has %s", topic, r.Value)
				}
			}
		}
	})
}

// TestAContainerThatWasCreatedAndNotStartedIsStarted: the process ended in the
// middle of a replacement.
func TestAContainerThatWasCreatedAndNotStartedIsStarted(t *testing.T) {
	onReadySite(t, acts[4].prepare, func(s *site) {
		s.engine.fail("Recreate", callFault{hang: true})
		s.heal("rollback")
		s.until("the call", func() bool { return s.engine.underway("Recreate") > 0 })
		s.stop()
		s.engine.fail("Recreate", callFault{})
		s.engine.each("web", func(u *unit) {
			s.engine.ended(u, 0)
			s.engine.setAside(u)
			half := *u
			half.kept, half.busy = false, make(chan struct{}, 1)
			half.state.Name, half.state.ID, half.state.ImageID, half.state.Status, half.state.StartedAt = "web", "id-of-web-2", "sha256:web", container.Created, time.Time{}
			half.state.Kept = u.state.Name
			s.engine.units = append(s.engine.units, &half)
		})
		s.boot()
		s.repaired("web")
		s.wantCalls("Start web-2")
		if c, _ := s.engine.state("web"); c.ID != "id-of-web-2" {
			t.Errorf("the container is %+v", c)
		}
	})
}

// TestAReplacementThatWasCutOffIsPutBackOnce: the process ended after the old
// container was renamed, and before the new one was created.
func TestAReplacementThatWasCutOffIsPutBackOnce(t *testing.T) {
	for _, a := range []int{4, 5} {
		t.Run(acts[a].name, func(t *testing.T) {
			onReadySite(t, acts[a].prepare, func(s *site) {
				s.engine.fail("Recreate", callFault{hang: true})
				s.heal(acts[a].name)
				s.until("the call", func() bool { return s.engine.underway("Recreate") > 0 })
				s.stop()
				s.engine.fail("Recreate", callFault{})
				s.engine.each("web", func(u *unit) {
					s.engine.ended(u, 0)
					s.engine.setAside(u)
				})
				s.boot()
				s.ends("web")
				s.wantCalls("Restore web")
				if c, _ := s.engine.state("web"); c.ID != "id-of-web" || c.Status != container.Running {
					t.Errorf("the container is %+v", c)
				}
				last := s.events(event.TypeActionStarted)
				if data := last[len(last)-1].Data.(event.ActionStarted); data.Undoes != 1 || last[len(last)-1].By != event.ByGuard {
					t.Errorf("begun was %+v by %s", data, last[len(last)-1].By)
				}
				if got := s.eventTypes("web"); !strings.Contains(got, "action_started action_finished verified") {
					t.Errorf("its incident is %s", got)
				}
			})
		})
	}
}

// TestAServiceWithoutAContainerRunsItsCommand once, and then a person is called.
func TestAServiceWithoutAContainerRunsItsCommand(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) {
		s.defs[0].Heal.Commands = service.Commands{{Name: "reload", Args: []string{"/usr/bin/reload"}}, {Name: "other", Args: []string{"/bin/false"}}}
		s.defs[0].Container = ""
	}, func(s *site) {
		s.engine.exit("web", 1)
		s.until("a person is called", func() bool { return len(s.events(event.TypeEscalated)) > 0 })
		if got := s.eventTypes("web"); got != "opened evidence diagnosed action_started action_finished verified diagnosed escalated" {
			t.Errorf("its incident is %s", got)
		}
		started := s.events(event.TypeActionStarted)[0].Data.(event.ActionStarted)
		if s.commands.times() != 1 || started.Params == nil || started.Params.Command != "reload" || started.Pins.ContainerID != "" {
			t.Errorf("it ran %v, for %+v", s.commands.ran, started)
		}
		want := action.Command{Name: "reload", Args: []string{"/usr/bin/reload"}, Service: "web", Incident: s.events()[len(s.events())-1].ID}
		if got := s.commands.ran[0]; got.Name != want.Name || !slices.Equal(got.Args, want.Args) || got.Service != want.Service || got.Incident != want.Incident {
			t.Errorf("it ran %+v", got)
		}
		s.wantCalls()
	})
}

// TestACommandThatFailsIsARefusal: its exit code and its last words are kept.
func TestACommandThatFailsIsARefusal(t *testing.T) {
	onReadySite(t, func(*site) {}, func(s *site) {
		s.breaks("", callFault{refuse: true})
		s.heal("run")
		s.until("the result", func() bool { return len(s.events(event.TypeActionFinished)) > 0 })
		result := s.events(event.TypeActionFinished)[0].Data.(event.ActionFinished)
		if result.Outcome != event.OutcomeRefused || !strings.Contains(result.Error, "exit code 3") || strings.Contains(result.Error+result.Output, "hunter2") || !strings.Contains(result.Output, "no such pool") {
			t.Errorf("%+v", result)
		}
	})
}

// TestTheSpecificationOfEachServiceIsKept also where two have the same one, as
// replicas do.
func TestTheSpecificationOfEachServiceIsKept(t *testing.T) {
	onSite(t, []string{"web", "api"}, nil, func(s *site) {
		s.until("the specification of web is kept", s.has("spec-of-web"))
		s.change("api", func(c *container.State) { c.SpecHash = "spec-of-web" })
		s.until("that of api is kept", func() bool {
			_, err := s.specs.Load("api", "spec-of-web")
			return err == nil
		})
	})
}

// TestWhatCannotBeDoneIsRefusedToTheOperator, with the reason, and no incident.
func TestWhatCannotBeDoneIsRefusedToTheOperator(t *testing.T) {
	onReadySite(t, func(*site) {}, func(s *site) {
		time.Sleep(10 * time.Second) // longer than what was inspected is taken for new
		s.heal("raise_memory")
		s.until("the answer", func() bool { return len(s.results()) > 0 })
		for _, r := range s.log.records(event.TopicCommands) {
			if c := decode(s.T, r, event.DecodeCommand); c.Result != nil && (c.Result.OK || !strings.Contains(c.Result.Error, "the container has no memory limit")) {
				t.Errorf("the result is %+v", c.Result)
			}
		}
		if n := len(s.incidents()); n > 0 {
			t.Errorf("%d incidents", n)
		}
	})
}
