package rollup

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/event"
)

// memLog is a log in memory: one order, and what is lost is lost on purpose.
type memLog struct {
	mu      sync.Mutex
	records []event.Record
	grown   chan struct{}
	lose    bool // what is enqueued is dropped
}

func newMemLog() *memLog { return &memLog{grown: make(chan struct{})} }

func (m *memLog) put(topic, key string, value []byte, signed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, event.Record{Topic: topic, Time: time.Now(), Key: []byte(key), Value: slices.Clone(value), Signed: signed})
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *memLog) Enqueue(topic, key string, value []byte) {
	m.mu.Lock()
	lose := m.lose
	m.mu.Unlock()
	if !lose {
		m.put(topic, key, value, true)
	}
}

func (m *memLog) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *memLog) Subscribe(ctx context.Context, s event.Subscription) error {
	m.mu.Lock()
	end := len(m.records)
	m.mu.Unlock()
	for next := 0; ; {
		m.mu.Lock()
		batch, grown := m.records[next:], m.grown
		m.mu.Unlock()
		for _, rec := range batch {
			if next++; rec.Topic == s.Topic && !rec.Time.Before(s.Since) {
				if err := s.Handle(rec); err != nil {
					return err
				}
			}
		}
		if next >= end && s.CaughtUp != nil {
			s.CaughtUp()
			s.CaughtUp = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-grown:
		}
	}
}

// read is what a reader of the topics has, and how many records there were.
func (m *memLog) read(t *testing.T) (map[identity]event.Rollup, int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	newest, n := map[identity]event.Rollup{}, 0
	for _, rec := range m.records {
		level := slices.IndexFunc(event.Levels[:], func(l event.Level) bool { return l.Topic == rec.Topic })
		if level < 0 {
			continue
		}
		n++
		r, err := event.DecodeRollup(rec.Value)
		if err != nil || r.Service != string(rec.Key) || r.Nonce == "" || r.Instance != "me" {
			t.Fatalf("%+v, %v", r, err)
		}
		id := identityOf(level, r)
		if old, known := newest[id]; !known || r.Supersedes(old.Epoch, old.Revision) {
			newest[id] = r
		}
	}
	return newest, n
}

// host is a machine with one service, which is checked each 2 s, and a recorder
// that can be killed.
type host struct {
	t         *testing.T
	log       *memLog
	world     world
	recorder  *Recorder
	kill      func()
	mu        sync.Mutex
	owns      bool
	reachable bool
}

func newHost(t *testing.T) *host {
	return &host{t: t, log: newMemLog(), reachable: true}
}

// start starts a process, whose healer claims the host.
func (h *host) start() {
	h.claim()
	h.recorder = New(Deps{Log: h.log, Host: "local",
		Owner:     func() (event.Origin, bool) { h.mu.Lock(); defer h.mu.Unlock(); return h.world.origin(), h.owns },
		Reachable: func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.reachable }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.recorder.Run(ctx) }()
	h.kill = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	}
}

// claim is a new claim, under which all is published as it last was.
func (h *host) claim() {
	h.mu.Lock()
	h.owns, h.world.epoch, h.world.revision = true, h.world.epoch+1, 0
	h.mu.Unlock()
	h.publish(event.Up)
}

func (h *host) publish(status event.Status) {
	h.log.put(event.TopicServices, "pay", event.Encode(h.world.service("pay", status, time.Now().UTC())), true)
}

// pass lets time go by, with its checks.
func (h *host) pass(lasts time.Duration) {
	for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(2 * time.Second) {
		h.log.put(event.TopicHealth, "pay", event.Encode(h.world.check("pay", event.Up, time.Now().UTC(), 12)), true)
	}
}

func TestARecorderWritesEachBucketOnceOverKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it begins at midnight
		h := newHost(t)
		h.start()
		for range 5 {
			h.pass(23*time.Minute + 7*time.Second)
			h.kill()
			h.start() // at once
		}
		h.pass(25*time.Hour - 5*(23*time.Minute+7*time.Second))
		h.kill()
		got, n := h.log.read(t)
		if n != len(got) {
			t.Errorf("%d records of %d buckets", n, len(got))
		}
		counts := [levels]int{}
		known := [levels]int64{}
		for id, r := range got {
			counts[id.level]++
			s := sums(r)
			if r.Start.Day() == 1 {
				known[id.level] += s[0]
			}
			if s[1]+s[2] != 0 {
				t.Errorf("not all UP: %+v", r)
			}
		}
		if counts[hours] != 25 || counts[days] != 1 || counts[minutes] < 25*60-2 {
			t.Errorf("minutes, hours and days: %v", counts)
		}
		// A kill costs the time from the last check to the next claim, and what the
		// reading of the log takes of signs of life.
		if lost := 24*3600*1000 - known[days]; lost < 0 || lost > 5*4000 {
			t.Errorf("%d ms of the day are lost by five kills", lost)
		}
		if known[days] != known[hours] {
			t.Errorf("the hours have %d ms, and the day %d", known[hours], known[days])
		}
	})
}

func TestWhatWasLostOnTheWayIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.start()
		h.log.set(func() { h.log.lose = true })
		h.pass(5 * time.Minute)
		h.log.set(func() { h.log.lose = false })
		h.pass(2 * time.Minute)
		h.kill()
		if got, n := h.log.read(t); len(got) != 6 || n != 6 {
			t.Errorf("%d records of %d minutes, want 6", n, len(got))
		}
	})
}

func TestNoBucketIsClosedWhileKafkaIsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.start()
		h.pass(3 * time.Minute)
		h.mu.Lock()
		h.reachable = false
		h.mu.Unlock()
		began := time.Now()
		var waiting []event.HealthLog // in memory, as the monitor's
		for ; time.Since(began) < 10*time.Minute; time.Sleep(2 * time.Second) {
			waiting = append(waiting, h.world.check("pay", event.Up, time.Now().UTC(), 12))
		}
		if got, _ := h.log.read(t); len(got) != 2 {
			t.Errorf("%d minutes are written, want 2", len(got))
		}
		h.mu.Lock()
		h.reachable = true
		h.mu.Unlock()
		for _, late := range waiting {
			h.log.put(event.TopicHealth, "pay", event.Encode(late), true)
		}
		h.pass(2 * time.Minute)
		h.kill()
		got, _ := h.log.read(t)
		full := 0
		for _, r := range got {
			if sums(r)[0] == 60_000 && r.Checks == 30 {
				full++
			}
		}
		if len(got) != 14 || full < 13 {
			t.Errorf("%d of %d minutes are whole: %+v", full, len(got), got)
		}
	})
}

func TestOnlyTheOwnerWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.start()
		h.mu.Lock()
		h.owns = false
		h.mu.Unlock()
		h.pass(5 * time.Minute)
		if got, _ := h.log.read(t); len(got) != 0 {
			t.Errorf("%d are written without a claim", len(got))
		}
		h.claim()
		h.pass(3 * time.Minute)
		h.claim() // the healer was restarted
		h.pass(3 * time.Minute)
		h.kill()
		got, n := h.log.read(t)
		epochs := map[int64]int{}
		for _, r := range got {
			epochs[r.Epoch]++
		}
		if n != len(got) || epochs[1] != 0 || epochs[2] < 2 || epochs[3] < 2 {
			t.Errorf("%d records of %d buckets, by epoch %v", n, len(got), epochs)
		}
	})
}

func TestWhatIsNotOursIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.start()
		for range 150 {
			h.pass(2 * time.Second)
			h.log.put(event.TopicHealth, "pay", event.Encode(h.world.check("pay", event.Down, time.Now().UTC(), 900)), false)
			forged := h.world.service("pay", event.Down, time.Now().UTC())
			h.log.put(event.TopicServices, "pay", event.Encode(forged), false)
		}
		h.kill()
		got, _ := h.log.read(t)
		for _, r := range got {
			if r.DownS > 0 || r.Checks > 31 || r.Latency.Max != 12 {
				t.Errorf("%+v", r)
			}
		}
		if len(got) < 3 {
			t.Errorf("%d minutes", len(got))
		}
	})
}
