package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/supervise"
)

// Bounds of the health logs that wait while Kafka is unreachable.
const (
	queueEntries = 30_000
	queueBytes   = 64 << 20
)

// Identity says who we are.
type Identity struct{ Instance, Host string }

// Bus is the event log. Its methods may be called from any goroutine, but for Close,
// which comes after Run and all subscriptions have returned.
type Bus struct {
	config   Config
	log      *slog.Logger
	addrs    []string
	secret   []byte
	clientID string
	lock     *flock.Flock
	broker   *broker // nil with configured brokers

	life  context.Context // ends with Close: every connection breaks with it
	end   context.CancelFunc
	group errgroup.Group // workers that outlive a call; fails only by a panic

	reachability *reachability
	admin        admin
	appends      appender
	states       appender // of services
	healthLogs   *forwarder
	deadLetters  *deadLetterWriter
}

// Open starts the embedded broker, or, where brokers are configured, connects
// when they answer: brokers that are down are no error here but a problem in
// the registry. A StartError says what a person has to change first.
func Open(ctx context.Context, config Config, who Identity, log *slog.Logger, registry *health.Registry) (*Bus, error) {
	log = log.With("component", "bus")
	saramaLog.Store(log)
	dir := config.Embedded.Data
	if err := createDataDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDataDir(dir)
	if err != nil {
		return nil, err
	}
	b := &Bus{config: config, log: log, lock: lock, addrs: config.Brokers, clientID: clientID(who.Instance)}
	b.life, b.end = context.WithCancel(context.WithoutCancel(ctx))
	b.reachability = &reachability{registry: registry, log: log}
	b.admin.topics = map[string]bool{}
	b.appends.connecting = make(chan struct{}, 1)
	b.states.connecting = make(chan struct{}, 1)
	b.healthLogs = newForwarder(b, "health logs", newQueue(queueEntries, queueBytes))
	b.deadLetters = newDeadLetterWriter(b)
	if err := b.start(ctx, dir); err != nil {
		b.end()
		return nil, errors.Join(err, lock.Unlock())
	}
	b.checkAndReport(ctx)
	return b, nil
}

func (b *Bus) start(ctx context.Context, dir string) error {
	var err error
	if b.secret, err = loadSecret(dir, b.config.Secret); err != nil {
		return err
	}
	if len(b.config.Brokers) > 0 {
		return nil
	}
	if b.broker, err = startBroker(ctx, b.config.Embedded, dir, b.log); err != nil {
		return err
	}
	b.addrs = []string{b.broker.addr}
	return nil
}

// Addr is the address of the embedded broker, or the first configured one.
func (b *Bus) Addr() string { return b.addrs[0] }

// Enqueue hands one record to the batching producer, signed. It never blocks:
// while Kafka is unreachable the oldest that wait are dropped, and counted. An
// empty key is an absent one.
func (b *Bus) Enqueue(topic, key string, value []byte) {
	err := checkSize(topic, key, value)
	if _, known := b.topic(topic); err == nil && !known {
		err = fmt.Errorf("%q is not one of logstream's topics", topic)
	}
	if err != nil {
		b.healthLogs.queue.lose(1)
		b.log.Error("record dropped: it cannot be written", "topic", topic, "error", err)
		return
	}
	b.healthLogs.queue.push(newEntry(topic, key, value))
}

// Dropped counts the records of Enqueue that were given up since the start.
func (b *Bus) Dropped() uint64 { return b.healthLogs.queue.lost() }

// Run forwards what Enqueue takes, creates the topics, keeps the embedded broker's
// disk in its bounds, and checks whether Kafka is reachable, until ctx ends.
func (b *Bus) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "bus health logs", func(ctx context.Context) error { return b.healthLogs.run(ctx, false) })
	supervise.Go(ctx, group, "bus dead letters", func(ctx context.Context) error { return b.deadLetters.forwarder.run(ctx, false) })
	supervise.Go(ctx, group, "bus health", b.watch)
	if b.broker != nil {
		supervise.Go(ctx, group, "bus retention", b.broker.retain)
	}
	return group.Wait()
}

// unreachableFlush is how long Close waits for a Kafka that is unreachable.
const unreachableFlush = 2 * time.Second

// Close writes what waits, as long as ctx allows, and ends the bus: producers,
// clients, and last the embedded broker and the hold on the data directory. A
// Kafka that is unreachable is waited for unreachableFlush at most.
func (b *Bus) Close(ctx context.Context) error {
	if b.reachability.err() != nil {
		limited, cancel := context.WithTimeout(ctx, unreachableFlush)
		defer cancel()
		ctx = limited
	}
	all := []error{b.flush(ctx, b.healthLogs, "health logs"), b.flush(ctx, b.deadLetters.forwarder, "dead letters")}
	all = append(all, b.inTime(ctx, "producer", b.appends.close), b.inTime(ctx, "producer of states", b.states.close))
	b.end()
	all = append(all, b.inTime(ctx, "clients", b.closeClients))
	if b.broker != nil {
		all = append(all, b.inTime(ctx, "embedded broker", func() error { b.broker.close(); return nil }))
	}
	return errors.Join(append(all, b.lock.Unlock())...)
}

func (b *Bus) flush(ctx context.Context, f *forwarder, what string) error {
	if err := f.run(ctx, true); err != nil {
		return err
	}
	if n := f.left(); n > 0 {
		return fmt.Errorf("close the bus: %d %s were not written: %w", n, what, context.Cause(ctx))
	}
	return nil
}

func (b *Bus) closeClients() error {
	var all []error
	for _, f := range []*forwarder{b.healthLogs, b.deadLetters.forwarder} {
		if f.current != nil {
			all = append(all, f.current.close())
		}
	}
	all = append(all, b.admin.close(), b.group.Wait())
	return errors.Join(all...)
}

// inTime waits for close, but not longer than ctx.
func (b *Bus) inTime(ctx context.Context, what string, closing func() error) error {
	var group errgroup.Group
	done := make(chan struct{})
	supervise.Go(context.WithoutCancel(ctx), &group, "bus closing "+what, func(context.Context) error {
		defer close(done)
		return closing()
	})
	select {
	case <-done:
		return group.Wait()
	case <-ctx.Done():
	}
	// What closes quickly is not late, even after one that was.
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-done:
		return group.Wait()
	case <-timer.C:
		return fmt.Errorf("close the bus: the %s did not stop in time: %w", what, context.Cause(ctx))
	}
}

// within waits for call, but not longer than ctx. What comes later is undone.
func within[T any](ctx context.Context, b *Bus, call func() (T, error), undo func(T) error) (T, error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	supervise.Go(b.life, &b.group, "bus call", func(context.Context) error {
		defer close(results)
		value, err := call()
		results <- result{value, err}
		return nil
	})
	select {
	case r, is := <-results:
		if !is {
			return r.value, errors.New("the call panicked")
		}
		return r.value, r.err
	case <-ctx.Done():
	}
	supervise.Go(b.life, &b.group, "bus undoing a late call", func(context.Context) error {
		if r, is := <-results; is && r.err == nil && undo != nil {
			if err := undo(r.value); err != nil {
				b.log.Debug("undid a late call", "error", err)
			}
		}
		return nil
	})
	var none T
	return none, ctx.Err()
}

// topic is how a topic is created here; false: it is none of ours.
func (b *Bus) topic(name string) (topic, bool) {
	if b.broker != nil {
		return embeddedTopic(name, b.config.Embedded)
	}
	return kafkaTopic(name)
}

// admin has the client that creates topics and checks the brokers.
type admin struct {
	mu     sync.Mutex
	client sarama.Client
	topics map[string]bool // which exist, and are as they should be
}

// ensure creates a topic that does not exist.
func (b *Bus) ensure(ctx context.Context, name string) error {
	b.admin.mu.Lock()
	there := b.admin.topics[name]
	b.admin.mu.Unlock()
	if there {
		return nil
	}
	t, known := b.topic(name)
	if !known {
		return fmt.Errorf("%q is not one of logstream's topics", name)
	}
	_, err := within(ctx, b, func() (struct{}, error) { return struct{}{}, b.createTopic(t) }, nil)
	return err
}

func (b *Bus) createTopic(t topic) error {
	client, err := b.adminClient()
	if err != nil {
		return err
	}
	cluster, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return err
	}
	entries := map[string]*string{}
	for key, value := range t.settings() {
		entries[key] = &value
	}
	err = cluster.CreateTopic(t.name, &sarama.TopicDetail{NumPartitions: t.partitions, ReplicationFactor: -1, ConfigEntries: entries}, false)
	if errors.Is(err, sarama.ErrTopicAlreadyExists) {
		err = nil
		if b.broker != nil { // the configuration may have changed; on a real Kafka it is the operator's
			err = cluster.AlterConfig(sarama.TopicResource, t.name, entries, false)
		}
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.name, err)
	}
	b.admin.mu.Lock()
	defer b.admin.mu.Unlock()
	b.admin.topics[t.name] = true
	return nil
}

// adminClient is the client, connected the first time.
func (b *Bus) adminClient() (sarama.Client, error) {
	b.admin.mu.Lock()
	client := b.admin.client
	b.admin.mu.Unlock()
	if client != nil {
		return client, nil
	}
	client, err := sarama.NewClient(b.addrs, b.clientConfig(b.life))
	if err != nil {
		return nil, err
	}
	b.admin.mu.Lock()
	defer b.admin.mu.Unlock()
	if b.admin.client != nil { // another goroutine connected first
		return b.admin.client, client.Close()
	}
	b.admin.client = client
	return client, nil
}

func (a *admin) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client == nil {
		return nil
	}
	return a.client.Close()
}

var _ event.Log = (*Bus)(nil)
