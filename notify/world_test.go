package notify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

var owner = event.Origin{Instance: "a", Host: "h", Epoch: 1, Nonce: "n1"}

// world is a log, and the fold of it, with a clock of its own.
type world struct {
	t        *testing.T
	now      time.Time
	config   Config
	fold     *Fold
	seq      map[string]int
	records  []any // all that is on the log
	revision int64
}

// newWorld is a world whose receivers were there already; r is one of them.
func newWorld(t *testing.T, receivers ...Receiver) *world {
	t.Helper()
	w := &world{t: t, now: noon, config: Default(), seq: map[string]int{}}
	w.config.Digest.TimeZone = "UTC"
	for i := range receivers {
		if receivers[i].name() == "" {
			t.Fatal("a receiver has no name")
		}
	}
	w.config.Receivers = receivers
	w.fold = NewFold("h", w.config)
	w.put(event.Incident{ID: "n1", Seq: 1, Time: w.now.Add(-24 * time.Hour), Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream,
		Data: event.Claim{Host: "h", Instance: "a", Epoch: 1, Nonce: "n1"}, Origin: owner})
	for _, r := range receivers {
		w.put(event.Notification{Time: w.now.Add(-4 * time.Hour), Receiver: r.name(), Event: DigestOf, Outcome: event.NotificationSent, News: []string{"digest/2026-03-04"}, Origin: owner})
		w.put(event.Notification{Time: w.now.Add(-24 * time.Hour), Receiver: r.name(), Outcome: event.NotificationBegan, Origin: owner})
	}
	w.fold.SetProblems(nil, w.now)
	return w
}

// put writes a record, and folds it.
func (w *world) put(record any) {
	w.t.Helper()
	w.records = append(w.records, record)
	read(w.fold, record)
}

func read(f *Fold, record any) {
	switch r := record.(type) {
	case event.Incident:
		f.ReadIncident(r)
	case event.Service:
		f.ReadService(r)
	case event.Notification:
		f.ReadNotification(r)
	}
}

// restart loses everything but the log.
func (w *world) restart() {
	w.fold = NewFold("h", w.config)
	for _, r := range w.records {
		read(w.fold, r)
	}
	w.fold.SetProblems(nil, w.now)
}

func (w *world) pass(d time.Duration) *world { w.now = w.now.Add(d); return w }

// says writes an incident's next event. The incident is named like its service
// with a number, such as web-1.
func (w *world) says(id string, data event.Data) {
	w.t.Helper()
	w.seq[id]++
	name, _, _ := strings.Cut(id, "-")
	w.put(event.Incident{ID: id, Seq: w.seq[id], Time: w.now, Service: name, Type: event.TypeOf(data), By: event.ByRunbook, Data: data, Origin: owner})
}

func (w *world) opened(id string) {
	w.t.Helper()
	w.says(id, event.Opened{Error: "HTTP 500", Check: "http", Instance: "a", FirstBad: w.now.Add(-time.Second), Kind: "service"})
}

func (w *world) escalated(id string) {
	w.t.Helper()
	w.says(id, event.Escalated{Reason: "the budget is spent"})
}

func (w *world) healed(id string) {
	w.t.Helper()
	w.says(id, event.Resolved{How: event.HowHealed, Attempts: 1, DownMS: 42_000, TTRMS: 52_000})
}

func (w *world) waits(id, root string) {
	w.t.Helper()
	name, _, _ := strings.Cut(root, "-")
	w.says(id, event.Suppressed{Gate: "dependency", Reason: "waits for " + name, Root: name, RootIncident: root})
}

func (w *world) service(s event.Service) {
	w.t.Helper()
	w.revision++
	s.Time, s.Origin, s.Revision = w.now, owner, w.revision
	w.put(s)
}

func (w *world) down(name, group string) {
	w.t.Helper()
	w.service(event.Service{Service: name, Definition: &event.Definition{Name: name, Group: group}, Status: event.Down})
}

// gets is every message that a receiver gets now, each sent and recorded; by
// event and service.
func (w *world) gets(r Receiver) []string {
	w.t.Helper()
	all := []string{}
	for {
		d, is := w.fold.Next(r, w.now)
		if !is {
			return all
		}
		if len(all) > 50 {
			w.t.Fatalf("messages without end: %v", all[:5])
		}
		if d.Outcome == event.NotificationSent {
			all = append(all, strings.TrimSpace(d.Note.Event+" "+d.Note.Service+d.Note.Part))
		}
		w.put(event.Notification{Time: w.now, Receiver: d.Receiver, Event: d.Note.Event, Outcome: d.Outcome, News: d.News, Repeat: d.Note.Repeat, Origin: owner})
	}
}

// next is the next message, without sending it.
func (w *world) next(r Receiver) Note {
	w.t.Helper()
	d, is := w.fold.Next(r, w.now)
	if !is || d.Outcome != event.NotificationSent {
		w.t.Fatalf("nothing is sent: %+v", d)
	}
	return d.Note
}

func (w *world) expect(r Receiver, want ...string) {
	w.t.Helper()
	if got := w.gets(r); !slices.Equal(got, want) && len(got)+len(want) > 0 {
		w.t.Errorf("%s: got %q, want %q", w.now.Format(time.TimeOnly), got, want)
	}
}

func (w *world) lost(part string) {
	w.t.Helper()
	w.fold.SetProblems([]health.Problem{{Part: part, Since: w.now, What: part + " does not answer", Remedy: health.Remedy{Text: "start it", Command: "docker start kafka"}}}, w.now)
}

func (w *world) back() { w.fold.SetProblems(nil, w.now) }

// said is a note as a person reads it.
func said(t *testing.T, n Note) string {
	t.Helper()
	made, err := textsOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	title, text := made.say(n)
	return title + "\n" + text
}

var all = Receiver{URL: "https://receiver.test/hook", On: Events}
