// Package healer folds health logs into each service's status, opens an
// incident for what is DOWN, finds out what broke, and repairs it inside of
// guardrails: status → incident → facts → runbook → gates → intent → action →
// result → verification → resolved, the next action, or a person.
//
// # Where to find what
//
//	input.go           what can happen, and what can be done
//	controller.go      Step: one input, and what follows from it (pure)
//	read.go            what is read from Kafka, and what of it counts
//	command.go, incident_commands.go, answer.go   what operators ask for: one entry per command
//	publish.go, configure.go   what is published of services, and which there are
//	service.go, inspection.go   what is known of one service
//	view.go, facts.go  all that a plan is made from, read-only
//	evidence.go        facts from more than the inspection and our own check
//	collection.go      when more is looked up, and how long that is waited for
//	dependency_graph.go, dependency.go   which service needs which, and which is repaired first
//	plan.go            Plan: a view gives the one next decision (pure)
//	fleet.go, host.go  all services together; what others and operators did
//	healthcheck.go     what a HEALTHCHECK proves of a service that cannot be reached
//	plan_execution.go  from an intent that was confirmed to its verification
//	approval.go, undo.go   what operators are asked before, and what they have undone
//	proposal.go        what programs propose: it waits for an operator
//	image_update.go, update_logs.go   how a service does after its image was changed (see update)
//	recurrence.go          what is not healed: a failure that comes again
//	trust.go               how often a repair would have been right in mode observe
//	consult.go         what the model is queried, and whose view is used
//	healer.go, workers.go, model.go   the loop and its workers: the only I/O,
//	collect.go, logs.go               with what is looked up beside an inspection
//
//	runbook/   causes: an ordered list, facts → cause → legal actions
//	gate/      gates: an ordered list, what holds a repair and why
//	action/    actions: one file each, from preflight to what it leaves
//	history/   the engine's events: how a container ended, and whose doing it was
//	status/    observations → status, with thresholds and freshness
//	depend/    the graph of dependencies: the root of a failure
//	budget/    attempts, cooldowns, rates
//	fleet/     all services together: is the observer blind, are too few healthy
//	claim/     who may act on a host, and the outstanding appends
//	llm/       the model's client, question and answer
//	replay/    recordings of what the controller was given, and their comparison
//	eval/      a model, or the runbook, scored on incidents that were recorded
//
// # Guarantees
//
// No call is made unless its intent was read back under the newest claim, its
// deadline has not passed, and the container is as it was pinned at the
// decision. An intent without a result is never simply repeated: the container
// is inspected first. At most one append per incident is outstanding, and one
// whose outcome is unknown is repeated byte for byte until it, or a foreign
// claim, is read back. One call at a time is made on the engine. What remains is
// a process that is frozen between its last check and the call, which no log can
// prevent; pins and deadline are checked last.
//
// A model is one more witness. Its choice has to be one of the actions that are
// legal here and now; it is queried before anything is written of the
// diagnosis, within its time-out, and not at all where it is known to be absent.
//
// # How it is tested
//
// The sim_*_test.go files are a rough model of all that is around the
// Controller; it speaks through inputs, records and effects alone.
// invariants_test.go says what must never happen, and histories_test.go drives
// the one through random and enumerated histories, with both orders of the
// engine's events, and compares with the other after each step. To see a failing history:
// go test ./healer -run 'TestHistory$' -v -seed N
//
// The shell_*_test.go files run the whole Healer in virtual time, through its
// public names alone, between an event log and an engine in memory that keep
// their contracts and can be slow, fail, hang and lose their answers.
package healer
