package budget

import (
	"time"

	"logstream/internal/event"
)

// Attempt is one intent of an incident, and what became of it.
type Attempt struct {
	Number     int
	Action     string
	Cause      string // the runbook's, by its id; its sentence in records without ids
	Intent     event.ActionStarted
	Began      time.Time     // when its intent was written
	Outcome    event.Outcome // of its verification where there was one, else of its call; empty: not known yet
	Error      string
	AnsweredAt time.Time // when its result was written
	VerifiedAt time.Time // when it was verified; zero: it was not
	// Left and Kept are the containers that it left: in the target's place, where
	// that is another one, and beside it.
	Left, Kept string
}

// Attempts reads the intents of an incident from its events, oldest first.
func Attempts(events []event.Incident) []Attempt {
	var list []Attempt
	cause := ""
	for _, e := range events {
		last := len(list) - 1
		switch data := e.Data.(type) {
		case event.Diagnosed:
			cause = CauseOf(data)
		case event.ActionStarted:
			list = append(list, Attempt{Number: data.Attempt, Action: data.Action, Cause: cause, Intent: data, Began: e.Time})
		case event.ActionFinished:
			if last >= 0 {
				list[last].AnsweredAt, list[last].Left, list[last].Kept = e.Time, data.ContainerID, data.KeptID
				if !data.OK {
					list[last].Outcome, list[last].Error = data.Outcome, data.Error
				}
			}
		case event.Verified:
			if last >= 0 {
				list[last].Outcome, list[last].Error = data.Outcome, data.Error
				if data.OK {
					list[last].VerifiedAt = e.Time
				}
			}
		}
	}
	return list
}

// CauseOf is what the runbook held to be the cause when a diagnosis was written:
// its id, or its sentence in a record without ids.
func CauseOf(d event.Diagnosed) string {
	switch {
	case d.CauseID != "":
		return d.CauseID
	case d.Runbook != nil:
		return d.Runbook.Cause
	}
	return d.Cause
}

// Spent counts the attempts that an incident's budget counts, and the intents
// that were closed without a call.
func Spent(list []Attempt) (counted, notExecuted int) {
	for _, a := range list {
		switch a.Outcome {
		case event.OutcomeFailed, event.OutcomeRefused, event.OutcomeUnknown:
			counted++
		case event.OutcomeNotExecuted:
			notExecuted++
		}
	}
	return counted, notExecuted
}
