package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"

	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/testlog"
)

const (
	me     = "here-1"
	myHost = "local"
	nonce  = "n1"
	wait   = 10 * time.Second // until a condition that must come
)

var origin = event.Origin{Instance: me, Host: myHost, Epoch: 1, Nonce: nonce}

// site is a dashboard that runs on a log in memory.
type site struct {
	t        *testing.T
	log      *testlog.Log
	registry *health.Registry
	dash     *Dashboard
	deps     Deps
	url      string
	stop     func() error

	mu      sync.Mutex
	faults  []string
	lines   []container.Line
	logsErr error
	ready   error
	config  string
}

func payment() service.Definition {
	def := service.Default()
	def.Name, def.URL, def.Container, def.Chaos, def.Group = "payment-service", "http://user:pw@127.0.0.1:1/?key=v", "payment-service", true, "shop"
	def.Interval = 2 * time.Second
	def.Heal.Never = []string{"restart"}
	return def
}

func plainService() service.Definition {
	def := service.Default()
	def.Name, def.URL = "a/b c", "http://127.0.0.1:1"
	return def
}

// open makes a site that is not running yet.
func open(t *testing.T, change func(*Deps)) *site {
	t.Helper()
	s := &site{t: t, log: testlog.New(), registry: &health.Registry{}, faults: []string{"stop", "kill"}}
	s.deps = Deps{
		Config: Config{Listen: "127.0.0.1:0"}, Log: s.log,
		Identity: event.Origin{Instance: me, Host: myHost}, Version: "1.2.3", Mode: "auto",
		Limits:      view.Limits{Attempts: 3, PerHour: 5},
		Static:      fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>page</title>")}, "js/app.js": {Data: []byte("export {}")}},
		Services:    func() []service.Definition { return []service.Definition{payment(), plainService()} },
		ConfigError: func() string { s.mu.Lock(); defer s.mu.Unlock(); return s.config },
		Bus:         func() BusInfo { return BusInfo{Kind: "embedded", Brokers: []string{"127.0.0.1:9092"}, OK: true} },
		Checks: func() map[string]metrics.Checks {
			return map[string]metrics.Checks{"a": {Late: 2}, "b": {Late: 1, Skipped: 1}}
		},
		Docker: func(context.Context) DockerInfo { return DockerInfo{OK: true, Version: "29"} },
		Ready:  func(context.Context) error { s.mu.Lock(); defer s.mu.Unlock(); return s.ready },
		Faults: func(name string) []string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.faults
		},
		Logs: func(context.Context, string, int) ([]container.Line, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.lines, s.logsErr
		},
		Receivers: func() []Receiver {
			return []Receiver{{Name: "phone", Kind: "ntfy", On: []string{"escalated"}, Services: []string{}, Groups: []string{}}}
		},
		Notify: func(_ context.Context, receiver string) ([]Notified, error) {
			if receiver != "" && receiver != "phone" {
				return nil, NotFoundError{"unknown receiver"}
			}
			return []Notified{{"phone", false, "answered 500 Internal Server Error"}}, nil
		},
		Probe: func(_ context.Context, definition json.RawMessage) (event.Probe, error) {
			return event.Probe{Service: "probe", URL: string(definition), Status: event.Up}, nil
		},
		Lines: func(definition json.RawMessage) (string, error) { return "  - " + string(definition), nil },
		Inspect: func(context.Context, string) (Inspection, error) {
			return Inspection{State: container.State{Name: "payment-service", Status: container.Running, StartedAt: time.Now()}, Use: &container.Stats{Memory: 1}}, nil
		},
		Written: func(definition json.RawMessage) (string, error) { return "- " + string(definition), nil },
		ConfigErrors: func() []ConfigFinding {
			return []ConfigFinding{{File: "config.yaml", Line: 3, Column: 5, Key: "services[0].intervall", Message: "unknown key", Suggestion: "interval"}}
		},
		Health: s.registry, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&s.deps)
	}
	return s
}

func (s *site) set(change func()) { s.mu.Lock(); defer s.mu.Unlock(); change() }

// run starts the site; it ends with the test.
func (s *site) run() *site {
	s.t.Helper()
	dash, err := New(s.deps)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := dash.Listen(); err != nil {
		s.t.Fatal(err)
	}
	s.dash, s.url = dash, "http://"+dash.Addr()
	s.start()
	return s
}

func (s *site) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.dash.Run(ctx) }()
	var once sync.Once
	var result error
	s.stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-done:
			case <-time.After(wait):
				result = errors.New("Run did not end")
			}
		})
		return result
	}
	s.t.Cleanup(func() {
		if err := s.stop(); err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
}

// serve is a site that runs and has read its log.
func serve(t *testing.T, change func(*Deps), records ...func(*site)) *site {
	t.Helper()
	s := open(t, change)
	for _, put := range records {
		put(s)
	}
	s.run()
	s.eventually("caught up", func() bool { return s.status("GET", "/readyz", "", nil) == http.StatusOK })
	s.eventually("the last topic is read", func() bool { return s.log.CaughtUp(event.TopicThinking) }) // else a page that joins now is sent all of it again
	return s
}

func (s *site) eventually(what string, is func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(wait)
	for !is() {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(2 * time.Millisecond) // between two reads
	}
}

// request is a change as our own page sends it.
func (s *site) request(method, path, body string, edit func(*http.Request)) *http.Request {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", s.url)
	}
	if edit != nil {
		edit(req)
	}
	return req
}

func (s *site) do(method, path, body string, edit func(*http.Request)) (*http.Response, []byte) {
	s.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(s.request(method, path, body, edit))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, all
}

func (s *site) status(method, path, body string, edit func(*http.Request)) int {
	s.t.Helper()
	resp, _ := s.do(method, path, body, edit)
	return resp.StatusCode
}

// get reads JSON.
func get[T any](s *site, path string) T {
	s.t.Helper()
	resp, body := s.do("GET", path, "", nil)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, resp.StatusCode, body)
	}
	return decode[T](s.t, body)
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// post sends a command and returns its id.
func (s *site) post(path, body string) string {
	s.t.Helper()
	resp, all := s.do("POST", path, body, nil)
	if resp.StatusCode != http.StatusAccepted {
		s.t.Fatalf("POST %s: %d %s", path, resp.StatusCode, all)
	}
	return decode[struct{ Command string }](s.t, all).Command
}

// What is on the log.

func (s *site) incident(id string, seq int, svc string, data event.Data, by string) {
	e := event.Incident{ID: id, Seq: seq, Time: time.Now().UTC(), Service: svc, Type: event.TypeOf(data), By: by, Data: data, Origin: origin}
	s.log.Put(event.TopicIncidents, svc, event.Encode(e), true, e.Time)
}

func (s *site) claim() {
	s.incident(nonce, 1, event.ReservedService, event.Claim{Host: myHost, Instance: me, Epoch: 1, Nonce: nonce}, event.ByLogstream)
}

func (s *site) service(status event.Status, change func(*event.Service)) {
	def := payment()
	r := event.Service{Time: time.Now().UTC(), Service: def.Name, Definition: def.Masked(), Status: status, Since: time.Now().UTC(), Origin: origin}
	if change != nil {
		change(&r)
	}
	s.log.Put(event.TopicServices, r.Service, event.Encode(r), true, r.Time)
}

func (s *site) health(name string, status event.Status, at time.Time) {
	h := event.HealthLog{Timestamp: event.Seconds(at), Service: name, Status: status, Code: 200, LatencyMS: 12.5, Check: "http",
		Origin: event.Origin{Instance: me, Host: myHost}}
	s.log.Put(event.TopicHealth, name, event.Encode(h), true, at)
}

// answer writes the result of a command.
func (s *site) answer(id string, ok bool) {
	s.t.Helper()
	for _, rec := range s.log.On(event.TopicCommands) {
		c, err := event.DecodeCommand(rec.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		if c.ID == id {
			c.Result, c.Origin = &event.CommandResult{OK: ok}, origin
			s.log.Put(event.TopicCommands, c.Service, event.Encode(c), true, time.Now())
			return
		}
	}
	s.t.Fatalf("command %s is not on the log", id)
}

// page is a WebSocket client.
type page struct {
	t    *testing.T
	conn *websocket.Conn
	seq  uint64
}

// frame is any frame.
type frame struct {
	Type      string
	Seq       uint64
	Services  []view.Service
	Incidents []view.Incident
	Thinking  []view.Thought
	Agent     view.Agent
	Info      Info
	Part      bool
	Watching  *int
	LeftOut   int `json:"left_out"`
	Events    []struct {
		Kind string
		Data json.RawMessage
	}
}

func (s *site) dial(edit func(http.Header), protocols ...string) (*websocket.Conn, *http.Response, error) {
	return s.dialAt("", edit, protocols...)
}

func (s *site) dialAt(base string, edit func(http.Header), protocols ...string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{"Origin": {s.url}}
	if edit != nil {
		edit(header)
	}
	dialer := websocket.Dialer{HandshakeTimeout: wait, Subprotocols: protocols}
	return dialer.Dial(strings.Replace(s.url, "http", "ws", 1)+base+"/ws", header)
}

func (s *site) page() *page {
	s.t.Helper()
	conn, _, err := s.dial(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &page{t: s.t, conn: conn}
}

// isClosed reads what is still on its way, and then that the server closes with code.
func (p *page) isClosed(code int) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		p.t.Fatal(err)
	}
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, code) {
				p.t.Errorf("disconnected with %v", err)
			}
			return
		}
	}
}

// next reads a frame, and checks that seq has no gap.
func (p *page) next() frame {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		p.t.Fatal(err)
	}
	_, body, err := p.conn.ReadMessage()
	if err != nil {
		p.t.Fatal(err)
	}
	f := decode[frame](p.t, body)
	if f.Type == "events" && !f.Part && f.Seq != p.seq+1 || f.Part && f.Seq != p.seq {
		p.t.Fatalf("frame %d after %d", f.Seq, p.seq)
	}
	p.seq = f.Seq
	return f
}

// events reads frames until enough says so, and returns the kinds of their changes.
func (p *page) events(enough func(kind string, data []byte) bool) []string {
	p.t.Helper()
	var kinds []string
	for {
		f := p.next()
		done := false
		for _, e := range f.Events {
			kinds = append(kinds, e.Kind)
			done = done || enough(e.Kind, e.Data)
		}
		if done {
			return kinds
		}
	}
}

func contains(t *testing.T, body []byte, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !bytes.Contains(body, []byte(part)) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
}
