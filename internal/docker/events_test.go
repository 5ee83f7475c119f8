package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/docker/docker/api/types/events"

	"logstream/internal/container"
)

// words are events as a person would write them.
func word(e container.Event) string {
	switch e.Action {
	case container.ActionKill:
		return e.Name + ": kill " + e.Signal
	case container.ActionDie:
		return fmt.Sprintf("%s: die %d", e.Name, e.ExitCode)
	case container.ActionCreate:
		if e.Replace != "" {
			return e.Name + ": create for " + e.Replace
		}
	}
	return e.Name + ": " + string(e.Action)
}

// stream answers /events by these bytes, then leaves the stream open until
// the caller leaves, or ends it.
func (r *replay) stream(body []byte, open bool) {
	r.on("GET", "/events", func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
		w.(http.Flusher).Flush()
		if open {
			<-request.Context().Done()
		}
	})
}

// read follows the events until the stream ends.
func read(t *testing.T, r *replay, since time.Time) (seen []container.Event, ready int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = r.runtime(t).Events(ctx, since, func() { ready++ }, func(e container.Event) { seen = append(seen, e) })
	return seen, ready, err
}

// The recording has a Compose deployment, a recreation, restarts, kills,
// pauses, and a container that ran out of memory.
func TestEvents(t *testing.T) {
	r := newReplay(t)
	_, _, body := recording(t, "events")
	r.stream(body, false)
	seen, ready, err := read(t, r, time.Unix(1795487752, 5))
	if !errors.Is(err, container.ErrUnavailable) || !errors.Is(err, io.EOF) || ready != 1 {
		t.Errorf("Events ended with %v, and called ready %d times; want ErrUnavailable after the end, and once", err, ready)
	}
	if got, want := len(seen), bytes.Count(body, []byte("\n")); got != want {
		t.Errorf("%d events, want all %d", got, want)
	}
	var reported []string
	for i, e := range seen {
		reported = append(reported, word(e))
		if i > 0 && e.Time.Before(seen[i-1].Time) {
			t.Errorf("%s is dated before the event that came before it", word(e))
		}
		if e.ID == "" || e.Time.IsZero() || e.Image == "" {
			t.Errorf("%+v lacks its ID, time or image", e)
		}
	}
	text := strings.Join(reported, ", ")
	for _, want := range []string{
		// docker compose up, recreating
		"57bdd467c4fe_payment-service: create for payment-service",
		"e8ebc536d436_shop-worker-1: create for shop-worker-1",
		"payment-service: kill 15, payment-service: die 0, payment-service: stop, payment-service: destroy, payment-service: rename, payment-service: start",
		// docker restart, docker kill
		"payment-service: kill 15, payment-service: die 0, payment-service: stop, payment-service: start, payment-service: restart",
		"payment-service: kill 9, payment-service: die 137, payment-service: start",
		"payment-service: pause, payment-service: unpause",
		"oom: oom, oom: die 137",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the events lack\n\t%s\nin\n\t%s", want, text)
		}
	}
}

// An engine that knows its events' times better than it reports them (Docker 29)
// is asked for somewhat more, so that reading on from an event's time gives
// that event again; what is dated before is left out.
func TestEventsSinceAnEventWhoseTimeWasRounded(t *testing.T) {
	r := newReplay(t)
	const reported = 1795889545079780900 // of what happened up to 128 ns before
	event := func(action string, at int64) string {
		return fmt.Sprintf(`{"Type":"container","Action":%q,"Actor":{"ID":"1234"},"timeNano":%d}`+"\n", action, at)
	}
	r.stream([]byte(event("start", reported-200)+event("kill", reported)+event("die", reported+1)), false)
	seen, _, _ := read(t, r, time.Unix(0, reported))
	var words []string
	for _, e := range seen {
		words = append(words, string(e.Action))
	}
	if got := strings.Join(words, ", "); got != "kill, die" {
		t.Errorf("read on from the kill: %q, want kill, die", got)
	}
	calls := r.calls("GET /events")
	if len(calls) != 1 || !strings.Contains(calls[0], "since="+unixTime(time.Unix(0, reported-256))) {
		t.Errorf("asked %q, want the events since 256 ns before", calls)
	}
}

// TestEventsFollowAClockThatWasSetBack: what is dated long before was not given out of
// the past, but has just happened.
func TestEventsFollowAClockThatWasSetBack(t *testing.T) {
	r := newReplay(t)
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	event := func(action string, at time.Time) string {
		return fmt.Sprintf(`{"Type":"container","Action":%q,"Actor":{"ID":"1234"},"timeNano":%d}`+"\n", action, at.UnixNano())
	}
	r.stream([]byte(event("start", at.Add(time.Minute))+event("kill", at.Add(-time.Hour))+event("die", at.Add(-time.Minute))), false)
	if seen, _, _ := read(t, r, at); len(seen) != 3 {
		t.Errorf("%d events are read, want the start, the kill and the die", len(seen))
	}
}

// Without a time the engine's clock says since when, not ours: the engine
// subscribes some time after it has answered.
func TestEventsFromNow(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/info", "info")
	r.stream(nil, true)
	ctx, cancel := context.WithCancel(t.Context())
	err := r.runtime(t).Events(ctx, time.Time{}, cancel, func(container.Event) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Events gives %v, want context.Canceled, of which ready is the cause", err)
	}
	at := instantOf("2026-11-24T02:35:53.853396561Z")
	if calls := r.calls("GET /events"); len(calls) != 1 || !strings.Contains(calls[0], "since="+unixTime(at.Add(-rounding))) {
		t.Errorf("asked %q, want the events since the engine's now, %s", calls, unixTime(at))
	}
}

// ready is called before the first event of a stream that goes on, and the
// caller's leaving is its own error.
func TestEventsUntilCancelled(t *testing.T) {
	r := newReplay(t)
	_, _, body := recording(t, "events")
	r.stream(body, true)
	ctx, cancel := context.WithCancel(t.Context())
	stands := false
	err := r.runtime(t).Events(ctx, time.Unix(1, 0), func() { stands = true }, func(container.Event) {
		if !stands {
			t.Error("an event came before ready")
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Events gives %v, want context.Canceled alone", err)
	}
}

// An engine that refuses the stream is never ready.
func TestEventsRefused(t *testing.T) {
	r := newReplay(t)
	r.on("GET", "/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"events are not for you"}`)
	})
	_, ready, err := read(t, r, time.Unix(1, 0))
	if err == nil || errors.Is(err, container.ErrUnavailable) || ready != 0 || !strings.Contains(err.Error(), "events are not for you") {
		t.Errorf("Events gives %v and called ready %d times, want the engine's own refusal, and never", err, ready)
	}
}

func TestEventsEndAtAnInvalidRecord(t *testing.T) {
	_, _, body := recording(t, "events")
	line, _, _ := bytes.Cut(body, []byte("\n"))
	r := newReplay(t)
	r.stream(append(append(line, '\n'), "{\"Type\":\"container\",]"...), true)
	seen, _, err := read(t, r, time.Unix(1, 0))
	if !errors.Is(err, container.ErrUnavailable) || len(seen) != 1 {
		t.Errorf("%d events and %v, want the one before the garbage, and ErrUnavailable", len(seen), err)
	}
}

// A stream of an engine that hangs doesn't end: its silence has to be noticed.
func TestEventsOfAHungEngine(t *testing.T) {
	hung := make(chan struct{})
	r := newReplay(t)
	r.on("GET", "/events", func(w http.ResponseWriter, request *http.Request) {
		w.(http.Flusher).Flush()
		<-request.Context().Done()
	})
	pong := func(w http.ResponseWriter, request *http.Request) {
		select {
		case <-hung:
			<-request.Context().Done()
		default:
			w.Header().Set("Api-Version", "1.41")
		}
	}
	r.on("HEAD", "/_ping", pong)
	r.on("GET", "/_ping", pong)
	runtime := r.runtime(t)
	runtime.quiet, runtime.pulse = 50*time.Millisecond, 100*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := runtime.Events(ctx, time.Unix(1, 0), func() { close(hung) }, func(container.Event) {})
	if !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Events gives %v, want ErrUnavailable", err)
	}
}

// TestEventsOfAnEngineThatHangsFromTheStart: callers of Events set no deadline.
func TestEventsOfAnEngineThatHangsFromTheStart(t *testing.T) {
	r := newReplay(t)
	r.on("HEAD", "/_ping", func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	runtime := r.runtime(t)
	runtime.pulse = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := runtime.Events(ctx, time.Unix(1, 0), func() {}, func(container.Event) {})
	if ctx.Err() != nil || !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Events gives %v, want ErrUnavailable in less time", err)
	}
}

func TestToEvent(t *testing.T) {
	message := func(action string, attributes ...string) events.Message {
		m := events.Message{Type: "container", Action: events.Action(action), Actor: events.Actor{ID: "id", Attributes: map[string]string{}}, TimeNano: 1e18}
		for i := 0; i < len(attributes); i += 2 {
			m.Actor.Attributes[attributes[i]] = attributes[i+1]
		}
		return m
	}
	for _, action := range []string{"exec_create: /webapp -check", "exec_start", "exec_die", "connect", "attach", "top", "resize", "", "commit"} {
		if e, ok := toEvent(message(action)); ok {
			t.Errorf("%q is passed on as %+v", action, e)
		}
	}
	network := func(action string, attributes ...string) events.Message {
		m := message(action, attributes...)
		m.Type = events.NetworkEventType
		return m
	}
	for action, of := range passed {
		m := message(string(action))
		if of == events.NetworkEventType {
			m = network(string(action), "container", "c1")
		}
		if e, ok := toEvent(m); !ok || e.Action != action {
			t.Errorf("%q is passed on: %v, as %q", action, ok, e.Action)
		}
	}
	if e, ok := toEvent(network("disconnect", "container", "c1", "name", "shop_default", "type", "bridge")); !ok || e.ID != "c1" || e.Name != "" || e.Network != "shop_default" {
		t.Errorf("a container that left a network is passed on: %v, as %+v", ok, e)
	}
	for _, m := range []events.Message{network("disconnect"), network("create", "name", "shop_default"), network("destroy", "container", "c1")} {
		if e, ok := toEvent(m); ok || e != (container.Event{}) {
			t.Errorf("an event of a network alone, %q, is passed on as %+v", m.Action, e)
		}
	}
	if e, ok := toEvent(message("health_status: unhealthy", "name", "web")); !ok || e.Action != container.ActionHealth || e.Health != container.Unhealthy || e.Name != "web" {
		t.Errorf("a change of health is passed on: %v, as %+v", ok, e)
	}
	seconds := message("start")
	seconds.TimeNano, seconds.Time = 0, 1e9
	if e, _ := toEvent(seconds); !e.Time.Equal(time.Unix(1e9, 0)) {
		t.Errorf("an event with seconds alone is dated %v", e.Time)
	}
	// The label stays on a container for good; only its creation announces.
	if e, _ := toEvent(message("start", labelReplace, "web")); e.Replace != "" {
		t.Errorf("a start announces the replacement of %q", e.Replace)
	}
	long := strings.Repeat("ü", maxAttribute)
	if e, _ := toEvent(message("start", "name", long)); len(e.Name) > maxAttribute || !utf8.ValidString(e.Name) {
		t.Errorf("a name of %d bytes is passed on as %d", len(long), len(e.Name))
	}
}

func FuzzToEvent(f *testing.F) {
	_, _, body := recording(f, "events")
	for line := range bytes.Lines(body) {
		f.Add(line)
	}
	f.Add([]byte(`{"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{"exitCode":"99999999999999999999"}}}`))
	f.Add([]byte(`{"Type":"container","Action":"kill","Actor":{"ID":"\ud800","Attributes":null},"timeNano":-9223372036854775808}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m events.Message
		if json.Unmarshal(data, &m) != nil {
			return
		}
		e, ok := toEvent(m)
		if !ok {
			if e != (container.Event{}) {
				t.Errorf("an event that isn't passed on is %+v", e)
			}
			return
		}
		if passed[e.Action] == "" || e.ID == "" && m.Actor.ID == "" {
			t.Errorf("passed on: %+v", e)
		}
		for _, text := range []string{e.Name, e.ID, e.Image, e.Project, e.Service, e.Replace, e.Signal, string(e.Health), e.Network} {
			if len(text) > maxAttribute || !utf8.ValidString(text) {
				t.Errorf("%q is too long or not UTF-8", text)
			}
		}
	})
}
