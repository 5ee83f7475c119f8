package bus

import (
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

const (
	dialTimeout  = 5 * time.Second
	readTimeout  = 15 * time.Second
	writeTimeout = 5 * time.Second

	// maxMessage is the most that one record may weigh, with its key and
	// headers, in bytes: what brokers take by default.
	maxMessage = 1 << 20
	// maxBatch bounds what one compressed batch may unpack to, in bytes. The
	// topics are open to all, and a megabyte of zstd holds gigabytes of zeros.
	maxBatch = 32 << 20
	// metadataEvery is how soon every client knows of more partitions: writers and
	// readers place a key by how many there are.
	metadataEvery = 30 * time.Second
	// Health logs wait for each other: batches and not records are what Kafka
	// costs. They wait in our queue, for gather, and go to the producer together,
	// since a record on its own wakes each of its goroutines; linger is for what
	// comes meanwhile.
	gather = 40 * time.Millisecond
	linger = 10 * time.Millisecond
)

// saramaLog is where sarama's own messages go: it has one logger for the whole
// process.
var saramaLog atomic.Pointer[slog.Logger]

func init() {
	sarama.MaxDecompressedBatchSize = maxBatch
	sarama.Logger = debugLog{}
	metrics.UseNilMetrics = true // sarama's own, which are not read: some megabytes, and time with each request
}

type debugLog struct{}

func (debugLog) Print(v ...any)            { debugLog{}.put(fmt.Sprint(v...)) }
func (debugLog) Printf(f string, v ...any) { debugLog{}.put(fmt.Sprintf(f, v...)) }
func (debugLog) Println(v ...any)          { debugLog{}.put(fmt.Sprintln(v...)) }

func (debugLog) put(message string) {
	if log := saramaLog.Load(); log != nil {
		log.Debug("sarama", "message", strings.TrimSpace(message))
	}
}

// clientConfig is what every client has. Its connections break when ctx ends,
// so nothing that waits for a broker outlives ctx.
func (b *Bus) clientConfig(ctx context.Context) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0 // nothing newer is needed, and older clouds stay possible
	c.ClientID = b.clientID
	c.Net.DialTimeout, c.Net.ReadTimeout, c.Net.WriteTimeout = dialTimeout, readTimeout, writeTimeout
	c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, dialer{ctx}
	if err := b.config.secure(c); err != nil {
		b.log.Warn("bus.tls cannot be used", "error", err) // it could when it was read; connections fail until it can again
	}
	c.Metadata.RefreshFrequency = metadataEvery
	c.Metadata.Retry.Max = 1
	c.Metadata.Retry.Backoff = 100 * time.Millisecond
	c.Metadata.AllowAutoTopicCreation = false
	c.Admin.Timeout = 10 * time.Second
	return c
}

func (b *Bus) producerConfig(ctx context.Context, _ context.CancelFunc) *sarama.Config {
	c := b.clientConfig(ctx)
	c.Net.MaxOpenRequests = 1
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewMurmur2Partitioner // Kafka's own; sarama's default sends keys elsewhere
	c.Producer.MaxMessageBytes = maxMessage
	c.Producer.Retry.Max = 5 // sarama allocates a slot for each per partition: never "for ever"
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
	return c
}

// batchingConfig is a producer's whose records wait for company. Its first
// failure is its last: cut breaks its connections before anything is tried
// again. When sarama gives up on a batch it goes on with the next, and a
// broker that comes back between the two would get them out of order.
func (b *Bus) batchingConfig(ctx context.Context, cut context.CancelFunc) *sarama.Config {
	c := b.producerConfig(ctx, cut)
	c.Producer.Flush.Frequency = linger
	c.Producer.Compression = codecs[b.config.Compression]
	if c.Producer.Compression == sarama.CompressionGZIP {
		c.Producer.CompressionLevel = gzip.BestSpeed // health logs repeat themselves so much that more effort gains nothing
	}
	c.Producer.Retry.Max = 1
	c.Producer.Retry.BackoffFunc = func(int, int) time.Duration {
		cut()
		return 0
	}
	return c
}

func (b *Bus) consumerConfig(ctx context.Context, linger time.Duration) *sarama.Config {
	c := b.clientConfig(ctx)
	c.Consumer.Return.Errors = true
	c.Consumer.Retry.Backoff = 250 * time.Millisecond
	c.Consumer.MaxWaitTime = 500 * time.Millisecond
	// What a fetch brings of a partition. An answer stays in the buffer of its
	// connection, in the embedded broker as well: at a megabyte, two dozen
	// subscriptions held 16 MB when they had long read what was there.
	c.Consumer.Fetch.Default = 64 << 10
	// A batch that cannot be parsed to its end is taken for one that is cut, and
	// sarama asks for ever more; at this size it skips it instead. (Brokers
	// send the first batch whole, whatever the size asked for.)
	c.Consumer.Fetch.Max = 4 << 20
	if linger > 0 {
		c.ChannelBufferSize = 0 // nothing more is fetched while a record waits
	}
	return c
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// clientID is the name under which the broker's own logs show us.
func clientID(instance string) string {
	return strings.TrimSuffix("logstream-"+unfit.ReplaceAllString(instance, "_"), "-")
}

// dialer connects for as long as its context lives.
type dialer struct{ ctx context.Context }

func (d dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &boundConn{conn, context.AfterFunc(d.ctx, func() { conn.Close() })}, nil
}

type boundConn struct {
	net.Conn
	release func() bool
}

func (c *boundConn) Close() error {
	c.release()
	return c.Conn.Close()
}
