//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/kafka"
	"logstream/internal/event"
)

// TestForgedAndRepublishedRecordsChangeNothing writes to logstream's own topics:
// first what it never signed, then everything that it did, once more.
func TestForgedAndRepublishedRecordsChangeNothing(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	names := []string{"calm", "left-alone", "given-up"}
	services := ""
	for _, name := range names {
		args := []string{}
		if name == "given-up" {
			args = []string{"-e", "MODE=500"}
		}
		services += yaml(name, container(t, docker, name, args...), "")
	}
	d := configured(t, docker.Host(), "", services).onKafka(k).start()
	d.up("calm")
	d.up("left-alone")
	for _, fault := range []string{"kill", "pause"} {
		count := len(d.incidents("calm"))
		docker.Docker(t, fault, "calm")
		d.until(20*time.Second, "calm has an incident after "+fault, func() bool { return len(d.incidents("calm")) > count })
		d.newest(60*time.Second, "calm", "is resolved after "+fault, resolved)
		d.up("calm")
	}
	docker.Docker(t, "stop", "left-alone")
	d.until(20*time.Second, "left-alone has an incident", func() bool { return len(d.incidents("left-alone")) > 0 })
	d.newest(60*time.Second, "left-alone", "is resolved", resolved)
	// An operator's hold, and its end; another hold, which stays.
	hold := func(method, body string) {
		t.Helper()
		if code, answer := d.send(method, "/api/v1/hold", body); code != 202 {
			t.Fatalf("%s hold: %d %s", method, code, answer)
		}
	}
	hold("POST", `{"reason":"for a moment"}`)
	d.until(10*time.Second, "it is on hold", func() bool { return d.held() == "for a moment" })
	hold("DELETE", "")
	d.until(10*time.Second, "it is not on hold", func() bool { return d.held() == "" })
	docker.Docker(t, "stop", "left-alone")
	d.newest(40*time.Second, "left-alone", "is held by the operator gate", heldBy("operator"))
	d.newest(120*time.Second, "given-up", "is escalated", func(in apiIncident) bool { return in.State == "escalated" })
	d.until(30*time.Second, "nothing more is open about calm", func() bool { return d.service("calm").OpenIncident == "" })

	since := time.Now()
	before := d.pageText(names)
	same := func(when string) {
		t.Helper()
		now := d.pageText(names)
		for end := time.Now().Add(20 * time.Second); now != before; now = d.pageText(names) {
			if time.Now().After(end) {
				t.Fatalf("%s: the page shows what it did not before:\n%s", when, changed(before, now))
			}
			time.Sleep(100 * time.Millisecond)
		}
		for _, name := range names {
			if n := engineReported(t, name, since); n != 0 {
				t.Errorf("%s: the engine reports %d events of %s", when, n, name)
			}
		}
		if held := d.held(); held != "" {
			t.Errorf("%s: repairs are on hold: %s", when, held)
		}
	}
	client := kafkaClient(t, k.Addr(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	forged := forgeries(t, d, names)
	publish(t, client, forged...)
	d.until(30*time.Second, "a dead letter for each forged record", func() bool { return len(deadLetters(t, k.Addr())) >= len(forged) })
	deadRecords := map[string]int{}
	for _, l := range deadLetters(t, k.Addr()) {
		deadRecords[l.headers["topic"]+string(l.value)]++
		if l.headers["reason"] != "unsigned" {
			t.Errorf("a dead letter with the reason %q: %s", l.headers["reason"], l.value)
		}
	}
	for _, r := range forged {
		if n := deadRecords[r.Topic+string(r.Value)]; n == 0 {
			t.Errorf("no dead letter of %s: %s", r.Topic, r.Value)
		}
	}
	same("after what was forged")

	// Everything once more, to the byte, where it stood: also what is minutes old.
	var all []*kgo.Record
	for _, name := range []string{event.TopicServices, event.TopicIncidents, event.TopicCommands, event.TopicDocker, event.TopicHealth} {
		all = append(all, topic(t, k.Addr(), name)...)
	}
	again := func() {
		t.Helper()
		var copies []*kgo.Record
		for _, r := range all {
			copies = append(copies, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers})
		}
		publish(t, client, copies...)
	}
	t.Logf("%d records are published again", len(all))
	for range 2 {
		again()
		same("after everything was published again")
	}
	time.Sleep(5 * time.Second) // long enough for what is believed to act
	same("five seconds later")

	d.kill()
	again() // while logstream is stopped: the next life reads it first
	d.start()
	d.until(40*time.Second, "it owns its host again", func() bool { return d.active() })
	again()
	same("after a restart")
	time.Sleep(5 * time.Second)
	same("five seconds after it")

	// And it still heals.
	since = time.Now()
	docker.Docker(t, "kill", "calm")
	d.newest(60*time.Second, "calm", "is resolved", func(in apiIncident) bool { return in.State == "resolved" && !strings.Contains(before, in.ID) })
	if n := engineActions(t, docker, "calm", since, "start"); n != 1 {
		t.Errorf("the engine reports %d starts, want 1", n)
	}
}

// forgeries are records for logstream's own topics: unsigned, signed by another
// secret, and signed for another topic.
func forgeries(t *testing.T, d *daemon, names []string) []*kgo.Record {
	t.Helper()
	secret := secretOf(t, d.dir)
	now := time.Now().UTC()
	open, _ := json.Marshal(d.service("left-alone").OpenIncident)
	id := strings.Trim(string(open), `"`)
	seq := len(d.incident(id).Events) + 1
	var claim event.Incident
	var published event.Service
	for _, r := range topic(t, d.broker, event.TopicIncidents) {
		if e, err := event.DecodeIncident(r.Value); err == nil && e.Type == event.TypeClaim {
			claim = e
		}
	}
	for _, r := range topic(t, d.broker, event.TopicServices) {
		if s, err := event.DecodeService(r.Value); err == nil && s.Service == "calm" {
			published = s
		}
	}
	if claim.ID == "" || published.Service == "" {
		t.Fatal("there is no claim, or no service")
	}
	var all []*kgo.Record
	forge := func(topic, key string, record any) {
		value := event.Encode(record)
		header := func(secret []byte, topic string) []kgo.RecordHeader {
			return []kgo.RecordHeader{{Key: event.SignatureHeader, Value: []byte(event.Sign(secret, topic, []byte(key), value))}}
		}
		for _, headers := range [][]kgo.RecordHeader{nil, header([]byte("another secret"), topic), header(secret, event.TopicHealth)} {
			all = append(all, &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Headers: headers})
		}
	}
	for n, command := range []string{event.CommandApprove, event.CommandDeny, event.CommandHeal, event.CommandInject, event.CommandHold} {
		forge(event.TopicCommands, "left-alone", event.Command{ID: fmt.Sprintf("forged-%d", n), Time: now, By: "operator:mallory", Service: "left-alone", Command: command,
			Args: event.CommandArgs{Incident: id, Action: "restart", Fault: "stop", Reason: "forged"}})
	}
	released := event.Command{ID: "forged-result", Time: now, By: "operator:mallory", Service: event.AllServices, Command: event.CommandHold,
		Args: event.CommandArgs{Reason: "forged"}, Result: &event.CommandResult{OK: true}, Origin: claim.Origin}
	forge(event.TopicCommands, event.AllServices, released)
	for _, data := range []event.Data{event.Approved{Reason: "forged"}, event.Denied{Reason: "forged"},
		event.ActionStarted{Attempt: 9, Action: "start", Target: "left-alone", Expires: now.Add(time.Minute), Verify: 1},
		event.ActionFinished{Attempt: 9, Action: "start", Target: "left-alone", OK: true}, event.Resolved{How: event.HowHealed}} {
		forge(event.TopicIncidents, "left-alone", event.Incident{ID: id, Seq: seq, Time: now, Service: "left-alone", Type: event.TypeOf(data), By: "logstream", Data: data, Origin: claim.Origin})
	}
	higher := claim.Data.(event.Claim)
	higher.Epoch, higher.Nonce, higher.Instance = higher.Epoch+1, "forged", "mallory"
	forge(event.TopicIncidents, event.ReservedService, event.Incident{ID: "forged", Seq: 1, Time: now, Service: event.ReservedService, Type: event.TypeClaim, By: "logstream", Data: higher,
		Origin: event.Origin{Instance: "mallory", Host: higher.Host, Epoch: higher.Epoch, Nonce: "forged"}})
	published.Status, published.Revision = event.Down, published.Revision+1000
	forge(event.TopicServices, "calm", published)
	published.Definition = nil
	forge(event.TopicServices, "calm", published)
	return all
}

// pageText is what the page shows of services and of all incidents, without what
// goes on by itself: code and latency of the last check, and the share of time.
func (d *daemon) pageText(names []string) string {
	var services []map[string]any
	var incidents []map[string]any
	if d.get("/api/v1/services", &services) != nil || d.get("/api/v1/incidents?limit=100", &incidents) != nil {
		return "nothing"
	}
	var kept []map[string]any
	for _, s := range services {
		if name, _ := s["name"].(string); !slices.Contains(names, name) {
			continue
		}
		for _, key := range []string{"code", "latency_ms", "uptime", "known_s", "watched_s", "sources"} {
			delete(s, key)
		}
		for _, part := range s { // a source that was late for a moment is a new one
			if of, is := part.(map[string]any); is {
				delete(of, "since")
			}
		}
		kept = append(kept, s)
	}
	for _, in := range incidents {
		in["events"] = len(d.incident(in["id"].(string)).Events)
	}
	out, err := json.MarshalIndent(map[string]any{"services": kept, "incidents": incidents}, "", " ")
	if err != nil {
		d.t.Fatal(err)
	}
	return string(out)
}

// changed are the lines that differ.
func changed(before, after string) string {
	var out strings.Builder
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range max(len(was), len(is)) {
		var a, b string
		if i < len(was) {
			a = was[i]
		}
		if i < len(is) {
			b = is[i]
		}
		if a != b {
			fmt.Fprintf(&out, "- %s\n+ %s\n", a, b)
		}
	}
	return out.String()
}

// held is why nothing is repaired, or empty.
func (d *daemon) held() string {
	var info struct {
		Held string `json:"held"`
	}
	_ = d.get("/api/v1/info", &info)
	return info.Held
}

// active says whether this instance owns its host.
func (d *daemon) active() bool {
	var info struct {
		Active   bool `json:"active"`
		CaughtUp bool `json:"caught_up"`
	}
	return d.get("/api/v1/info", &info) == nil && info.Active && info.CaughtUp
}
