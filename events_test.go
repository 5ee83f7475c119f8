package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"logstream/internal/event"
)

// followed has what is on a log followed by l until it was read.
func followed(t *testing.T, l *eventLines, records []event.Record) {
	t.Helper()
	ctx, read := context.WithCancel(t.Context())
	err := l.follow(ctx, readAll{records, read}, "local")
	if err != nil {
		t.Fatal(err)
	}
}

// readAll is a log that says when all of it was read.
type readAll struct {
	records []event.Record
	read    func()
}

func (r readAll) Subscribe(_ context.Context, s event.Subscription) error {
	defer r.read()
	for _, record := range r.records {
		if err := s.Handle(record); err != nil {
			return err
		}
	}
	return nil
}

// onTheLog are a claim of the host and the events of an incident, from at on.
func onTheLog(id string, at time.Time, all ...event.Data) []event.Record {
	var records []event.Record
	for i, data := range all {
		e := event.Incident{ID: id, Seq: i + 1, Time: at.Add(time.Duration(i) * time.Second), Service: "payment-service", Type: event.TypeOf(data), By: event.ByRunbook, Data: data, Origin: owner}
		records = append(records, event.Record{Value: event.Encode(e), Signed: true})
	}
	return records
}

func TestEventsAreWrittenOnceEachFromTheStartOn(t *testing.T) {
	var out bytes.Buffer
	l := newEventLines(t.Context(), &out, quiet())
	claim := event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"}
	life := onTheLog("i1", l.began.Add(time.Second), repaired...)
	foreign := onTheLog("i2", l.began.Add(time.Second), opened)
	foreign[0].Value = bytes.Replace(foreign[0].Value, []byte(`"nonce":"n1"`), []byte(`"nonce":"n0"`), 1)
	unsigned := onTheLog("i3", l.began.Add(time.Second), opened)
	unsigned[0].Signed = false
	log := slices.Concat(onTheLog("n1", noon, claim), onTheLog("old", l.began.Add(-time.Hour), opened), foreign, unsigned, life, life, onTheLog("n1", l.began.Add(time.Second), claim))
	followed(t, l, log)
	followed(t, l, append(log, onTheLog("i4", l.began.Add(time.Minute), opened)...)) // the parts were opened again
	l.close()
	want := ""
	for _, r := range append(life, onTheLog("i4", l.began.Add(time.Minute), opened)...) {
		want += string(r.Value) + "\n"
	}
	if out.String() != want {
		t.Errorf("written is\n%s\nwant\n%s", &out, want)
	}
}

// ended is an output whose reader has ended.
type ended struct{}

func (ended) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAReaderThatEndsStopsNothing(t *testing.T) {
	var logged bytes.Buffer
	l := newEventLines(t.Context(), ended{}, slog.New(slog.NewTextHandler(&logged, nil)))
	log := onTheLog("n1", noon, event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"})
	for i := range 2 * eventsWaiting {
		log = append(log, onTheLog("i"+string(rune('A'+i)), l.began.Add(time.Second), opened)...)
	}
	followed(t, l, log)
	l.close()
	if got := strings.Count(logged.String(), "events are no longer written"); got != 1 {
		t.Errorf("it is said %d times: %s", got, &logged)
	}
}

// TestAReaderThatDoesNotReadHoldsNoStopUp: neither the reading of Kafka nor the
// end waits for it.
func TestAReaderThatDoesNotReadHoldsNoStopUp(t *testing.T) {
	never, out := io.Pipe()
	defer never.Close()
	l := newEventLines(t.Context(), out, quiet())
	log := onTheLog("n1", noon, event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"})
	for i := range 2 * eventsWaiting {
		log = append(log, onTheLog("i"+string(rune('A'+i)), l.began.Add(time.Second), opened)...)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.follow(ctx, readAll{log, func() {}}, "local") }()
	until(t, 30*time.Second, "the lines are full", func() bool { return len(l.lines) == eventsWaiting })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l.close()
}

func TestEventsTakeStandardOutputAlone(t *testing.T) {
	for _, value := range []string{"", "events.jsonl", "--"} {
		code, out, failed := logstream("run", "--demo", "--events="+value)
		if code != exitStartupFailure || out != "" || !strings.HasPrefix(failed, "logstream: run: --events takes - alone, which is standard output, not ") {
			t.Errorf("%q: exit %d, %q, %s", value, code, out, failed)
		}
	}
}

// guarded is a buffer for two goroutines.
type guarded struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) { g.mu.Lock(); defer g.mu.Unlock(); return g.b.Write(p) }
func (g *guarded) String() string              { g.mu.Lock(); defer g.mu.Unlock(); return g.b.String() }

// TestEventsOfTheDemo breaks a service of the demo and reads the repair from
// standard output: nothing but records, valid by their schema.
func TestEventsOfTheDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	file, err := os.Open("docs/schemas/logstream.incidents.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := validator.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := validator.NewCompiler()
	if err := compiler.AddResource("incidents.json", doc); err != nil {
		t.Fatal(err)
	}
	record, err := compiler.Compile("incidents.json")
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lines, out := io.Pipe()
	console, code := &guarded{}, make(chan int, 1)
	go func() {
		code <- execute(ctx, out, console, []string{"run", "--demo", "--events", "-"})
		out.Close()
	}()
	page := ""
	until(t, 2*time.Minute, "the page's address is on standard error", func() bool {
		found := regexp.MustCompile(`Dashboard +http://(\S+)`).FindStringSubmatch(console.String())
		if found != nil {
			page = found[1]
		}
		return found != nil
	})
	until(t, 2*time.Minute, "the service is UP", func() bool { return statuses(page)["payment-service"] == "UP" })
	response, err := http.Post("http://"+page+"/api/v1/services/payment-service/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
	if err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatal(response, err)
	}
	response.Body.Close()
	var types []event.Type
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, event.MaxRecord)
	for (len(types) == 0 || types[len(types)-1] != event.TypeResolved) && scanner.Scan() {
		value, err := validator.UnmarshalJSON(bytes.NewReader(scanner.Bytes()))
		if err == nil {
			err = record.Validate(value)
		}
		e, readable := event.DecodeIncident(scanner.Bytes())
		if err != nil || readable != nil || e.Seq != len(types)+1 || e.Service != "payment-service" {
			t.Fatalf("line %d is %s: %v, %v", len(types)+1, scanner.Text(), err, readable)
		}
		types = append(types, e.Type)
	}
	for _, want := range []event.Type{event.TypeOpened, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved} {
		if !slices.Contains(types, want) {
			t.Errorf("there is no %s: %v", want, types)
		}
	}
	stop()
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	if got := <-code; got != exitDone {
		t.Errorf("exit %d:\n%s", got, console)
	}
}
