//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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
	d := configured(t, docker.Host(), "", yaml("on-kafka", url, "")).onKafka(k)
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "manual_grace: 1s", "manual_grace: 25s", 1))
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
	d.until(20*time.Second, "the page says that Kafka is missing", func() bool { return len(problems(d, "bus")) == 1 })
	if status := d.status("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz without Kafka: %d", status)
	}
	d.until(10*time.Second, "the service is held by the gate log", func() bool { return d.service("on-kafka").Held == "log" })
	if in := d.incident(held.ID); in.State != "open" {
		t.Errorf("the page shows the incident as %s", in.State)
	}
	for time.Since(gone) < 35*time.Second { // past the grace
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
	d.until(60*time.Second, "it is ready again", func() bool { return len(problems(d, "bus")) == 0 && d.status("/readyz") == http.StatusOK })
	if all := d.incidents("on-kafka"); len(all) != 2 {
		t.Errorf("%d incidents, want 2", len(all))
	}
}

// TestEachFaultOnApacheKafka is the first Docker scenario with a real Kafka as the
// log: one daemon, and a service for each fault.
func TestEachFaultOnApacheKafka(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	name := func(f fault) string { return "kafka-" + strings.ReplaceAll(f.name, " ", "-") }
	all, services := append(slices.Clone(faults), fault{"http 500", fails, "restart", "logstream-webapp"}), ""
	for _, f := range all {
		services += yaml(name(f), container(t, docker, name(f), f.image), unhurried)
	}
	d := configured(t, docker.Host(), "", services).onKafka(k).start()
	t.Run("faults", func(t *testing.T) {
		for _, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.isHealed(t, docker, d, name(f))
			})
		}
	})
	for _, f := range all {
		if n := len(d.incidents(name(f))); n != 1 {
			t.Errorf("%s: %d incidents, want one", f.name, n)
		}
	}
}

// TestKafkaIsUnreachableAtTheStartAndLater starts without Kafka, and loses it again for half a
// minute once it is there.
func TestKafkaIsUnreachableAtTheStartAndLater(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	k.Stop()
	d := configured(t, docker.Host(), "", yaml("patient", container(t, docker, "patient"), ", interval: 200ms, timeout: 5s")).onKafka(k).start()
	d.until(20*time.Second, "the page says that Kafka is missing", func() bool { return len(problems(d, "bus")) == 1 })
	missed := time.Now()
	if got := d.service("patient"); got.Status != "PENDING" || d.status("/healthz") != http.StatusOK || d.status("/readyz") != http.StatusServiceUnavailable {
		t.Errorf("without a log: %+v, healthz %d, readyz %d", got, d.status("/healthz"), d.status("/readyz"))
	}
	ctx := browser(t)
	const missing = `document.querySelector('.banner[data-problem="bus"]')`
	patient := func(status string) string {
		return fmt.Sprintf(`document.querySelector('.card[data-service="patient"]')?.dataset.status === %q`, status)
	}
	banner := func(when string) {
		t.Helper()
		sees(t, ctx, "that Kafka is missing, "+when, missing+` !== null`)
		text := eval[string](t, ctx, missing+`.textContent`) // it may stand folded below another problem
		for _, want := range []string{" since ", "Still works", "On hold", "How to fix", "docker compose up -d kafka"} {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("%s the banner does not say %q:\n%s", when, want, text)
			}
		}
	}
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	banner("at the start")
	sees(t, ctx, "a service of which nothing is known", patient("PENDING"))
	picture(t, ctx, "kafka-never-there-1280")
	k.Run()
	ran := time.Now()
	d.up("patient")
	sees(t, ctx, "a green card, by itself", patient("UP")+" && "+missing+" === null")
	t.Logf("UP %v after Kafka was there", time.Since(ran).Round(time.Millisecond))
	since := time.Now()
	docker.Docker(t, "kill", "patient")
	first := d.newest(60*time.Second, "patient", "is resolved", resolved)
	wantOneStart(t, d, first, since)
	d.until(20*time.Second, "nothing is open", func() bool { return d.service("patient").OpenIncident == "" && d.isUp("patient")() })

	since = time.Now()
	k.Kill() // for 30 s
	banner("after it vanished")
	docker.Docker(t, "kill", "patient")
	sees(t, ctx, "the last state, which is kept", patient("UP"))
	sees(t, ctx, "that it is of then, and not of now", `/^1 of 1 service was up at \d\d:\d\d:\d\d$/.test(document.querySelector("h1").innerText.trim())`)
	sees(t, ctx, "no invitation that could not be followed", `!document.body.innerText.includes("watch it heal") && [...document.querySelectorAll("[data-control=fault]")].every((button) => button.disabled)`)
	picture(t, ctx, "kafka-vanished-1280")
	for time.Since(since) < 30*time.Second {
		if n := engineActions(t, docker, "patient", since, "start"); n != 0 {
			t.Fatalf("%d starts without a log", n)
		}
		time.Sleep(time.Second)
	}
	k.Run()
	back := time.Now()
	d.until(60*time.Second, "a second incident", func() bool { return len(d.incidents("patient")) == 2 })
	second := d.newest(60*time.Second, "patient", "is resolved", resolved)
	wantOneStart(t, d, second, since)
	t.Logf("resolved %v after Kafka was back", time.Since(back).Round(time.Millisecond))
	sees(t, ctx, "a green card again", patient("UP")+" && "+missing+" === null")
	wantEveryCheck(t, d, "patient", missed, since)
}

// wantEveryCheck reads the checks of a service from the log: those that were made
// before missed, without Kafka, and in the 30 s since it was gone, stand there as well,
// once each and in their order, and what did not is counted.
func wantEveryCheck(t *testing.T, d *daemon, name string, missed, gone time.Time) {
	t.Helper()
	meanwhile := 0
	var last event.HealthLog
	n, longest := 0, time.Duration(0)
	for _, r := range topic(t, d.broker, event.TopicHealth) {
		h, err := event.DecodeHealthLog(r.Value)
		if err != nil || h.Service != name || h.Check != "http" {
			continue
		}
		if n++; n == 1 && h.Time().After(missed) {
			t.Errorf("the first check on the log began %v after the last moment without Kafka", h.Time().Sub(missed))
		}
		if n > 1 && h.Revision <= last.Revision || h.Timestamp <= last.Timestamp {
			t.Errorf("the check of %v with the revision %d follows that of %v with %d", h.Time(), h.Revision, last.Time(), last.Revision)
		}
		if h.Time().After(gone) && h.Time().Before(gone.Add(30*time.Second)) {
			meanwhile++
		}
		if n > 1 {
			longest = max(longest, h.Time().Sub(last.Time()))
		}
		last = h
	}
	var info struct {
		Bus struct {
			Dropped *int `json:"dropped"`
		} `json:"bus"`
	}
	if err := d.get("/api/v1/info", &info); err != nil || info.Bus.Dropped == nil || *info.Bus.Dropped != 0 {
		t.Errorf("dropped: %v (%v), want 0", info.Bus.Dropped, err)
	}
	if longest > 15*time.Second || meanwhile < 50 { // of 150, on a machine that does nothing else
		t.Errorf("between two checks on the log are %v; there are %d of the time without Kafka", longest, meanwhile)
	}
	t.Logf("%d checks on the log, the longest pause %v", n, longest.Round(time.Millisecond))
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
		t.Errorf("%s: the engine reports %d starts, want 1", in.ID, n)
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
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
