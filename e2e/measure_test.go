//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"logstream/internal/event"
)

// beside lets a measurement run beside other tests where no number of rounds is
// given: then it shows that it works, and its figures are of no use.
func beside(t *testing.T) {
	t.Helper()
	if os.Getenv("LOGSTREAM_ROUNDS") == "" {
		t.Parallel()
	}
}

// rounds is how often a repeated scenario runs: LOGSTREAM_ROUNDS, or few.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_ROUNDS")); err == nil {
		return n
	}
	return few
}

// measured is a container from whose kill to its first good answer is measured.
type measured struct {
	t      *testing.T
	name   string
	url    string
	client *http.Client
}

func measure(t *testing.T, name string) *measured {
	t.Helper()
	// A connection that is made while the container's network comes up may lose
	// its first packet and hang for a second: asked anew instead.
	m := &measured{t: t, name: name, url: container(t, docker, name),
		client: &http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}}
	m.await()
	return m
}

func (m *measured) answers() bool {
	response, err := m.client.Get(m.url)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// await queries from the first moment on.
func (m *measured) await() {
	m.t.Helper()
	for end := time.Now().Add(time.Minute); !m.answers(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatal("it does not answer within a minute")
		}
	}
}

// byHand is how long a start takes that is typed at once: the floor.
func (m *measured) byHand() time.Duration {
	m.t.Helper()
	began := time.Now()
	docker.Docker(m.t, "kill", m.name)
	started := make(chan struct{})
	go func() {
		defer close(started)
		_, _ = docker.Command(m.t.Context(), nil, "start", m.name)
	}()
	m.await()
	took := time.Since(began)
	<-started
	return took
}

// healed is how long d takes.
func (m *measured) healed(d *daemon) time.Duration {
	m.t.Helper()
	before := len(d.incidents(m.name))
	began := time.Now()
	docker.Docker(m.t, "kill", m.name)
	m.await()
	took := time.Since(began)
	d.until(60*time.Second, "it is healed", func() bool {
		all := d.incidents(m.name)
		return len(all) == before+1 && all[0].State == "resolved"
	})
	return took
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// TestMeasureFromKillToTheFirstGoodAnswer measures, and asserts nothing of
// time: from `docker kill` to the first good answer, healed by logstream with
// the shipped file's values and no model, beside a `docker start` that is
// typed at once, which is the floor.
func TestMeasureFromKillToTheFirstGoodAnswer(t *testing.T) {
	beside(t)
	m := measure(t, "measured")
	var floor, ours []time.Duration
	for range rounds(1) {
		floor = append(floor, m.byHand())
	}
	d := configured(t, docker.Host(), "", yaml(m.name, m.url, "")).start()
	d.up(m.name)
	for range rounds(1) {
		ours = append(ours, m.healed(d))
	}
	t.Logf("from docker kill to the first good answer: by hand at once %s, by logstream %s (medians of %d), ratio %.1f; all: %v and %v",
		median(floor).Round(time.Millisecond), median(ours).Round(time.Millisecond), len(ours), float64(median(ours))/float64(median(floor)), floor, ours)
}

// TestMeasureWithoutTheModelThatIsWanted measures the same with a model that is
// wanted and known to be absent, beside the rules alone.
func TestMeasureWithoutTheModelThatIsWanted(t *testing.T) {
	beside(t)
	m := measure(t, "without-model")
	times := map[string][]time.Duration{}
	for _, decide := range []string{"runbook", "llm"} {
		d := configured(t, docker.Host(), fmt.Sprintf(", decide: %s, reflex: false, llm: {url: \"http://127.0.0.1:%d\"}", decide, freePort(t)), yaml(m.name, m.url, "")).start()
		d.up(m.name)
		for range rounds(1) {
			times[decide] = append(times[decide], m.healed(d))
		}
		if in := d.incidents(m.name)[0]; in.DecidedBy != event.ByRunbook {
			t.Errorf("decided by %s", in.DecidedBy)
		}
		d.stop()
	}
	t.Logf("from docker kill to the first good answer: decide: runbook %s, with the model absent %s (medians of %d), ratio %.2f; all: %v",
		median(times["runbook"]).Round(time.Millisecond), median(times["llm"]).Round(time.Millisecond), rounds(1),
		float64(median(times["llm"]))/float64(median(times["runbook"])), times)
}
