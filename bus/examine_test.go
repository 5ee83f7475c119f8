package bus

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"logstream/internal/event"
)

// examine inspects a broker, and fails the test where it cannot.
func examine(t *testing.T, c Config) Examination {
	t.Helper()
	x, err := Examine(t.Context(), c, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExamineSeesTheInstanceThatRuns(t *testing.T) {
	dir := t.TempDir()
	c := testConfig(dir)
	if x := examine(t, c); !x.Embedded || x.Running != "" || len(x.Topics) != 0 {
		t.Errorf("before the start: %+v", x)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	b, _, stop := open(t, c)
	c.Embedded.Listen = b.Addr()
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := examine(t, c)
	if !strings.HasPrefix(x.Running, "pid ") || x.Address != b.Addr() || len(x.Topics) != len(Topics) {
		t.Errorf("while it runs: %+v", x)
	}
	for _, topic := range x.Topics {
		if topic.Fault != "" || topic.Missing != (topic.Name == event.TopicDeadLetters) {
			t.Errorf("while it runs: %+v", topic)
		}
	}
	stop()
	if x := examine(t, c); x.Running != "" {
		t.Errorf("after its end: %+v", x)
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		t.Error(err)
	}
}

func TestExamineSaysThatNoBrokerAnswers(t *testing.T) {
	c := testConfig(t.TempDir())
	c.Brokers = []string{"127.0.0.1:1"}
	if _, err := Examine(t.Context(), c, testLog(t)); !errors.As(err, new(*UnreachableError)) {
		t.Errorf("no broker gives %v", err)
	}
}

// examinedTopics are found without a fault as we make them, and with one as
// others may.
func examinedTopics(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := testConfig(t.TempDir())
	c.Brokers = []string{u.proxy.Addr().String()}
	faults := func() map[string]TopicFault {
		found := map[string]TopicFault{}
		for _, topic := range examine(t, c).Topics {
			if topic.Fault != "" {
				found[topic.Name] = topic.Fault
			}
		}
		return found
	}
	if found := faults(); len(found) != 0 {
		t.Errorf("as we make them: %v", found)
	}
	admin := u.admin(t)
	set := func(topic, key, value string) {
		if err := admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
			key: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}, false); err != nil {
			t.Fatal(err)
		}
	}
	set(event.TopicIncidents, "retention.ms", "60000")
	set(event.TopicCommands, "cleanup.policy", "compact")
	set(event.TopicServices, "cleanup.policy", "delete")
	want := map[string]TopicFault{event.TopicIncidents: FaultShort, event.TopicCommands: FaultCompacted, event.TopicServices: FaultDeletes}
	found := faults()
	for name, fault := range want {
		if found[name] != fault {
			t.Errorf("%s has the fault %q, want %q", name, found[name], fault)
		}
	}
	if err := admin.CreatePartitions(event.TopicIncidents, 3, nil, false); err != nil {
		t.Fatal(err)
	}
	wait(t, "more partitions to be seen", func() bool { return faults()[event.TopicIncidents] == FaultPartitions })
	if !slices.ContainsFunc(examine(t, c).Topics, func(s TopicSeen) bool { return s.Fault == FaultPartitions && s.Have == "3" && s.Want == "1" }) {
		t.Error("the number of partitions is not given")
	}
}
