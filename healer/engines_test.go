package healer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// Two engines under one host's name: the second instance must not act while the
// first is seen.

// seat is a controller that starts beside the owner of its host.
type seat struct {
	*Controller
	now    time.Time
	owner  event.Claim
	claims []event.Claim // that it wrote
	beats  int
}

// besides starts an instance on an engine beside an owner that was just seen.
func besides(owner event.Claim, instance, engine string) *seat {
	s := &seat{now: simStart, owner: owner}
	s.Controller = NewController(Setup{Config: Default(), Instance: instance, Host: "local"}, s.now)
	s.step(EngineSeen{engine})
	s.step(ReadIncident{event.Incident{ID: owner.Nonce, Seq: 1, Service: event.ReservedService, Type: event.TypeClaim, Data: owner, Time: s.now, Origin: s.origin()}})
	s.step(Replayed{Nonce: "mine"})
	s.run(time.Second)
	return s
}

func (s *seat) origin() event.Origin {
	return event.Origin{Instance: s.owner.Instance, Host: s.owner.Host, Epoch: s.owner.Epoch, Nonce: s.owner.Nonce}
}

func (s *seat) step(in Input) {
	for _, e := range s.Step(in, s.now) {
		if a, is := e.(Append); is {
			for _, e := range a.Events {
				if claim, is := e.Data.(event.Claim); is {
					s.claims = append(s.claims, claim)
				}
				s.step(ReadIncident{e})
			}
		}
	}
}

func (s *seat) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(100 * time.Millisecond) {
		s.step(Tick{})
	}
}

// beat is a record of the owner, of a service that is none of ours.
func (s *seat) beat() {
	s.beats++
	s.step(ReadHealth{event.HealthLog{Service: "theirs", Status: event.Up, Check: event.CheckContainer, Timestamp: event.Seconds(s.now), Revision: int64(s.beats), Origin: s.origin()}, true})
}

func (s *seat) leads() bool { _, leads := s.Owner(); return leads }

func TestWhoMayClaimAHostThatHasAnOwner(t *testing.T) {
	for name, test := range map[string]struct {
		owner            event.Claim
		instance, engine string
		refused          bool
	}{
		"a standby on the same engine":               {event.Claim{Instance: "other", Engine: "E1"}, "me", "E1", false},
		"its own next life":                          {event.Claim{Instance: "me", Engine: "E1"}, "me", "E1", false},
		"another engine":                             {event.Claim{Instance: "other", Engine: "E1"}, "me", "E2", true},
		"another engine, and the same instance":      {event.Claim{Instance: "me", Engine: "E1"}, "me", "E2", true},
		"the owner's engine is not known":            {event.Claim{Instance: "other"}, "me", "E2", false},
		"no engine is known":                         {event.Claim{Instance: "other"}, "me", "", false},
		"Docker has not answered, another's":         {event.Claim{Instance: "other", Engine: "E1"}, "me", "", true},
		"Docker has not answered, its own next life": {event.Claim{Instance: "me", Engine: "E1"}, "me", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			test.owner.Host, test.owner.Epoch, test.owner.Nonce = "local", 7, "theirs"
			s := besides(test.owner, test.instance, test.engine)
			why, refused := s.Refused()
			if refused != test.refused || s.leads() == test.refused || len(s.claims) == 0 != test.refused {
				t.Fatalf("refused: %v, leads: %v, claims %+v", refused, s.leads(), s.claims)
			}
			if !refused {
				if claim := s.claims[0]; claim.Epoch != 8 || claim.Engine != test.engine {
					t.Errorf("it claims as %+v", claim)
				}
				return
			}
			if why.Owner != test.owner || why.Engine != test.engine || why.Host != "local" {
				t.Errorf("it is refused for %+v", why)
			}
			for range 20 { // as long as the owner lives
				s.run(90*time.Second - 5*time.Second)
				s.beat()
			}
			if s.leads() || len(s.claims) > 0 {
				t.Fatalf("it claims beside an owner that lives: %+v", s.claims)
			}
			s.run(90*time.Second - 5*time.Second)
			if len(s.claims) > 0 {
				t.Errorf("it claims too early: %+v", s.claims)
			}
			s.run(10 * time.Second)
			if _, refused := s.Refused(); refused || !s.leads() || len(s.claims) != 1 || s.claims[0].Engine != test.engine {
				t.Errorf("once the owner is stale: refused %v, claims %+v", refused, s.claims)
			}
		})
	}
}

func TestAStandbyIsNotRefusedOnceItsDockerAnswers(t *testing.T) {
	s := besides(event.Claim{Host: "local", Instance: "other", Epoch: 7, Nonce: "theirs", Engine: "E1"}, "me", "")
	s.step(EngineSeen{"E1"})
	s.run(time.Second)
	if !s.leads() || len(s.claims) != 1 {
		t.Errorf("on the same engine: claims %+v", s.claims)
	}
}

func TestUnsignedRecordsDoNotKeepAnOwnerAlive(t *testing.T) {
	s := besides(event.Claim{Host: "local", Instance: "other", Epoch: 7, Nonce: "theirs", Engine: "E1"}, "me", "E2")
	for range 4 {
		s.run(30 * time.Second)
		s.step(ReadHealth{event.HealthLog{Service: "x", Status: event.Up, Timestamp: event.Seconds(s.now), Origin: s.origin()}, false})
	}
	if !s.leads() {
		t.Error("a forged record keeps the owner alive")
	}
}

// TestTheEngineIsOnTheLogBeforeLong: an owner whose Docker answers later, or
// turns out to be another engine, says so by repeating its claim.
func TestTheEngineIsOnTheLogBeforeLong(t *testing.T) {
	m, b := quiet(t)
	m.step(EngineSeen{""})
	m.step(EngineSeen{"E1"})
	m.run(time.Second)
	m.step(EngineSeen{"E1"})
	m.step(EngineSeen{"E2"})
	m.run(time.Minute)
	var engines []string
	for _, claim := range m.claims() {
		engines = append(engines, fmt.Sprint(claim.Epoch, claim.Nonce, claim.Engine))
	}
	if want := []string{"1nonce-1", "1nonce-1E1", "1nonce-1E2"}; !slices.Equal(engines, want) {
		t.Errorf("the claims are %q, want %q", engines, want)
	}
	if newest, _ := m.folded.Newest("local"); newest.Engine != "E2" {
		t.Errorf("readers take the engine for %q", newest.Engine)
	}
	do("kill", m, b)
	m.run(time.Minute)
	wantActions(t, m, "start")
}
