//go:build e2e

package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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
	awaitStopped(t, broker.Pid())
	expects(t, base, event.FailureHeaderTimeout, "did not answer within 500ms", soon)
	stand(syscall.SIGCONT)
	expects(t, base, "", "")
	broker.Kill()
	expects(t, base, event.FailureConnectRefused, "nothing listens there")
	broker.Run()
	expects(t, base+"/orders", "", "")
}

// awaitStopped waits until no thread of a process runs any more: a stop signal
// has not reached all of them when kill returns.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("the threads of %d: %v", pid, err)
		}
		if !slices.ContainsFunc(threads, func(path string) bool {
			text, err := os.ReadFile(path)
			_, state, _ := strings.Cut(string(text), ") ")
			return err == nil && !strings.HasPrefix(state, "T")
		}) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d still runs after SIGSTOP", pid)
		}
	}
}
