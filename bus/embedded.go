package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// retentionEvery bounds how long a record outlives its time. The bound in
// bytes is applied whenever a sixty-fourth of it has come in.
const retentionEvery = 10 * time.Second

// broker is the Kafka broker inside the process.
type broker struct {
	addr string
	log  *slog.Logger

	mu      sync.Mutex
	cluster *kfake.Cluster // nil once closed: a closed cluster answers no call
}

// startBroker listens, and opens the topics under dir. What fails here is
// wrong and not down: the error is a StartError.
func startBroker(ctx context.Context, e Embedded, dir string, log *slog.Logger) (*broker, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", e.Listen)
	if err != nil {
		return nil, listenError(e.Listen, err)
	}
	return openBroker(listener, e, dir, log)
}

// openBroker opens the topics under dir. It advertises the listener's address.
func openBroker(listener net.Listener, e Embedded, dir string, log *slog.Logger) (*broker, error) {
	b := &broker{addr: listener.Addr().String(), log: log}
	m := &meter{Listener: listener, step: max(int64(e.MaxSize)/64, 64<<10), due: b.applyRetention}
	path := filepath.Join(dir, logDir)
	options := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.DataDir(path),
		kfake.ClusterID("logstream"),
		kfake.DefaultNumPartitions(1),
		kfake.WithLogger(brokerLog{log}),
		kfake.MaxVersions(versions()),
		// The broker advertises the address of its listener.
		kfake.ListenFn(func(string, string) (net.Listener, error) { return m, nil }),
	}
	if e.Sync {
		options = append(options, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		listener.Close()
		return nil, &StartError{fmt.Sprintf("the topics in %s cannot be opened", path), err,
			"make it readable and writable for this user, or move it elsewhere to start with empty topics"}
	}
	b.use(cluster)
	// What was trimmed before a kill is back. The broker counts a segment that
	// is trimmed in part twice, so once is not enough.
	b.applyRetention()
	b.applyRetention()
	debug.FreeOSMemory()
	return b, nil
}

func listenError(address string, err error) error {
	what := fmt.Sprintf("the embedded broker cannot listen at %s", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &StartError{fmt.Sprintf("address %s is in use", address), err,
			"stop the process that listens there, set bus.embedded.listen to another address, or use that Kafka with bus.brokers"}
	}
	return &StartError{what, err, "set bus.embedded.listen to an address of this machine, such as 127.0.0.1:9092"}
}

// versions are the API versions that the broker offers. Without key 75 Java's
// kafka-topics --describe queries in a way that the broker can answer.
func versions() *kversion.Versions {
	v := kversion.V4_1_0()
	v.SetMaxKeyVersion(kmsg.DescribeTopicPartitions.Int16(), -1)
	return v
}

// renewControl is after how many produce requests the broker's hook is
// registered again: it remembers each connection's last request for ever.
const renewControl = 1000

// use takes the cluster into service, and makes its clock the time of every
// record.
func (b *broker) use(cluster *kfake.Cluster) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cluster = cluster
	seen := 0
	var hook func(kmsg.Request) (kmsg.Response, error, bool)
	hook = func(request kmsg.Request) (kmsg.Response, error, bool) {
		if produce, is := request.(*kmsg.ProduceRequest); is {
			now := time.Now().UnixMilli()
			for _, t := range produce.Topics {
				for _, p := range t.Partitions {
					setBrokerTime(p.Records, now)
				}
			}
		}
		if seen++; seen%renewControl == 0 {
			cluster.DropControl()
			cluster.ControlKey(kmsg.Produce.Int16(), hook)
		}
		return nil, nil, false
	}
	cluster.ControlKey(kmsg.Produce.Int16(), hook)
}

// retain applies the bounds until ctx ends.
func (b *broker) retain(ctx context.Context) error {
	ticker := time.NewTicker(retentionEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		b.applyRetention()
	}
}

func (b *broker) applyRetention() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cluster != nil {
		b.cluster.ApplyRetention()
	}
}

// close writes the broker's state and ends it.
func (b *broker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cluster != nil {
		b.cluster.Close()
		b.cluster = nil
	}
}

// meter counts what comes in from all clients, ours and others', and has the
// bound in bytes applied before more is taken.
type meter struct {
	net.Listener
	step  int64
	bytes atomic.Int64
	due   func()
}

func (m *meter) Accept() (net.Conn, error) {
	conn, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &meteredConn{conn, m}, nil
}

type meteredConn struct {
	net.Conn
	meter *meter
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	m := c.meter
	if after := m.bytes.Add(int64(n)); after/m.step != (after-int64(n))/m.step {
		m.due()
	}
	return n, err
}

// brokerLog shows the broker's warnings: only they say that it
// truncated a damaged segment or could not write.
type brokerLog struct{ log *slog.Logger }

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.log.Enabled(ctx, to) {
		l.log.Log(ctx, to, "embedded broker", "message", fmt.Sprintf(format, args...))
	}
}
