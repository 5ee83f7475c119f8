package healer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Approvals and undo through the whole healer.

// answers sends a command about the newest incident.
func (s *site) answers(command string) (id string) {
	s.Helper()
	all := s.incidents()
	in := all[len(all)-1]
	c := event.Command{ID: fmt.Sprintf("%s-%s", command, in.ID), Time: time.Now().UTC(), By: "operator:ada", Service: in.Service, Command: command,
		Args: event.CommandArgs{Incident: in.ID}}
	s.log.put(event.Record{Topic: event.TopicCommands, Key: []byte(c.Service), Value: event.Encode(c), Signed: true})
	return c.ID
}

// TestARequestForApprovalOutlivesTheProcess ends it while the request waits: the
// request stands, and the approval of it is executed once.
func TestARequestForApprovalOutlivesTheProcess(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) { s.config.Mode = service.Approve }, func(s *site) {
		s.harm("web", "kill")
		s.until("approval is requested", func() bool { return len(s.events(event.TypeApprovalRequested)) == 1 })
		for range 2 {
			time.Sleep(30 * time.Second)
			s.stop()
			s.boot()
		}
		time.Sleep(time.Minute)
		if n := len(s.events(event.TypeApprovalRequested)); n != 1 || len(s.events(event.TypeActionStarted)) != 0 {
			t.Fatalf("it was requested %d times: %s", n, s.eventTypes("web"))
		}
		s.answers(event.CommandApprove)
		s.ends("web")
		if n := s.effects("Start"); n != 1 {
			t.Errorf("it was started %d times: %v", n, s.calls())
		}
	})
}

// undos are what undoes an action, by its name.
var undos = map[string]struct {
	method string
	holds  func(container.State) bool
}{
	"connect":      {"Disconnect", func(c container.State) bool { return len(c.Networks) == 0 }},
	"raise_memory": {"SetMemory", func(c container.State) bool { return c.Memory == 64<<20 }},
	"rollback":     {"Restore", func(c container.State) bool { return c.ImageID == "sha256:web-2" && c.ID == "id-of-web" }},
	"recreate":     {"Restore", func(c container.State) bool { return c.SpecHash == "spec-2" && c.ID == "id-of-web" }},
}

// TestEachRepairThatHasAnInverseIsUndoneOnce repairs, has that undone, and finds
// the container as it was before the repair.
func TestEachRepairThatHasAnInverseIsUndoneOnce(t *testing.T) {
	for name, undo := range undos {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(acts, func(a struct {
				name, method string
				prepare      func(*site)
				holds        func(container.State) bool
			}) bool {
				return a.name == name
			})
			onReadySite(t, acts[i].prepare, func(s *site) {
				s.heal(name)
				s.repaired("web")
				before := s.effects(undo.method)
				s.answers(event.CommandUndo)
				s.until("an incident of the undo", func() bool { return len(s.incidents()) == 2 })
				s.ends("web")
				c, _ := s.engine.state("web")
				if n := s.effects(undo.method) - before; n != 1 || !undo.holds(c) {
					t.Errorf("it is undone %d times: %v\n%s\n%+v", n, s.calls(), s.eventTypes("web"), c)
				}
				if in := s.incidents()[1]; in.How != event.HowOperator || in.Attempts != 1 {
					t.Errorf("it is %s, how %q, after %d attempts", in.State, in.How, in.Attempts)
				}
			})
		})
	}
}
