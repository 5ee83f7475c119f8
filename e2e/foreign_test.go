//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/kafka"
	"logstream/internal/event"
)

// kafkaClient is a Kafka client that is not ours.
func kafkaClient(t *testing.T, broker string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(broker))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// onKafka has a daemon use Kafka as its log, as the shipped file does.
func (d *daemon) onKafka(k *kafka.Kafka) *daemon {
	d.t.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "bus: {", "bus: {brokers: \"${LOGSTREAM_KAFKA:-}\", ", 1))
	d.env, d.broker = append(d.env, "LOGSTREAM_KAFKA="+k.Addr()), k.Addr()
	return d
}

// program is somebody's program that watches a service: it says every two
// seconds how it finds it, in the four fields that are required, without a key
// and without a header.
type program struct {
	client  *kgo.Client
	service string

	mu     sync.Mutex
	status string // empty: it is silent
}

func watchedBy(t *testing.T, client *kgo.Client, service string) *program {
	p := &program{client: client, service: service}
	go func() {
		ticker := time.NewTicker(2 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-ticker.C:
				p.mu.Lock()
				status := p.status
				p.mu.Unlock()
				if status != "" {
					client.Produce(t.Context(), observation(service, status, time.Now(), ""), nil)
				}
			}
		}
	}()
	return p
}

func (p *program) says(status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// observation is a record of somebody's; with an instance it has five fields.
func observation(service, status string, at time.Time, instance string) *kgo.Record {
	code := map[string]int{"UP": 200, "DOWN": 500}[status]
	value := fmt.Sprintf(`{"timestamp":%f,"service":%q,"status":%q,"code":%d}`, float64(at.UnixMicro())/1e6, service, status, code)
	if instance != "" {
		value = strings.TrimSuffix(value, "}") + fmt.Sprintf(`,"instance":%q}`, instance)
	}
	return &kgo.Record{Topic: event.TopicHealth, Value: []byte(value)}
}

func publish(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// apiDetail is what one service's own address tells beside apiService.
type apiDetail struct {
	apiService
	HeldReason string `json:"held_reason"`
	Managed    bool   `json:"managed"`
	Configured bool   `json:"configured"`
	Sources    []struct {
		Instance string `json:"instance"`
		Check    string `json:"check"`
		Status   string `json:"status"`
	} `json:"sources"`
	Observations []struct {
		event.HealthLog
		Counted bool `json:"counted"`
	} `json:"observations"`
}

func (d *daemon) detail(name string) apiDetail {
	var one apiDetail
	_ = d.get("/api/v1/services/"+url.PathEscape(name), &one)
	return one
}

// engineTold counts all that the engine told of a container since then.
func engineTold(t *testing.T, name string, since time.Time) (n int) {
	t.Helper()
	for _, action := range []string{"start", "restart", "stop", "die", "kill", "pause", "unpause"} {
		n += engineActions(t, docker, name, since, action)
	}
	return n
}

// TestAForeignSource has somebody's programs say of services that answer that
// they do not.
func TestAForeignSource(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	services := ""
	for name, more := range map[string]string{"doubted": "", "believed": ", heal: {confirm: false}", "steady-on": ""} {
		services += yaml(name, container(t, docker, name), more)
	}
	d := configured(t, docker.Host(), "", services).onKafka(k).start()
	for _, name := range []string{"doubted", "believed", "steady-on"} {
		d.up(name)
	}
	since := time.Now()
	client := kafkaClient(t, k.Addr())
	doubted, believed := watchedBy(t, client, "doubted"), watchedBy(t, client, "believed")
	doubted.says("DOWN")
	believed.says("DOWN")

	// Its own word is enough where the configuration says so: one restart, and
	// once it says UP the incident ends.
	d.until(40*time.Second, "the engine restarted believed", func() bool { return engineActions(t, docker, "believed", since, "restart") == 1 })
	believed.says("UP")
	first := d.newest(60*time.Second, "believed", "is resolved", resolved)
	if got := actions(first); !slices.Equal(got, []string{"restart"}) || how(first) != "healed" {
		t.Errorf("it is believed, and says UP: actions %v, how %q", got, how(first))
	}

	// Elsewhere it turns the service red, and is held until the engine or our
	// own check confirms it.
	d.newest(20*time.Second, "doubted", "is held by the gate unconfirmed", heldBy("unconfirmed"))
	told := d.detail("doubted")
	if told.Status != "DOWN" || told.Held != "unconfirmed" || !strings.Contains(told.HeldReason, "our own check and the engine do not") {
		t.Errorf("it is told as %s, held %q: %s", told.Status, told.Held, told.HeldReason)
	}
	saw := map[string]string{}
	for _, source := range told.Sources {
		saw[source.Instance+"/"+source.Check] = source.Status
	}
	if saw["/"] != "DOWN" || saw[told.Owner+"/http"] != "UP" || saw[told.Owner+"/container"] != "UP" {
		t.Errorf("the sources are %v", saw)
	}

	// It falls silent: what it said stands for sixty seconds.
	doubted.says("")
	believed.says("DOWN") // once more, and then silence
	silent := time.Now()
	d.until(40*time.Second, "the engine restarted believed again", func() bool { return engineActions(t, docker, "believed", since, "restart") == 2 })
	believed.says("")

	// Thresholds count for each source by itself, and what is dated from another
	// time does not count at all, but is shown.
	var odd []*kgo.Record
	for i := range 3 {
		odd = append(odd, observation("steady-on", "DOWN", time.Now(), fmt.Sprintf("cron-%d", i)),
			observation("steady-on", "DOWN", time.Now().Add(6*time.Minute), "ahead"), observation("steady-on", "DOWN", time.Now().Add(-11*time.Minute), "behind"))
	}
	publish(t, client, odd...)
	d.until(10*time.Second, "all of it is shown", func() bool {
		shown := map[string]int{}
		for _, o := range d.detail("steady-on").Observations {
			if o.Counted == strings.HasPrefix(o.Instance, "cron-") {
				shown[strings.TrimRight(o.Instance, "-012")]++
			}
		}
		return shown["cron"] == 3 && shown["ahead"] == 3 && shown["behind"] == 3
	})

	last := d.newest(100*time.Second, "believed", "is resolved", resolved)
	if got := actions(last); last.ID == first.ID || !slices.Equal(got, []string{"restart"}) {
		t.Errorf("it is believed, and falls silent: actions %v", got)
	}
	in := d.newest(80*time.Second, "doubted", "is resolved", resolved)
	if quiet := time.Since(silent); quiet < 55*time.Second {
		t.Errorf("the word of a silent program stood for %v only", quiet)
	}
	if got := actions(in); len(got) != 0 || how(in) != "recovered" {
		t.Errorf("nobody confirmed it: actions %v, how %q", got, how(in))
	}
	for _, name := range []string{"doubted", "steady-on"} {
		if n := engineTold(t, name, since); n != 0 {
			t.Errorf("the engine tells of %d events of %s", n, name)
		}
	}
	if n := engineActions(t, docker, "believed", since, "restart"); n != 2 {
		t.Errorf("the engine tells of %d restarts of believed, want 2", n)
	}
	if all := d.incidents("steady-on"); len(all) != 0 || !d.isUp("steady-on")() {
		t.Errorf("three sources that saw one bad answer each: %+v", all)
	}
	strangers(t, d, client)
}

// strangers has records about more names come than are shown.
func strangers(t *testing.T, d *daemon, client *kgo.Client) {
	t.Helper()
	var records []*kgo.Record
	for i := range 1100 {
		for range 3 {
			records = append(records, observation(fmt.Sprintf("stranger-%d", i), "DOWN", time.Now(), ""))
		}
	}
	publish(t, client, records...)
	publish(t, client, observation("steady-on", "UP", time.Now(), "after-them"))
	d.until(30*time.Second, "all of them were read", func() bool {
		return slices.ContainsFunc(d.detail("steady-on").Observations, func(o struct {
			event.HealthLog
			Counted bool `json:"counted"`
		}) bool {
			return o.Instance == "after-them"
		})
	})
	shown := 0
	d.until(30*time.Second, "a thousand of them are shown", func() bool {
		var all []apiDetail
		if err := d.get("/api/v1/services", &all); err != nil {
			return false
		}
		shown = 0
		for _, s := range all {
			if !strings.HasPrefix(s.Name, "stranger-") {
				continue
			}
			if shown++; s.Managed || s.Configured || s.Status != "DOWN" || s.OpenIncident != "" {
				t.Fatalf("%s is shown as %+v", s.Name, s)
			}
		}
		return shown >= 1000
	})
	var open []apiIncident
	if err := d.get("/api/v1/incidents?state=open", &open); err != nil || shown != 1000 || len(open) != 0 {
		t.Errorf("%d names that nobody configured are shown, want 1000; %d incidents are open (%v)", shown, len(open), err)
	}
}

// deadLetter is a dead letter, as a client that is not ours finds it.
type deadLetter struct {
	key, value []byte
	headers    map[string]string
}

// deadLetters are those that are there, in their order.
func deadLetters(t *testing.T, broker string) []deadLetter {
	t.Helper()
	var all []deadLetter
	for _, r := range topic(t, broker, event.TopicDeadLetters) {
		letter := deadLetter{r.Key, r.Value, map[string]string{}}
		for _, h := range r.Headers {
			letter.headers[h.Key] = string(h.Value)
		}
		all = append(all, letter)
	}
	return all
}

// topic is what stood on a topic when it was asked, each partition in its order.
func topic(t *testing.T, broker, name string) []*kgo.Record {
	t.Helper()
	client := kafkaClient(t, broker, kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
	defer client.Close()
	began := time.Now()
	var all []*kgo.Record
	for quiet := 0; quiet < 2; quiet++ {
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		got := client.PollFetches(ctx).Records()
		cancel()
		for _, r := range got {
			if r.Timestamp.Before(began) {
				all = append(all, r)
				quiet = -1
			}
		}
	}
	return all
}

// TestGarbageStopsNobody puts on the open topic what is no observation.
func TestGarbageStopsNobody(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	d := configured(t, docker.Host(), "", yaml("undisturbed", container(t, docker, "undisturbed"), "")).onKafka(k).start()
	d.up("undisturbed")
	client := kafkaClient(t, k.Addr())
	huge := append([]byte(`{"timestamp":1,"service":"`), bytes.Repeat([]byte("x"), 900_000)...)
	garbage := map[string][]byte{
		"not JSON": []byte("hello"), "no text": {0xff, 0x00, 0xfe, '{', '\n', 0x80}, "empty": {}, "no value": nil, "huge": huge, "a list": []byte(`[1]`),
		"wrong types":           []byte(`{"timestamp":"now","service":7,"status":"DOWN","code":"x"}`),
		"no status":             []byte(`{"timestamp":1700000000,"service":"undisturbed","code":500}`),
		"a status that is none": fmt.Appendf(nil, `{"timestamp":%d,"service":"undisturbed","status":"RED","code":500}`, time.Now().Unix()),
		"cut":                   []byte(`{"timestamp":1700000000,"service":"undisturbed","status":"DO`), "two": []byte(`{} {}`),
	}
	for what, value := range garbage {
		publish(t, client, &kgo.Record{Topic: event.TopicHealth, Key: []byte(what), Value: value})
	}
	check := func(when string) {
		t.Helper()
		var letters []deadLetter
		d.until(30*time.Second, "a dead letter for each "+when, func() bool {
			letters = deadLetters(t, k.Addr())
			return len(letters) >= len(garbage)
		})
		seen := map[string]int{}
		for _, l := range letters {
			what := string(l.key)
			seen[what]++
			_, err1 := strconv.Atoi(l.headers["partition"])
			_, err2 := strconv.Atoi(l.headers["offset"])
			if l.headers["topic"] != event.TopicHealth || l.headers["reason"] == "" || err1 != nil || err2 != nil {
				t.Errorf("%s %s: headers %v", when, what, l.headers)
			}
			if want := garbage[what]; !bytes.Equal(l.value, want) || (l.value == nil) != (want == nil) {
				t.Errorf("%s %s: the letter holds %d bytes, the record %d", when, what, len(l.value), len(want))
			}
		}
		for what := range garbage {
			if seen[what] != 1 {
				t.Errorf("%s %s: %d dead letters", when, what, seen[what])
			}
		}
	}
	check("at once:")
	d.kill()
	d.start()
	d.until(30*time.Second, "it owns its host again", func() bool { return d.status("/readyz") == 200 && d.service("undisturbed").Owner != "" })
	since := time.Now()
	docker.Docker(t, "kill", "undisturbed")
	d.newest(60*time.Second, "undisturbed", "is resolved", resolved)
	if n := engineActions(t, docker, "undisturbed", since, "start"); n != 1 {
		t.Errorf("the engine tells of %d starts, want 1", n)
	}
	check("after a restart:")
}

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
		docker.Docker(t, fault, "calm")
		d.until(20*time.Second, "calm is not UP after "+fault, func() bool { return !d.isUp("calm")() })
		d.newest(60*time.Second, "calm", "is resolved after "+fault, resolved)
		d.up("calm")
	}
	docker.Docker(t, "stop", "left-alone")
	d.until(20*time.Second, "left-alone is not UP", func() bool { return !d.isUp("left-alone")() })
	d.newest(60*time.Second, "left-alone", "is resolved", resolved)
	// An operator's hold, and its end; another hold, which stays.
	hold := func(method, body string) {
		t.Helper()
		if code, answer := d.ask(method, "/api/v1/hold", body); code != 202 {
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
	before := d.tells(names)
	same := func(when string) {
		t.Helper()
		now := d.tells(names)
		for end := time.Now().Add(20 * time.Second); now != before; now = d.tells(names) {
			if time.Now().After(end) {
				t.Fatalf("%s: the page tells what it did not before:\n%s", when, changed(before, now))
			}
			time.Sleep(100 * time.Millisecond)
		}
		for _, name := range names {
			if n := engineTold(t, name, since); n != 0 {
				t.Errorf("%s: the engine tells of %d events of %s", when, n, name)
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
	letters := map[string]int{}
	for _, l := range deadLetters(t, k.Addr()) {
		letters[l.headers["topic"]+string(l.value)]++
		if l.headers["reason"] != "unsigned" {
			t.Errorf("a dead letter with the reason %q: %s", l.headers["reason"], l.value)
		}
	}
	for _, r := range forged {
		if n := letters[r.Topic+string(r.Value)]; n == 0 {
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
	again() // nobody is there: it is the first that the next life reads
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
		t.Errorf("the engine tells of %d starts, want 1", n)
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
		for _, headers := range [][]kgo.RecordHeader{nil, header([]byte("a secret of somebody else's"), topic), header(secret, event.TopicHealth)} {
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

// tells is what the page tells of services and of all incidents, without what
// goes on by itself: code and latency of the last check, and the share of time.
func (d *daemon) tells(names []string) string {
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
		for _, key := range []string{"code", "latency_ms", "uptime", "watched_s", "sources"} {
			delete(s, key)
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
