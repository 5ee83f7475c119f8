package bus

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"logstream/internal/event"
)

// TestAnEventOfAnIncidentWaitsForNoState: the broker has not answered yet what was
// published of a service.
func TestAnEventOfAnIncidentWaitsForNoState(t *testing.T) {
	t.Parallel()
	b, _, stop := open(t, testConfig(t.TempDir()))
	defer stop()
	appendAll(t, b, event.TopicServices, 0, 1)
	held, release := make(chan struct{}), make(chan struct{})
	arrived := sync.OnceFunc(func() { close(held) })
	b.broker.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		for _, of := range r.(*kmsg.ProduceRequest).Topics {
			if of.Topic == event.TopicServices {
				arrived()
				b.broker.cluster.SleepControl(func() { <-release })
				return nil, nil, false
			}
		}
		b.broker.cluster.KeepControl()
		return nil, nil, false
	})
	written := make(chan error, 1)
	go func() { written <- b.Append(t.Context(), event.TopicServices, "web", []byte("2")) }()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	if err := b.Append(ctx, event.TopicIncidents, "web", []byte("opened")); err != nil {
		t.Error(err)
	}
	select {
	case err := <-written:
		t.Fatalf("the state has its answer already: %v", err)
	default:
	}
	close(release)
	select {
	case err := <-written:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("the state has no answer")
	}
}
