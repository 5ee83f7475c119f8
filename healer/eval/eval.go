package eval

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"logstream/healer"
	"logstream/healer/llm"
	"logstream/healer/replay"
	"logstream/internal/event"
	"logstream/internal/service"
)

//go:embed cases.json incidents
var shipped embed.FS

// Case is a recorded incident, and what is right.
type Case struct {
	Name      string   `json:"case"` // of the scenario, and of its service
	Fault     string   `json:"fault"`
	Right     []string `json:"right"` // the actions, or escalate
	Harmful   []string `json:"harmful,omitempty"`
	Recording string   `json:"recording"` // the file
}

// Verdict is what a choice was.
type Verdict string

// The verdicts.
const (
	Right   Verdict = "right"
	Wrong   Verdict = "wrong"    // it neither helps nor does harm
	Harmful Verdict = "harmful"  // it does harm
	NoUse   Verdict = "unusable" // no answer that can be used
)

// judge is what a choice was; empty: there was none.
func (c Case) judge(chosen string) Verdict {
	switch {
	case chosen == "":
		return NoUse
	case slices.Contains(c.Right, chosen):
		return Right
	case slices.Contains(c.Harmful, chosen):
		return Harmful
	}
	return Wrong
}

// Choice is what one of them chose.
type Choice struct {
	Action  string  `json:"action"` // empty: there is no usable answer
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"` // in its words; why there is none
}

// Result is one incident.
type Result struct {
	Case
	Runbook Choice  `json:"runbook"`
	Model   *Choice `json:"model,omitempty"`    // nil: none was queried about it
	Done    Choice  `json:"done"`               // what LogStream would have done with it
	MS      int64   `json:"model_ms,omitempty"` // how long the model took
}

// Model answers a question; *llm.Client documents it.
type Model interface {
	Query(ctx context.Context, q llm.Question, thinks func(string)) llm.Answer
}

// Cases are the recorded incidents that ship with LogStream, by name.
func Cases() ([]Case, error) {
	text, err := shipped.ReadFile("cases.json")
	if err != nil {
		return nil, err
	}
	var all []Case
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("cases.json: %w", err)
	}
	return all, nil
}

// Run replays the incidents, and queries the model where there is one; model may be nil.
// each gets every result as soon as it is there. Its error is that of ctx, or says which
// incident cannot be replayed.
func Run(ctx context.Context, cases []Case, model Model, each func(Result)) error {
	for len(cases) > 0 {
		together := func(c Case) bool { return c.Recording == cases[0].Recording }
		r, err := read(cases[0].Recording)
		if err == nil {
			err = replayOf(ctx, r, slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return !together(c) }), model, each)
		}
		if err != nil {
			return fmt.Errorf("the recording %s: %w", cases[0].Recording, err)
		}
		cases = slices.DeleteFunc(slices.Clone(cases), together)
	}
	return nil
}

func read(name string) (*replay.Recording, error) {
	packed, err := shipped.ReadFile("incidents/" + name)
	if err != nil {
		return nil, err
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return replay.Read(unzipped)
}

// course is how far one incident of a recording is.
type course struct {
	Result
	stands  event.Diagnosed // the newest
	queried bool            // the model was
	over    bool
}

// errDecided ends a replay: all that was wanted of it is known.
var errDecided = errors.New("decided")

// replayOf replays a recording until the first action on the service of each case, the
// request for its approval, or the call for a person.
func replayOf(ctx context.Context, r *replay.Recording, cases []Case, model Model, each func(Result)) error {
	courses, left := map[string]*course{}, len(cases)
	for _, c := range cases {
		courses[c.Name] = &course{Result: Result{Case: c}}
	}
	query := func(q healer.Query) llm.Answer {
		of := courses[q.Service]
		if model == nil || of == nil || of.over || ctx.Err() != nil {
			return llm.Answer{Code: event.InvalidUnreachable, Invalid: "it is not queried"}
		}
		of.queried = true
		began := time.Now()
		answer := model.Query(ctx, q.Question, nil)
		of.MS += time.Since(began).Milliseconds()
		return answer
	}
	err := r.WithModel(query, func(_ healer.Input, _ time.Time, effects []healer.Effect) error {
		for _, e := range effects {
			appended, _ := e.(healer.Append)
			for _, written := range appended.Events {
				of := courses[written.Service]
				if of == nil || of.over || !of.read(written.Data) {
					continue
				}
				if ctx.Err() == nil {
					each(of.Result)
				}
				if left--; left == 0 {
					return cmp.Or(ctx.Err(), errDecided)
				}
			}
		}
		return ctx.Err()
	})
	if err == nil {
		for _, c := range cases {
			if !courses[c.Name].over {
				return fmt.Errorf("incident %s: the replay ended without an action or an escalation, which is an error in LogStream", c.Name)
			}
		}
	}
	if errors.Is(err, errDecided) {
		return nil
	}
	return err
}

// read takes an event of the incident, and says whether it is the one that decides.
func (of *course) read(data event.Data) bool {
	if d, is := data.(event.Diagnosed); is {
		of.stands = d
	}
	done, is := doneBy(data)
	if !is {
		return false
	}
	of.over = true
	of.Done = Choice{Action: done, Verdict: of.judge(done)}
	if o := of.stands.Runbook; o != nil {
		of.Runbook = Choice{o.Action, of.judge(o.Action), o.Why}
	} else {
		of.Runbook = of.Done // without a diagnosis, as where its budget was spent
	}
	if of.queried {
		of.Model = &Choice{Verdict: NoUse, Why: of.stands.Invalid}
		if o := of.stands.Model; o != nil {
			of.Model = &Choice{o.Action, of.judge(o.Action), o.Why}
		}
	}
	return true
}

// doneBy is what an event does about a failure, where it does something.
func doneBy(data event.Data) (string, bool) {
	switch data := data.(type) {
	case event.ActionStarted:
		return data.Action, true
	case event.ApprovalRequested:
		return data.Action, true
	case event.Escalated:
		return service.ActionEscalate, true
	}
	return "", false
}
