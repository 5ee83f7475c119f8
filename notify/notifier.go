// Package notify is the actor that notifies people: it folds the event log into
// the messages that are due to each receiver, sends them, and records that.
//
// What holds of it:
//
//   - What is sent is decided by a fold of records (Fold), without a clock and
//     without I/O. Nothing else remembers what was sent: a restart sends nothing
//     again that is recorded, and everything that is not. A kill between a
//     message and its record has it sent twice.
//   - Only the instance that owns its host sends.
//   - There is at most one message about one event, and one for all services that
//     fail because of another. What waited for more than an hour is one summary.
//   - A receiver has one message under way. One that fails is tried again with
//     backoff; nothing else waits for it, and what it misses is not kept in memory
//     but found in the records again.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/nearest"
	"logstream/internal/supervise"
)

// Log is what of the bus is needed here; event.Log says what the methods promise.
type Log interface {
	Append(ctx context.Context, topic, key string, value []byte) error
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Deps are what a Notifier needs. PublicURL and Key may be empty: then messages
// have no links.
type Deps struct {
	Config    Config
	Log       Log
	Identity  event.Origin                    // instance and host
	Owner     func() (event.Origin, bool)     // the claim under which this instance owns its host, if it does
	Healthy   func(ctx context.Context) error // nil while Kafka and the healer are
	PublicURL string                          // of the dashboard, as people reach it
	Key       []byte                          // signs links
	Health    *health.Registry
	Logger    *slog.Logger
}

// Notifier is the actor.
type Notifier struct {
	deps   Deps
	log    *slog.Logger
	links  links
	texts  map[string]texts // by receiver
	status status
}

// New is a notifier of a configuration without problems.
func New(deps Deps) (*Notifier, error) {
	n := &Notifier{deps: deps, log: deps.Logger.With("component", health.Notify), links: newLinks(deps.PublicURL, deps.Identity.Host, deps.Key),
		texts: map[string]texts{}, status: status{registry: deps.Health, failing: map[string]string{}}}
	for _, r := range deps.Config.Receivers {
		made, err := textsOf(r.Templates)
		if err != nil {
			return nil, fmt.Errorf("receiver %s: %w", r.name(), err)
		}
		n.texts[r.name()] = made
	}
	return n, nil
}

// Run notifies until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	n.status.clear()
	group, ctx := errgroup.WithContext(ctx)
	if n.deps.Config.Heartbeat != "" {
		supervise.Go(ctx, group, "notify heartbeat", n.beat)
	}
	if len(n.deps.Config.Receivers) > 0 {
		l := newLife(n, group)
		supervise.Go(ctx, group, "notify records", l.read)
		supervise.Go(ctx, group, "notify writer", l.write)
		supervise.Go(ctx, group, "notify loop", l.loop)
	}
	supervise.Go(ctx, group, "notify", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	return group.Wait()
}

// Result is how a test message to one receiver went.
type Result struct {
	Name  string
	OK    bool
	Error string
}

// ErrUnknownReceiver: no receiver has that name. Its text says which there are.
var ErrUnknownReceiver = errors.New("unknown receiver")

// ErrNoReceivers: none is configured.
var ErrNoReceivers = errors.New("no receiver is configured: add one under notify.receivers in config.yaml")

// Listed is a receiver as people see it: without its address, which is a secret.
type Listed struct {
	Name, Kind           string
	On, Services, Groups []string
}

// Receivers lists the receivers that are configured.
func (n *Notifier) Receivers() []Listed {
	all := []Listed{}
	for _, r := range n.deps.Config.Receivers {
		on := r.On
		if len(on) == 0 {
			on = defaultOn
		}
		kind := r
		kind.Name = ""
		all = append(all, Listed{r.name(), kind.name(), append([]string{}, on...), append([]string{}, r.Services...), append([]string{}, r.Groups...)})
	}
	return all
}

// Test sends a test message to the receiver of that name, or to all where it is
// empty, and says how it went. Any instance may.
func (n *Notifier) Test(ctx context.Context, name string) ([]Result, error) {
	var names []string
	for _, r := range n.deps.Config.Receivers {
		names = append(names, r.name())
	}
	switch {
	case len(names) == 0:
		return nil, ErrNoReceivers
	case name != "" && !slices.Contains(names, name):
		why := fmt.Errorf("%w %q; the receivers are %s", ErrUnknownReceiver, name, strings.Join(names, ", "))
		if near := nearest.Of(name, names); near != "" {
			why = fmt.Errorf("%w %q; did you mean %s?", ErrUnknownReceiver, name, near)
		}
		return nil, why
	}
	results := make([]Result, len(names))
	var group errgroup.Group
	for i, r := range n.deps.Config.Receivers {
		if name != "" && r.name() != name {
			continue
		}
		supervise.Go(ctx, &group, "notify test", func(ctx context.Context) error {
			results[i] = Result{Name: r.name(), OK: true}
			now := time.Now()
			err := (&receiver{Receiver: r}).send(ctx, n.message(r, Note{Event: testOf, Severity: low, Time: now, Host: n.deps.Identity.Host}, now))
			if err != nil {
				results[i].OK, results[i].Error = false, err.Error()
			}
			return nil
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.Name == "" }), err
}
