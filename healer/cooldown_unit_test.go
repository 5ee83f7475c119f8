package healer

import (
	"testing"
	"time"
)

func TestCooldownDoubles(t *testing.T) {
	for n, want := range []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := cooldown(30*time.Second, n); got != want {
			t.Errorf("after %d: %s, want %s", n, got, want)
		}
	}
}
