package gate

import (
	"fmt"
	"time"

	"logstream/healer/action"
)

// Recurrence is how often a service was healed of one cause, and whether that was
// back soon after it was healed.
type Recurrence struct {
	Cause  string // its id
	Times  int    // with this one
	Most   int    // 0: any number
	Within time.Duration
	Called string // the incident for which a person was called about it; empty: none
	Return Return
}

// Return is a failure that was back soon after a restart against it was verified,
// or that went by itself after a restart that did not help.
type Return struct {
	Action string        // that restart; empty: the failure did not come back
	Failed bool          // it did not help
	After  time.Duration // from its verification, or its result, on
	Called string        // the incident for which a person was called about it; empty: none
}

// The codes of escalations about what is not healed.
const (
	CodeRecurrence = "recurrence" // it comes again and again
	CodeReturn     = "return"     // it was back soon
)

// recurring calls a person once about what is not healed: what was back soon
// after a repair, and what comes again and again. Until that is
// acknowledged, or the time is over, it is left alone. Only what loses something
// is held: each restart of a service that flaps ends what it serves in its good
// moments.
func recurring(s Situation) Verdict {
	r := s.Recurrence
	often, back := r.Most > 0 && r.Times >= r.Most, r.Return.Action != "" && action.Restarts(s.Action)
	switch {
	case !often && !back || s.Asked || action.Lossless(s.Action):
		return Verdict{}
	case often && r.Called != "":
		return notHealed(r, r.Called)
	case back && r.Return.Called != "":
		return notHealed(r, r.Return.Called)
	case back && r.Return.Failed:
		return Verdict{Escalate: fmt.Sprintf("This is not healed: %s is back, and %s did not help against it %s ago. The container's log may show why it fails.",
			r.Cause, r.Return.Action, briefly(r.Return.After)), Code: CodeReturn}
	case back:
		return Verdict{Escalate: fmt.Sprintf("This is not healed: %s was back %s after %s was verified. Another %s would not last: the container's log may show why it fails.",
			r.Cause, briefly(r.Return.After), r.Return.Action, s.Action), Code: CodeReturn}
	}
	return Verdict{Escalate: fmt.Sprintf("This is not healed: %s for the %s time in %s.", r.Cause, ordinal(r.Times), lasting(r.Within)), Code: CodeRecurrence}
}

func notHealed(r Recurrence, called string) Verdict {
	return hold(fmt.Sprintf("this is not healed: %s keeps coming back, and a person was called in incident %s; acknowledge this incident to allow repairs", r.Cause, called))
}

func ordinal(n int) string {
	ending := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		ending = "st"
	case n%10 == 2:
		ending = "nd"
	case n%10 == 3:
		ending = "rd"
	}
	return fmt.Sprintf("%d%s", n, ending)
}

// lasting is a long time as a person says it.
func lasting(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// briefly is a short time as a person says it: in whole seconds, or whole minutes
// from two on.
func briefly(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
