package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/gofrs/flock"

	"logstream/internal/event"
)

// Examination is what is found where the event log should be.
type Examination struct {
	Embedded bool
	Address  string      // of the embedded broker, or the first configured one
	Running  string      // the instance that has the data directory, such as "pid 1234"; empty: none
	Topics   []TopicSeen // in order; none where an embedded broker does not run
}

// TopicSeen is a topic of ours on the brokers.
type TopicSeen struct {
	Name    string
	Missing bool       // it is made when it is needed
	Fault   TopicFault // empty: none
	Have    string     // in the words of the setting
	Want    string
	Set     string // the setting that is wrong, such as retention.ms
}

// TopicFault is what is wrong with a topic that others made or changed.
type TopicFault string

// What can be wrong with a topic.
const (
	FaultPartitions TopicFault = "partitions" // incidents need one order, and so one partition
	FaultCompacted  TopicFault = "compacted"  // the history of incidents is not kept
	FaultDeletes    TopicFault = "deletes"    // the newest of each service is not kept
	FaultShort      TopicFault = "short"      // it is kept for less time than is promised
)

// Examine inspects the brokers and our topics on them, and changes nothing: it
// makes no topic, no file, and starts no broker. An UnreachableError says that
// no broker answers.
func Examine(ctx context.Context, config Config, log *slog.Logger) (Examination, error) {
	x := Examination{Embedded: len(config.Brokers) == 0, Running: runningInstance(config.Embedded.Data)}
	addrs := []string(config.Brokers)
	if x.Embedded {
		addrs = []string{config.Embedded.Listen}
	}
	x.Address = addrs[0]
	if x.Embedded && x.Running == "" {
		return x, nil
	}
	b := &Bus{config: config, log: log, addrs: addrs, clientID: clientID("examine")}
	b.life, b.end = context.WithCancel(ctx)
	defer b.end()
	cluster, err := sarama.NewClusterAdmin(addrs, b.clientConfig(b.life))
	if err != nil {
		return x, &UnreachableError{x.Address, err}
	}
	defer cluster.Close() // it only read
	for _, name := range Topics {
		seen, err := x.topic(cluster, name, config)
		if err != nil {
			return x, fmt.Errorf("describe the topic %s at %s: %w", name, x.Address, err)
		}
		x.Topics = append(x.Topics, seen)
	}
	return x, nil
}

// runningInstance is the process that has the data directory.
func runningInstance(dir string) string {
	path := filepath.Join(dir, lockFile)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	lock := flock.New(path)
	got, err := lock.TryRLock()
	if err != nil || got {
		_ = lock.Unlock() // it ends with the process, too
		return ""
	}
	if who := strings.Trim(holder(path), " ()"); who != "" {
		return who
	}
	return "another process"
}

// topic compares a topic with what it should be. More partitions are right, but
// for the incidents.
func (x Examination) topic(cluster sarama.ClusterAdmin, name string, config Config) (TopicSeen, error) {
	seen := TopicSeen{Name: name}
	described, err := cluster.DescribeTopics([]string{name})
	if err != nil {
		return seen, err
	}
	if len(described) != 1 || errors.Is(described[0].Err, sarama.ErrUnknownTopicOrPartition) {
		seen.Missing = true
		return seen, nil
	}
	if described[0].Err != sarama.ErrNoError {
		return seen, described[0].Err
	}
	want, _ := kafkaTopic(name)
	if x.Embedded {
		want, _ = embeddedTopic(name, config.Embedded)
	}
	answers, err := cluster.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: name, ConfigNames: []string{"cleanup.policy", "retention.ms"}}}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return seen, err
	}
	has := map[string]string{}
	for _, answer := range answers {
		for _, e := range answer.Configs {
			has[e.Name] = e.Value
		}
	}
	return seen.compare(want, len(described[0].Partitions), has), nil
}

// compare says what is wrong with a topic that has so many partitions and these
// settings.
func (t TopicSeen) compare(want topic, partitions int, has map[string]string) TopicSeen {
	policy := has["cleanup.policy"]
	kept, err := strconv.ParseInt(has["retention.ms"], 10, 64)
	short := err == nil && kept >= 0 && (want.keep < 0 || time.Duration(kept)*time.Millisecond < want.keep)
	fault := func(fault TopicFault, set, have, wanted string) TopicSeen {
		t.Fault, t.Set, t.Have, t.Want = fault, set, have, wanted
		return t
	}
	switch {
	case t.Name == event.TopicIncidents && partitions != 1:
		return fault(FaultPartitions, "partitions", strconv.Itoa(partitions), "1")
	case !want.compact && strings.Contains(policy, "compact"):
		return fault(FaultCompacted, "cleanup.policy", policy, "delete")
	case want.compact && policy != "" && policy != "compact":
		return fault(FaultDeletes, "cleanup.policy", policy, "compact")
	case !want.compact && short:
		return fault(FaultShort, "retention.ms", has["retention.ms"], want.settings()["retention.ms"])
	}
	return t
}
