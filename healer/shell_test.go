package healer_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
)

// From the start of the process to a repaired service, and what ends that.

func TestRepairIsOneCallBetweenItsIntentAndItsResult(t *testing.T) {
	onSite(t, []string{"web", "db"}, nil, func(s *site) {
		s.harm("web", container.FaultKill)
		s.repaired("web")
		s.wantCalls("Start web")
		if got := s.eventTypes("web"); got != repair {
			t.Errorf("its incident is %s, want %s", got, repair)
		}
		want := []string{"write action_started web", "read action_started web", "call Start web", "answer Start web",
			"write action_finished web", "read action_finished web", "write verified web"}
		if got := s.timeline.order(want...); !slices.Equal(got, want) {
			t.Errorf("the order is %q, want %q", got, want)
		}
		state, _ := s.engine.state("web")
		if result := s.events(event.TypeActionFinished)[0].Data.(event.ActionFinished); !result.StartedAt.Equal(state.StartedAt) || result.DurationMS < 30 {
			t.Errorf("it runs since %s, and the result of the call is %+v", state.StartedAt, result)
		}
		s.until("it is published as UP, without an incident", func() bool {
			p := s.published("web")
			return p.Status == event.Up && p.OpenIncident == "" && !p.Healing
		})
		before := len(s.events())
		time.Sleep(time.Minute)
		if after := len(s.events()); after != before {
			t.Errorf("%d records more in a minute in which nothing happened", after-before)
		}
	})
}

func TestEachFaultIsRepairedByItsCall(t *testing.T) {
	for fault, call := range map[string]string{
		container.FaultKill: "Start web", container.FaultStop: "Start web", container.FaultPause: "Unpause web", container.FaultFail: "Restart web",
	} {
		t.Run(fault, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				time.Sleep(20 * time.Second) // it has run for a while
				s.engine.say("web", "password=hunter2\x1b[31m\nthe last line")
				s.harm("web", fault)
				s.repaired("web")
				s.wantCalls(call)
				evidence := s.events(event.TypeEvidence)[0].Data.(event.Evidence)
				// What a container wrote says nothing of why it was paused, and is not waited for.
				if got := strings.Join(evidence.Logs, "|"); fault == container.FaultPause && got == "" {
					return
				} else if strings.Contains(got, "hunter2") || strings.Contains(got, "\x1b") || !strings.HasSuffix(got, "|the last line") {
					t.Errorf("the evidence has the lines %q", got)
				}
			})
		})
	}
}

// TestOfAQuickRepairItsOpeningAloneIsPublishedBeforeTheCall: each step of it changes the
// service, and what is published of them would take the processors from the repair.
func TestOfAQuickRepairItsOpeningAloneIsPublishedBeforeTheCall(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) { s.config.ManualGrace = 0 }, func(s *site) {
		time.Sleep(20 * time.Second)
		before := len(s.log.records(event.TopicServices))
		s.harm("web", container.FaultPause)
		s.repaired("web")
		called, _ := s.timeline.instant("call Unpause web")
		var early []event.Service
		for _, r := range s.log.records(event.TopicServices)[before:] {
			if one, err := event.DecodeService(r.Value); err == nil && !r.Time.After(called) {
				early = append(early, one)
			}
		}
		if len(early) != 1 || early[0].Status != event.Down {
			t.Errorf("%d records of the service are written before the call, want that it is DOWN", len(early))
		}
		s.until("what followed is published too", func() bool {
			p := s.published("web")
			return p.Status == event.Up && p.OpenIncident == ""
		})
		written := s.log.records(event.TopicServices)[before:]
		if pause := written[1].Time.Sub(written[0].Time); pause > 45*time.Millisecond {
			t.Errorf("the next record is written %s after the first", pause)
		}
	})
}

// TestForeignClaimEndsAllRepairs: of two instances on one host the newer acts.
func TestForeignClaimEndsAllRepairs(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		if origin, owns := s.healer.Owner(); !owns || origin.Nonce == "" || origin.Instance != instance {
			t.Fatalf("it owns its host: %v, as %+v", owns, origin)
		}
		s.claimElsewhere()
		s.until("it steps down", func() bool { _, owns := s.healer.Owner(); return !owns })
		problem, is := s.registry.Get(health.Healer)
		if !is || !strings.Contains(problem.What, "other-1 acquired the claim on host local") {
			t.Errorf("the registry has %+v", problem)
		}
		before, published := len(s.events()), len(s.log.records(event.TopicServices))
		s.harm("web", container.FaultKill)
		time.Sleep(time.Minute)
		s.wantCalls()
		if more := s.events()[before:]; len(more) > 0 {
			t.Errorf("it goes on writing: %+v", more)
		}
		if now := len(s.log.records(event.TopicServices)); now != published {
			t.Errorf("it publishes %d records more", now-published)
		}
	})
}

// TestNoCallAfterAForeignClaimWasRead: the last inspection before a call may
// take long, and the claim may be lost meanwhile.
func TestNoCallAfterAForeignClaimWasRead(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.fail("Inspect", callFault{slow: 3 * time.Second})
		s.harm("web", container.FaultKill)
		s.until("the last inspection", func() bool { return s.engine.underway("Inspect") > 0 })
		s.claimElsewhere()
		time.Sleep(time.Minute)
		s.wantCalls()
	})
}

// TestAnEngineWithTheSameHostNameIsRefusedAndSaysWhatToChange starts beside an
// owner on another engine, which becomes stale in the end.
func TestAnEngineWithTheSameHostNameIsRefusedAndSaysWhatToChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.engine.add("web", false)
		s.defs = append(s.defs, serviceOn("web"))
		s.claimElsewhereOn("engine-of-another-machine")
		s.boot()
		s.until("it says so", func() bool { _, is := s.registry.Get(health.Healer); return is })
		p, _ := s.registry.Get(health.Healer)
		if !strings.Contains(p.What, "two Docker engines are called host local") || !strings.Contains(p.What, "other-1") || !strings.Contains(p.Remedy.Text, "set host: ") {
			t.Errorf("the registry has %+v", p)
		}
		s.harm("web", container.FaultKill)
		time.Sleep(time.Minute)
		if _, owns := s.healer.Owner(); owns {
			t.Error("it owns the host")
		}
		s.wantCalls()
		s.until("the other is stale", func() bool { _, owns := s.healer.Owner(); return owns })
		s.until("and this instance repairs", func() bool { return s.published("web").Status == event.Up })
		if p, is := s.registry.Get(health.Healer); is {
			t.Errorf("the registry still has %+v", p)
		}
		s.wantCalls("Start web")
		s.stop()
		s.engine.working.Wait()
		s.check()
	})
}

func TestAClaimTakenByAnotherEngineSaysWhatToChange(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.claimElsewhereOn("engine-of-another-machine")
		s.until("it steps down", func() bool { _, owns := s.healer.Owner(); return !owns })
		if p, _ := s.registry.Get(health.Healer); !strings.Contains(p.What, "two Docker engines are called host local") {
			t.Errorf("the registry has %+v", p)
		}
	})
}

// claimElsewhere puts the claim of another instance on the log.
func (s *site) claimElsewhere() { s.claimElsewhereOn("") }

func (s *site) claimElsewhereOn(engine string) {
	claim := event.Claim{Host: hostName, Instance: "other-1", Epoch: 99, Nonce: "theirs", Engine: engine}
	e := event.Incident{ID: claim.Nonce, Seq: 1, Time: time.Now().UTC(), Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream, Data: claim,
		Origin: event.Origin{Instance: claim.Instance, Host: claim.Host, Epoch: claim.Epoch, Nonce: claim.Nonce}}
	s.log.put(event.Record{Topic: event.TopicIncidents, Key: []byte(e.Service), Value: event.Encode(e), Signed: true})
}

// TestForgedRecordsChangeNothing: the writer has access to Kafka, and cannot sign.
func TestForgedRecordsChangeNothing(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) {
		for _, action := range []string{"kill", "die", "stop", "start"} { // a second stop would be treated as intentional
			e := event.Docker{Time: time.Now().UTC(), Container: "web", ID: "id-of-web", Action: action, Origin: event.Origin{Instance: instance, Host: hostName}}
			s.log.put(event.Record{Topic: event.TopicDocker, Value: event.Encode(e)})
		}
	}, func(s *site) {
		claim := event.Incident{ID: "n", Seq: 1, Time: time.Now().UTC(), Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream,
			Data: event.Claim{Host: hostName, Instance: "other-1", Epoch: 99, Nonce: "n"}, Origin: event.Origin{Instance: "other-1", Host: hostName, Epoch: 99, Nonce: "n"}}
		s.log.put(event.Record{Topic: event.TopicIncidents, Value: event.Encode(claim)})
		s.log.put(event.Record{Topic: event.TopicHealth, Value: []byte(`{"status":"UP"}`)})
		s.until("what cannot be read is a dead letter", func() bool { return len(s.log.deadLetters()) == 2 })
		s.harm("web", container.FaultStop)
		s.repaired("web")
		s.wantCalls("Start web")
	})
}

// TestReplayedRecordsCountAtTheirTime: a grace that began before a restart ends
// when it would have ended without it.
func TestReplayedRecordsCountAtTheirTime(t *testing.T) {
	onSite(t, []string{"web"}, func(s *site) { s.config.ManualGrace = time.Minute }, func(s *site) {
		s.harm("web", container.FaultStop)
		stopped := time.Now()
		time.Sleep(40 * time.Second)
		s.stop()
		s.boot()
		s.repaired("web")
		called, _ := s.timeline.instant("call Start web")
		if grace := called.Sub(stopped); grace < time.Minute || grace > time.Minute+2*time.Second {
			t.Errorf("it is started %s after it was stopped", grace)
		}
	})
}

// TestReloadReachesTheLoop: services come and go while it runs.
func TestReloadReachesTheLoop(t *testing.T) {
	onSite(t, []string{"web"}, nil, func(s *site) {
		s.engine.add("db", false)
		s.configure("web", "db")
		s.until("the new one is UP", func() bool { return s.published("db").Status == event.Up })
		s.harm("db", container.FaultKill)
		s.repaired("db")
		s.configure("db")
		s.until("the old one is removed", func() bool { return s.isRemoved("web") })
		s.harm("web", container.FaultKill)
		time.Sleep(time.Minute)
		s.wantCalls("Start db")
	})
}

// isRemoved says whether the newest record of a service says that there is none.
func (s *site) isRemoved(name string) bool {
	p := s.published(name)
	return p.Service == name && p.Definition == nil
}
