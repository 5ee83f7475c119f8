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
	// writeDoubt is how long a failed write counts while the log answers and
	// nothing else was written.
	writeDoubt = 30 * time.Second
)

// Status is how the log is.
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
	if err := b.reachability.wrong(); err != nil {
		s.OK, s.Error = false, reason(err)
	}
	return s
}

// reason is an error in words: the end of a connection has none of its own.
func reason(err error) string {
	if errors.Is(err, io.EOF) {
		return "it closed the connection"
	}
	return err.Error()
}

// Ready says why the log cannot be read and written now, or nil.
func (b *Bus) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := b.check(ctx); err != nil {
		return err
	}
	return b.reachability.wrong()
}

// check makes the topics of the start, and asks the leader of the incidents
// for the end of its log.
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

// watch checks the log until ctx ends, and tells the board.
func (b *Bus) watch(ctx context.Context) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		b.look(ctx)
	}
}

// look checks the log once, and tells the board.
func (b *Bus) look(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := b.check(limited)
	if ctx.Err() == nil {
		b.reachability.checked(err, time.Now())
		b.reachability.tell(b.trouble())
	}
}

// noteWrite books how a write ended.
func (b *Bus) noteWrite(err error) {
	if errors.Is(err, context.Canceled) || hopeless(err) || errors.Is(err, errClosed) {
		return // says nothing about the log
	}
	if b.reachability.wrote(err, time.Now()) {
		b.reachability.tell(b.trouble())
	}
}

// trouble is what is wrong, in words; nil where nothing is.
func (b *Bus) trouble() *health.Problem {
	err := b.reachability.wrong()
	if err == nil {
		return nil
	}
	t := &health.Problem{Part: health.Bus,
		What:   fmt.Sprintf("the log at %s does not answer: %s", strings.Join(b.addrs, ", "), reason(err)),
		Works:  fmt.Sprintf("services are checked; the newest %d observations wait in memory, and the page keeps the last state", ringEntries),
		OnHold: "repairs and commands: each must stand on the log first",
		Remedy: health.Remedy{Text: "correct bus.brokers in config.yaml, or start Kafka", Command: "docker compose up -d kafka"}}
	if b.broker != nil {
		t.Remedy = health.Remedy{Text: fmt.Sprintf("make room in %s if the disk is full, then restart logstream", b.config.Embedded.Data)}
	}
	return t
}

// reachability is what is known about Kafka.
type reachability struct {
	board *health.Registry
	log   *slog.Logger

	mu      sync.Mutex
	read    error // of the last check
	write   error // of the last write
	writeAt time.Time
	told    bool // that something is wrong
}

func (h *reachability) checked(err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.read = err
	if err == nil && now.Sub(h.writeAt) > writeDoubt {
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

func (h *reachability) wrong() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.read != nil {
		return h.read
	}
	return h.write
}

// tell puts a trouble on the board, or clears it, and logs the change.
func (h *reachability) tell(t *health.Problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t != nil {
		h.board.Report(*t)
		if !h.told {
			h.log.Warn(t.What, "fix", t.Remedy)
		}
	} else {
		h.board.Clear(health.Bus)
		if h.told {
			h.log.Info("the log answers")
		}
	}
	h.told = t != nil
}
