package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// What looks like a cut, and is none; and the other way round.

// TestServicesInTheNetworkOfARestartedVPNAreRepaired: their HEALTHCHECKs succeed in a
// network that nothing outside reaches any more.
func TestServicesInTheNetworkOfARestartedVPNAreRepaired(t *testing.T) {
	for _, checked := range []bool{false, true} {
		t.Run(fmt.Sprint(checked), func(t *testing.T) {
			m := quietSim(t, 3, withHealthchecks(3, 30*time.Second, true), inNetworkOf(1, 0), inNetworkOf(2, 0), func(m *sim) {
				m.boxes[0].checked = checked
			})
			m.run(2 * time.Minute)
			do("restart", m, m.boxes[0])
			m.run(5 * time.Minute)
			if len(m.targets()) != 2 || len(fleetIncidents(m)) != 0 {
				t.Errorf("actions are %v, incidents of the fleet %v", m.targets(), fleetIncidents(m))
			}
		})
	}
}

// TestWhatAnswersNowAndThenIsNotCutOff: it is repaired, or a person is called, and few
// records are written.
func TestWhatAnswersNowAndThenIsNotCutOff(t *testing.T) {
	for _, pattern := range []string{"FFS", "FFFFS", "FFFFFFFFS"} {
		for _, n := range []int{2, 3} {
			t.Run(fmt.Sprint(pattern, n), func(t *testing.T) {
				m := quietSim(t, n, withHealthchecks(n, 30*time.Second, true), func(m *sim) {
					for _, b := range m.boxes {
						b.def.Interval = 10 * time.Second
					}
				})
				m.run(2 * time.Minute)
				for i := range 90 {
					for k, b := range m.boxes[:n-1] {
						b.cut = pattern[(i+k)%len(pattern)] == 'F'
					}
					m.run(10 * time.Second)
				}
				held := 0
				for _, e := range dataOf[event.Suppressed](m) {
					if e.Gate == "blind" {
						held++
					}
				}
				if in := m.incident("svc-0"); in.State != state.Escalated || held > 20 || len(fleetIncidents(m)) > 1 {
					t.Errorf("it is %s, held %d times, with %d incidents of the fleet", in.State, held, len(fleetIncidents(m)))
				}
			})
		}
	}
}

// TestARunThatFailedLongBeforeProvesNothing: a container is inspected seldom while all is
// well.
func TestARunThatFailedLongBeforeProvesNothing(t *testing.T) {
	m := quietSim(t, 3, withHealthchecks(3, 30*time.Second, true), func(m *sim) {
		for _, b := range m.boxes {
			b.state.HealthRun = container.HealthRun{Began: m.now.Add(-time.Minute), Took: time.Second}
		}
	})
	m.run(10 * time.Minute)
	cutOff(m, true)
	m.run(5 * time.Minute)
	wantTargets(t, m)
}

// TestADependentThatHadFailedBeforeKeepsNoNetworkRemembered: a database that was taken
// out of a network on purpose is then remembered without it, also by the next life.
func TestADependentThatHadFailedBeforeKeepsNoNetworkRemembered(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprint(again), func(t *testing.T) {
			m := quietSim(t, 3, needing(0, 1), needing(2, 1), func(m *sim) {
				for _, b := range m.boxes {
					b.state.Networks = []container.Network{{Name: "shop"}, {Name: "back"}}
				}
			})
			m.run(2 * time.Minute)
			m.boxes[2].app = "broken" // for reasons of its own, for good
			m.run(30 * time.Second)
			m.disconnectedFrom(m.boxes[1], "shop")
			m.run(20 * time.Minute)
			if again {
				m.crash(3 * time.Second)
			}
			m.boxes[0].app = "error"
			m.run(5 * time.Minute)
			if in := m.incident("svc-0"); in == nil || in.CauseID != "http_5xx" || in.How != event.HowHealed {
				t.Errorf("%+v", in)
			}
		})
	}
}

// TestOneThatFlapsAmongFewCallsAPerson: the others, which are well, are checked a moment
// after each of its failures.
func TestOneThatFlapsAmongFewCallsAPerson(t *testing.T) {
	for _, n := range []int{2, 3, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := quietSim(t, n, withHealthchecks(n, 30*time.Second, true))
			m.run(2 * time.Minute)
			for i := range 300 {
				m.boxes[0].cut = i%3 != 2
				m.run(2 * time.Second)
			}
			held := 0
			for _, e := range dataOf[event.Suppressed](m) {
				if e.Gate == "blind" {
					held++
				}
			}
			if in := m.incident("svc-0"); in.State != state.Escalated || held > 20 {
				t.Errorf("it is %s, held by %q, %d times by blind", in.State, in.Held, held)
			}
		})
	}
}

// TestCutOffServicesStaySoOverALongAbsence of LogStream, also where it comes back right
// after the HEALTHCHECKs ran.
func TestCutOffServicesStaySoOverALongAbsence(t *testing.T) {
	for _, each := range []time.Duration{30 * time.Second, time.Minute} {
		for _, away := range []time.Duration{10 * time.Second, 2 * time.Minute, 10 * time.Minute} {
			t.Run(fmt.Sprint(each, away), func(t *testing.T) {
				m := quietSim(t, 2, withHealthchecks(2, each, true))
				m.run(2 * time.Minute)
				cutOff(m, true)
				m.run(10 * time.Second)
				m.crash(away)
				m.run(away + 5*time.Minute)
				wantTargets(t, m)
			})
		}
	}
}
