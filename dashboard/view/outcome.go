package view

import (
	"logstream/internal/event"
	"logstream/internal/state"
)

// What became of the newest decision about an incident.
const (
	OutcomePending     = "pending"     // nothing yet
	OutcomeVerified    = "verified"    // its repair was verified
	OutcomeFailed      = "failed"      // its repair was refused, or failed its verification
	OutcomeDenied      = "denied"      // an operator denied it
	OutcomeInterrupted = "interrupted" // an external change ended its verification
	OutcomeEscalated   = "escalated"   // a person was called before a repair was tried
	OutcomeRecovered   = "recovered"   // the incident ended without a verified repair
	OutcomeClosed      = "closed"      // a command of an operator ended it before that, or its service was removed
)

// outcome is what became of the newest decision, or empty where there is none. The page
// and the post-mortem both say who was right by it.
func outcome(in *state.Incident) string {
	became, undoes := "", false // undoes: the newest attempt undoes another one, which says nothing about the decision
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Diagnosed:
			became = OutcomePending
			continue
		case event.ActionStarted:
			undoes = data.Undoes > 0
		}
		if became != "" && !(undoes && isOfAttempt(e.Data)) {
			became = outcomeAfter(became, e.Data)
		}
	}
	return became
}

// isOfAttempt says whether it is part of an attempt.
func isOfAttempt(data event.Data) bool {
	switch data.(type) {
	case event.ActionStarted, event.ActionFinished, event.Verified:
		return true
	}
	return false
}

// outcomeAfter is what became of a decision, where it was now before the next event.
func outcomeAfter(now string, data event.Data) string {
	switch data := data.(type) {
	case event.Denied:
		return OutcomeDenied
	case event.ActionStarted:
		return OutcomePending
	case event.ActionFinished:
		switch {
		case data.OK:
		case data.Outcome == event.OutcomeNotExecuted:
			return OutcomePending
		default:
			return OutcomeFailed
		}
	case event.Verified:
		switch {
		case data.OK:
			return OutcomeVerified
		case data.Outcome == event.OutcomeInterrupted:
			return OutcomeInterrupted
		}
		return OutcomeFailed
	case event.Escalated:
		if now == OutcomePending {
			return OutcomeEscalated
		}
	case event.Resolved:
		switch {
		case now == OutcomeVerified || data.How == event.HowHealed:
		case data.How == event.HowOperator:
			if now == OutcomeFailed || now == OutcomeDenied {
				return now // which was known before
			}
			return OutcomeClosed
		default:
			return OutcomeRecovered
		}
	}
	return now
}
