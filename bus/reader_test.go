package bus

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
)

// values of a topic in a span, with a mark behind those that are signed.
func spanOf(t *testing.T, c Config, topic string, since, until time.Time) []string {
	t.Helper()
	r, err := OpenReader(t.Context(), c, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := []string{}
	err = r.Read(t.Context(), topic, since, until, func(r event.Record) {
		text := string(r.Key) + "=" + string(r.Value)
		if r.Signed {
			text += " signed"
		}
		all = append(all, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAReaderReadsASpanBesideAnInstanceAndAfterIt(t *testing.T) {
	c := testConfig(t.TempDir())
	b, _, stop := open(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	write := func(value string) {
		if err := b.Append(ctx, event.TopicIncidents, "web", []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	pause := func() time.Time { // the log's clock has milliseconds
		time.Sleep(5 * time.Millisecond)
		defer time.Sleep(5 * time.Millisecond)
		return time.Now()
	}
	write("1")
	since := pause()
	write("2")
	forge(t, b.Addr(), event.TopicIncidents, "web", "3")
	until := pause()
	write("4")

	beside := c
	beside.Embedded.Listen = b.Addr()
	check := func(c Config) {
		t.Helper()
		for _, tt := range []struct {
			since, until time.Time
			want         []string
		}{
			{since, until, []string{"web=2 signed", "web=3"}},
			{time.Time{}, since, []string{"web=1 signed"}},
			{until, time.Time{}, []string{"web=4 signed"}},
			{time.Time{}, time.Time{}, []string{"web=1 signed", "web=2 signed", "web=3", "web=4 signed"}},
			{time.Now().Add(time.Hour), time.Time{}, []string{}},
		} {
			if got := spanOf(t, c, event.TopicIncidents, tt.since, tt.until); !slices.Equal(got, tt.want) {
				t.Errorf("from %v until %v: got %q, want %q", tt.since, tt.until, got, tt.want)
			}
		}
		if got := spanOf(t, c, event.TopicDeadLetters, time.Time{}, time.Time{}); len(got) != 0 {
			t.Errorf("a topic without records has %q", got)
		}
	}
	check(beside)
	stop()
	check(c)
}

// forge writes a record as any client can: without a signature.
func forge(t *testing.T, addr, topic, key, value string) {
	t.Helper()
	c := sarama.NewConfig()
	c.Producer.Return.Successes = true
	p, err := sarama.NewSyncProducer([]string{addr}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(key), Value: sarama.StringEncoder(value)}); err != nil {
		t.Fatal(err)
	}
}

func TestAReaderSaysWhatIsMissing(t *testing.T) {
	c := testConfig(t.TempDir() + "/none")
	if _, err := OpenReader(t.Context(), c, testLog(t)); !errors.As(err, new(*StartError)) {
		t.Errorf("without a data directory: %v", err)
	}
	c = testConfig(t.TempDir())
	c.Brokers = []string{"127.0.0.1:1"}
	if _, err := OpenReader(t.Context(), c, testLog(t)); err == nil || errors.As(err, new(*StartError)) {
		t.Errorf("with brokers that are down: %v", err)
	}
}
