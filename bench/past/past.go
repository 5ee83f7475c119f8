// Package past writes the log of a time that has gone by, in virtual time: for
// benchmarks and for scenarios that need one.
package past

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/rollup"
)

// Host and Instance are those of who has written a past.
const (
	Host     = "local"
	Instance = "bench-0001"
)

const (
	secret   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	linger   = 50 * time.Millisecond // of the batching producer
	rawBytes = 256 << 20             // bus.embedded.max_size
	rawKept  = 24 * time.Hour        // bus.embedded.retention
)

// Past is a time in which services were checked, written into the directory of
// an embedded broker as an instance that ran all the time had written it: the
// same records, in the same batches, at their own times. The rollups are those
// of the real fold.
type Past struct {
	Services int
	Interval time.Duration
	Lasts    time.Duration
	Until    time.Time // zero: until it is written, so that nothing lies between it and the next instance
}

// Name is the name of a service.
func (p Past) Name(i int) string { return fmt.Sprintf("service-%03d", i) }

// IsDown has each service down for three minutes now and then, as the clock has it.
func (p Past) IsDown(i int, at time.Time) bool {
	return (at.Unix()/60+int64(i)*17)%(601+37*int64(i%9)) < 3
}

// Left is what a past has left.
type Left struct {
	Records, Batches map[string]int  // by topic
	Down             []time.Duration // by service, as published
}

// Write simulates the past into dir, which does not exist yet.
func (p Past) Write(tb testing.TB, dir string) Left {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	for name, content := range map[string]string{"secret": secret, "instance": strings.TrimPrefix(Instance, "bench-")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	w := newWriter(tb, filepath.Join(dir, "log"))
	defer w.close()
	s := simulation{Past: p, writer: w, fold: rollup.NewFold(Host, 1), rng: rand.New(rand.NewPCG(1, 2)),
		bad: make([]int, p.Services), good: make([]int, p.Services), status: make([]event.Status, p.Services)}
	s.left = Left{Records: w.records, Batches: w.batches, Down: make([]time.Duration, p.Services)}
	s.run()
	return s.left
}

// simulation goes through a past in virtual time.
type simulation struct {
	Past
	*writer
	fold      *rollup.Fold
	rng       *rand.Rand
	revision  int64
	status    []event.Status
	bad, good []int // checks in a row
	left      Left
}

func (s *simulation) origin() event.Origin {
	return event.Origin{Instance: Instance, Host: Host, Epoch: 1, Nonce: "4KQ7N2XJ5M3RZT6WBHVDLPC2AY"}
}

func (s *simulation) run() {
	over := func(at time.Time) bool { return !at.Before(s.Until) }
	if s.Until.IsZero() {
		s.Until = time.Now()
		over = func(at time.Time) bool { return at.After(time.Now()) }
	}
	begin := s.Until.Add(-s.Lasts).Truncate(time.Second)
	for at := begin; at.Before(s.Until); at = at.Add(24 * time.Hour) {
		o := s.origin()
		claim := event.Claim{Host: Host, Instance: Instance, Epoch: 1, Nonce: o.Nonce}
		s.put(event.TopicIncidents, at, event.ReservedService, event.Encode(event.Incident{ID: o.Nonce, Seq: 1, Time: at,
			Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream, Data: claim, Origin: o}))
		s.flush(event.TopicIncidents)
	}
	// So many of the newest observations are still there.
	perSecond := float64(s.Services) / s.Interval.Seconds()
	raw := s.Until.Add(-min(rawKept, time.Duration(rawBytes/100/perSecond*float64(time.Second))))
	for at := begin; !over(at); at = at.Add(s.step()) {
		if at.Sub(begin)%time.Hour == 0 {
			for i := range s.Services {
				s.publish(i, at)
			}
		}
		s.checks(begin, at, !at.Before(raw))
		if at.Sub(begin)%time.Second == 0 {
			s.close(at)
		}
		s.flush(event.TopicHealth)
		s.flush(event.TopicServices)
	}
}

// step is the time between two instants at which something may happen: a second
// where every check begins on a whole one, which spares 19 of 20 idle instants.
func (p Past) step() time.Duration {
	if p.Interval%(time.Duration(p.Services)*time.Second) == 0 {
		return time.Second
	}
	return linger
}

// checks are those that begin within a step from at on.
func (s *simulation) checks(begin, at time.Time, raw bool) {
	slots := int(s.Interval / s.step())
	slot := int(at.Sub(begin)/s.step()) % slots
	for i := (slot*s.Services + slots - 1) / slots; i*slots < (slot+1)*s.Services; i++ { // spread over the interval
		s.revision++
		h := event.HealthLog{Timestamp: event.Seconds(at), Service: s.Name(i), Status: event.Up, Code: 200, Check: "http",
			LatencyMS: math.Round(1000*(20+15*math.Sin(float64(at.Unix())/86400*2*math.Pi))*math.Exp(s.rng.NormFloat64()/4)) / 1000,
			Revision:  s.revision, Origin: s.origin()}
		if s.IsDown(i, at) {
			h.Status, h.Code, h.Error, h.Failure = event.Down, 0, "connection refused", event.FailureConnectRefused
		}
		s.fold.ReadHealth(h, at)
		s.judge(i, h.Status, at)
		if raw {
			s.put(event.TopicHealth, at, h.Service, event.Encode(h))
		}
		if s.status[i] == event.Down {
			s.left.Down[i] += s.Interval
		}
	}
}

// judge publishes a change of status: two checks in a row make one.
func (s *simulation) judge(i int, saw event.Status, at time.Time) {
	if saw == event.Down {
		s.bad[i], s.good[i] = s.bad[i]+1, 0
	} else {
		s.bad[i], s.good[i] = 0, s.good[i]+1
	}
	next := s.status[i]
	switch {
	case s.bad[i] >= 2:
		next = event.Down
	case s.good[i] >= 2:
		next = event.Up
	}
	if next != s.status[i] {
		s.status[i] = next
		s.publish(i, at)
	}
}

func (s *simulation) publish(i int, at time.Time) {
	s.revision++
	status := s.status[i]
	if status == "" {
		status = event.Pending
	}
	r := event.Service{Time: at, Service: s.Name(i), Status: status, Since: at, Code: 200, LatencyMS: 20, Revision: s.revision, Origin: s.origin(),
		Definition: &event.Definition{Name: s.Name(i), URL: "http://127.0.0.1:8080/health", Interval: s.Interval.String(), Timeout: "1s", FailureThreshold: 2, SuccessThreshold: 2,
			Expect: event.Expect{Status: "200-399"}, StartPeriod: "0s", Heal: event.Heal{Mode: "auto", ManualStop: "heal", Confirm: true}},
		DefinitionHash: "5eadbeef", Sources: []event.Source{{Instance: Instance, Check: "http", Status: status, Since: at}}}
	s.fold.ReadService(r)
	if at.After(s.Until.Add(-48 * time.Hour)) {
		s.put(event.TopicServices, at, r.Service, event.Encode(r))
	}
}

// close writes the buckets that are over.
func (s *simulation) close(at time.Time) {
	for _, c := range s.fold.Tick(at) {
		level := event.Levels[c.Level]
		if level.Kept > 0 && at.Before(s.Until.Add(-level.Kept)) {
			continue
		}
		s.revision++
		c.Record.Revision, c.Record.Origin = s.revision, s.origin()
		s.put(level.Topic, at, c.Record.Service, event.Encode(c.Record))
	}
	for _, level := range event.Levels {
		s.flush(level.Topic)
	}
}
