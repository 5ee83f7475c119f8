// Package bus is the event log: Kafka through sarama, and a Kafka broker inside the
// process where none is configured. It imports no actor, and no actor imports
// it; each declares the methods of [event.Log] that it needs.
//
// # What it guarantees
//
// conformance_test.go tests it on the embedded broker and on Apache Kafka.
//
// Order. Records of one key stand in the order in which one producer wrote
// them; Append has one for each topic, and Enqueue another. A subscriber gets the records of
// a partition in the order of their offsets, one at a time.
//
// Acknowledged. Append returns nil when the record is on its topic: written by
// all in-sync replicas, or, in the embedded broker, handed to the operating
// system, so that it survives kill -9 of this process (a power cut as well
// with bus.embedded.sync). After an error the record may be on its topic or not,
// and may still get there a little later. A caller that must know reads it back;
// writing the same bytes again is then at-least-once.
//
// Enqueue never blocks and returns no error. Up to 30,000 records (64 MiB) wait
// while Kafka is unreachable; beyond that the oldest are dropped and counted. What
// was sent but not acknowledged when the connection was lost is searched on
// its topic before it is sent again, so a loss of the connection neither loses
// nor repeats a record. A kill of this process loses what waits.
//
// Reading. A subscription starts at the oldest record, or at an instant of the
// broker's clock, and survives losses of the connection without a gap and
// without repeating a record. A restart of the process starts it over: it
// replays. CaughtUp says when the replay has reached the end that stood at the
// start. A subscription with a Version gets of what stood there the newest of
// each alone, as from a compacted topic, in the order of the topic. Records that retention deletes before a slow reader came to them are
// gone; the reader goes on with the oldest, and a warning is logged.
//
// Trust. Everything written here carries a signature. On incidents, commands
// and services a record without a right one never reaches a handler.
//
// Dead letters. What a handler refuses, what is unsigned where it must not be,
// and what cannot be decoded goes to logstream.dead-letters, each offset once,
// also over restarts; when they come faster than they can be written, the
// oldest are dropped.
//
// Compression. Health logs and dead letters are written in batches, compressed
// with bus.compression; everything that repairs depend on is written at once,
// and plain. Reading takes whatever codec a batch has.
//
// Disk. The embedded broker's system-logs stay under max_size and one segment,
// the other topics under fixed bounds (see topics.go), about 140 MiB together.
package bus
