package healer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// slowEngine reports no processes, and of statistics when its time is over.
type slowEngine struct{ *memoryEngine }

// Stats is container.Runtime's.
func (slowEngine) Stats(ctx context.Context, _ string) (container.Stats, error) {
	<-ctx.Done()
	return container.Stats{}, ctx.Err()
}

// Processes is container.Runtime's.
func (slowEngine) Processes(context.Context, string) ([]container.Process, error) {
	return nil, container.ErrUnsupported
}

// TestAPartOfTheEvidenceThatFailsIsMissing: one is late, one is not supported, one
// panics; the repair is made all the same, and soon.
func TestAPartOfTheEvidenceThatFailsIsMissing(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) {
		s.runtime = slowEngine{s.engine}
		s.checkAt = func(context.Context, service.Definition, string) (event.HealthLog, error) { panic("a check") }
		s.engine.units[0].state.Published, s.engine.units[0].state.Networks = "80:8080", []container.Network{{Name: "shop", Address: "172.17.0.2"}}
	}, func(s *site) {
		time.Sleep(20 * time.Second)
		s.harm("web", container.FaultFail)
		began := time.Now()
		s.repaired("web")
		s.wantCalls("Restart web")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		var got []string
		for _, f := range s.events(event.TypeEvidence)[0].Data.(event.Evidence).Facts {
			if strings.HasPrefix(f.Value, "not available") {
				got = append(got, f.Key+": "+f.Value)
				if f.Decisive {
					t.Errorf("%+v decides", f)
				}
			}
		}
		want := "stats: not available: no answer within 2s, processes: not available: this container runtime does not report it, own address: not available: internal error; see the server log"
		if strings.Join(got, ", ") != want {
			t.Errorf("missing is %q", got)
		}
	})
}

// TestAnAddressThatCannotBeReachedIsNotBad: it says nothing of the service.
func TestAnAddressThatCannotBeReachedIsNotBad(t *testing.T) {
	for _, seen := range []event.HealthLog{
		{Status: event.Down, Failure: event.FailureConnectTimeout}, {Status: event.Down, Failure: event.FailureUnreachable}, {Status: event.Down, Failure: event.FailureConnectRefused},
		{Status: event.Down, Failure: event.FailureStatus, Code: 500}, {Status: event.Up},
	} {
		t.Run(string(seen.Status)+" "+string(seen.Failure), func(t *testing.T) {
			onSite(t, []string{"web"}, func(s *site) {
				s.checkAt = func(_ context.Context, _ service.Definition, address string) (event.HealthLog, error) {
					if address != "172.17.0.2:8080" {
						t.Errorf("checked is %s", address)
					}
					return seen, nil
				}
				s.engine.units[0].state.Published, s.engine.units[0].state.Networks = "80:8080", []container.Network{{Name: "shop", Address: "172.17.0.2"}}
			}, func(s *site) {
				time.Sleep(20 * time.Second)
				s.harm("web", container.FaultFail)
				s.repaired("web")
				s.wantCalls("Restart web")
				want := map[event.Failure]string{event.FailureStatus: "HTTP 500", "": "good"}[seen.Failure]
				if want == "" {
					want = "not available: 172.17.0.2:8080 cannot be reached from here"
				}
				for _, f := range s.events(event.TypeEvidence)[0].Data.(event.Evidence).Facts {
					if f.Key == "own address" && f.Value == want {
						return
					}
				}
				t.Errorf("of %+v no fact says %q", seen, want)
			})
		})
	}
}
