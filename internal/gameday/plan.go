// Package gameday has faults injected into services, one after another, and
// reports which of them were healed. It only uses the HTTP API.
package gameday

import (
	"fmt"
	"slices"
	"strings"

	"logstream/internal/nearest"
)

// Service is one of GET /services, as far as it is needed here.
type Service struct {
	Name         string  `json:"name"`
	Status       string  `json:"status"`
	Held         string  `json:"held"`
	Chaos        bool    `json:"chaos"`
	Managed      bool    `json:"managed"`
	OpenIncident *string `json:"open_incident"`
}

// Fault is one of GET /chaos.
type Fault struct {
	Name       string   `json:"fault"`
	Does       string   `json:"does"`
	Undo       bool     `json:"undo"` // it can be taken back by hand
	UndoneBy   string   `json:"undone_by"`
	Reversible bool     `json:"reversible"`
	Repairable bool     `json:"repairable"`
	Services   []string `json:"services"`
}

// stays says whether the fault outlives the repair of what it caused.
func (f Fault) stays() bool { return f.UndoneBy == "limits" || f.UndoneBy == "free" }

// Injection is one fault for one service.
type Injection struct {
	Service string
	Fault   Fault
}

// All, as the only fault that is wanted, is every reversible one.
const All = "all"

// Plan is what is injected, fault by fault: into the wanted services, which are
// those that allow it where none are named, the wanted faults, which are those
// that can be reversed and repaired where none are named. An error says what
// cannot be meant.
func Plan(services []Service, faults []Fault, wantedServices, wantedFaults []string) ([]Injection, error) {
	chosen, err := choose(services, wantedServices)
	if err != nil {
		return nil, err
	}
	if err := known(faults, wantedFaults); err != nil {
		return nil, err
	}
	var plan []Injection
	for _, fault := range faults {
		if !wants(fault, wantedFaults) {
			continue
		}
		for _, name := range chosen {
			if slices.Contains(fault.Services, name) {
				plan = append(plan, Injection{name, fault})
			}
		}
	}
	if len(plan) == 0 {
		return nil, fmt.Errorf("there is nothing to inject into %s: logstream chaos <service> lists the faults that it knows", strings.Join(chosen, ", "))
	}
	return plan, nil
}

// choose are the names of the services, if each of them allows faults.
func choose(services []Service, wanted []string) ([]string, error) {
	var all, allowed []string
	for _, s := range services {
		all = append(all, s.Name)
		if s.Chaos {
			allowed = append(allowed, s.Name)
		}
	}
	if len(wanted) == 0 {
		if len(allowed) == 0 {
			return nil, fmt.Errorf("no service allows fault injection: add the line \"chaos: true\" to one in config.yaml")
		}
		return allowed, nil
	}
	var refused []string
	for _, name := range wanted {
		switch {
		case !slices.Contains(all, name):
			if near := nearest.Of(name, all); near != "" {
				return nil, fmt.Errorf("unknown service %q; did you mean %q?", name, near)
			}
			return nil, fmt.Errorf("unknown service %q; the services are %s", name, strings.Join(all, ", "))
		case !slices.Contains(allowed, name):
			refused = append(refused, name)
		}
	}
	if len(refused) > 0 {
		return nil, fmt.Errorf("%s: fault injection is off: add the line \"chaos: true\" to each of these services in config.yaml", strings.Join(refused, ", "))
	}
	return wanted, nil
}

// known says which of the wanted faults cannot be injected on a game day.
func known(faults []Fault, wanted []string) error {
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	for _, name := range wanted {
		i := slices.Index(names, name)
		switch {
		case name == All && len(wanted) == 1:
		case i < 0:
			if near := nearest.Of(name, names); near != "" {
				return fmt.Errorf("unknown fault %q; did you mean %q?", name, near)
			}
			return fmt.Errorf("unknown fault %q; the faults are %s", name, strings.Join(names, ", "))
		case !faults[i].Reversible:
			return fmt.Errorf("%s cannot be reversed, and a game day injects only what can be: use logstream chaos instead", name)
		}
	}
	return nil
}

func wants(f Fault, wanted []string) bool {
	switch {
	case !f.Reversible:
		return false
	case len(wanted) == 0:
		return f.Repairable
	case len(wanted) == 1 && wanted[0] == All:
		return true
	}
	return slices.Contains(wanted, f.Name)
}
