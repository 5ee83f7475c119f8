//go:build e2e

package faults

import (
	"fmt"
	"slices"
	"time"

	"logstream/internal/event"
)

// claim is an action as an incident reports it.
type claim struct {
	role, action string
	at           time.Time
	outcome      event.Outcome // of the call; empty: it is not finished
}

func (c claim) String() string {
	if c.role == "" {
		return c.action
	}
	return c.role + ":" + c.action
}

// seen is what LogStream reports of a scenario's services.
type seen struct {
	services  map[string]serviceView    // by role
	incidents map[string][]incidentView // by role, oldest first
}

func (s *Stage) view() (seen, error) {
	v := seen{services: map[string]serviceView{}, incidents: map[string][]incidentView{}}
	all, err := s.logs.services()
	if err != nil {
		return v, err
	}
	for _, c := range s.Containers {
		if c.Extra {
			continue
		}
		v.services[c.Role] = all[s.name(c.Role)]
		if v.incidents[c.Role], err = s.logs.incidents(s.name(c.Role)); err != nil {
			return v, err
		}
	}
	return v, nil
}

// claims are the actions of all its incidents, in their order.
func (v seen) claims() []claim {
	var list []claim
	for role, incidents := range v.incidents {
		for _, in := range incidents {
			first := len(list)
			for _, e := range in.Events {
				switch data := e.Data.(type) {
				case event.ActionStarted:
					list = append(list, claim{role: role, action: data.Action, at: e.Time})
				case event.ActionFinished:
					if len(list) > first {
						list[len(list)-1].outcome = data.Outcome
					}
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b claim) int { return a.at.Compare(b.at) })
	return list
}

// carriedOut are the claims whose call was made.
func carriedOut(list []claim) (made []claim) {
	for _, c := range list {
		if c.outcome != event.OutcomeNotExecuted {
			made = append(made, c)
		}
	}
	return made
}

// newest is the first container's newest incident; false: it has none.
func (v seen) newest() (incidentView, bool) {
	all := v.incidents[""]
	if len(all) == 0 {
		return incidentView{}, false
	}
	return all[len(all)-1], true
}

// ended says whether things are as an end has it.
func (v seen) ended(end End, gates []string) bool {
	newest, is := v.newest()
	status := v.services[""].Status
	switch end {
	case Healed:
		return is && newest.State == "resolved" && how(newest) == event.HowHealed
	case Recovered:
		return (!is || newest.State == "resolved") && (status == "UP" || status == "DEGRADED")
	case Escalated:
		return is && newest.State == "escalated"
	case Held:
		return is && newest.State == "open" && slices.Contains(gates, newest.Held) || !is && slices.Contains(gates, v.services[""].Held)
	case Quiet:
		return !is && status != "DOWN"
	}
	return false
}

// how an incident ended.
func how(in incidentView) (how string) {
	for _, e := range in.Events {
		if data, is := e.Data.(event.Resolved); is {
			how = data.How
		}
	}
	return how
}

// causes are what the first container's incidents were diagnosed as, in order.
func (v seen) causes() (list []string) {
	for _, in := range v.incidents[""] {
		for _, e := range in.Events {
			if data, is := e.Data.(event.Diagnosed); is && (len(list) == 0 || list[len(list)-1] != data.CauseID) {
				list = append(list, data.CauseID)
			}
		}
	}
	return list
}

// times are when the first incident of any of its services came to each step.
func (v seen) times() (detected, decided, repaired, verified time.Time) {
	first := func(at *time.Time, e event.Incident) {
		if at.IsZero() || e.Time.Before(*at) {
			*at = e.Time
		}
	}
	for _, incidents := range v.incidents {
		for _, in := range incidents {
			for _, e := range in.Events {
				switch data := e.Data.(type) {
				case event.Opened:
					first(&detected, e)
				case event.Diagnosed:
					first(&decided, e)
				case event.ActionFinished:
					if data.OK {
						repaired = e.Time
					}
				case event.Verified:
					if data.OK {
						verified = e.Time
					}
				}
			}
		}
	}
	return detected, decided, repaired, verified
}

// calledOnce says where a person was not called exactly once for the first container.
func calledOnce(s *Stage) error {
	seen, err := s.view()
	if err != nil {
		return err
	}
	n := 0
	for _, in := range seen.incidents[""] {
		for _, e := range in.Events {
			if _, is := e.Data.(event.Escalated); is {
				n++
			}
		}
	}
	if n != 1 {
		return fmt.Errorf("a person was called %d times", n)
	}
	return nil
}
