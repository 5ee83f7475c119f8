//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/kafka"
	"logstream/internal/event"
)

// TestOnApacheKafka heals with a real Kafka as the log, loses it in the middle
// of an incident, and goes on where it was when it is back.
func TestOnApacheKafka(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	url := container(t, docker, "on-kafka")
	d := configured(t, docker.Host(), "", yaml("on-kafka", url, ""))
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.NewReplacer("bus: {", "bus: {brokers: \"${LOGSTREAM_KAFKA:-}\", ", // as in the shipped file
		"manual_grace: 1s", "manual_grace: 8s").Replace(string(text)))
	d.env, d.broker = []string{"LOGSTREAM_KAFKA=" + k.Addr()}, k.Addr()
	d.start()
	d.up("on-kafka")
	d.until(20*time.Second, "it is ready", func() bool { return d.status("/readyz") == http.StatusOK })

	since := time.Now()
	docker.Docker(t, "kill", "on-kafka")
	first := d.newest(60*time.Second, "on-kafka", "is resolved", resolved)
	wantOneStart(t, d, first, since)
	if got := actions(first); len(got) != 1 {
		t.Errorf("intents %v, want one", got)
	}
	t.Logf("resolved %v after docker kill", time.Since(since).Round(time.Millisecond))

	since = time.Now()
	docker.Docker(t, "stop", "on-kafka")
	held := d.newest(20*time.Second, "on-kafka", "is held for the grace of a stop by hand", func(in apiIncident) bool {
		return in.ID != first.ID && in.Held == "operator"
	})
	k.Kill()
	gone := time.Now()
	d.until(20*time.Second, "the page says that Kafka is missing", func() bool { return len(troubles(d, "bus")) == 1 })
	if status := d.status("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz without Kafka: %d", status)
	}
	d.until(10*time.Second, "the service is held by the gate log", func() bool { return d.service("on-kafka").Held == "log" })
	if in := d.incident(held.ID); in.State != "open" {
		t.Errorf("the page shows the incident as %s", in.State)
	}
	for time.Since(gone) < 15*time.Second {
		if n := engineActions(t, docker, "on-kafka", since, "start"); n != 0 {
			t.Fatalf("%d starts %v after Kafka was killed: none can stand on the log", n, time.Since(gone))
		}
		time.Sleep(500 * time.Millisecond)
	}
	k.Run()
	back := time.Now()
	second := d.newest(90*time.Second, "on-kafka", "is resolved", resolved)
	t.Logf("resolved %v after Kafka was back", time.Since(back).Round(time.Millisecond))
	if second.ID != held.ID {
		t.Errorf("the incident is %s, and was %s: it was forgotten", second.ID, held.ID)
	}
	wantOneStart(t, d, second, since)
	d.up("on-kafka")
	d.until(60*time.Second, "it is ready again", func() bool { return len(troubles(d, "bus")) == 0 && d.status("/readyz") == http.StatusOK })
	if all := d.incidents("on-kafka"); len(all) != 2 {
		t.Errorf("%d incidents, want 2", len(all))
	}
}

// status is the code that the page answers with.
func (d *daemon) status(path string) int {
	response, err := http.Get("http://" + d.page + path)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// wantOneStart compares what the page, the engine and the log say. An intent
// that came onto the log after its deadline is closed as not carried out.
func wantOneStart(t *testing.T, d *daemon, in apiIncident, since time.Time) {
	t.Helper()
	carriedOut := slices.DeleteFunc(results(in), func(r event.ActionFinished) bool {
		return !r.OK && strings.HasPrefix(r.Error, event.NotCarriedOut)
	})
	if len(carriedOut) != 1 || carriedOut[0].Action != "start" || !carriedOut[0].OK || how(in) != "healed" {
		t.Errorf("%s: results %+v, how %q: want one start, healed", in.ID, results(in), how(in))
	}
	if n := engineActions(t, docker, in.Service, since, "start"); n != 1 {
		t.Errorf("%s: the engine tells of %d starts, want 1", in.ID, n)
	}
	onKafka := readIncident(t, d.broker, in.ID)
	if len(onKafka) > len(in.Events) {
		t.Fatalf("%s: %d events on the log, %d on the page", in.ID, len(onKafka), len(in.Events))
	}
	for i, e := range onKafka {
		if e.Seq != i+1 || e.Type != in.Events[i].Type {
			t.Errorf("%s: event %d on the log is %s with seq %d", in.ID, i+1, e.Type, e.Seq)
		}
	}
}

// readIncident reads an incident by a Kafka client that is not ours, from the
// topic's beginning to its end.
func readIncident(t *testing.T, broker, id string) []event.Incident {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(event.TopicIncidents), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []event.Incident
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s from Kafka: %v", id, err)
		}
		for _, r := range fetches.Records() {
			e, err := event.DecodeIncident(r.Value)
			if err != nil {
				t.Errorf("offset %d: %v", r.Offset, err)
			}
			if e.ID == id {
				all = append(all, e)
			}
			if e.ID == id && e.Type == event.TypeResolved {
				return all
			}
		}
	}
}
