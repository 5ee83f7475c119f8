package healer_test

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
)

// From the start to a service that is repaired.

func TestRepairIsOneCallBetweenItsIntentAndItsResult(t *testing.T) {
	onSite(t, []string{"web", "db"}, nil, func(s *site) {
		s.harm("web", container.FaultKill)
		s.repaired("web")
		s.wantCalls("Start web")
		if got := s.story("web"); got != repair {
			t.Errorf("its incident is %s, want %s", got, repair)
		}
		want := []string{"write action_started web", "read action_started web", "call Start web", "answer Start web",
			"write action_finished web", "read action_finished web", "write verified web"}
		if got := s.timeline.order(want...); !slices.Equal(got, want) {
			t.Errorf("the order is %q, want %q", got, want)
		}
		s.until("it is published as UP, without an incident", func() bool {
			p := s.published("web")
			return p.Status == "UP" && p.OpenIncident == "" && !p.Healing
		})
		before := len(s.log.records("logstream.incidents"))
		time.Sleep(time.Minute)
		if after := len(s.log.records("logstream.incidents")); after != before {
			t.Errorf("%d records more in a minute in which nothing happened", after-before)
		}
	})
}
