package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
	"logstream/internal/health"
)

const (
	checkEvery   = time.Second
	checkTimeout = 5 * time.Second
	// writeErrorLasts is how long a failed write counts while Kafka answers and
	// nothing else was written.
	writeErrorLasts = 30 * time.Second
)

// Status is whether Kafka is reachable.
type Status struct {
	Kind    string // embedded or kafka
	Brokers []string
	OK      bool
	Error   string
}

// Status is the last that was seen.
func (b *Bus) Status() Status {
	s := Status{Kind: "embedded", Brokers: b.addrs, OK: true}
	if b.broker == nil {
		s.Kind = "kafka"
	}
	if err := b.reachability.err(); err != nil {
		s.OK, s.Error = false, reason(err)
	}
	return s
}

// reason is an error in words: the end of a connection has none of its own.
func reason(err error) string {
	if errors.Is(err, io.EOF) {
		return "the server closed the connection"
	}
	return err.Error()
}

// Ready says why Kafka cannot be read and written now, or nil.
func (b *Bus) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := b.check(ctx); err != nil {
		return err
	}
	return b.reachability.err()
}

// check creates the topics of the start, and queries the leader of the incidents
// for their newest offset.
func (b *Bus) check(ctx context.Context) error {
	for _, name := range startTopics {
		if err := b.ensure(ctx, name); err != nil {
			return err
		}
	}
	_, err := within(ctx, b, func() (int64, error) {
		client, err := b.adminClient()
		if err != nil {
			return 0, err
		}
		if err := client.RefreshMetadata(event.TopicIncidents); err != nil {
			return 0, err
		}
		return client.GetOffset(event.TopicIncidents, 0, sarama.OffsetNewest)
	}, nil)
	return err
}

// watch checks Kafka until ctx ends.
func (b *Bus) watch(ctx context.Context) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		b.checkAndReport(ctx)
	}
}

// checkAndReport checks Kafka once, and reports the result.
func (b *Bus) checkAndReport(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := b.check(limited)
	if ctx.Err() == nil {
		b.reachability.checked(err, time.Now())
		b.reachability.report(b.problem())
	}
}

// noteWrite books how a write ended.
func (b *Bus) noteWrite(err error) {
	if errors.Is(err, context.Canceled) || hopeless(err) || errors.Is(err, errClosed) {
		return // says nothing about Kafka
	}
	if b.reachability.wrote(err, time.Now()) {
		b.reachability.report(b.problem())
	}
}

// problem is what the registry gets; nil where Kafka is reachable.
func (b *Bus) problem() *health.Problem {
	err := b.reachability.err()
	if err == nil {
		return nil
	}
	p := &health.Problem{Part: health.Bus,
		What:   fmt.Sprintf("Kafka is unreachable at %s: %s", strings.Join(b.addrs, ", "), reason(err)),
		Works:  fmt.Sprintf("checks, with the newest %d observations in memory, and the page with the last known state", queueEntries),
		OnHold: "repairs and commands, because each is recorded in Kafka first",
		Remedy: health.Remedy{Text: "start Kafka, or correct bus.brokers in config.yaml", Command: "docker compose up -d kafka"}}
	if b.broker != nil {
		p.Remedy = health.Remedy{Text: fmt.Sprintf("make room in %s if the disk is full, then restart logstream", b.config.Embedded.Data)}
	}
	return p
}

// reachability is what is known about Kafka.
type reachability struct {
	registry *health.Registry
	log      *slog.Logger

	mu       sync.Mutex
	read     error // of the last check
	write    error // of the last write
	writeAt  time.Time
	reported bool // a problem is in the registry
}

func (h *reachability) checked(err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.read = err
	if err == nil && now.Sub(h.writeAt) > writeErrorLasts {
		h.write = nil
	}
}

// wrote says whether something changed.
func (h *reachability) wrote(err error, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := (h.write == nil) != (err == nil)
	h.write, h.writeAt = err, now
	return changed
}

func (h *reachability) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.read != nil {
		return h.read
	}
	return h.write
}

// report puts the problem into the registry, or clears it, and logs the change.
func (h *reachability) report(p *health.Problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p != nil {
		h.registry.Report(*p)
		if !h.reported {
			h.log.Warn("Kafka is unreachable", "problem", p.What, "remedy", p.Remedy.String())
		}
	} else {
		h.registry.Clear(health.Bus)
		if h.reported {
			h.log.Info("Kafka is reachable")
		}
	}
	h.reported = p != nil
}
