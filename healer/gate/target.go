package gate

import (
	"fmt"
	"time"

	"logstream/internal/container"
)

const (
	patience   = 2 * time.Second  // what passes by itself within it is waited for without an event
	policyTime = 10 * time.Second // Docker's restart policy goes first
)

// unwritable says on Kafka, once it can be written again, that it could not: it
// can stand nowhere else.
func unwritable(s Situation) Verdict {
	if s.Unwritable < patience || !s.Open {
		return Verdict{}
	}
	return hold(fmt.Sprintf("Kafka was unreachable for %s: no repair could be recorded, so none was made", s.Unwritable.Round(time.Second)))
}

// startedFromOutside lets the checks decide about what was just started.
func startedFromOutside(s Situation) Verdict {
	if s.Change == nil || s.Now.Sub(s.Change.ReadAt) > s.ChangeLasts {
		return Verdict{}
	}
	if s.LevelDown {
		if s.Now.Sub(s.Change.ReadAt) > patience {
			return Verdict{} // and it is down again
		}
		return wait // the level follows in a moment
	}
	if s.ByPolicy {
		v := holdUntil(policyReason(s.Container), s.Change.ReadAt.Add(s.ChangeLasts))
		v.Gate = "policy"
		return v
	}
	what := "started"
	if s.Change.Action == "unpause" {
		what = "unpaused"
	}
	return hold("an external change " + what + " the container: the next checks show whether it still needs a repair")
}

// healthcheck trusts LogStream's own check, also where a foreign source agrees
// with the container's own.
func healthcheck(s Situation) Verdict {
	if !s.Disputed || !s.Unconfirmed {
		return Verdict{}
	}
	return Healthcheck()
}

func unconfirmed(s Situation) Verdict {
	if !s.Unconfirmed {
		return Verdict{}
	}
	return hold(fmt.Sprintf("only %s reports it DOWN; LogStream's own check and Docker do not", s.Witness))
}

func engineUnreachable(s Situation) Verdict {
	switch {
	case s.EngineLost:
		return hold("Docker is unreachable")
	case s.Now.Before(s.EngineSettled):
		return holdUntil("Docker became reachable a moment ago: it restarts containers by their restart policy first", s.EngineSettled)
	}
	return Verdict{}
}

func inspectionFailed(s Situation) Verdict {
	if s.InspectFailed {
		return hold("Docker is unreachable")
	}
	return Verdict{}
}

// missingInDeployment waits for a container that is being removed, or may be
// about to be created again.
func missingInDeployment(s Situation) Verdict {
	if s.Container.Status == container.Removing && !s.Missing {
		return hold("its container is being removed: a deployment may be in progress")
	}
	if s.Missing && s.Now.Before(s.DeployUntil) {
		return holdUntil("its container was removed or renamed a moment ago: a deployment may be in progress", s.DeployUntil)
	}
	return Verdict{}
}

// undecided waits for facts that come by themselves.
func undecided(s Situation) Verdict {
	switch {
	case s.Undecided == "":
		return Verdict{}
	case s.UndecidedFor > patience:
		return hold(s.Undecided)
	}
	return wait
}

// restarting lets Docker's own restart policy go first: one crash is no loop.
func restarting(s Situation) Verdict {
	if until := s.Opened.Add(policyTime); s.Container.Status == container.Restarting && s.Now.Before(until) {
		return holdUntil(policyReason(s.Container), until)
	}
	return Verdict{}
}

// PolicyStarts says whether Docker's restart policy starts such a container after
// it ended by itself with that exit code. That of the container says nothing of
// it while it runs.
func PolicyStarts(c container.State, code int) bool {
	switch c.RestartPolicy {
	case "always", "unless-stopped":
		return true
	}
	return c.RestartPolicy == "on-failure" && code != 0
}

// policyWorks says whether Docker starts the container again by itself.
func policyWorks(c container.State) bool {
	exhausted := c.RestartPolicy == "on-failure" && c.RestartLimit > 0 && c.RestartCount >= c.RestartLimit
	return PolicyStarts(c, c.ExitCode) && !exhausted
}

func policyReason(c container.State) string {
	return fmt.Sprintf("its restart policy is %s: Docker restarts it first", c.RestartPolicy)
}
