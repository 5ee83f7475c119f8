package healer_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/supervise"
)

// The end of a life, ordered or not, and the next one.

func TestStopWhileNothingRunsReturnsAtOnce(t *testing.T) {
	for name, before := range map[string]func(*site){
		"idle":                     func(*site) {},
		"Kafka is unreachable":     func(s *site) { s.log.setUnreachable(true) },
		"Docker hangs":             func(s *site) { s.engine.fail("Find", callFault{hang: true}) },
		"a publication fails":      func(s *site) { s.log.fail(event.TopicServices, appendFault{refuse: every}) },
		"an append waits":          func(s *site) { s.log.fail(event.TopicIncidents, appendFault{slow: time.Hour}) },
		"an intent is not read":    func(s *site) { s.log.hold(event.TopicIncidents, isIntent) },
		"a repair is verified":     func(*site) {},
		"a command's result hangs": func(s *site) { s.log.fail(event.TopicCommands, appendFault{slow: time.Hour}) },
	} {
		t.Run(name, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				before(s)
				s.command(event.Command{ID: "c1", Command: event.CommandRelease})
				if name != "idle" {
					s.harm("web", container.FaultKill)
				}
				time.Sleep(3 * time.Second)
				if took := s.stop(); took > 0 {
					t.Errorf("it takes %s", took)
				}
			})
		})
	}
	t.Run("nothing was read yet", func(t *testing.T) {
		onSite(t, nil, func(s *site) { s.log.setUnreachable(true) }, func(s *site) {
			time.Sleep(time.Minute)
			if took := s.stop(); took > 0 {
				t.Errorf("it takes %s", took)
			}
			if n := len(s.log.attempted(event.TopicIncidents)); n > 0 {
				t.Errorf("it has claimed its host %d times, before it read anything", n)
			}
		})
	})
}

func isIntent(r event.Record) bool { return strings.Contains(string(r.Value), `"action_started"`) }

// TestStopLetsTheRunningCallEnd: its result is the last thing that is written.
func TestStopLetsTheRunningCallEnd(t *testing.T) {
	onSite(t, []string{"web", "db"}, nil, func(s *site) {
		s.engine.fail("Start", callFault{slow: 4 * time.Second})
		s.harm("web", container.FaultKill)
		s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
		time.Sleep(time.Second)
		s.engine.fail("Find", callFault{slow: time.Second})
		s.harm("db", container.FaultKill)
		s.until("an inspection", func() bool { return s.engine.underway("Find") > 0 && len(s.events(event.TypeOpened)) == 2 })
		time.Sleep(50 * time.Millisecond) // what was to be published is on the log
		before, published := len(s.events()), len(s.log.records(event.TopicServices))
		if took := s.stop(); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("the call takes 3 s more, and the stop %s", took)
		}
		last := s.events()[before:]
		if len(last) != 1 || last[0].Type != event.TypeActionFinished || last[0].Service != "web" || !last[0].Data.(event.ActionFinished).OK {
			t.Errorf("after it was stopped it writes %+v", last)
		}
		if now := len(s.log.records(event.TopicServices)); now != published {
			t.Errorf("after it was stopped it publishes %d records", now-published)
		}
		s.engine.fail("Start", callFault{})
		s.engine.fail("Find", callFault{})
		s.boot()
		s.repaired("web")
		s.repaired("db")
		s.wantCalls("Start web", "Start db")
		if got := s.fold("web"); got != repair {
			t.Errorf("its incident is %s, want %s", got, repair)
		}
	})
}

// TestStopIsBounded: by the call's deadline, and by the time that a last record
// is given.
func TestStopIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name      string
		fault     callFault
		kafkaDown bool
		least     time.Duration
		most      time.Duration
	}{
		{"the call hangs", callFault{hang: true}, false, 8 * time.Second, 10 * time.Second},
		{"the call hangs and had its effect", callFault{mute: true}, false, 8 * time.Second, 10 * time.Second},
		{"the result cannot be written", callFault{slow: 2 * time.Second}, true, 5 * time.Second, 7 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onSite(t, []string{"web"}, nil, func(s *site) {
				s.engine.fail("Start", tt.fault)
				s.harm("web", container.FaultKill)
				s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
				time.Sleep(time.Second)
				s.log.setUnreachable(tt.kafkaDown)
				if took := s.stop(); took < tt.least || took > tt.most {
					t.Errorf("it takes %s", took)
				}
				if n := len(s.events(event.TypeActionFinished)); n > 0 {
					t.Errorf("%d results of a call whose outcome is unknown", n)
				}
				s.log.setUnreachable(false)
				s.engine.fail("Start", callFault{})
				s.boot()
				s.repaired("web")
				s.wantCalls("Start web")
			})
		})
	}
}

// TestWorkerThatPanicsEndsTheLife: Run returns the panic as its error, and the
// next life is rebuilt from the log alone.
func TestWorkerThatPanicsEndsTheLife(t *testing.T) {
	of := func(method string) func(*site, bool) {
		return func(s *site, crash bool) { s.engine.fail(method, callFault{crash: crash}) }
	}
	for _, tt := range []struct {
		name     string
		crash    func(*site, bool)
		scenario string
	}{
		{"Start", of("Start"), repair},
		{"Find", of("Find"), repair},
		{"Inspect", of("Inspect"), strings.Replace(repair, "action_started", "action_started action_finished action_started", 1)},
		{"Query", func(s *site, crash bool) { s.model.(*memoryModel).setCrash(crash) }, repair},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ended []error
			onSite(t, []string{"web"}, func(s *site) {
				withModel(&memoryModel{wordFor: time.Second, words: []string{"hm"}})(s)
				s.keep = func(ctx context.Context, run func(context.Context) error) error {
					return supervise.Keep(ctx, slog.New(slog.DiscardHandler), health.Healer, s.registry, func(ctx context.Context) error {
						err := run(ctx)
						if ctx.Err() == nil {
							ended = append(ended, err)
							tt.crash(s, false)
						}
						return err
					})
				}
			}, func(s *site) {
				tt.crash(s, true)
				s.harm("web", container.FaultKill)
				s.until("the healer is down", func() bool {
					problem, is := s.registry.Get(health.Healer)
					return is && strings.Contains(problem.What, "panic")
				})
				if _, owns := s.healer.Owner(); owns {
					t.Error("it owns its host, and is down")
				}
				s.repaired("web")
				s.wantCalls("Start web")
				if got := s.fold("web"); got != tt.scenario {
					t.Errorf("its incident is %s, want %s", got, tt.scenario)
				}
				var panicked *supervise.PanicError
				if len(ended) != 1 || !errors.As(ended[0], &panicked) || !strings.Contains(panicked.Name, "healer worker") {
					t.Errorf("Run returned %v", ended)
				}
				if claims := s.events(event.TypeClaim); len(claims) != 2 || claims[1].Data.(event.Claim).Epoch != 2 {
					t.Errorf("the claims are %+v", claims)
				}
				if problem, is := s.registry.Get(health.Healer); is {
					t.Errorf("it runs, and the registry has %+v", problem)
				}
			})
		})
	}
}

// TestSubscriptionThatFailsEndsTheLife: what cannot be read cannot be repaired by.
func TestSubscriptionThatFailsEndsTheLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.kafka = brokenSubscriptions{s.log}
		s.boot()
		if err := <-s.ended; !errors.Is(err, errNoTopic) {
			t.Errorf("Run returned %v", err)
		}
	})
}

var errNoTopic = errors.New("no such topic")

// brokenSubscriptions is a log of which nothing can be read.
type brokenSubscriptions struct{ *memoryLog }

func (brokenSubscriptions) Subscribe(context.Context, event.Subscription) error { return errNoTopic }
