package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
)

// size is what the files under dir weigh, in bytes.
func diskUsed(t *testing.T, dir string) (total int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
				return nil
			}
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// TestDiskIsBounded writes many times max_size as fast as a client can, in
// batches of one large record and of many small ones: the directory stays
// under max_size and one segment, also when it is opened again.
func TestDiskIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := testConfig(dir)
	config.Embedded.MaxSize = 8 << 20
	limit := int64(config.Embedded.MaxSize) + segmentBytes(int64(config.Embedded.MaxSize))
	largest := int64(0)
	load := func(b *Bus, bytes int, each int, options ...kgo.Opt) {
		client := foreign(t, b, append(options, kgo.ProducerBatchCompression(kgo.NoCompression()))...)
		value := make([]byte, each)
		rand.Read(value)
		var refused atomic.Pointer[error]
		for written := 0; written < bytes; written += each {
			client.Produce(t.Context(), &kgo.Record{Topic: event.TopicHealth, Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					refused.Store(&err)
				}
			})
			if written%(256<<10) < each {
				largest = max(largest, diskUsed(t, dir))
			}
		}
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := refused.Load(); err != nil {
			t.Fatal(*err)
		}
	}
	for range 2 {
		b, _, stop := open(t, config)
		load(b, 40<<20, 100<<10, kgo.ProducerLinger(0))
		load(b, 24<<20, 1000)
		wait(t, "the bound to be applied", func() bool { return diskUsed(t, dir) <= limit })
		stop()
		if now := diskUsed(t, dir); now > limit || now < int64(config.Embedded.MaxSize)/2 {
			t.Errorf("after closing it holds %d bytes, want at most %d and at least half of max_size", now, limit)
		}
	}
	if largest > limit {
		t.Errorf("at most it held %d bytes, the limit is %d", largest, limit)
	}
	b, _, _ := open(t, config)
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	t.Logf("at most %d KiB of %d KiB; %d records left", largest>>10, limit>>10, len(r.all()))
}

// TestASmallerMaxSizeTakesEffect: the bound is the configuration's, not that
// of the day on which the topic was made.
func TestASmallerMaxSizeTakesEffect(t *testing.T) {
	config := testConfig(t.TempDir())
	b, _, stop := open(t, config)
	for range 24 {
		value := make([]byte, 500<<10)
		rand.Read(value)
		b.Enqueue(event.TopicHealth, "k", value)
	}
	stop()
	config.Embedded.MaxSize = 4 << 20
	b, _, _ = open(t, config)
	b.broker.applyRetention()
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	if n := len(r.all()); n == 0 || n > 8 {
		t.Errorf("%d records of 500 KiB are left under 4 MiB", n)
	}
}

// TestASlowReaderContinuesAfterRetentionDeletes: what is deleted before a reader comes to it is
// gone, and the reader goes on with the oldest.
func TestASlowReaderContinuesAfterRetentionDeletes(t *testing.T) {
	config := testConfig(t.TempDir())
	config.Embedded.MaxSize = 4 << 20
	b, _, _ := open(t, config)
	for i := range 3 {
		b.Enqueue(event.TopicHealth, "k", []byte{byte('a' + i)})
	}
	gate, released := make(chan struct{}), make(chan struct{})
	r := read(t, b, event.Subscription{Topic: event.TopicHealth, Handle: func(r event.Record) error {
		if r.Offset == 0 {
			close(gate)
			<-released
		}
		return nil
	}})
	<-gate
	value := make([]byte, 200<<10)
	rand.Read(value)
	client := foreign(t, b, kgo.ProducerBatchCompression(kgo.NoCompression()))
	for range 60 {
		if err := client.ProduceSync(context.Background(), &kgo.Record{Topic: event.TopicHealth, Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.broker.applyRetention()
	close(released)
	produce(t, client, &kgo.Record{Topic: event.TopicHealth, Value: []byte("last")})
	wait(t, "the last record", func() bool {
		all := r.values()
		return len(all) > 0 && all[len(all)-1] == "last"
	})
	last := int64(-1)
	for _, record := range r.all() {
		if record.Offset <= last {
			t.Fatalf("offset %d after %d", record.Offset, last)
		}
		last = record.Offset
	}
}
