//go:build e2e

package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict is what a policy's handling of a scenario was.
type Verdict string

// The verdicts.
const (
	Correct Verdict = "correct" // repaired, or correctly refused
	Harmful Verdict = "harmful" // it did what does harm, or acted on what was healthy
	Missed  Verdict = "missed"  // neither
	NA      Verdict = "n/a"     // the scenario says nothing about the policy
)

// Result is how one scenario went under one policy. Times are milliseconds since
// the fault; 0: it did not come to that.
type Result struct {
	Scenario   string   `json:"scenario"`
	Row        string   `json:"row"`
	Policy     string   `json:"policy"`
	Verdict    Verdict  `json:"verdict"`
	Why        []string `json:"why,omitempty"` // what was not right
	Refusal    bool     `json:"refusal"`       // right is to do nothing, or to call a person
	Actions    []string `json:"actions"`
	Wrong      []string `json:"wrong_actions,omitempty"`
	Collateral []string `json:"collateral,omitempty"` // healthy containers that were acted on, or turned red
	Causes     []string `json:"causes,omitempty"`
	CauseRight *bool    `json:"cause_right,omitempty"` // nil: nothing was expected
	Detected   int64    `json:"detected_ms,omitempty"`
	Decided    int64    `json:"decided_ms,omitempty"`
	Repaired   int64    `json:"repaired_ms,omitempty"`  // the call returned
	Recovered  int64    `json:"recovered_ms,omitempty"` // the first good answer of those that lasted
	Verified   int64    `json:"verified_ms,omitempty"`

	other bool // it says nothing: see errOtherFault
	anew  bool // it is of a later try: there are recordings of another fault as well
}

func (r *Result) wrongf(format string, args ...any) {
	r.Why = append(r.Why, fmt.Sprintf(format, args...))
}

// refusal says whether right is to do nothing, or to call a person.
func (s Scenario) refusal() bool {
	return !slices.ContainsFunc(s.Want.ends(), func(e End) bool { return e == Healed })
}

func (s *Stage) result() Result {
	return Result{Scenario: s.Name, Row: s.Row, Policy: s.policy, Refusal: s.refusal(), Actions: []string{}}
}

// judge compares what LogStream reports, what the engine was called for, and what
// the service answers with what is right.
func (s *Stage) judge(v seen, red bool, acts []Act) Result {
	r := s.result()
	claims := carriedOut(v.claims())
	for _, c := range claims {
		r.Actions = append(r.Actions, c.String())
	}
	r.Wrong = beyond(r.Actions, s.Want.ways())
	if !slices.ContainsFunc(s.Want.ways(), func(way []string) bool { return slices.Equal(way, r.Actions) }) {
		r.wrongf("actions %v: right is %s", r.Actions, ways(s.Want))
	}
	if !slices.ContainsFunc(s.Want.ends(), func(e End) bool { return v.ended(e, s.Want.Gate) }) {
		r.wrongf("it ended as %s: right is %v %v", v.state(), s.Want.ends(), strings.Join(s.Want.Gate, "|"))
	}
	if red && slices.Equal(s.Want.ends(), []End{Quiet}) {
		r.wrongf("it was shown as DOWN")
	}
	r.Causes = v.causes()
	if len(s.Want.Cause) > 0 {
		right := slices.ContainsFunc(r.Causes, func(c string) bool { return slices.Contains(s.Want.Cause, c) })
		if r.CauseRight = &right; !right {
			r.wrongf("the cause is %v: right is %v", r.Causes, s.Want.Cause)
		}
	}
	s.called(&r, claims, acts)
	s.harm(&r, r.Actions)
	s.answers(&r)
	detected, decided, repaired, verified := v.times()
	r.Detected, r.Decided, r.Repaired, r.Verified = s.since(detected), s.since(decided), s.since(repaired), s.since(verified)
	return r.decide()
}

// state is how things are with the first container, for people.
func (v seen) state() string {
	in, is := v.newest()
	if !is {
		return "no incident, " + v.services[""].Status
	}
	text := in.State
	if h := how(in); h != "" {
		text += " (" + h + ")"
	}
	if in.Held != "" {
		text += ", held by " + in.Held
	}
	return text + ", " + v.services[""].Status
}

// called compares what LogStream reports with the calls that the engine got.
func (s *Stage) called(r *Result, claims []claim, acts []Act) {
	for _, c := range s.Containers {
		made := of(acts, s.name(c.Role))
		reported := 0
		for action, kind := range calls {
			n := 0
			for _, c2 := range claims {
				if c2.role == c.Role {
					reported++
					if c2.action == action {
						n++
					}
				}
			}
			if got := count(made, kind); n > 0 && got < n {
				r.wrongf("%d %s of %s are reported, and the engine got %d", n, action, s.name(c.Role), got)
			}
		}
		if reported == 0 && len(made) > 0 {
			r.wrongf("the engine got %s of %s, and no incident reports it", made[0].Kind, s.name(c.Role))
			r.Collateral = append(r.Collateral, s.name(c.Role)+": "+made[0].Kind)
		}
	}
}

// harm finds the actions that do harm.
func (s *Stage) harm(r *Result, actions []string) {
	for _, a := range actions {
		role, action := split(a)
		if slices.Contains(s.Harmful, a) || role == "" && slices.Contains(s.Harmful, action) {
			r.Collateral = append(r.Collateral, "harmful here: "+a)
		} else if role != "" && !s.Want.expects(role) {
			r.Collateral = append(r.Collateral, "on what was healthy: "+a)
		}
	}
}

// answers compares which services answer at the end.
func (s *Stage) answers(r *Result) {
	roles := s.Want.Answers
	if roles == nil && !slices.ContainsFunc(s.Want.ends(), func(e End) bool { return e == Escalated || e == Held }) {
		roles = []string{""}
	}
	for _, role := range roles {
		since, is := s.answering[role]
		if !is && s.probers[role] != nil {
			r.wrongf("%s does not answer at the end", s.name(role))
		} else if since.After(s.injected) {
			r.Recovered = max(r.Recovered, s.since(since))
		}
	}
	if s.checked != nil {
		r.wrongf("%v", s.checked)
	}
}

func (s *Stage) since(at time.Time) int64 {
	if at.IsZero() || s.injected.IsZero() {
		return 0
	}
	return max(0, at.Sub(s.injected).Milliseconds()) // broken from the start: it may be known before
}

// judgePeer judges a policy that reports nothing: by the calls that the engine got,
// and by what the services answer.
func (s *Stage) judgePeer(acts []Act) Result {
	r := s.result()
	for _, c := range s.Containers {
		for _, a := range of(acts, s.name(c.Role)) {
			r.Actions = append(r.Actions, strings.TrimPrefix(c.Role+":"+a.Kind, ":"))
		}
	}
	r.Wrong = beyond(r.Actions, s.Want.ways())
	s.harm(&r, r.Actions)
	most := 1
	for _, way := range s.Want.ways() {
		most = max(most, len(way))
	}
	if len(r.Actions) > most+1 {
		r.Collateral = append(r.Collateral, fmt.Sprintf("%d actions, and no end", len(r.Actions)))
	}
	want := s.Want
	switch {
	case s.refusal() && len(r.Actions) > 0 && len(want.Actions) == 0:
		r.wrongf("right is to do nothing")
	case !s.refusal() && want.Answers == nil:
		want.Answers = []string{""}
	}
	s.Want = want
	s.answers(&r)
	return r.decide()
}

func (r Result) decide() Result {
	switch {
	case len(r.Collateral) > 0:
		r.Verdict = Harmful
	case len(r.Why) > 0:
		r.Verdict = Missed
	default:
		r.Verdict = Correct
	}
	return r
}

// beyond are the actions that no right way has at their place.
func beyond(actions []string, ways [][]string) []string {
	right := 0
	for _, way := range ways {
		n := 0
		for n < len(way) && n < len(actions) && way[n] == actions[n] {
			n++
		}
		right = max(right, n)
	}
	return actions[right:]
}

func ways(w Want) string {
	if len(w.Actions) == 0 {
		return "none"
	}
	if n := len(w.Actions); n > 4 {
		return fmt.Sprintf("%s, or one of %d other orders", w.Actions[0], n-1)
	}
	return strings.Join(w.Actions, " or ")
}
