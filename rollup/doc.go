// Package rollup is the actor that sums up what is known of each service by
// minute, hour and day, so that uptime and charts outlive the health logs and
// restarts. The owner of a host writes a record of each bucket once it is over.
//
// What holds of it:
//
//   - The time in each status is that of the status that was published, the one
//     that people saw; checks and latency are those of the owner's own checks.
//   - Time while nothing was watched is unknown, neither up nor down: no process,
//     no claim, or a process that was frozen. The four durations of a record are
//     together exactly as long as its bucket, and a bucket of which nothing is
//     known has no record.
//   - Hours are made of minutes, and days of hours. A check counts in the minute
//     in which it ended.
//   - A record is written again until it was read back. Readers identify records by
//     service and start, so nothing is counted twice.
//   - After a crash the present day is rebuilt from its hours, the present hour
//     from its minutes, and the present minute from the health logs. How much is
//     read for that does not depend on how much is on the log: the days of 40
//     days, what came after the newest day and hour, and the last observations.
//   - While Kafka is unreachable no bucket is closed: the health logs that wait
//     in memory still belong into it.
//
// Fold decides, without I/O or a clock; Recorder has the log and the time.
package rollup
