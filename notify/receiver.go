package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"logstream/internal/health"
	"logstream/internal/retry"
	"logstream/notify/send"
)

const (
	// sendWithin is how long one attempt may take.
	sendWithin = 15 * time.Second
	// stopWithin is how long one that is under way may go on when we stop.
	stopWithin = 5 * time.Second
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// receiver is one while it is sent to. Its fields belong to the loop but for the
// sender, which belongs to the send that is under way.
type receiver struct {
	Receiver
	busy      bool
	notBefore time.Time
	backoff   *retry.Backoff

	sender *send.Sender
}

// send sends once.
func (r *receiver) send(ctx context.Context, m send.Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	if r.sender == nil {
		made, err := send.New(r.target())
		if err != nil {
			return fmt.Errorf("url %w", err)
		}
		r.sender = made
	}
	return r.sender.Send(ctx, m)
}

// body is what a webhook gets.
type body struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Note
	Link     string        `json:"link"`
	Actions  []send.Action `json:"actions"`
	Instance string        `json:"instance"`
}

// message is a note as it is sent to a receiver.
func (n *Notifier) message(r Receiver, note Note, now time.Time) send.Message {
	shown := note
	if !r.plain() {
		shown = note.inert()
	}
	title, text := n.texts[r.name()].say(shown)
	m := send.Message{Title: title, Text: text, Urgent: note.Severity == high, Quiet: note.Severity == low,
		Click: n.links.page(note), Actions: n.links.actions(note, now)}
	json := body{title, text, note, m.Click, m.Actions, n.deps.Identity.Instance}
	for _, list := range []*[]string{&json.Dependents, &json.Open, &json.Lines} {
		if *list == nil {
			*list = []string{}
		}
	}
	if json.Actions == nil {
		json.Actions = []send.Action{}
	}
	m.JSON = json
	return m
}

// status is which receivers fail, as people see it.
type status struct {
	registry *health.Registry
	mu       sync.Mutex
	failing  map[string]string // by receiver: why
}

func (s *status) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.failing)
	s.report()
}

// set takes how the newest attempt went.
func (s *status) set(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.failing, name)
	} else {
		s.failing[name] = err.Error()
	}
	s.report()
}

func (s *status) report() {
	if len(s.failing) == 0 {
		s.registry.Clear(health.Notify)
		return
	}
	names := slices.Sorted(maps.Keys(s.failing))
	var all []string
	for _, name := range names {
		all = append(all, name+": "+s.failing[name])
	}
	fix := health.Remedy{Text: "correct the url of " + strings.Join(names, " and ") + " under notify in config.yaml, or make it reachable from here; then send a test message", Command: "logstream notify test"}
	s.registry.Report(health.Problem{Part: health.Notify, What: "notifications fail: " + strings.Join(all, "; "),
		Works: "checks, repairs, and the other receivers", OnHold: "messages to " + strings.Join(names, ", ") + "; they are sent as soon as it answers", Remedy: fix})
}
