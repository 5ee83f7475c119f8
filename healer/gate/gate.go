// Package gate is the list of what can hold a repair. Nothing else holds one.
// A gate is one entry of All: its name (part of the public contract), when it is
// asked, and a check that says why. The package is pure.
package gate

import "time"

// Stage is the step of planning at which a gate is checked.
type Stage int

// The stages, in order.
const (
	Journal Stage = iota // before anything else
	Change               // something outside changed the target
	Witness              // who says that it is DOWN
	Engine               // before the container is inspected
	Target               // once it was inspected
	Finding              // what the runbook found
	Repair               // right before an intent is written
	Wish                 // and again right before the call: what an operator may have changed since
)

// Gate holds a repair for one reason.
type Gate struct {
	Name  string
	Stage Stage
	Check func(Situation) Verdict
}

// Verdict is what a gate says. The zero value lets the repair pass.
type Verdict struct {
	Gate   string     // its name; empty where it passes, or where Wait or Escalate is set without it
	Reason string     // for people
	Until  *time.Time // when it opens by itself, where that is known
	// Wait holds without an event: it passes in a moment.
	Wait bool
	// Escalate calls a person, with this reason.
	Escalate string
	Code     string // of that, where what follows from it is decided later
}

// Passes says whether nothing holds the repair.
func (v Verdict) Passes() bool { return v == Verdict{} }

// OfEngine holds a repair while Docker is unreachable.
const OfEngine = "engine"

// All are the gates, in the order in which they are checked.
var All = []Gate{
	{"log", Journal, unwritable},
	{"rival", Change, anotherHealer}, // before evidence is taken: it changes with each of its repairs
	{"rival", Change, startedFromOutside},
	{"blind", Witness, blind}, // first: no other witness counts then
	{"healthcheck", Witness, healthcheck},
	{"unconfirmed", Witness, unconfirmed},
	{"dependency", Witness, waitsForRoot}, // before the diagnosis: what a dependent shows is the root's failure
	{OfEngine, Engine, engineUnreachable},
	{OfEngine, Target, inspectionFailed},
	{"deploy", Target, missingInDeployment},
	{"starting", Finding, undecided},
	{"policy", Finding, restarting},
	{"self", Repair, self},
	{"hold", Repair, onHold},
	{"silence", Repair, silenced}, // what an operator wants, before what would be done
	{"maintenance", Repair, inMaintenance},
	{"observe", Repair, observeOnly},
	{"full", Repair, full}, // before the budgets: a person is called about the disk, and not about a number
	{"budget", Repair, recurring},
	{"budget", Repair, budgetSpent},
	{"deploy", Repair, deploying},
	{"rival", Repair, stopInProgress},
	{"rival", Repair, secondRestart},
	{"policy", Repair, policyFirst},
	{"operator", Repair, intentional},
	{"operator", Repair, removedOnPurpose},
	{"cooldown", Repair, coolingDown},
	{"starting", Repair, levelPending},
	{"dependency", Repair, pathActs},
	{"starting", Repair, insideStartPeriod},
	{"budget", Repair, tooFewHealthy}, // after what is of this service alone
	{"budget", Repair, oneCallAtATime},
	{"silence", Wish, silenced},
	{"maintenance", Wish, inMaintenance},
	{"blind", Wish, blind},
}

// Check evaluates the gates of a stage, in order; the first that holds decides.
func Check(stage Stage, s Situation) Verdict {
	for _, g := range All {
		if g.Stage != stage {
			continue
		}
		v := g.Check(s)
		if v.Passes() {
			continue
		}
		if v.Reason != "" && v.Gate == "" {
			v.Gate = g.Name
		}
		return v
	}
	return Verdict{}
}

func hold(reason string) Verdict { return Verdict{Reason: reason} }

func holdUntil(reason string, until time.Time) Verdict {
	until = until.UTC()
	return Verdict{Reason: reason, Until: &until}
}

var wait = Verdict{Wait: true}

// Healthcheck says that a container's HEALTHCHECK fails while our own check
// succeeds: that is reported, also where nothing is to be repaired.
func Healthcheck() Verdict {
	return Verdict{Gate: "healthcheck", Reason: "the container's HEALTHCHECK fails while LogStream's own check succeeds: it is reported, and not repaired"}
}

// Flapping keeps an incident open while its service changes its status too
// often: one incident, and not one for each change.
func Flapping() Verdict {
	return Verdict{Gate: "flapping", Reason: "the status changes too often: the incident stays open until it is stable"}
}

// None holds an incident about which the runbook finds nothing to do until a
// fact changes.
func None(why string) Verdict { return Verdict{Gate: "none", Reason: why} }
