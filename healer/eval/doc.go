// Package eval scores a model, or the runbook, on incidents that were recorded on real
// container engines: what each would have chosen, beside what is right. The incidents
// and what is right are those of the fault suite; each is replayed through the healer of
// today, so a question has the facts, log lines and choices of a live one.
//
//	eval.go      one incident: what was chosen
//	score.go     all of them: counts and times
//	cases.json   which recorded incidents there are, and what is right
//	incidents/   their recordings
package eval
