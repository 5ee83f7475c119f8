package runbook

import (
	"logstream/internal/event"
	"logstream/internal/service"
)

// aroundCauses are those of a container that runs, and whose fault lies around
// it: its network, its disk, what it needs, or what it was made of.
var aroundCauses = []cause{
	{ // remembered networks are missing in the inspection, of the same container
		id:         "network_lost",
		match:      func(f Facts) bool { return isDown(f) && len(f.NetworksLost) > 0 },
		present:    "The container runs, but is detached from its network.",
		past:       "The container ran, but was detached from its network.",
		confidence: 0.95,
		why:        "it was attached to {networks} while its service was UP, and is not now",
		legal:      []option{{service.ActionConnect, "it is attached again as it was, and loses nothing"}, person, nothing},
		wrong:      []option{{service.ActionRestart, "it would come back without the network"}},
	},
	{ // the inspection shows no network, the container's network mode gives it one, and LogStream remembers none of this container
		id:         "no_network",
		match:      func(f Facts) bool { return isDown(f) && f.NoNetwork },
		present:    "The container runs, but is attached to no network.",
		past:       "The container ran, but was attached to no network.",
		confidence: 0.9,
		why:        "LogStream does not know which networks it had: attach it with docker network connect, or create it again, for example with docker compose up -d --force-recreate{compose}",
		wrong:      []option{{service.ActionRestart, "it would come back without a network"}},
	},
	{ // HTTP 507, or its log of this run shows that a write failed for lack of space
		id:    "volume_full",
		shown: []Sign{SignNoSpace},
		match: func(f Facts) bool {
			return serverError(f) && f.Code == statusNoStorage || isDown(f) && shows(SignNoSpace)(f)
		},
		present:    "The service fails because no space is left on its volume.",
		past:       "The service failed because no space was left on its volume.",
		confidence: 0.85,
		why:        "free space on its volume, or enlarge it{said}",
		wrong:      noSpaceByRestart,
	},
	{ // its log of this run shows that a write failed on a read-only file system
		id:         "read_only_fs",
		shown:      []Sign{SignReadOnly},
		match:      func(f Facts) bool { return isDown(f) && shows(SignReadOnly)(f) },
		present:    "The service fails, and its log reports a read-only file system.",
		past:       "The service failed, and its log reported a read-only file system.",
		confidence: 0.85,
		why:        "give it a volume or a tmpfs to write to, or see why the disk turned read-only{said}",
		wrong:      noRestart,
	},
	{ // a service that it needs is DOWN
		id:         "dependency_down",
		match:      func(f Facts) bool { return processAtFault(f) && len(f.DependenciesDown) > 0 },
		present:    "The container runs, and fails while a service that it needs is DOWN.",
		past:       "The container ran, and failed while a service that it needs was DOWN.",
		confidence: 0.9,
		why:        "{dependencies} is DOWN; it is repaired first, and a restart of this one would not help",
		legal:      []option{nothing, person},
		wrong:      noRestart,
	},
	{ // a service that it needs has left a network that this container is in, and no check of this container's service has succeeded since
		id:         "dependency_detached",
		match:      func(f Facts) bool { return processAtFault(f) && len(f.DependenciesDetached) > 0 },
		present:    "The container runs, but fails: a service that it needs was detached from the network that both share.",
		past:       "The container ran, but failed: a service that it needed was detached from the network that both shared.",
		confidence: 0.85,
		why:        "a restart of this container would not help: {detached}; attach that service again: logstream heal SERVICE --action connect, with its name",
		wrong:      noRestart,
		wait:       badChecks,
	},
	{ // no check of our own ever succeeded as it is configured now
		id:         "check_never_up",
		match:      func(f Facts) bool { return processAtFault(f) && !f.WasUp },
		present:    "The check fails and has never succeeded as it is configured now.",
		past:       "The check failed and had never succeeded as it was configured then.",
		confidence: 0.7,
		why:        "{check}; the url may be wrong, and then a restart would only interrupt a healthy container",
		wrong:      []option{{service.ActionRestart, "the check has never succeeded, so it does not show that the process is at fault"}},
		wait:       badChecks,
	},
	{ // no connection at the url, and the same check is good at the container's own address, and its CPU limit does not hold it back
		id: "path_broken",
		match: func(f Facts) bool {
			return failing(unconnected...)(f) && f.Collected.answersDirectly() && !f.Collected.starved()
		},
		present:    "The container answers at its own address, but not at the url.",
		past:       "The container answered at its own address, but not at the url.",
		confidence: 0.85,
		why:        "the fault lies between: the published port, a proxy or a firewall; {check}",
		wrong:      []option{{service.ActionRestart, "the service itself answers"}},
		wait:       badChecks,
	},
	{ // it was healthy before its image or configuration changed, and never since
		id:         "bad_deployment",
		match:      func(f Facts) bool { return f.Changed && (processAtFault(f) || answersWrongly(f)) },
		present:    "The service fails since its image or configuration changed.",
		past:       "The service failed since its image or configuration changed.",
		confidence: 0.85,
		why:        "it was healthy before the change, and has not been healthy since; {check}",
		legal:      []option{rollback, person, nothing},
		wrong:      []option{{service.ActionRestart, "it would start what is broken once more"}},
		wait:       badChecks,
	},
	{ // its image changed shortly before the failure, and it was healthy for a while in between; or it answers, and does worse since
		id:         "bad_update",
		match:      func(f Facts) bool { return f.Updated && (processAtFault(f) || isWorse(f)) },
		present:    "The service fails, or does worse than before, shortly after its image changed.",
		past:       "The service failed, or did worse than before, shortly after its image had changed.",
		confidence: 0.7,
		why:        "the new image may be bad, or the process; {check}",
		legal:      []option{rollback, restart, person, nothing},
		wrong:      alreadyRunning,
		wait:       badChecksUnlessWorse,
	},
	{ // a service that it needs answers slowly, and it does not answer in time
		id:         "dependency_slow",
		match:      func(f Facts) bool { return failing(hangs...)(f) && len(f.DependenciesSlow) > 0 },
		present:    "The container runs, and does not answer in time while a service that it needs is slow.",
		past:       "The container ran, and did not answer in time while a service that it needs was slow.",
		confidence: 0.6,
		why:        "{dependencies} answers slowly: it may only wait for that, or hang by itself",
		legal:      []option{person, restart, nothing},
		wrong:      alreadyRunning,
		wait:       badChecks,
	},
	{ // its log of this run shows that it cannot resolve a host name; where the check times out, a line such as "no such host" does not count
		id:    "dns_inside",
		shown: []Sign{SignDNS, SignNoHost},
		match: func(f Facts) bool {
			return processAtFault(f) && (shows(SignDNS)(f) || shows(SignNoHost)(f) && !failing(hangs...)(f))
		},
		present:    "The service fails, and its log reports a host name that it cannot resolve.",
		past:       "The service failed, and its log reported a host name that it could not resolve.",
		confidence: 0.75,
		why:        "see whether that name exists, and which DNS server the container uses{said}",
		wrong:      noRestart,
	},
}

// statusNoStorage is HTTP's Insufficient Storage.
const statusNoStorage = 507

var noSpaceByRestart = []option{{service.ActionRestart, "a restart frees no space, and a process that cannot write may not come back"}}

// unconnected are the failures of a check that nothing answered at all.
var unconnected = []event.Failure{event.FailureConnectRefused, event.FailureConnectTimeout, event.FailureReset,
	event.FailureHeaderTimeout, event.FailureTLSTimeout, event.FailureUnreachable}

// isDown says whether it runs and our own check is DOWN, for whatever reason.
func isDown(f Facts) bool { return running(f) && f.Check == event.Down }

// answersWrongly says whether it answers, only not as expected.
func answersWrongly(f Facts) bool {
	return failing(event.FailureStatus, event.FailureBody, event.FailureAnswer, event.FailureProtocol)(f)
}

// isWorse says whether a container runs, and its service does worse since its
// image changed.
func isWorse(f Facts) bool { return running(f) && f.Worse != "" }

func badChecksUnlessWorse(f Facts) string {
	if isWorse(f) {
		return ""
	}
	return badChecks(f)
}
