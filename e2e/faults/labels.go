//go:build e2e

package faults

import (
	"encoding/json"
	"os"
	"slices"
	"strings"

	"logstream/healer/eval"
	"logstream/internal/service"
)

// writeLabels writes what is right in each scenario that was handled so, for
// healer/eval: its recordings of the same run are beside the file.
func writeLabels(path string, list []Scenario, results []Result) error {
	var all []eval.Case
	for _, s := range list {
		correct := slices.ContainsFunc(results, func(r Result) bool {
			return r.Scenario == s.Name && r.Policy == logstream && r.Verdict == Correct && !r.anew
		})
		if right := s.firstRight(); correct && len(right) > 0 {
			all = append(all, eval.Case{Name: s.Name, Fault: s.Row, Right: right, Harmful: s.firstHarmful()})
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// firstRight are the actions on the first container that are right to begin with; none
// where others act first, or nothing is to be done.
func (s Scenario) firstRight() []string {
	var right []string
	ends := s.Want.ends()
	for _, way := range s.Want.ways() {
		switch {
		case len(way) == 0 && slices.Contains(ends, Escalated):
			right = append(right, service.ActionEscalate)
		case len(way) > 0:
			if role, action := split(way[0]); role == "" && !slices.Contains(right, action) {
				right = append(right, action)
			}
		}
	}
	return right
}

// firstHarmful are the actions on the first container that do harm.
func (s Scenario) firstHarmful() []string {
	return slices.DeleteFunc(slices.Clone(s.Harmful), func(act string) bool { return strings.Contains(act, ":") })
}
