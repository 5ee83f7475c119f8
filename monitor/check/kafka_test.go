package check

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logstream/internal/event"
)

func TestKafkaMetadataIsJudged(t *testing.T) {
	for _, c := range []struct {
		name, topic string
		change      func(*kmsg.MetadataResponse) // of the broker's answer
		failure     event.Failure
		says        string
	}{
		{"the broker alone", "", nil, "", ""},
		{"a topic", "/orders", nil, "", ""},
		{"a topic that is missing", "/returns", nil, event.FailureAnswer, "answers for the topic returns: UNKNOWN_TOPIC_OR_PARTITION (error 3)"},
		{"a topic that may not be seen", "/orders", func(m *kmsg.MetadataResponse) { m.Topics[0].ErrorCode = kerr.TopicAuthorizationFailed.Code }, event.FailureAuth, "TOPIC_AUTHORIZATION_FAILED"},
		{"a partition without a leader", "/orders", func(m *kmsg.MetadataResponse) {
			m.Topics[0].Partitions[2].Leader, m.Topics[0].Partitions[2].ErrorCode = -1, kerr.LeaderNotAvailable.Code
		}, event.FailureAnswer, "of the topic orders has no leader"},
		{"no controller", "", func(m *kmsg.MetadataResponse) { m.ControllerID = -1 }, event.FailureAnswer, "has no controller"},
		{"a replica that is down is no failure", "/orders", func(m *kmsg.MetadataResponse) { m.Topics[0].Partitions[1].ErrorCode = kerr.ReplicaNotAvailable.Code }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "orders"))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			if c.change != nil {
				real := lookup(t, cluster, c.topic)
				c.change(real)
				cluster.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
					cluster.KeepControl()
					real.Version = request.GetVersion()
					return real, nil, true
				})
			}
			seen := lookOnce(t, "kafka://"+cluster.ListenAddrs()[0]+c.topic, nil)
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
}

// lookup is what the broker answers.
func lookup(t *testing.T, cluster *kfake.Cluster, topic string) *kmsg.MetadataResponse {
	t.Helper()
	check := newKafka(definitionOf(t, "kafka://"+cluster.ListenAddrs()[0]+topic, nil), Env{}).(*kafkaCheck)
	var answer *kmsg.MetadataResponse
	sees(t, check.check(t.Context(), func(ctx context.Context, p *progress) (err error) {
		answer, err = check.query(ctx, p)
		return err
	}), event.Up, "", "")
	return answer
}
