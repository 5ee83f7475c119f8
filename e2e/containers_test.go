//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/event"
)

// Containers that are watched by what Docker says of them.

// The images of these scenarios: with a HEALTHCHECK, and with one that is broken.
var (
	checkedImage = images.Image{Name: "logstream-webapp-checked", Health: []string{"/webapp", "-check"}}
	brokenCheck  = images.Image{Name: "logstream-webapp-broken-check", Health: []string{"/nope"}}
)

// dockerRecords reads what stands on logstream.docker, until the test ends.
type dockerRecords struct {
	mu  sync.Mutex
	all []event.Docker
}

func (d *daemon) dockerRecords() *dockerRecords {
	d.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(d.broker), kgo.ConsumeTopics(event.TopicDocker), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, done := &dockerRecords{}, make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				if e, err := event.DecodeDocker(record.Value); err == nil {
					r.mu.Lock()
					r.all = append(r.all, e)
					r.mu.Unlock()
				}
			})
		}
	}()
	d.t.Cleanup(func() {
		cancel()
		<-done
		client.Close()
	})
	return r
}

// count is how many records report an action of a container, and how many
// different ones.
func (r *dockerRecords) count(name, action string) (all, different int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range r.all {
		if e.Container == name && e.Action == action {
			all++
			seen[e.ID+e.Time.String()] = true
		}
	}
	return all, len(seen)
}

// TestNoDeathIsMissedWhileTheConnectionDrops has containers die again and again
// while the connection to the engine is cut, refused and made anew.
func TestNoDeathIsMissedWhileTheConnectionDrops(t *testing.T) {
	t.Parallel()
	engines.Each(t, noDeathIsMissed)
}

func noDeathIsMissed(t *testing.T, docker *engine.Engine) {
	proxy := before(t, docker)
	var names []string
	services := ""
	for i := range 4 {
		name := fmt.Sprintf("mortal-%d", i)
		names = append(names, name)
		container(t, docker, name)
		services += fmt.Sprintf("  - {name: %s, container: %s, heal: {mode: observe}}\n", name, name)
	}
	d := configured(t, proxy.Host(), "", services).start()
	records := d.dockerRecords()
	for _, name := range names {
		d.up(name)
	}
	since := time.Now()
	for round := range 5 {
		var deaths sync.WaitGroup
		deaths.Go(func() {
			if round%2 == 0 {
				proxy.CutStreams()
				return
			}
			if err := proxy.Vanish(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if err := proxy.Listen(); err != nil {
				t.Error(err)
			}
		})
		for _, name := range names {
			deaths.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				for _, act := range []string{"kill", "start", "kill", "start"} {
					if _, err := docker.Command(ctx, nil, act, name); err != nil {
						t.Error(err)
					}
				}
			})
		}
		deaths.Wait()
	}
	for _, name := range names {
		for _, action := range []string{"die", "start"} {
			want := engineActions(t, docker, name, since, action)
			if want != 10 {
				t.Errorf("the engine reports %d %s of %s, want 10", want, action, name)
			}
			d.until(30*time.Second, fmt.Sprintf("every %s of %s is on the log", action, name), func() bool { _, n := records.count(name, action); return n >= want })
			if all, different := records.count(name, action); all != want+isFirst(action, all-want) || different != all {
				t.Errorf("%s of %s: %d records, %d different, the engine reports %d", action, name, all, different, want)
			}
		}
		d.up(name)
	}
}

// isFirst allows for the start before the scenario, where it is reported.
func isFirst(action string, more int) int {
	if action == "start" && more == 1 {
		return 1
	}
	return 0
}

// TestContainersWithoutAURL are healed by what Docker says of them, and a broken
// HEALTHCHECK beside a url is reported alone.
func TestContainersWithoutAURL(t *testing.T) {
	t.Parallel()
	engines.Each(t, withoutAURL)
}

func withoutAURL(t *testing.T, docker *engine.Engine) {
	images.Load(t, docker, checkedImage, brokenCheck)
	container(t, docker, "alone")
	container(t, docker, "alone-checked", checkedImage.Name)
	url := container(t, docker, "disputed", brokenCheck.Name)
	d := configured(t, docker.Host(), "", "  - {name: alone, container: alone}\n  - {name: alone-checked, url: 'docker://alone-checked'}\n"+yaml("disputed", url, "")).start()
	records := d.dockerRecords()
	for _, name := range []string{"alone", "alone-checked", "disputed"} {
		d.up(name)
	}
	d.until(30*time.Second, "its HEALTHCHECK was read", func() bool { return strings.Contains(d.raw("/api/v1/services/alone-checked"), `"check":"health"`) })

	docker.Docker(t, "kill", "alone")
	killed := d.newest(60*time.Second, "alone", "is resolved", resolved)
	if got := actions(killed); !slices.Equal(got, []string{"start"}) || how(killed) != "healed" || killed.CauseID != "killed" {
		t.Errorf("actions %v, how %q, cause %q", got, how(killed), killed.CauseID)
	}
	visit(t, docker, "alone-checked", "/fail")
	unhealthy := d.newest(90*time.Second, "alone-checked", "is resolved", resolved)
	if got := actions(unhealthy); !slices.Equal(got, []string{"restart"}) || how(unhealthy) != "healed" || unhealthy.CauseID != "unhealthy" {
		t.Errorf("actions %v, how %q, cause %q", got, how(unhealthy), unhealthy.CauseID)
	}
	d.until(30*time.Second, "the broken HEALTHCHECK is reported", func() bool { return d.service("disputed").Held == "healthcheck" })
	if s := d.service("disputed"); s.Status != "UP" || len(d.incidents("disputed")) != 0 {
		t.Errorf("it is %s, with %d incidents: want UP and none", s.Status, len(d.incidents("disputed")))
	}
	if all, _ := records.count("alone-checked", "health_status"); all < 2 {
		t.Errorf("%d changes of health are on the log, want 2 or more", all)
	}
	if n := engineActions(t, docker, "disputed", time.Now().Add(-time.Hour), "restart"); n != 0 {
		t.Errorf("%d restarts of a service that answers", n)
	}
}

// TestACrashLoopIsDownAlsoInItsGoodMoments has a url that answers in between.
func TestACrashLoopIsDownAlsoInItsGoodMoments(t *testing.T) {
	t.Parallel()
	engines.Each(t, crashLoop)
}

func crashLoop(t *testing.T, docker *engine.Engine) {
	url := container(t, docker, "looping", "--restart", "always")
	d := configured(t, docker.Host(), "", yaml("looping", url, "")).start()
	d.up("looping")
	answers := func() bool {
		response, err := http.Get(url)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	since := time.Now()
	for round := range 3 {
		exits(t, docker, "looping")
		d.until(60*time.Second, "its policy started it", func() bool { return answers() && engineActions(t, docker, "looping", since, "start") == round+1 })
	}
	in := d.newest(60*time.Second, "looping", "is escalated", func(in apiIncident) bool { return in.State == "escalated" })
	if in.CauseID != "crash_loop" || len(actions(in)) != 0 {
		t.Errorf("the cause is %q, actions %v", in.CauseID, actions(in))
	}
	if s := d.service("looping"); s.Status != "DOWN" || !answers() || !strings.Contains(s.Error, "keeps exiting") {
		t.Errorf("it answers, and is %s: %q", s.Status, s.Error)
	}
	d.until(2*time.Minute, "it is UP after it ran for 30 s", d.isUp("looping"))
	end := d.newest(60*time.Second, "looping", "is resolved", resolved)
	if how(end) != "recovered" {
		t.Errorf("it ended as %q", how(end))
	}
}

// TestTwoEnginesUnderOneHostName share a Kafka: the second does not repair, and
// says what to change.
func TestTwoEnginesUnderOneHostName(t *testing.T) {
	t.Parallel()
	other := engine.Start(t, engine.Current)
	images.Load(t, other, images.Webapp)
	ours, theirs := container(t, docker, "ours"), container(t, other, "theirs")
	first := configured(t, docker.Host(), "", yaml("ours", ours, "")).start()
	first.up("ours")
	first.until(20*time.Second, "it owns the host", first.active)

	second := configured(t, other.Host(), "", yaml("theirs", theirs, ""))
	text, err := os.ReadFile(second.config)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(first.dir + "/data/secret")
	if err != nil {
		t.Fatal(err)
	}
	second.write(strings.Replace(string(text), "bus: {", fmt.Sprintf("bus: {brokers: [%q], secret: %q, ", first.broker, strings.TrimSpace(string(secret))), 1))
	second.start()
	second.until(30*time.Second, "it says why it does not repair", func() bool {
		said := problems(second, "healer")
		return len(said) == 1 && strings.Contains(said[0], "two Docker engines are called host local")
	})
	if info := second.raw("/api/v1/info"); !strings.Contains(info, "set host: ") || !strings.Contains(info, `"active":false`) {
		t.Errorf("it says %s", info)
	}
	other.Docker(t, "kill", "theirs")
	since := time.Now()
	docker.Docker(t, "kill", "ours")
	first.newest(60*time.Second, "ours", "is resolved", resolved)
	if n := engineActions(t, other, "theirs", since.Add(-time.Minute), "start"); n > 1 {
		t.Errorf("the second engine's container was started: %d starts", n)
	}
	if first.kill(); len(problems(second, "healer")) != 1 {
		t.Error("it forgot why it does not repair")
	}
}
