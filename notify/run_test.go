package notify

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/testlog"
)

// rig is a log and the notifiers that run on it, one after the other.
type rig struct {
	t        *testing.T
	log      *testlog.Log
	registry *health.Registry
	config   Config
	owns     atomic.Bool
	healthy  atomic.Bool
	seq      map[string]int
}

func newRig(t *testing.T, receivers ...Receiver) *rig {
	t.Helper()
	g := &rig{t: t, log: testlog.New(), registry: &health.Registry{}, config: Default(), seq: map[string]int{}}
	g.owns.Store(true)
	g.healthy.Store(true)
	g.config.Receivers = receivers
	g.put(event.TopicIncidents, event.Incident{ID: "n1", Seq: 1, Time: time.Now().Add(-time.Hour), Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream,
		Data: event.Claim{Host: "h", Instance: "a", Epoch: 1, Nonce: "n1"}, Origin: owner})
	for _, r := range receivers {
		g.put(event.TopicNotifications, event.Notification{Time: time.Now().Add(-time.Hour), Receiver: r.name(), Outcome: event.NotificationBegan, Origin: owner})
	}
	return g
}

func (g *rig) put(topic string, record any) {
	g.log.Put(topic, "", event.Encode(record), true, time.Now())
}

func (g *rig) says(id string, at time.Time, data event.Data) {
	g.seq[id]++
	name, _, _ := strings.Cut(id, "-")
	g.put(event.TopicIncidents, event.Incident{ID: id, Seq: g.seq[id], Time: at, Service: name, Type: event.TypeOf(data), By: event.ByRunbook, Data: data, Origin: owner})
}

// heals writes a whole incident.
func (g *rig) heals(id string) {
	now := time.Now()
	g.says(id, now, event.Opened{Error: "HTTP 500", FirstBad: now, Kind: "service"})
	g.says(id, now, event.Resolved{How: event.HowHealed, Attempts: 1, DownMS: 42_000})
}

// run runs a notifier until stop, which returns its error.
func (g *rig) run() (stop func() error) {
	g.t.Helper()
	n, err := New(Deps{Config: g.config, Log: g.log, Identity: event.Origin{Instance: "a", Host: "h"}, Health: g.registry, Logger: slog.New(slog.DiscardHandler),
		Owner: func() (event.Origin, bool) { return owner, g.owns.Load() },
		Healthy: func(context.Context) error {
			if !g.healthy.Load() {
				return errors.New("ill")
			}
			return nil
		}})
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(g.t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	ended := false
	stop = func() error {
		cancel()
		if ended {
			return nil
		}
		ended = true
		return <-done
	}
	g.t.Cleanup(func() { _ = stop() })
	return stop
}

// recorded waits until the log says that there were n messages.
func (g *rig) recorded(n int) {
	g.t.Helper()
	g.until("the messages are recorded", func() bool {
		sent := 0
		for _, r := range g.log.On(event.TopicNotifications) {
			if of, err := event.DecodeNotification(r.Value); err == nil && of.Outcome == event.NotificationSent {
				sent++
			}
		}
		return sent >= n
	})
}

func (g *rig) until(what string, is func() bool) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("not within a minute: %s", what)
		}
	}
}

func titles(t *testing.T, all []got) (of []string) {
	t.Helper()
	for _, g := range all {
		of = append(of, g.object(t)["title"].(string))
	}
	return of
}

func hookAt(t *testing.T, name string) (*site, Receiver) {
	t.Helper()
	s := &site{}
	return s, Receiver{Name: name, URL: "http://" + serve(t, s)}
}

// TestARestartSendsNothingAgainAndWhatWasNotSent: over a stop in order, and one
// while Kafka takes nothing, as after kill -9.
func TestARestartSendsNothingAgainAndWhatWasNotSent(t *testing.T) {
	s, r := hookAt(t, "hook")
	g := newRig(t, r)
	stop := g.run()
	g.heals("a-1")
	s.await(t, 1)
	g.recorded(1)
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	g.heals("b-1") // nothing runs
	stop = g.run()
	s.await(t, 2)
	g.recorded(2)
	_ = stop()
	if got := titles(t, s.taken()); !slices.Equal(got, []string{"✅ a: healed in 42 s", "✅ b: healed in 42 s"}) {
		t.Errorf("got %q", got)
	}
	g.log.Set(func(m *testlog.Log) { m.Unreachable = true })
	stop = g.run()
	g.log.Put(event.TopicIncidents, "", nil, true, time.Now()) // what cannot be read stops nothing
	g.heals("c-1")
	s.await(t, 3)
	_ = stop() // what was sent is nowhere: as if it was killed
	g.log.Set(func(m *testlog.Log) { m.Unreachable = false })
	g.run()
	if got := titles(t, s.await(t, 4)); got[2] != got[3] {
		t.Errorf("after a kill between message and record: %q", got)
	}
	g.recorded(3)
}

// TestAStopWaitsForTheMessageThatIsUnderWay, and for its record.
func TestAStopWaitsForTheMessageThatIsUnderWay(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-goOn }))
	t.Cleanup(server.Close)
	g := newRig(t, Receiver{Name: "slow", URL: server.URL})
	stop := g.run()
	g.heals("a-1")
	<-arrived
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	close(goOn)
	<-ended
	g.recorded(1)
}

// TestAReceiverThatFailsBlocksNothing: one refuses, one hangs, one is not there;
// the fourth gets its messages, and each of them does when it answers again.
func TestAReceiverThatFailsBlocksNothing(t *testing.T) {
	well, wellAt := hookAt(t, "well")
	broken, brokenAt := hookAt(t, "broken")
	broken.set(func(got) (int, string) { return 500, "out of order" })
	hanging, hangs := make(chan struct{}), &atomic.Bool{}
	hangs.Store(true)
	slow := &site{}
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hangs.Load() {
			<-hanging
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		slow.ServeHTTP(w, r)
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	g := newRig(t, wellAt, brokenAt, Receiver{Name: "hanging", URL: "http://" + server}, Receiver{Name: "absent", URL: "http://" + address + "/hunter2hunter2"})
	g.run()
	for _, id := range []string{"a-1", "b-1", "c-1"} {
		g.heals(id)
	}
	well.await(t, 3)
	g.until("the failures are shown", func() bool {
		p, _ := g.registry.Get(health.Notify)
		return strings.Contains(p.What, "broken: answered 500") && strings.Contains(p.What, "absent: ") && strings.Contains(p.What, "connection refused")
	})
	if p, _ := g.registry.Get(health.Notify); strings.Contains(p.What, "hunter2") || p.Remedy.Command != "logstream notify test" || p.OnHold == "" {
		t.Errorf("the problem is %+v", p)
	}
	broken.set(nil)
	hangs.Store(false)
	close(hanging)
	g.until("its port is free, which a connection of another test may have", func() bool {
		listener, err = net.Listen("tcp", address)
		return err == nil
	})
	late := &site{}
	back := &httptest.Server{Listener: listener, Config: &http.Server{Handler: late}}
	back.Start()
	t.Cleanup(back.Close)
	for _, s := range []*site{broken, slow, late} {
		if got := titles(t, s.await(t, 3)); !slices.Equal(got, titles(t, well.taken())) {
			t.Errorf("got %q", got)
		}
	}
	g.until("nothing fails", func() bool { _, is := g.registry.Get(health.Notify); return !is })
	g.recorded(12)
}

func TestOnlyTheOwnerOfTheHostSends(t *testing.T) {
	s, r := hookAt(t, "hook")
	g := newRig(t, r)
	g.owns.Store(false)
	g.run()
	g.heals("a-1")
	other := &rig{t: t, log: g.log, registry: &health.Registry{}, config: g.config}
	other.healthy.Store(true)
	other.owns.Store(true)
	other.run()
	s.await(t, 1)
	g.recorded(1)
	other.owns.Store(false)
	g.owns.Store(true)
	g.heals("b-1")
	s.await(t, 2)
	g.recorded(2)
	if got := titles(t, s.taken()); !slices.Equal(got, []string{"✅ a: healed in 42 s", "✅ b: healed in 42 s"}) {
		t.Errorf("got %q", got)
	}
}

// TestKafkaIsLost: that is said although it cannot be recorded, and recorded as
// soon as it can.
func TestKafkaIsLost(t *testing.T) {
	s, r := hookAt(t, "hook")
	g := newRig(t, r)
	g.run()
	g.heals("a-1")
	s.await(t, 1)
	g.recorded(1)
	g.log.Set(func(m *testlog.Log) { m.Unreachable = true })
	g.registry.Report(health.Problem{Part: health.Bus, Since: time.Now().Add(-time.Minute), What: "Kafka is unreachable at kafka:9092"})
	if got := titles(t, s.await(t, 2)); got[1] != "🔌 Kafka is unavailable" {
		t.Errorf("got %q", got)
	}
	g.log.Set(func(m *testlog.Log) { m.Unreachable = false })
	g.recorded(2)
	g.registry.Clear(health.Bus)
	if got := titles(t, s.await(t, 3)); got[2] != "✅ Kafka is available again" {
		t.Errorf("got %q", got)
	}
}

func TestTheHeartbeat(t *testing.T) {
	beats := &site{}
	g := newRig(t)
	g.config.Heartbeat = "http://" + serve(t, beats) + "/hunter2hunter2"
	g.healthy.Store(false)
	stop := g.run()
	g.registry.Report(health.Problem{Part: "other"})
	if n := len(beats.taken()); n != 0 {
		t.Errorf("%d calls while it is ill", n)
	}
	g.healthy.Store(true)
	if first := beats.await(t, 1)[0]; first.path != "/hunter2hunter2" {
		t.Errorf("it calls %s", first.path)
	}
	_ = stop()
	beats.set(func(got) (int, string) { return 404, "" })
	g.run()
	g.until("its failure is shown", func() bool {
		p, _ := g.registry.Get(health.Notify)
		return strings.Contains(p.What, "heartbeat: answered 404 Not Found")
	})
	if p, _ := g.registry.Get(health.Notify); strings.Contains(p.What+p.Remedy.String(), "hunter2") {
		t.Errorf("the problem is %+v", p)
	}
}

func TestATestMessage(t *testing.T) {
	s, r := hookAt(t, "hook")
	broken, b := hookAt(t, "broken")
	broken.set(func(got) (int, string) { return 401, "" })
	n := notifier(t, Config{Receivers: []Receiver{r, b}})
	results, err := n.Test(t.Context(), "")
	if err != nil || !slices.Equal(results, []Result{{"hook", true, ""}, {"broken", false, "answered 401 Unauthorized"}}) {
		t.Errorf("got %+v, %v", results, err)
	}
	if results, err = n.Test(t.Context(), "hook"); err != nil || len(results) != 1 || len(s.taken()) != 2 {
		t.Errorf("got %+v, %v", results, err)
	}
	if _, err = n.Test(t.Context(), "hok"); !errors.Is(err, ErrUnknownReceiver) || !strings.Contains(err.Error(), "did you mean hook?") {
		t.Errorf("got %v", err)
	}
	if _, err = notifier(t, Config{}).Test(t.Context(), ""); !errors.Is(err, ErrNoReceivers) {
		t.Errorf("got %v", err)
	}
}
