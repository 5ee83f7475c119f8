package healer_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// newLines are the lines of the newest evidence that are said to be new, each with
// the days back to which that is known.
func (s *site) newLines() (said []string) {
	s.Helper()
	all := s.events(event.TypeEvidence)
	if len(all) == 0 {
		s.Fatal("there is no evidence")
	}
	e := all[len(all)-1].Data.(event.Evidence)
	for _, f := range e.FirstSeen {
		said = append(said, fmt.Sprintf("%s %d days", e.Logs[f.Line], f.Days))
	}
	return said
}

// TestLinesThatWereNeverWrittenBeforeAreNew: what a service writes while it is UP
// is learned.
func TestLinesThatWereNeverWrittenBeforeAreNew(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		healthy := func() {
			for range 30 {
				s.engine.say("web", "GET /health 200")
				s.engine.say("web", fmt.Sprintf("WARN cache miss for item %d", time.Now().Unix()%997))
				time.Sleep(30 * time.Second)
			}
		}
		fail := func(reason string, want ...string) {
			t.Helper()
			s.engine.say("web", "WARN cache miss for item 17")
			s.engine.say("web", reason)
			opened := len(s.events(event.TypeOpened))
			s.engine.exit("web", 1)
			s.until("an incident", func() bool { return len(s.events(event.TypeOpened)) > opened })
			s.repaired("web")
			if got := s.newLines(); !slices.Equal(got, want) {
				t.Errorf("after %q, %q are new, want %q", reason, got, want)
			}
		}
		s.engine.say("web", "listening")
		fail("panic: index 7 out of range") // nothing was learned yet
		healthy()
		fail("panic: index 9 out of range") // as the first time
		healthy()
		fail("fatal error: concurrent map writes", "fatal error: concurrent map writes 0 days")
	})
}

// countingEngine counts how often logs are read.
type countingEngine struct {
	*memoryEngine
	logs *atomic.Int32
}

func (e countingEngine) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	e.logs.Add(1)
	return e.memoryEngine.Logs(ctx, id, tail)
}

// TestLearningIsCheap: the lines of a healthy service are read every ten minutes, a
// few times more at first.
func TestLearningIsCheap(t *testing.T) {
	var logs atomic.Int32
	onSite(t, []string{"web", "api"}, func(s *site) { s.runtime = countingEngine{s.engine, &logs} }, func(s *site) {
		time.Sleep(25 * time.Minute)
		if n := logs.Load(); n != 10 {
			t.Errorf("the logs of two healthy services were read %d times in 25 minutes", n)
		}
	})
}
