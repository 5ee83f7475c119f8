// Package retry is how every loop of this program waits before it tries again.
package retry

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// spread is by how much of itself a delay is longer or shorter than planned,
// at most: parts that failed together don't come back together.
const spread = 0.25

// Backoff gives delays that double from one failure to the next. It belongs to
// one goroutine.
type Backoff struct{ delays backoff.ExponentialBackOff }

// NewBackoff begins at about first, and never waits longer than most.
func NewBackoff(first, most time.Duration) *Backoff {
	return &Backoff{backoff.ExponentialBackOff{
		InitialInterval: first, Multiplier: 2, RandomizationFactor: spread,
		MaxInterval: time.Duration(float64(most) / (1 + spread)), // the library spreads what it has capped
	}}
}

// Next is how long to wait after one more failure.
func (b *Backoff) Next() time.Duration { return b.delays.NextBackOff() }

// Reset begins again at the first delay. It is called after a success.
func (b *Backoff) Reset() { b.delays.Reset() }

// Wait waits after one more failure; false: ctx ended meanwhile.
func (b *Backoff) Wait(ctx context.Context) bool { return Sleep(ctx, b.Next()) }

// Sleep waits for d; false: ctx ended meanwhile.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
