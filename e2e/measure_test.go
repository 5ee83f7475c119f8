//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// rounds is how often a repeated story is told: LOGSTREAM_ROUNDS, or few.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_ROUNDS")); err == nil {
		return n
	}
	return few
}

// TestMeasureFromKillToTheFirstGoodAnswer measures, and asserts nothing of
// time: from `docker kill` to the first good answer, healed by logstream with
// the shipped file's values and no model, beside a `docker start` that is
// typed at once, which is the floor.
func TestMeasureFromKillToTheFirstGoodAnswer(t *testing.T) {
	url := container(t, docker, "measured")
	// A connection that is made while the container's network comes up may lose
	// its first packet and hang for a second: asked anew instead.
	client := &http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	answers := func() bool {
		response, err := client.Get(url)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	await := func() {
		for end := time.Now().Add(30 * time.Second); !answers(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it does not answer within 30 s")
			}
		}
	}
	await()
	var floor, ours []time.Duration
	for range rounds(3) {
		began := time.Now()
		docker.Docker(t, "kill", "measured")
		started := make(chan struct{})
		go func() {
			defer close(started)
			_, _ = docker.Command(t.Context(), nil, "start", "measured")
		}()
		await() // asks from the first moment on, as below
		floor = append(floor, time.Since(began))
		<-started
	}
	d := configured(t, docker.Host(), "", yaml("measured", url, "")).start()
	d.up("measured")
	for n := range rounds(3) {
		began := time.Now()
		docker.Docker(t, "kill", "measured")
		await()
		ours = append(ours, time.Since(began))
		d.until(60*time.Second, "it is healed", func() bool {
			all := d.incidents("measured")
			return len(all) == n+1 && all[0].State == "resolved"
		})
	}
	slices.Sort(floor)
	slices.Sort(ours)
	middle := func(list []time.Duration) time.Duration { return list[len(list)/2] }
	t.Logf("from docker kill to the first good answer: by hand at once %s, by logstream %s (medians of %d), ratio %.1f; all: %v and %v",
		middle(floor).Round(time.Millisecond), middle(ours).Round(time.Millisecond), len(ours), float64(middle(ours))/float64(middle(floor)), floor, ours)
}
