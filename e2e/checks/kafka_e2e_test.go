//go:build e2e

package checks

import (
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logstream/e2e/kafka"
	"logstream/internal/event"
)

func TestKafka(t *testing.T) {
	broker := kafka.Start(t, "")
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "orders", 3, 1
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics, create.TimeoutMillis = append(create.Topics, topic), 10_000
	if _, err := create.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	base := "kafka://" + broker.Addr()

	expects(t, base, "", "")
	expects(t, base+"/orders", "", "")
	expects(t, base+"/orders", event.FailureLatency, "slower than 1ns", slow)
	expects(t, base+"/missing", event.FailureAnswer, "answers for the topic missing: UNKNOWN_TOPIC_OR_PARTITION (error 3)")
	expects(t, base+"/missing", event.FailureAnswer, "error 3") // the first did not create it

	stand := func(signal syscall.Signal) {
		if err := syscall.Kill(broker.Pid(), signal); err != nil {
			t.Fatal(err)
		}
	}
	stand(syscall.SIGSTOP)
	expects(t, base, event.FailureHeaderTimeout, "did not answer within 500ms", soon)
	stand(syscall.SIGCONT)
	expects(t, base, "", "")
	broker.Kill()
	expects(t, base, event.FailureConnectRefused, "nothing listens there")
	broker.Run()
	expects(t, base+"/orders", "", "")
}
