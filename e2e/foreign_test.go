//go:build e2e

package e2e

import (
	"bytes"
	"context"
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

// program is another program that watches a service: it says every two
// seconds how it finds it, in the four fields that are required, without a key
// and without a header.
type program struct {
	client  *kgo.Client
	service string

	mu     sync.Mutex
	status string // empty: it reports nothing
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

// observation is a foreign record; with an instance it has five fields.
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

// apiDetail is what one service's own address returns beside apiService.
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

// engineReported counts all events that the engine reported of a container since then.
func engineReported(t *testing.T, name string, since time.Time) (n int) {
	t.Helper()
	for _, action := range []string{"start", "restart", "stop", "die", "kill", "pause", "unpause"} {
		n += engineActions(t, docker, name, since, action)
	}
	return n
}

// TestAForeignSource has other programs report of services that answer that
// they do not.
func TestAForeignSource(t *testing.T) {
	t.Parallel()
	k := kafka.Start(t, "")
	services := ""
	for name, more := range map[string]string{"unconfirmed": "", "believed": ", heal: {confirm: false}, start_period: 1m", "steady-on": ""} {
		services += yaml(name, container(t, docker, name), more)
	}
	d := configured(t, docker.Host(), "", services).onKafka(k).start()
	for _, name := range []string{"unconfirmed", "believed", "steady-on"} {
		d.up(name)
	}
	since := time.Now()
	client := kafkaClient(t, k.Addr())
	unconfirmed, believed := watchedBy(t, client, "unconfirmed"), watchedBy(t, client, "believed")
	unconfirmed.says("DOWN")
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
	d.newest(20*time.Second, "unconfirmed", "is held by the gate unconfirmed", heldBy("unconfirmed"))
	shown := d.detail("unconfirmed")
	if shown.Status != "DOWN" || shown.Held != "unconfirmed" || !strings.Contains(shown.HeldReason, "own check and Docker do not") {
		t.Errorf("it is shown as %s, held %q: %s", shown.Status, shown.Held, shown.HeldReason)
	}
	saw := map[string]string{}
	for _, source := range shown.Sources {
		saw[source.Instance+"/"+source.Check] = source.Status
	}
	if saw["/"] != "DOWN" || saw[shown.Owner+"/http"] != "UP" || saw[shown.Owner+"/container"] != "UP" {
		t.Errorf("the sources are %v", saw)
	}

	// It stops reporting: its last report counts for sixty seconds.
	unconfirmed.says("")
	believed.says("DOWN") // once more, and then silence
	stopped := time.Now()
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
		t.Errorf("it is believed, and stops reporting: actions %v", got)
	}
	in := d.newest(80*time.Second, "unconfirmed", "is resolved", resolved)
	if quiet := time.Since(stopped); quiet < 55*time.Second {
		t.Errorf("the report of a stopped program counted for %v only", quiet)
	}
	if got := actions(in); len(got) != 0 || how(in) != "recovered" {
		t.Errorf("it was not confirmed: actions %v, how %q", got, how(in))
	}
	for _, name := range []string{"unconfirmed", "steady-on"} {
		if n := engineReported(t, name, since); n != 0 {
			t.Errorf("the engine reports %d events of %s", n, name)
		}
	}
	if n := engineActions(t, docker, "believed", since, "restart"); n != 2 {
		t.Errorf("the engine reports %d restarts of believed, want 2", n)
	}
	if all := d.incidents("steady-on"); len(all) != 0 {
		t.Errorf("three sources that saw one bad answer each: %+v", all)
	}
	d.up("steady-on")
	unmanaged(t, d, client)
}

// unmanaged has records about more names come than are shown.
func unmanaged(t *testing.T, d *daemon, client *kgo.Client) {
	t.Helper()
	var records []*kgo.Record
	for i := range 1100 {
		for range 3 {
			records = append(records, observation(fmt.Sprintf("unmanaged-%d", i), "DOWN", time.Now(), ""))
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
			if !strings.HasPrefix(s.Name, "unmanaged-") {
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
		t.Errorf("%d unconfigured names are shown, want 1000; %d incidents are open (%v)", shown, len(open), err)
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

// TestGarbageGoesToTheDeadLetters puts records on the open topic that are no observations.
func TestGarbageGoesToTheDeadLetters(t *testing.T) {
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
		var deadRecords []deadLetter
		d.until(30*time.Second, "a dead letter for each "+when, func() bool {
			deadRecords = deadLetters(t, k.Addr())
			return len(deadRecords) >= len(garbage)
		})
		seen := map[string]int{}
		for _, l := range deadRecords {
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
		t.Errorf("the engine reports %d starts, want 1", n)
	}
	check("after a restart:")
}
