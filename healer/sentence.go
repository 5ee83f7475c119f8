package healer

import (
	"fmt"
	"strings"

	"logstream/healer/action"
	"logstream/internal/event"
)

// escalation is why a person is called.
func escalation(v View) string {
	dx := v.Diagnosis
	if refused, is := denied(v, dx); is {
		return fmt.Sprintf("%s %s was %s.", dx.Cause, capital(refused.Action), strings.TrimRight(refused.Why, ". "))
	}
	if refused, is := failedAttempt(v, dx); is {
		return fmt.Sprintf("%s %s: %s.", dx.Cause, capital(refused.Action), refused.Why)
	}
	return dx.Cause + " " + capital(dx.Why) + "."
}

// unknownEffect is why a person is called about an action that nothing shows.
func unknownEffect(data event.ActionFinished) string {
	if a, known := action.ByName(data.Action); known && a.Replaces {
		return fmt.Sprintf("Attempt %d (%s) was interrupted before the new container was created. The old one is kept, stopped, under a name that contains -logstream-kept-: rename it back and start it, or create the container again.", data.Attempt, data.Action)
	}
	return fmt.Sprintf("Attempt %d (%s) was interrupted, and nothing shows whether it took effect: check what it did before it is repeated.", data.Attempt, data.Action)
}

// notPutBack is why a person is called about a container that a replacement took
// out of its place, and that could not be put back.
func notPutBack(intent event.ActionStarted, why string) string {
	return fmt.Sprintf("Attempt %d (%s) was interrupted before the new container was created, and the old one could not be put back: %s. It may be stopped, under a name that contains -logstream-kept-: rename it back and start it, or create the container again.",
		intent.Undoes, intent.Action, strings.TrimRight(why, ". "))
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func uncapital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
