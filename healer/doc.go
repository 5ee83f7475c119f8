// Package healer folds health logs into each service's status, opens an
// incident for what is DOWN, finds out what broke, and repairs it inside of
// guardrails: status → incident → facts → runbook → guard → intent → action →
// result → verification → resolved, the next action, or a person.
//
// # Where to look
//
//	world.go, inout.go   what is known, what can happen, what can be done
//	step.go              one input, and what follows from it (pure)
//	read.go              what is read from the log, and what of it counts
//	think.go             the next thing to do about an incident
//	facts.go             what is known to decide from; runbook/ says what it means
//	consult.go           what the model is asked, and whose view stands; llm/ asks it
//	guard.go             every gate that holds a repair, one function each
//	carry.go             from an intent on the log to its result, also after a crash
//	prove.go             the verification
//	tape.go              reading the engine's events: whose doing was it
//	claim.go             who may act, and how records get onto the log
//	healer.go, effects.go, ask.go  the loop and its workers: the only I/O
//
// # Guarantees
//
// No call is made unless its intent was read back from the log under the
// newest claim, its deadline has not passed, and the container is as it was
// pinned at the decision. An intent without a result is never simply repeated:
// the container is looked at first. At most one append per incident is
// outstanding, and one whose outcome is unknown is repeated byte for byte
// until it, or a foreign claim, is read back. One call at a time is made on
// the engine. What remains is a process that is frozen between its last check
// and the call, which no log can prevent.
//
// A model is one more witness. Its choice has to be one of the actions that are
// legal here and now; it is asked before anything is written of the diagnosis,
// within its time-out, and not at all where it is known to be absent.
//
// # How it is tested
//
// sim_test.go and sim_engine_test.go are a rough model of all that is around
// the World, invariants_test.go says what must never happen, and model_test.go
// drives the one through random and enumerated histories and asks the other
// after each step. scenario_test.go tells the stories one by one. To see a
// failing history: go test ./healer -run 'TestHistory$' -v -seed N
package healer
