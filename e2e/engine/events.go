//go:build e2e

package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// recordTimeout is how long the recording may be behind the engine.
const recordTimeout = 10 * time.Second

// Event is a change of a container, as the engine itself reports it.
type Event struct {
	ID     string // the container's
	Name   string
	Action string // such as "start"
	At     time.Time
}

// recording is everything that an engine reported since it was first started.
// The engine itself keeps only its newest 256 events, of all tests together,
// and none over its end.
type recording struct {
	ended chan struct{} // closed when the stream has been read to its end; nil: none was followed

	mu     sync.Mutex
	seen   map[string]bool // what the engine sent, as it was sent
	events []Event         // those of containers
	err    error           // why the stream ended
}

// Events are the changes of containers from since until now, in the order of
// their times: all of them, however many there were.
func (e *Engine) Events(t testing.TB, since time.Time) []Event {
	t.Helper()
	events, err := e.AllEvents(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// AllEvents is Events without a test.
func (e *Engine) AllEvents(ctx context.Context, since time.Time) ([]Event, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	// What the engine still keeps is the newest: once the recording has that, it
	// is complete.
	kept, err := e.stream(ctx, url.Values{"since": {"0"}, "until": {unixTime(time.Now())}})
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	var newest []string
	if err := readLines(kept, func(line string) error { newest = append(newest, line); return nil }); err != nil {
		return nil, err
	}
	if !within(recordTimeout, func() bool { return e.recorded.has(newest) }) {
		return nil, fmt.Errorf("events that the engine keeps are not recorded after %v; its stream ended with: %v", recordTimeout, e.recorded.failure())
	}
	return e.recorded.since(since), nil
}

// record follows the engine's events until the engine ends. Call it when the
// engine has just been started.
func (e *Engine) record() error {
	stream, err := e.stream(context.Background(), url.Values{"since": {"0"}}) // from the engine's own start
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	e.recorded.ended = ended
	go func() {
		defer close(ended)
		defer stream.Close()
		e.recorded.end(readLines(stream, e.recorded.add))
	}()
	return nil
}

// stream reads the engine's events.
func (e *Engine) stream(ctx context.Context, query url.Values) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/events?"+query.Encode(), nil)
	if err != nil {
		return nil, err // unreachable: the address is well formed
	}
	response, err := (&http.Client{Transport: e.transport()}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the engine's events: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("read the engine's events: %s", response.Status), response.Body.Close())
	}
	return response.Body, nil
}

func readLines(stream io.Reader, handle func(string) error) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20) // an event has all labels of its container
	for lines.Scan() {
		if err := handle(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// unixTime is a time as the engine's addresses have it, exact to the nanosecond.
func unixTime(at time.Time) string {
	return strconv.FormatInt(at.Unix(), 10) + fmt.Sprintf(".%09d", at.Nanosecond())
}

// add records one event, once: the engine sends one twice that comes while the
// stream is opened.
func (r *recording) add(line string) error {
	var sent struct {
		Type, Action string
		Actor        struct {
			ID         string
			Attributes map[string]string
		}
		TimeNano int64
	}
	if err := json.Unmarshal([]byte(line), &sent); err != nil {
		return fmt.Errorf("the engine's event %q: %w", line, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[line] {
		return nil
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[line] = true
	if sent.Type == "container" {
		r.events = append(r.events, Event{sent.Actor.ID, sent.Actor.Attributes["name"], sent.Action, time.Unix(0, sent.TimeNano)})
	}
	return nil
}

func (r *recording) has(lines []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(lines, func(line string) bool { return !r.seen[line] })
}

func (r *recording) since(since time.Time) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var events []Event
	for _, event := range r.events {
		if !event.At.Before(since) {
			events = append(events, event)
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events
}

func (r *recording) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *recording) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// awaitEnd returns when all that an engine reported which has ended is recorded.
func (r *recording) awaitEnd() {
	if r.ended != nil {
		<-r.ended
	}
}
