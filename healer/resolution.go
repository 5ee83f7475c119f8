package healer

import (
	"cmp"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// requestSlack is how much sooner than its incident the service of a request may
// have been seen to be good.
const requestSlack = time.Second

// resolve ends an incident whose service is good since then.
func resolve(v View, how string, good time.Time) Decision {
	in := v.Incident
	ms := func(d time.Duration) float64 { return max(0, float64(d.Microseconds())/1000) }
	return write(event.ByLogstream, event.Resolved{How: how, Attempts: in.Attempts, TTDMS: ms(in.Opened.Sub(in.FirstBad)),
		TTRMS: ms(v.Now.Sub(in.FirstBad)), DownMS: ms(good.Sub(downSince(in)))})
}

// downSince is from when on the service of an incident was not good. One that was
// good while it was opened, for a request or about an update, was so until the outage in
// which its first action was decided, or until that action.
func downSince(in *state.Incident) time.Time {
	opened, is := in.Last(event.TypeOpened)
	if !is {
		return in.FirstBad
	}
	data := opened.Data.(event.Opened)
	wasGood := data.Check == event.CheckUpdate || (data.Check == event.CheckOperator || data.Check == event.CheckProposal) && !in.FirstBad.Before(in.Opened.Add(-requestSlack))
	if i := slices.IndexFunc(in.Events, func(e event.Incident) bool { return e.Type == event.TypeActionStarted }); wasGood && i >= 0 {
		begun := in.Events[i]
		return cmp.Or(begun.Data.(event.ActionStarted).FirstBad, begun.Time)
	}
	return in.FirstBad
}
