package notify

import (
	"iter"
	"maps"
	"slices"
)

// The events that a receiver may take.
const (
	Opened    = "opened"    // a service is DOWN; opt-in: most are repaired before the message is read
	Escalated = "escalated" // a person is needed
	Resolved  = "resolved"  // healed, or recovered
	Approval  = "approval"  // a repair waits for a person's approval
	Lost      = "lost"      // Docker, Kafka or the model is unreachable
	Back      = "back"      // and is reached again
	DigestOf  = "digest"    // what happened at night; opt-in

	// Summary stands for messages that waited: for the end of quiet hours, or of
	// an outage.
	Summary = "summary"
	testOf  = "test"
)

// Events are all of them.
var Events = []string{Opened, Escalated, Resolved, Approval, Lost, Back, "digest"}

var defaultOn = []string{Escalated, Resolved, Approval, Lost, Back}

// How bad an event is. High is an escalation of a service that is DOWN: quiet
// hours do not hold it.
const (
	low    = "low"
	normal = "normal"
	high   = "high"
)

var severities = []string{low, normal, high}

// atLeast says whether a severity reaches another; empty is the least.
func atLeast(severity, least string) bool {
	return slices.Index(severities, severity) >= slices.Index(severities, least)
}

func mapKeys[M ~map[string]string](m M) iter.Seq[string] { return maps.Keys(m) }
