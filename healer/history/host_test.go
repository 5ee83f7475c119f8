package history

import (
	"testing"
	"time"

	"logstream/internal/event"
)

func notOurs(string) bool { return false }

// hostAfter is a host that read each event at its own time.
func hostAfter(events ...event.Docker) *Host {
	h := NewHost()
	for _, e := range events {
		h.Read(e, e.Time, notOurs)
	}
	return h
}

func TestDeploymentGraceCountsFromItsLastEvent(t *testing.T) {
	removed := event.Docker{Time: ms(0), Container: "c", ID: "old", Action: "destroy"}
	renamed := event.Docker{Time: ms(1000), Container: "c", ID: "new", Action: "rename"}
	away := event.Docker{Time: ms(1500), Container: "c-old", ID: "now", Action: "rename"}
	another := event.Docker{Time: ms(1500), Container: "d-old", ID: "another", Action: "rename"}
	sibling := event.Docker{Time: ms(2000), Container: "other", ID: "x", Action: "create", Project: "shop"}
	started := event.Docker{Time: ms(3000), Container: "other", ID: "x", Action: "start", Project: "shop"}
	for _, tt := range []struct {
		name    string
		host    *Host
		project string
		quiet   time.Duration
		want    time.Time
	}{
		{"nothing", hostAfter(), "", 0, time.Time{}},
		{"it was removed", hostAfter(removed), "", 0, ms(10000)},
		{"it was removed, and is left quiet for longer", hostAfter(removed), "", time.Minute, ms(60000)},
		{"it was removed and renamed", hostAfter(removed, renamed), "", 0, ms(11000)},
		{"it was renamed to another name", hostAfter(away), "", 0, ms(11500)},
		{"it was renamed, and is left quiet for longer", hostAfter(away), "", time.Minute, ms(61500)},
		{"another container was renamed", hostAfter(another), "", time.Minute, time.Time{}},
		{"a container of its project was created", hostAfter(sibling), "shop", time.Minute, ms(12000)},
		{"and started", hostAfter(sibling, started), "shop", 0, ms(12000)},
		{"a container of another project was created", hostAfter(sibling), "blog", 0, time.Time{}},
		{"it was removed, and left quiet for longer than its project", hostAfter(removed, sibling), "shop", time.Minute, ms(60000)},
	} {
		if got := tt.host.DeployedUntil("c", "now", tt.project, tt.quiet, foreign); !got.Equal(tt.want) {
			t.Errorf("%s: until %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestReplacementIsExpectedForAWhile(t *testing.T) {
	for _, of := range []string{"c", "id"} {
		h := hostAfter(event.Docker{Time: ms(0), Container: "0a_c", ID: "new", Action: "create", Replace: of})
		if !h.IsReplaced("c", "id", ms(9999)) || h.IsReplaced("c", "id", ms(10000)) || h.IsReplaced("d", "other", ms(1)) {
			t.Errorf("a container that replaces %q: %v, %v and %v", of, h.IsReplaced("c", "id", ms(9999)), h.IsReplaced("c", "id", ms(10000)), h.IsReplaced("d", "other", ms(1)))
		}
	}
}

func TestEngineThatComesBackSettles(t *testing.T) {
	lost, back := event.Docker{Time: ms(1000), Action: event.StreamLost}, event.Docker{Time: ms(2000), Action: event.StreamBack}
	for _, tt := range []struct {
		name    string
		host    *Host
		lost    bool
		settled time.Time
	}{
		{"read from the beginning", hostAfter(back), false, time.Time{}},
		{"lost", hostAfter(lost), true, time.Time{}},
		{"lost and back", hostAfter(lost, back), false, ms(7000)},
	} {
		if got := tt.host.SettledAt(); tt.host.Lost() != tt.lost || !got.Equal(tt.settled) {
			t.Errorf("%s: lost %v, settled at %v", tt.name, tt.host.Lost(), got)
		}
	}
	h := hostAfter(lost)
	for at, want := range map[int]bool{-14000: false, -13999: true, 1000: true, 1001: false} {
		if h.StoppedByEngine(ms(at)) != want {
			t.Errorf("a stop that was read at %d ms, with the stream lost at 1000 ms, is the engine's: %v", at, !want)
		}
	}
}

func foreign(Event) bool { return false }
