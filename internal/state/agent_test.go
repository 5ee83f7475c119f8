package state

import (
	"testing"
	"time"

	"logstream/internal/event"
)

func TestAShortGraceIsNoRest(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
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
			suppressed := event.Suppressed{Gate: "operator", Reason: "because"}
			if tt.until > 0 {
				at := now.Add(tt.until)
				suppressed.Until = &at
			}
			in := &Incident{State: Open}
			in.apply(event.Incident{Seq: 1, Time: now, Type: event.TypeOpened, Data: event.Opened{}})
			in.apply(event.Incident{Seq: 2, Time: now, Type: event.TypeSuppressed, Data: suppressed})
			if got := in.agent(); got != tt.want {
				t.Errorf("the agent is %s, want %s", got, tt.want)
			}
		})
	}
}
