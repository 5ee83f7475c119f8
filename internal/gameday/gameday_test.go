package gameday

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

// ends is an API whose one service is UP, and whose incident has ended as soon as a
// fault is injected.
type ends struct {
	how      string
	attempts int
	sent     []any // commands
}

func (a *ends) Get(_ context.Context, path []string, _ url.Values, into any) error {
	var answer any = map[string]any{"host": "h"}
	switch path[0] {
	case "services":
		answer = []Service{{Name: "web", Status: "UP", Chaos: true}}
	case "incidents":
		all := []incident{}
		if len(a.sent) > 0 {
			all = []incident{{ID: "in-1", State: "resolved", How: a.how, Action: "start", Attempts: a.attempts}}
		}
		answer = all
	}
	content, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

func (a *ends) Command(_ context.Context, _ []string, body any) error {
	a.sent = append(a.sent, body)
	return nil
}

// TestOnlyARepairHeals: what came back without one, such as by Docker's restart policy,
// is not healed.
func TestOnlyARepairHeals(t *testing.T) {
	for _, tt := range []struct {
		api      ends
		outcome  Outcome
		passed   bool
		headline string
		cell     string
		commands int // the undo among them
	}{
		{ends{how: event.HowHealed, attempts: 1}, Healed, true, "1 fault, 1 healed", "| healed |", 1},
		{ends{how: event.HowRecovered}, Recovered, false, "1 fault, 0 healed, 1 recovered without a verified repair", "| recovered without a verified repair |", 1},
		{ends{how: event.HowRecovered, attempts: 1}, Recovered, false, "1 fault, 0 healed, 1 recovered without a verified repair", "| recovered without a verified repair |", 1},
		{ends{how: event.HowOperator}, NotHealed, false, "1 fault, 0 healed, 1 not healed", "| not healed: an operator closed the incident |", 2},
	} {
		t.Run(tt.api.how, func(t *testing.T) {
			day := Day{API: &tt.api, Window: time.Minute, Limit: 10 * time.Second}
			r, err := day.Run(t.Context(), []Injection{{Service: "web", Fault: Fault{Name: "crash"}}})
			if err != nil {
				t.Fatal(err)
			}
			if r.Results[0].Outcome != tt.outcome || r.Passed != tt.passed || r.Headline != tt.headline || len(tt.api.sent) != tt.commands {
				t.Errorf("%q, passed %t, %d commands, %+v", r.Headline, r.Passed, len(tt.api.sent), r.Results[0])
			}
			if text := string(r.Markdown()); !strings.Contains(text, tt.cell) || strings.Contains(text, "Verdict: passed") != tt.passed {
				t.Errorf("the Markdown is\n%s", text)
			}
		})
	}
}
