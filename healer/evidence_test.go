package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/healer/status"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// finds has a collection find that after so long; negative: never.
func finds(found runbook.Collected, after time.Duration) func(*sim) {
	return func(m *sim) {
		m.collect = func(Collect) (runbook.Collected, time.Duration) { return found, after }
	}
}

// causes are the ids of what was diagnosed, in order.
func causes(m *sim) string {
	var ids []string
	for _, d := range dataOf[event.Diagnosed](m) {
		ids = append(ids, d.CauseID)
	}
	return strings.Join(ids, " ")
}

func hasFact(m *sim, key, value string) bool {
	for _, e := range dataOf[event.Evidence](m) {
		for _, f := range e.Facts {
			if f.Key == key && strings.Contains(f.Value, value) {
				return true
			}
		}
	}
	return false
}

func TestWhatWasCollectedDecides(t *testing.T) {
	for name, tt := range map[string]struct {
		found   runbook.Collected
		cause   string
		actions []string
	}{
		"busy":        {runbook.Collected{Stats: &runbook.Stats{CPUs: 0.99}}, "busy", []string{"restart"}},
		"starved":     {runbook.Collected{Stats: &runbook.Stats{CPUs: 0.02, CPULimit: 0.02, Throttled: 0.9}}, "cpu_starved", nil},
		"path broken": {runbook.Collected{Direct: &runbook.Direct{Status: event.Up}}, "path_broken", nil},
		"idle":        {runbook.Collected{Stats: &runbook.Stats{CPUs: 0.01}}, "hang", []string{"restart"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, finds(tt.found, 1900*time.Millisecond))
			b.app = "hang"
			m.run(30 * time.Second)
			wantActions(t, m, tt.actions...)
			if got := causes(m); got != tt.cause {
				t.Errorf("diagnosed was %q, want %q", got, tt.cause)
			}
		})
	}
}

// TestACollectionThatNeverComesIsNotWaitedFor beyond its time, and the evidence
// says so.
func TestACollectionThatNeverComesIsNotWaitedFor(t *testing.T) {
	m, b := quiet(t, finds(runbook.Collected{}, -1))
	b.app = "hang"
	m.until(t, "an incident", func() bool { return len(dataOf[event.Opened](m)) > 0 })
	opened := m.now
	m.until(t, "a restart", func() bool { return len(m.actions()) > 0 })
	if took := m.now.Sub(opened); took < collectLimit || took > collectWait+time.Second {
		t.Errorf("it is restarted %s after the incident began", took)
	}
	if !hasFact(m, runbook.WhatAll, "not available: no answer within") {
		t.Errorf("the evidence is %+v", dataOf[event.Evidence](m))
	}
}

// TestAProvenCauseWaitsForNoCollection: of what does not run nothing is collected.
func TestAProvenCauseWaitsForNoCollection(t *testing.T) {
	for _, act := range []string{"kill", "exit", "pause"} {
		asked := 0
		m, b := quiet(t, configured(func(c *Config) { c.ManualGrace = 0 }), func(m *sim) {
			m.collect = func(Collect) (runbook.Collected, time.Duration) { asked++; return runbook.Collected{}, -1 }
		})
		do(act, m, b)
		from := m.now
		m.until(t, "a repair", func() bool { return len(m.actions()) > 0 })
		if took := m.now.Sub(from); took > time.Second || asked > 0 {
			t.Errorf("%s: repaired after %s, with %d collections", act, took, asked)
		}
	}
}

// TestWhatIsHeldIsCollectedOnceAMinute.
func TestWhatIsHeldIsCollectedOnceAMinute(t *testing.T) {
	asked := 0
	m, b := quiet(t, configured(func(c *Config) { c.Mode = service.Observe }), func(m *sim) {
		m.collect = func(Collect) (runbook.Collected, time.Duration) {
			asked++
			return runbook.Collected{}, time.Millisecond
		}
	})
	b.app = "hang"
	m.run(5 * time.Minute)
	if asked < 4 || asked > 6 {
		t.Errorf("%d collections in five minutes", asked)
	}
}

// of is a view of a container that fails since a minute, before change.
func viewOf(change func(*View)) View {
	now := simStart.Add(time.Hour)
	def := service.Default()
	def.Name, def.Container, def.URL = "pay", "pay", "http://pay"
	v := View{Now: now, Config: Default(), Def: def, Name: "pay", Status: status.New(def, nil, now), Incident: &state.Incident{State: state.Open, Opened: now}}
	v.Status.FirstBad = now.Add(-time.Minute)
	v.Inspection.state = container.State{Name: "pay", ID: "id", ImageID: "sha256:new", SpecHash: "s", Status: container.Running, StartedAt: simStart}
	change(&v)
	return v
}

func TestEvidenceBesideTheGoodState(t *testing.T) {
	good := func(change func(*event.Good)) func(*View) {
		return func(v *View) {
			v.Target.Good = &event.Good{ContainerID: "id", ImageID: "sha256:new", SpecHash: "s", Since: simStart, ImageSince: simStart, Networks: []event.Network{{Name: "shop"}, {Name: "db"}}}
			v.Inspection.state.Networks = []container.Network{{Name: "db"}, {Name: "shop"}}
			change(v.Target.Good)
		}
	}
	for name, tt := range map[string]struct {
		change           func(*View)
		changed, updated bool
		lost             string
	}{
		"nothing known":                                {func(*View) {}, false, false, ""},
		"as it was":                                    {good(func(*event.Good) {}), false, false, ""},
		"another image":                                {good(func(g *event.Good) { g.ContainerID, g.ImageID = "before", "sha256:old" }), true, false, ""},
		"another configuration":                        {good(func(g *event.Good) { g.ContainerID, g.SpecHash = "before", "r" }), true, false, ""},
		"made again, the same":                         {good(func(g *event.Good) { g.ContainerID = "before" }), false, false, ""},
		"updated five minutes before":                  {good(func(g *event.Good) { g.PreviousImageID, g.ImageSince = "sha256:old", simStart.Add(54*time.Minute) }), false, true, ""},
		"updated an hour before":                       {good(func(g *event.Good) { g.PreviousImageID = "sha256:old" }), false, false, ""},
		"its memory was raised, long after the update": {good(func(g *event.Good) { g.PreviousImageID, g.Since = "sha256:old", simStart.Add(54*time.Minute) }), false, false, ""},
		"limits were changed in place":                 {good(func(g *event.Good) { g.SpecHash = "r" }), false, false, ""},
		"one network of two": {func(v *View) {
			good(func(*event.Good) {})(v)
			v.Inspection.state.Networks = v.Inspection.state.Networks[:1]
		}, false, false, "shop"},
		"all networks": {func(v *View) { good(func(*event.Good) {})(v); v.Inspection.state.Networks = nil }, false, false, "shop db"},
		"all networks, another container": {func(v *View) {
			good(func(g *event.Good) { g.ContainerID = "before" })(v)
			v.Inspection.state.Networks = nil
		}, false, false, ""},
		"stopped": {func(v *View) {
			good(func(*event.Good) {})(v)
			v.Inspection.state.Networks, v.Inspection.state.Status = nil, container.Exited
		}, false, false, ""},
	} {
		v := viewOf(tt.change)
		remembered := memory{good: v.Target.Good}
		v.Target.Networks, v.Target.NetworksKnown = remembered.networks(v.Inspection.state.ID)
		f := withEvidence(v, runbook.Facts{})
		if f.Changed != tt.changed || f.Updated != tt.updated || strings.Join(f.NetworksLost, " ") != tt.lost {
			t.Errorf("%s: changed %v, updated %v, lost %v", name, f.Changed, f.Updated, f.NetworksLost)
		}
	}
}

func TestEndsInARow(t *testing.T) {
	byItself := func(at time.Duration, ran time.Duration, code int) history.Life {
		return history.Life{End: history.EndByItself, At: simStart.Add(at), Ran: ran, ExitCode: code}
	}
	oom := func(at time.Duration) history.Life {
		return history.Life{End: history.EndOOM, At: simStart.Add(at), Ran: time.Hour, ExitCode: 137}
	}
	for name, tt := range map[string]struct {
		lives      []history.Life
		quick, oom int
	}{
		"none":                 {nil, 0, 0},
		"alike":                {[]history.Life{byItself(0, time.Second, 78), byItself(time.Minute, time.Second, 78)}, 2, 0},
		"another code":         {[]history.Life{byItself(0, time.Second, 1), byItself(time.Minute, time.Second, 78)}, 1, 0},
		"it ran for a while":   {[]history.Life{byItself(0, time.Second, 78), byItself(time.Hour, 20*time.Minute, 78)}, 0, 0},
		"since it ran":         {[]history.Life{byItself(0, time.Second, 78), byItself(time.Hour, 20*time.Minute, 78), byItself(time.Hour, time.Second, 78)}, 2, 0},
		"since it ran, twice":  {[]history.Life{byItself(0, -1, 78), byItself(time.Minute, time.Second, 78), byItself(time.Hour, time.Second, 78)}, 3, 0},
		"it ran, another code": {[]history.Life{byItself(0, 20*time.Minute, 1), byItself(time.Hour, time.Second, 78)}, 1, 0},
		"its start is unknown": {[]history.Life{byItself(0, -1, 78)}, 0, 0},
		"stopped in between":   {[]history.Life{byItself(0, time.Second, 78), {End: history.EndStopped, Ran: time.Second}, byItself(time.Minute, time.Second, 78)}, 1, 0},
		"out of memory":        {[]history.Life{oom(0), oom(9 * time.Minute), oom(12 * time.Minute)}, 0, 2},
	} {
		if q, o := quickExits(tt.lives, 10*time.Second), outOfMemory(tt.lives); q != tt.quick || o != tt.oom {
			t.Errorf("%s: %d quick exits and %d out of memory, want %d and %d", name, q, o, tt.quick, tt.oom)
		}
	}
}

// TestWhatNeedsAServiceThatIsDownIsNotRestarted before that is UP again.
func TestWhatNeedsAServiceThatIsDownIsNotRestarted(t *testing.T) {
	m := quietSim(t, 2)
	api, db := m.boxes[0], m.boxes[1]
	api.def.DependsOn = []string{db.def.Name}
	m.reconfigure()
	db.app = "broken"
	m.run(2 * time.Second)
	api.app = "error"
	m.run(20 * time.Second)
	in := m.incident(api.def.Name)
	if in == nil || in.Held != "dependency" && in.CauseID != "dependency_down" || in.Attempts > 0 {
		t.Fatalf("its incident is %+v", in)
	}
	db.app = "ok"
	m.run(time.Minute)
	if in := m.incident(api.def.Name); in.Attempts != 1 {
		t.Errorf("once what it needs is UP again: %s, %d attempts", in.CauseID, in.Attempts)
	}
}

func TestOwnAddress(t *testing.T) {
	def := service.Default()
	c := container.State{Published: "53:53 8080:80", Networks: []container.Network{{Name: "a"}, {Name: "b", Address: "172.17.0.2"}}}
	for url, want := range map[string]string{"http://localhost:8080/health": "172.17.0.2:80", "tcp://10.0.0.1:53": "172.17.0.2:53", "http://localhost": "", "http://localhost:81": "",
		"docker://pay": "", "push://pay": "", "": ""} {
		def.URL = url
		got, why := ownAddress(def, c)
		if got != want || (got == "") != (why != "") {
			t.Errorf("%q: %q because %q, want %q", url, got, why, want)
		}
	}
	def.URL, c.Networks = "http://localhost:8080", nil
	if got, why := ownAddress(def, c); got != "" || why == "" {
		t.Errorf("without a network: %q because %q", got, why)
	}
}

func TestLinesOfThePresentRun(t *testing.T) {
	line := func(at time.Duration, text string) container.Line {
		return container.Line{Time: simStart.Add(at), Text: text}
	}
	lines := []container.Line{line(0, "before"), line(time.Minute, "now"), {Text: "whenever"}, line(time.Hour, "later")}
	if got := readable(newer(lines, simStart.Add(time.Minute))); strings.Join(got, " ") != "now later" {
		t.Errorf("of the present run are %q", got)
	}
}

// TestEvidenceHasWhatWasWrittenUntilOurOwnCheckFailed, where the service was DOWN
// and its container inspected before.
func TestEvidenceHasWhatWasWrittenUntilOurOwnCheckFailed(t *testing.T) {
	m, b := quiet(t, defined(func(d *service.Definition) { d.Heal.Confirm = false }))
	m.lines = []string{"ready"}
	m.foreign(b, event.Down, time.Minute)
	m.until(t, "an incident", func() bool { return len(dataOf[event.Opened](m)) > 0 })
	b.state.StartedAt = m.now // the foreign source proves nothing then
	m.run(5 * time.Second)
	wantHeld(t, m, "starting")
	s := m.core.services[b.def.Name]
	last := s.inspection.at
	m.until(t, "another inspection", func() bool { return s.inspection.at.After(last) })
	m.lines = append(m.lines, "FATAL: lost the database")
	b.app = "error"
	m.until(t, "evidence", func() bool { return len(dataOf[event.Evidence](m)) > 0 })
	if got := dataOf[event.Evidence](m)[0].Logs; !slices.Equal(got, m.lines) {
		t.Errorf("the evidence shows %q, and the container wrote %q", got, m.lines)
	}
}

// TestWhatWasSeenDuringAHoldIsSeenAgainAfterIt, where the container may have
// written more meanwhile.
func TestWhatWasSeenDuringAHoldIsSeenAgainAfterIt(t *testing.T) {
	ago := func(d time.Duration) time.Time { return simStart.Add(-d) }
	for name, tt := range map[string]struct {
		held                 string
		status               container.Status
		inspected, collected time.Duration // ago; 0: not collected
		due                  bool
		kind                 Kind
	}{
		"held, and inspected long before":         {"starting", container.Running, 4 * time.Second, 0, true, DoInspect},
		"held, and just inspected":                {"starting", container.Running, time.Second / 2, 0, false, DoWait},
		"held, and collected long before":         {"starting", container.Running, time.Second / 2, 30 * time.Second, true, DoCollect},
		"held, and just collected":                {"starting", container.Running, time.Second / 2, 3 * time.Second, false, DoWait},
		"not held":                                {"", container.Running, 4 * time.Second, 30 * time.Second, false, DoWait},
		"what does not run writes nothing more":   {"deploy", container.Exited, 4 * time.Second, 0, false, DoWait},
		"neither does what does not run any more": {"operator", container.Paused, 4 * time.Second, 30 * time.Second, false, DoWait},
	} {
		v := View{Now: simStart, Def: service.Definition{Container: "c"}, Incident: &state.Incident{Held: tt.held},
			Inspection: inspection{asked: ago(tt.inspected), at: ago(tt.inspected), full: true, state: container.State{ID: "c", Status: tt.status}}}
		if tt.collected > 0 {
			v.Collection = collection{asked: ago(tt.collected), id: "c", found: &runbook.Collected{}}
		}
		if d, due := planAgain(v); due != tt.due || d.Kind != tt.kind {
			t.Errorf("%s: %v, %v", name, d.Kind, due)
		}
	}
}
