package bus

import (
	"strconv"
	"time"

	"logstream/internal/event"
)

// topic is how a topic is made.
type topic struct {
	name       string
	partitions int32
	keep       time.Duration // how long a record is kept; forever: always
	bytes      int64         // how much is kept, by partition; 0: no bound
	segment    int64         // in bytes: what retention deletes at once; 0: the broker's
	compact    bool          // the newest of each key is kept instead
	ownClock   bool          // the time of a record is when the broker took it
}

// Topics that exist from the start; the others are made when first needed.
var startTopics = []string{event.TopicHealth, event.TopicServices, event.TopicIncidents, event.TopicCommands, event.TopicDocker, event.TopicThinking,
	event.TopicRollups1m, event.TopicRollups1h, event.TopicRollups1d, event.TopicNotifications}

const (
	day = 24 * time.Hour
	// forever is what retention.ms has for it.
	forever = -time.Millisecond
)

// rollupsKept is how long a topic of rollups keeps a record.
func rollupsKept(name string) time.Duration {
	for _, level := range event.Levels {
		if level.Topic == name && level.Kept > 0 {
			return level.Kept
		}
	}
	return forever
}

// kafkaTopic is a topic as it is made on real brokers. Bounds in bytes are the
// operator's there, but for the topic that any program may fill.
func kafkaTopic(name string) (topic, bool) {
	t := topic{name: name, partitions: 1, ownClock: true}
	switch name {
	case event.TopicHealth:
		t.partitions, t.keep, t.bytes = 12, 7*day, 1<<30
	case event.TopicServices:
		t.partitions, t.compact = 1, true
	case event.TopicIncidents:
		t.keep = 90 * day
	case event.TopicCommands, event.TopicDocker, event.TopicNotifications:
		t.keep = 7 * day
	case event.TopicThinking:
		t.keep = time.Hour
	case event.TopicRollups1m, event.TopicRollups1h, event.TopicRollups1d:
		t.partitions, t.keep = rollupPartitions(name), rollupsKept(name)
	case event.TopicDeadLetters:
		t.keep, t.bytes = 7*day, 1<<30
	default:
		return topic{}, false
	}
	return t, true
}

// rollupPartitions is how many partitions a topic of rollups has: a chart is read
// from the one of its service, and passes over an eighth of the others' records.
func rollupPartitions(name string) int32 {
	if name == event.TopicRollups1d {
		return 1
	}
	return 8
}

// embeddedTopic is a topic as the embedded broker has it: few partitions, small
// segments, bounded in bytes, and never compacted (its compaction deletes the
// old segments before it has written the new).
func embeddedTopic(name string, e Embedded) (topic, bool) {
	t := topic{name: name, partitions: 1}
	switch name {
	case event.TopicHealth:
		// An eighth and the largest batch are left for the index files, and
		// for what comes in between two applications of the bound.
		t.keep, t.bytes = e.Retention, int64(e.MaxSize)*7/8-maxMessage
		t.segment = segmentBytes(int64(e.MaxSize))
		return t, true
	case event.TopicServices:
		t.keep, t.bytes = 2*day, 32<<20 // the owner writes all of it again each hour
	case event.TopicIncidents:
		t.keep, t.bytes = 90*day, 64<<20
	case event.TopicDocker:
		t.keep, t.bytes = 7*day, 16<<20
	case event.TopicCommands, event.TopicDeadLetters, event.TopicNotifications:
		t.keep, t.bytes = 7*day, 8<<20
	case event.TopicThinking:
		t.keep, t.bytes = time.Hour, 4<<20
	case event.TopicRollups1m, event.TopicRollups1h:
		// More than 500 services fill, whose batches are compressed.
		t.partitions, t.keep, t.bytes = rollupPartitions(name), rollupsKept(name), 24<<20
	case event.TopicRollups1d:
		t.keep, t.segment = rollupsKept(name), 4<<20
		return t, true
	default:
		return topic{}, false
	}
	t.segment = segmentBytes(t.bytes)
	return t, true
}

// segmentBytes is a sixteenth of what is kept, so that whole segments are a
// fine enough grain, and at most 16 MiB.
func segmentBytes(kept int64) int64 { return min(max(kept/16, 256<<10), 16<<20) }

// settings are the topic's in Kafka's words.
func (t topic) settings() map[string]string {
	s := map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(t.keep.Milliseconds(), 10)}
	if t.compact {
		s = map[string]string{"cleanup.policy": "compact"}
	}
	if t.bytes > 0 {
		s["retention.bytes"] = strconv.FormatInt(t.bytes, 10)
	}
	if t.segment > 0 {
		s["segment.bytes"] = strconv.FormatInt(t.segment, 10)
	}
	if t.ownClock {
		s["message.timestamp.type"] = "LogAppendTime"
	}
	return s
}
