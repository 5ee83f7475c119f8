package runbook

import (
	"logstream/internal/event"
)

// networkCauses are those of a container that uses another's network. It keeps
// the network of the other's former life: after a restart of that one nothing
// reaches it, and it reaches nothing.
var networkCauses = []cause{restarts(badChecks, cause{ // the container whose network it uses was started after it, and its check does not get through
	id:         "network_parent_restarted",
	match:      networkGone,
	present:    "The container uses the network of {parent}, whose container was started after it.",
	past:       "The container used the network of {parent}, whose container was started after it.",
	confidence: 0.95,
	why:        "its network ended with the former life of that container, and a restart joins the new one",
})}

// networkGone says whether its network ended and its own check does not get
// through. One that answers, whatever it says, has a network.
func networkGone(f Facts) bool {
	through := failing(event.FailureStatus, event.FailureBody, event.FailureAnswer, event.FailureAuth, event.FailureTLSCertificate, event.FailureProtocol, event.FailureDisk)
	return running(f) && f.Check == event.Down && f.WasUp && !through(f) && f.ParentStarted.After(f.StartedAt)
}
