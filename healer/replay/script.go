package replay

import (
	"fmt"
	"time"

	"logstream/healer"
)

// script is a recording taken apart: what came from outside, and what answered
// which effect.
type script struct {
	*Recording
	outside []outsideStep // in order, and an end without an input
	effects map[string][]*emission
}

type outsideStep struct {
	in    healer.Input
	at    time.Time
	index int
}

// emission is one recorded effect, with what answered it.
type emission struct {
	at      time.Time
	answers []recordedAnswer
}

type recordedAnswer struct {
	index int // of the step
	delay time.Duration
}

func newScript(r *Recording) *script {
	s := &script{Recording: r, effects: map[string][]*emission{}}
	open := map[string]*emission{} // the newest of each key that may be answered
	end := outsideStep{at: r.Start, index: len(r.steps)}
	for i, step := range r.steps {
		key, final := answers(step.in)
		if e := open[key]; e != nil {
			e.answers = append(e.answers, recordedAnswer{i, step.at.Sub(e.at)})
			if final {
				delete(open, key)
			}
		} else {
			s.outside = append(s.outside, outsideStep{step.in, step.at, i})
		}
		for _, d := range step.decisions {
			if key := effectKey(d); key != "" {
				e := &emission{at: step.at}
				s.effects[key] = append(s.effects[key], e)
				open[key] = e
			}
		}
		end.at = step.at
	}
	s.outside = append(s.outside, end)
	return s
}

// answers is the key of the effect that an input answers, if it answers any;
// and whether nothing answers it a second time: what comes then is a
// republished copy.
func answers(in healer.Input) (key string, final bool) {
	switch in := in.(type) {
	case healer.ReadIncident:
		return appendKey(in.Event.ID, in.Event.Seq), true
	case healer.AppendFailed:
		return appendKey(in.ID, in.Seq), false
	case healer.Published:
		return publishKey(in.Service), true
	case healer.ReadCommand:
		if in.Command.Result != nil {
			return answerKey(in.Command.ID), true
		}
	case healer.Inspected:
		return inspectKey(in.Service, in.Request), true
	case healer.Collected:
		return collectKey(in.Service, in.Request), true
	case healer.Answered:
		return queryKey(in.Service, in.Request), true
	case healer.Executed:
		return callKey(in.Service, in.Attempt), true
	}
	return "", false
}

// effectKey is the key of a recorded effect.
func effectKey(d decision) string {
	service := d.text("service")
	switch d.text("decision") {
	case doAppend:
		return appendKey(d.text("id"), d.number("seq"))
	case doPublish:
		return publishKey(service)
	case doAnswer:
		return answerKey(d.text("id"))
	case doInspect:
		return inspectKey(service, d.number("request"))
	case doCollect:
		return collectKey(service, d.number("request"))
	case doQuery:
		return queryKey(service, d.number("request"))
	case doCall:
		return callKey(service, d.number("attempt"))
	}
	return ""
}

func appendKey(id string, seq int) string { return fmt.Sprintf("append %s/%d", id, seq) }
func publishKey(service string) string    { return "publish " + service }
func answerKey(id string) string          { return "answer " + id }
func inspectKey(service string, request int) string {
	return fmt.Sprintf("inspect %d %s", request, service)
}
func collectKey(service string, request int) string {
	return fmt.Sprintf("collect %d %s", request, service)
}
func queryKey(service string, request int) string {
	return fmt.Sprintf("query %d %s", request, service)
}
func callKey(service string, attempt int) string { return fmt.Sprintf("call %d %s", attempt, service) }
