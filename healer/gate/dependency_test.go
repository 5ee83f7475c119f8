package gate

import (
	"strings"
	"testing"
	"time"
)

// TestDependencyGate has a row for each thing that a dependency can be.
func TestDependencyGate(t *testing.T) {
	later := now.Add(5 * time.Second)
	for _, tt := range []struct {
		name  string
		d     Dependency
		more  func(*Situation)
		gate  string
		until bool
		says  string
	}{
		{"none", Dependency{}, nil, "", false, ""},
		{"DOWN", Dependency{Name: "db", Root: RootDown, Incident: "i"}, nil, "dependency", false, "waits for db: a service that it depends on is DOWN"},
		{"DOWN, asked", Dependency{Name: "db", Root: RootDown, Incident: "i"}, func(s *Situation) { s.Asked = true }, "", false, ""},
		{"DOWN, its incident follows", Dependency{Name: "db", Root: RootDown, For: time.Second}, nil, "wait", false, ""},
		{"DOWN, without an incident for long", Dependency{Name: "db", Root: RootDown, For: 3 * time.Second}, nil, "dependency", false, ""},
		{"escalated", Dependency{Name: "db", Root: RootEscalated, Incident: "i"}, nil, "dependency", false, "a person is needed"},
		{"in observe", Dependency{Name: "db", Root: RootObserved, Incident: "i"}, nil, "dependency", false, "its mode is observe"},
		{"without a container", Dependency{Name: "db", Root: RootWatched, Incident: "i"}, nil, "dependency", false, "no container"},
		{"being repaired", Dependency{Name: "db", Root: RootRepairing, Incident: "i"}, nil, "dependency", false, "not verified"},
		{"being repaired, held for it already", Dependency{Name: "db", Root: RootRepairing, Incident: "i", HeldFor: "db"}, nil, "wait", false, ""},
		{"being repaired, held for another", Dependency{Name: "db", Root: RootRepairing, Incident: "i", HeldFor: "disk"}, nil, "dependency", false, ""},
		{"suspect", Dependency{Name: "db", Root: RootSuspect, For: 3 * time.Second}, nil, "dependency", false, "the newest check"},
		{"unsettled", Dependency{Name: "db", Root: RootUnsettled, Incident: "i"}, nil, "dependency", false, "not UP again"},
		{"well again", Dependency{Last: "db", Freed: now, Decided: later}, nil, "dependency", true, "db, which it depends on, is UP again"},
		{"well again, asked", Dependency{Last: "db", Freed: now, Decided: later}, func(s *Situation) { s.Asked = true }, "", false, ""},
		{"well again, and its checks fail", Dependency{Last: "db", Freed: now, Decided: later, Proven: true}, nil, "", false, ""},
		{"well again, and its checks are late", Dependency{Last: "db", Freed: now.Add(-time.Hour), Decided: now}, nil, "", false, ""},
		{"well again, and its container does not run", Dependency{Last: "db", Freed: now, Decided: later}, func(s *Situation) { s.LevelDown = true }, "", false, ""},
		{"well again, and its network is gone", Dependency{Last: "db", Freed: now, Decided: later, NetworkGone: true}, nil, "", false, ""},
		{"not known yet", Dependency{Unlinked: true}, nil, "wait", false, ""},
		{"not known yet, Docker is unreachable", Dependency{Unlinked: true}, func(s *Situation) { s.EngineLost = true }, "", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Situation{Now: now, Dependency: tt.d}
			if tt.more != nil {
				tt.more(&s)
			}
			v := Check(Witness, s)
			if said(v) != tt.gate || (v.Until != nil) != tt.until || !strings.Contains(v.Reason, tt.says) {
				t.Errorf("the verdict is %+v, want %q", v, tt.gate)
			}
		})
	}
	for _, root := range []Root{RootDown, RootEscalated, RootObserved, RootWatched, RootRepairing, RootSuspect, RootUnsettled} {
		if rootReasons[root] == "" {
			t.Errorf("%s has no reason", root)
		}
	}
}

func TestServiceWaitsForTheActionOnItsDependent(t *testing.T) {
	if v := pathActs(Situation{Dependency: Dependency{Acting: "web"}, Asked: true}); !v.Wait {
		t.Errorf("the verdict is %+v", v)
	}
}
