package view

import (
	"testing"
	"time"

	"logstream/internal/event"
)

func TestAgentGoesOnDecidingDuringAShortGrace(t *testing.T) {
	for _, tt := range []struct {
		name  string
		until time.Duration // zero: open-ended
		want  string
	}{
		{"the second after a stop", time.Second, AgentDiagnosing},
		{"a cooldown", 30 * time.Second, AgentWatching},
		{"an operator's decision", 0, AgentWatching},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWriter(newFleet())
			w.write("1", "pay", event.Opened{})
			suppressed := event.Suppressed{Gate: "operator", Reason: "because"}
			if tt.until > 0 {
				at := w.at.Add(time.Second + tt.until)
				suppressed.Until = &at
			}
			w.write("1", "pay", suppressed)
			if got := w.f.Agent(w.at).State; got != tt.want {
				t.Errorf("the agent is %s, want %s", got, tt.want)
			}
		})
	}
}
