package healer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Kafka on a bad day: what is refused, what is written without an answer, what
// is acknowledged and never read back, and nothing at all.

// firstOf is the first append of an incident event of that type.
func firstOf(typ event.Type) func(event.Record) bool {
	done := false
	return func(r event.Record) bool {
		e, err := event.DecodeIncident(r.Value)
		if err != nil || e.Type != typ || done {
			return false
		}
		done = true
		return true
	}
}

// TestAppendOfUnknownOutcomeIsRepeatedByteForByte: for each event of a repair,
// one append that was not written, and one that was.
func TestAppendOfUnknownOutcomeIsRepeatedByteForByte(t *testing.T) {
	for _, typ := range []event.Type{event.TypeClaim, event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted,
		event.TypeActionFinished, event.TypeVerified, event.TypeResolved} {
		for name, fault := range map[string]appendFault{"refused": {refuse: firstOf(typ)}, "answer lost": {forget: firstOf(typ)}} {
			t.Run(fmt.Sprintf("%s %s", typ, name), func(t *testing.T) {
				onSite(t, []string{"web"}, func(s *site) { s.log.fail(event.TopicIncidents, fault) }, func(s *site) {
					s.harm("web", container.FaultKill)
					s.repaired("web")
					s.wantCalls("Start web")
					if got := s.fold("web"); got != repair {
						t.Errorf("its incident is %s, want %s", got, repair)
					}
					tries := 0
					for _, r := range s.log.attempted(event.TopicIncidents) {
						if decode(t, r, event.DecodeIncident).Type == typ {
							tries++
						}
					}
					if refused := name == "refused"; tries < 1 || refused && tries != 2 {
						t.Errorf("%d appends of %s", tries, typ)
					}
				})
			})
		}
	}
}

// fold is a service's incidents in order, without the events that do not count.
func (s *site) fold(name string) string {
	s.Helper()
	var words []string
	for _, in := range s.incidents() {
		for _, e := range in.Events {
			if e.Service == name {
				words = append(words, string(e.Type))
			}
		}
	}
	return strings.Join(words, " ")
}

// TestIntentThatIsNotReadBackLeadsToNoCall: an acknowledgement permits nothing.
func TestIntentThatIsNotReadBackLeadsToNoCall(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.log.hold(event.TopicIncidents, func(r event.Record) bool { return strings.Contains(string(r.Value), `"action_started"`) })
		s.harm("web", container.FaultKill)
		s.until("the intent", func() bool { return len(s.events(event.TypeActionStarted)) > 0 })
		time.Sleep(25 * time.Second)
		s.wantCalls()
		intents := s.events(event.TypeActionStarted)
		if len(intents) < 2 {
			t.Errorf("it is not repeated: %d on the log", len(intents))
		}
		s.log.hold(event.TopicIncidents, nil)
		s.until("it is closed", func() bool { return s.isNotExecuted("deadline") })
		s.wantCalls()
		s.repaired("web")
		s.wantCalls("Start web")
		if got, want := s.fold("web"), strings.Replace(repair, "action_started action_finished", "action_started action_finished action_started action_finished", 1); got != want {
			t.Errorf("its incident is %s, want %s", got, want)
		}
	})
}

// TestUnreachableKafkaHoldsTheRepair: a call without its intent on the log is
// not made.
func TestUnreachableKafkaHoldsTheRepair(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.harm("web", container.FaultKill)
		s.until("its incident", func() bool { return len(s.events(event.TypeOpened)) > 0 })
		s.log.setUnreachable(true)
		time.Sleep(30 * time.Second)
		s.wantCalls()
		s.log.setUnreachable(false)
		s.repaired("web")
		s.wantCalls("Start web")
		if !strings.Contains(s.fold("web"), "suppressed") {
			t.Errorf("that it was held is not written: %s", s.fold("web"))
		}
	})
}

// TestRunningCallEndsWhereKafkaBecomesUnreachable: its result is written first.
func TestRunningCallEndsWhereKafkaBecomesUnreachable(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{slow: 2 * time.Second})
		s.harm("web", container.FaultKill)
		s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
		s.log.setUnreachable(true)
		time.Sleep(time.Minute)
		s.wantCalls("Start web")
		s.log.setUnreachable(false)
		s.repaired("web")
		s.wantCalls("Start web")
		if results := s.events(event.TypeActionFinished); !results[0].Data.(event.ActionFinished).OK {
			t.Errorf("the result is %+v", results[0])
		}
	})
}

// TestPublicationThatFailsIsMadeAgain: not at once, and until it is acknowledged.
func TestPublicationThatFailsIsMadeAgain(t *testing.T) {
	for name, fault := range map[string]appendFault{"refused": {refuse: every}, "answer lost": {forget: every}, "slow": {slow: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				s.log.fail(event.TopicServices, fault)
				tried := len(s.log.attempted(event.TopicServices))
				s.harm("web", container.FaultKill)
				s.repaired("web")
				time.Sleep(10 * time.Second)
				if n := len(s.log.attempted(event.TopicServices)) - tried; n < 2 || n > 30 {
					t.Errorf("it is published %d times while that fails", n)
				}
				s.log.fail(event.TopicServices, appendFault{})
				s.until("the newest is published", func() bool {
					p := s.published("web")
					return p.Status == event.Up && p.OpenIncident == ""
				})
			})
		})
	}
}

// TestRemovalIsPublishedUntilItIsAcknowledged: else the service would stay on
// every page for ever.
func TestRemovalIsPublishedUntilItIsAcknowledged(t *testing.T) {
	t.Run("in one life", func(t *testing.T) {
		onSite(t, []string{"web", "db"}, nil, func(s *site) {
			s.until("the good state is published, the last that is of a service which stays", func() bool { return s.published("db").Good != nil })
			s.log.fail(event.TopicServices, appendFault{refuse: every})
			s.configure("db")
			time.Sleep(10 * time.Second)
			if s.isRemoved("web") {
				t.Fatal("what was refused is there")
			}
			s.log.fail(event.TopicServices, appendFault{})
			s.until("it is removed", func() bool { return s.isRemoved("web") })
			tried := len(s.log.attempted(event.TopicServices))
			time.Sleep(10 * time.Second)
			if n := len(s.log.attempted(event.TopicServices)) - tried; n > 0 {
				t.Errorf("%d more are published afterwards", n)
			}
		})
	})
	t.Run("over a restart", func(t *testing.T) {
		onSite(t, []string{"web", "db"}, nil, func(s *site) {
			s.log.fail(event.TopicServices, appendFault{refuse: every})
			s.configure("db")
			time.Sleep(10 * time.Second)
			s.stop()
			s.log.fail(event.TopicServices, appendFault{})
			s.boot()
			s.until("it is removed", func() bool { return s.isRemoved("web") })
		})
	})
	t.Run("with an open incident", func(t *testing.T) {
		onSite(t, []string{"web"}, func(s *site) { s.config.ManualGrace = time.Hour }, func(s *site) {
			s.harm("web", container.FaultStop)
			s.until("it is held", func() bool { return s.isHeld("operator") })
			s.log.fail(event.TopicServices, appendFault{refuse: every})
			s.configure()
			s.until("its incident ends", func() bool { return len(s.events(event.TypeResolved)) == 1 })
			time.Sleep(10 * time.Second)
			s.log.fail(event.TopicServices, appendFault{})
			s.until("it is removed", func() bool { return s.isRemoved("web") })
			s.wantCalls()
		})
	})
}

// TestServiceThatReturnsWhileItsRemovalIsWrittenIsPublished: two reloads, one
// right after the other.
func TestServiceThatReturnsWhileItsRemovalIsWrittenIsPublished(t *testing.T) {
	onSite(t, []string{"web", "db"}, nil, func(s *site) {
		s.log.fail(event.TopicServices, appendFault{slow: 3 * time.Second})
		s.configure("db")
		time.Sleep(time.Second)
		s.configure("web", "db")
		s.log.fail(event.TopicServices, appendFault{})
		s.until("its removal is published", func() bool { // for a moment only
			return slices.ContainsFunc(s.log.records(event.TopicServices), func(r event.Record) bool {
				one, err := event.DecodeService(r.Value)
				return err == nil && one.Service == "web" && one.Definition == nil
			})
		})
		s.until("it is published again", func() bool { return !s.isRemoved("web") })
	})
}

// TestResultOfACommandIsWrittenUntilItIsAcknowledged: a hold that is not on the
// log would end with the process.
func TestResultOfACommandIsWrittenUntilItIsAcknowledged(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.log.fail(event.TopicCommands, appendFault{refuse: every})
		s.command(event.Command{ID: "c1", Command: event.CommandHold, Args: event.CommandArgs{Reason: "x"}})
		time.Sleep(5 * time.Second)
		s.command(event.Command{ID: "c2", Command: event.CommandRelease})
		time.Sleep(500 * time.Millisecond)
		s.command(event.Command{ID: "c3", Command: event.CommandHold, Args: event.CommandArgs{Reason: "y"}})
		time.Sleep(5 * time.Second)
		s.log.fail(event.TopicCommands, appendFault{})
		s.until("their results are there", func() bool { return len(s.results()) >= 3 })
		if got := s.results(); strings.Join(got, " ") != "c1 c2 c3" {
			t.Errorf("the results are of %v, in this order", got)
		}
		time.Sleep(2 * time.Minute) // the requests are too old to be executed again
		s.stop()
		s.boot()
		s.until("it owns its host", func() bool { _, owns := s.healer.Owner(); return owns })
		s.harm("web", container.FaultKill)
		s.until("it is held", func() bool { return s.isHeld("hold") })
		time.Sleep(time.Minute)
		s.wantCalls()
	})
}

// TestResultIsNotWrittenAfterTheClaimWasLost: the next owner may have been asked
// for something newer.
func TestResultIsNotWrittenAfterTheClaimWasLost(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.log.fail(event.TopicCommands, appendFault{refuse: every})
		s.command(event.Command{ID: "c1", Command: event.CommandHold, Args: event.CommandArgs{Reason: "x"}})
		s.until("its result is refused", func() bool { return len(s.log.attempted(event.TopicCommands)) > 0 })
		s.claimElsewhere()
		s.until("it steps down", func() bool { _, owns := s.healer.Owner(); return !owns })
		s.log.fail(event.TopicCommands, appendFault{})
		time.Sleep(time.Minute)
		if got := s.results(); len(got) > 0 {
			t.Errorf("the results of %v are written", got)
		}
	})
}

// command puts an operator's request on the log.
func (s *site) command(c event.Command) {
	c.Time, c.By, c.Service = time.Now().UTC(), "operator:ada", event.AllServices
	s.log.put(event.Record{Topic: event.TopicCommands, Key: []byte(c.Service), Value: event.Encode(c), Signed: true})
}

// results are the ids of the commands whose results are on the log, in order.
func (s *site) results() []string {
	s.Helper()
	var all []string
	for _, r := range s.log.records(event.TopicCommands) {
		if c := decode(s.T, r, event.DecodeCommand); c.Result != nil {
			all = append(all, c.ID)
		}
	}
	return all
}
