package bus

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
)

func TestHealthLogsHaveTheConfiguredCompression(t *testing.T) {
	// The codecs' numbers as Kafka's protocol has them.
	numbers := map[string]uint8{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
	if len(numbers) != len(codecs) {
		t.Fatalf("%d codecs are tested, and %d are known", len(numbers), len(codecs))
	}
	for name, number := range numbers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(t.TempDir())
			c.Compression = name
			b, _, _ := open(t, c)
			for i := range 50 {
				b.Enqueue(event.TopicHealth, "web", fmt.Appendf(nil, `{"timestamp":%d,"service":"web","status":"UP","code":200}`, i))
			}
			client := foreign(t, b, kgo.ConsumeTopics(event.TopicHealth), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			fetched := client.PollRecords(ctx, 1).Records()
			if len(fetched) != 1 {
				t.Fatal("another client read no health log")
			}
			if got := fetched[0].Attrs.CompressionType(); got != number {
				t.Errorf("the batch has codec %d, want %d", got, number)
			}
		})
	}
}
