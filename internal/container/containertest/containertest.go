// Package containertest is the conformance suite that every container.Runtime
// passes. What the healer relies on is written here as tests: which events an
// act leaves and in which order, what they carry, that a container keeps its
// identity over starts, how its StartedAt relates to its events, and what is
// an error and what is success.
package containertest

import (
	"iter"
	"testing"

	"logstream/internal/container"
)

// Fixture is a runtime with two containers of its own, running, untouched and
// ready: Name answers at its URL, and Stubborn ignores its stop signal already.
// Exercise asks for a new one in every subtest, so that none sees another's
// history; register what undoes it with t.Cleanup.
//
// The funcs report a failure through t.
type Fixture struct {
	Runtime  container.Runtime
	Injector container.Injector // of the same containers

	// Name is the exact name of a running container that has no restart policy
	// and ends in good order, within its stop time-out, when it is asked to.
	Name string
	// URL answers GET with 200 while that container runs: the same address
	// over stop, start and restart. It is empty where nothing real runs in it.
	URL string
	// StopSignal is what a stop of that container sends first, as
	// container.Event has it: "15", or what its image asks for.
	StopSignal string

	// Stubborn is the exact name of another running container, whose main
	// process ignores its stop signal, which is 15. Its stop time-out is
	// between 1 and 3 seconds.
	Stubborn string

	// Exit has the main process of Name exit by itself with that code (1 to
	// 125): nothing signals it, and the runtime isn't asked to do anything. It
	// need not wait for the end.
	Exit func(t *testing.T, code int)
	// Say has the main process of Name write text, and a line's end, to its
	// standard output. The text is printable ASCII, at most 200,000 bytes. It
	// need not wait until the runtime has it.
	Say func(t *testing.T, text string)
	// Remove removes Name from the runtime, running or not, as docker rm -f
	// does. It is nil where a runtime has no such thing.
	Remove func(t *testing.T)

	// Unsupported are the names of the methods that this runtime answers with
	// ErrUnsupported, such as "Connect": they do nothing else then.
	Unsupported []string
}

// Exercise runs the suite; make is called once in every subtest. The subtests
// run one after the other, without fixed waits.
func Exercise(t *testing.T, make func(t *testing.T) Fixture) {
	for name, test := range Tests() {
		t.Run(name, func(t *testing.T) { test(t, make(t)) })
	}
}

// Tests are those of the suite, for a runtime that needs something around each:
// a bubble of virtual time, say. Each wants a new Fixture.
func Tests() iter.Seq2[string, func(*testing.T, Fixture)] {
	return func(yield func(string, func(*testing.T, Fixture)) bool) {
		for _, test := range tests {
			if !yield(test.name, func(t *testing.T, f Fixture) { test.run(t, newFixture(t, f)) }) {
				return
			}
		}
	}
}

var tests = []struct {
	name string
	run  func(*testing.T, *fixture)
}{
	{"Info", info},
	{"Find", find},
	{"NotFound", notFound},
	{"List", listAll},
	{"Ports", ports},
	{"StateWhileRunning", stateWhileRunning},
	{"IdentityOverStarts", identityOverStarts},
	{"StartExited", startExited},
	{"StartRunning", startRunning},
	{"StartPaused", startPaused},
	{"StartTwiceAtOnce", startTwiceAtOnce},
	{"Restart", restart},
	{"RestartExited", restartExited},
	{"RestartStubborn", restartStubborn},
	{"KillStart", killStart},
	{"KillStartStubborn", killStartStubborn},
	{"Networks", networks},
	{"SetMemory", setMemory},
	{"Recreate", recreate},
	{"RecreateRemoved", recreateRemoved},
	{"RecreateRefused", recreateRefused},
	{"Stats", stats},
	{"Processes", processes},
	{"Unpause", unpause},
	{"UnpauseRunning", unpauseRunning},
	{"UnpauseExited", unpauseExited},
	{"Stop", stop},
	{"StopStubborn", stopStubborn},
	{"Kill", kill},
	{"KillPaused", killPaused},
	{"Exit", exit},
	{"HarmTwice", harmTwice},
	{"UnknownFault", unknownFault},
	{"Faults", faults},
	{"EventsReplay", eventsReplay},
	{"EventsReplayThenLive", eventsReplayThenLive},
	{"EventsFromNow", eventsFromNow},
	{"EventsSlowReader", eventsSlowReader},
	{"EventsEnd", eventsEnd},
	{"EventFields", eventFields},
	{"LogsTail", logsTail},
	{"LogsOverRestart", logsOverRestart},
	{"LogsBounded", logsBounded},
	{"Deadline", deadline},
	{"Cancelled", cancelled},
}
